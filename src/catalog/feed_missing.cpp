// What a file does not have: products that are archived, variants of the others that are out of
// stock. And what is left of an import when it is over.
#include <algorithm>

#include "catalog/feed_batch.hpp"
#include "catalog/feed_rows.hpp"

namespace bottega::catalog {
namespace {

constexpr std::int64_t kPage = 500, kForgotten = 5'000;

struct Candidate {
  ProductId id;
  bool is_seen = false;
};
BOOST_DESCRIBE_STRUCT(Candidate, (), (id, is_seen))

const Sql<Candidate(MerchantId, FeedImportId, ProductId, std::int64_t)> kCandidates{
    "catalog.feed_candidates", R"(
    SELECT i.product_id AS id,
           EXISTS (SELECT FROM feed_import_seen s
                   WHERE s.merchant_id = $1 AND s.import_id = $2 AND s.thing_id = i.product_id)
             AS is_seen
    FROM product_index i
    WHERE i.merchant_id = $1 AND i.state = 'published' AND i.product_id > $3
    ORDER BY i.product_id LIMIT $4)"};

const Sql<ProductId(MerchantId, std::vector<ProductId>, Instant)> kArchive{"catalog.feed_archive",
                                                                           R"(
    UPDATE products SET state = 'archived', version = version + 1, updated_at = $3
    WHERE merchant_id = $1 AND id = ANY ($2::uuid[]) AND state = 'published'
    RETURNING id)"};

const Sql<ProductId(MerchantId, FeedImportId, std::vector<ProductId>)> kEmpty{
    "catalog.feed_empty_variants", R"(
    UPDATE variants v SET availability = 'out_of_stock', available_at = NULL
    FROM unnest($3::uuid[]) AS u (id)
    WHERE v.merchant_id = $1 AND v.product_id = u.id AND v.availability <> 'out_of_stock'
      AND NOT EXISTS (SELECT FROM feed_import_seen s
                      WHERE s.merchant_id = $1 AND s.import_id = $2 AND s.thing_id = v.id)
    RETURNING v.product_id)"};

const Sql<void(MerchantId, std::vector<ProductId>, Instant)> kRaise{"catalog.feed_raise_emptied",
                                                                    R"(
    UPDATE products SET version = version + 1, updated_at = $3
    WHERE merchant_id = $1 AND id = ANY ($2::uuid[]))"};

const Sql<void(MerchantId, FeedImportId, std::int64_t)> kCount{"catalog.feed_count_archived", R"(
    UPDATE feed_imports SET products_archived = products_archived + $3
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, FeedImportId, std::int64_t)> kForgetSeen{"catalog.forget_seen", R"(
    DELETE FROM feed_import_seen
    WHERE merchant_id = $1 AND import_id = $2
      AND thing_id IN (SELECT thing_id FROM feed_import_seen
                       WHERE merchant_id = $1 AND import_id = $2 LIMIT $3))"};

}  // namespace

std::optional<ProductId> archive_missing(Tx& tx, const FeedImport& import, ProductId after) {
  prefer_keys(tx);
  const auto page = tx.all(kCandidates, import.merchant_id, import.id, after, kPage);
  std::vector<ProductId> missing, seen;
  for (const auto& one : page) (one.is_seen ? seen : missing).push_back(one.id);
  auto changed = tx.all(kArchive, import.merchant_id, missing, tx.now());
  if (!changed.empty()) tx.run(kCount, import.merchant_id, import.id, std::ssize(changed));
  const auto emptied = tx.all(kEmpty, import.merchant_id, import.id, seen);
  if (!emptied.empty()) tx.run(kRaise, import.merchant_id, emptied, tx.now());
  changed.insert(changed.end(), emptied.begin(), emptied.end());
  std::ranges::sort(changed);
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  index(tx, import.merchant_id, changed);
  if (std::ssize(page) < kPage) return std::nullopt;
  return page.back().id;
}

asio::awaitable<void> clear_feed(Database& db, attachments::Depot& depot, const jobs::Job& job) {
  const auto id = from_text<FeedImportId>(job.about);
  const auto merchant = from_text<MerchantId>(job.arguments.at("merchant_id").get<std::string>());
  const auto running = co_await db.read([&](Tx& tx) { return open_feed(tx, merchant, id); });
  if (running) co_return;  // its end asks again
  const auto key = key_of(id);
  co_await depot.store().remove(key);
  for (std::size_t gone = 1; gone > 0;)
    gone =
        co_await db.transact([&](Tx& tx) { return tx.run(kForgetSeen, merchant, id, kForgotten); });
}

}  // namespace bottega::catalog
