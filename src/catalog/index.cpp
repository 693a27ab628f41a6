// The index rows of products. They are written from what is there, in one statement however many
// products they are of; the rows are locked by a statement before, so that what this one sees is
// not older than what another has written.
#include "bottega/catalog/browse.hpp"
#include "bottega/catalog/catalog.hpp"
#include "bottega/jobs/job.hpp"

namespace bottega::catalog {
namespace {

const Sql<ProductId(MerchantId, std::vector<ProductId>)> kLock{"catalog.lock_index", R"(
    SELECT product_id FROM product_index WHERE merchant_id = $1 AND product_id = ANY ($2::uuid[])
    ORDER BY product_id FOR UPDATE)"};

// Signs in a text become spaces (0020_search_words.sql), so that none gives a word with a colon:
// those are the filters.
const Sql<void(MerchantId, std::vector<ProductId>, Instant)> kWrite{"catalog.write_index", R"(
    INSERT INTO product_index (merchant_id, product_id, state, low, words, changes_at)
    SELECT p.merchant_id, p.id, p.state, v.low,
           strip(to_tsvector('simple', search_plain(concat_ws(' ', p.title, p.brand, p.category,
                   v.words, left(p.description, 1000)))))
             || array_to_tsvector(array_remove(ARRAY['m:' || p.merchant_id, 'p:' || p.state,
                     'k:' || p.condition, 'b:' || md5(lower(p.brand)),
                     CASE WHEN v.is_there THEN 's:in_stock' END], NULL)
                   || coalesce(c.tags, '{}') || coalesce(t.tags, '{}')),
           v.changes_at
    FROM unnest($2::uuid[]) AS u (id)
         CROSS JOIN LATERAL (
           SELECT x.merchant_id, x.id, x.state, x.title, x.brand, x.category, x.condition,
                  x.description
           FROM products x WHERE x.merchant_id = $1 AND x.id = u.id OFFSET 0) p
         CROSS JOIN LATERAL (
           SELECT min(price_at(x.prices, m.currency, $3)) AS low,
                  min(price_changes_after(x.prices, $3)) AS changes_at,
                  string_agg(x.sku || ' ' || (SELECT coalesce(string_agg(o.value, ' '), '')
                                              FROM jsonb_array_elements_text(x.options) o), ' '
                             ORDER BY x.position, x.id) AS words,
                  bool_or(x.availability <> 'out_of_stock'
                          AND CASE WHEN s.variant_id IS NULL THEN x.availability = 'in_stock'
                                   ELSE s.on_hand > s.reserved END) AS is_there
           FROM merchants m
                LEFT JOIN variants x ON x.merchant_id = $1 AND x.product_id = p.id
                LEFT JOIN stock s ON s.merchant_id = $1 AND s.variant_id = x.id
           WHERE m.id = $1) v
         CROSS JOIN LATERAL (
           SELECT array_agg('c:' || x.collection_id) AS tags
           FROM collection_products x WHERE x.merchant_id = $1 AND x.product_id = p.id) c
         CROSS JOIN LATERAL (
           SELECT array_agg(DISTINCT category_tag(array_to_string(x.names[1:n], '>'))) AS tags
           FROM (SELECT string_to_array(p.category, '>') AS names) x
                CROSS JOIN LATERAL generate_series(1, cardinality(x.names)) n) t
    ORDER BY p.id
    ON CONFLICT (merchant_id, product_id) DO UPDATE
    SET state = excluded.state, low = excluded.low, words = excluded.words,
        changes_at = excluded.changes_at)"};

struct Due {
  MerchantId merchant_id;
  ProductId product_id;
};
BOOST_DESCRIBE_STRUCT(Due, (), (merchant_id, product_id))

// Of whichever merchant: a query without merchant_id. What another has in hand is left to it.
const Sql<Due(Instant, std::int64_t)> kDue{"catalog.due_index", R"(
    SELECT merchant_id, product_id FROM product_index WHERE changes_at <= $1
    ORDER BY changes_at LIMIT $2 FOR UPDATE SKIP LOCKED)"};

const Sql<bool(Instant)> kIsDue{"catalog.is_index_due", R"(
    SELECT EXISTS (SELECT FROM product_index WHERE changes_at <= $1))"};

const Sql<ProductId(MerchantId, ProductId, std::int64_t)> kNextOfShop{"catalog.next_of_shop", R"(
    SELECT product_id FROM product_index WHERE merchant_id = $1 AND product_id > $2
    ORDER BY product_id LIMIT $3)"};

constexpr std::int64_t kPage = 200;

}  // namespace

void index(Tx& tx, MerchantId merchant, const std::vector<ProductId>& ids) {
  if (ids.empty()) return;
  tx.all(kLock, merchant, ids);
  tx.run(kWrite, merchant, ids, tx.now());
}

std::int64_t reindex_due(Tx& tx, std::int64_t most) {
  const auto due = tx.all(kDue, tx.now(), most);
  std::map<MerchantId, std::vector<ProductId>> shops;
  for (const auto& row : due) shops[row.merchant_id].push_back(row.product_id);
  for (const auto& [merchant, ids] : shops) tx.run(kWrite, merchant, ids, tx.now());
  return static_cast<std::int64_t>(due.size());
}

asio::awaitable<void> keep_index(Database& db) {
  for (std::int64_t done = 1; done > 0;) {  // none: another node is at it
    const bool is_due = co_await db.read([](Tx& tx) { return tx.one(kIsDue, tx.now()); });
    if (!is_due) co_return;
    done = co_await db.transact([](Tx& tx) { return reindex_due(tx, kPage); });
  }
}

asio::awaitable<void> reindex_all(Database& db, MerchantId merchant) {
  for (std::optional<ProductId> after = ProductId{}; after;)
    after = co_await db.transact([&](Tx& tx) { return reindex_shop(tx, merchant, *after); });
}

void reindex_later(Tx& tx, MerchantId merchant) {
  jobs::enqueue(tx, kReindexJob, text_of(merchant), Json::object(), tx.now());
}

std::optional<ProductId> reindex_shop(Tx& tx, MerchantId merchant, ProductId after) {
  const auto page = tx.all(kNextOfShop, merchant, after, kPage);
  index(tx, merchant, page);
  if (static_cast<std::int64_t>(page.size()) < kPage) return std::nullopt;
  return page.back();
}

}  // namespace bottega::catalog
