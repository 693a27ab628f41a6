// How a batch of rows fits what the catalogue has already, of which the file says nothing.
#include "catalog/feed_batch.hpp"
#include "catalog/rows.hpp"

namespace bottega::catalog {
namespace {

using Names = std::vector<std::string>;

// Where a row that names no group belongs: to the product that has its SKU, which may be called by
// it and have other variants.
struct Home {
  std::string sku, handle;
};
BOOST_DESCRIBE_STRUCT(Home, (), (sku, handle))

const Sql<Home(MerchantId, Names)> kHomes{"catalog.feed_homes", R"(
    SELECT f.sku, p.handle
    FROM unnest($2::text[]) AS f (sku)
         CROSS JOIN LATERAL (SELECT x.product_id FROM variants x
                             WHERE x.merchant_id = $1 AND x.sku = f.sku OFFSET 0) v
         CROSS JOIN LATERAL (SELECT x.handle FROM products x
                             WHERE x.merchant_id = $1 AND x.id = v.product_id OFFSET 0) p
    WHERE p.handle <> f.sku
       OR (SELECT count(*) FROM (SELECT FROM variants x
                                 WHERE x.merchant_id = $1 AND x.product_id = v.product_id
                                 LIMIT 2) AS two) = 2)"};

// What was published and has lost its last price that the shop takes.
const Sql<ProductId(MerchantId, Names, Names, Instant)> kWithdraw{"catalog.feed_withdraw", R"(
    UPDATE products p SET state = 'archived', version = version + 1, updated_at = $4
    WHERE p.merchant_id = $1 AND p.handle = ANY ($2::text[]) AND p.state = 'published'
      AND NOT EXISTS (SELECT FROM variants v
                        CROSS JOIN LATERAL jsonb_array_elements(v.prices) AS e (price)
                      WHERE v.merchant_id = $1 AND v.product_id = p.id
                        AND e.price ->> 'currency' = ANY ($3::text[]))
    RETURNING p.id)"};

// Variants of products without options, now that they have several.
const Sql<void(MerchantId, std::vector<ProductId>)> kNameOptions{"catalog.feed_name_options", R"(
    UPDATE products p SET option_names = '["id"]'
    WHERE p.merchant_id = $1 AND p.id = ANY ($2::uuid[]) AND p.option_names = '[]'
      AND (SELECT count(*) FROM (SELECT FROM variants v
                                 WHERE v.merchant_id = $1 AND v.product_id = p.id LIMIT 2) AS two)
          = 2)"};

// Variants of which the file says nothing, under names that it has changed.
const Sql<void(MerchantId, std::vector<ProductId>)> kFitOptions{"catalog.feed_fit_options", R"(
    UPDATE variants v
    SET options = (SELECT coalesce(jsonb_agg(coalesce(v.options -> i, '"-"') ORDER BY i), '[]')
                   FROM generate_series(0, jsonb_array_length(d.option_names) - 1) AS i)
    FROM unnest($2::uuid[]) AS u (id)
         CROSS JOIN LATERAL (SELECT x.id, x.option_names FROM products x
                             WHERE x.merchant_id = $1 AND x.id = u.id AND x.state = 'published'
                         OFFSET 0) p
         CROSS JOIN LATERAL (
           SELECT x.id, p.option_names FROM variants x
           WHERE x.merchant_id = $1 AND x.product_id = p.id
             AND jsonb_array_length(x.options) <> jsonb_array_length(p.option_names) OFFSET 0) d
    WHERE v.merchant_id = $1 AND v.id = d.id
      AND jsonb_array_length(v.options) <> jsonb_array_length(d.option_names))"};

// Variants that another file has brought, and that nothing tells from those of this one: by their
// SKUs.
const Sql<void(MerchantId, std::vector<ProductId>, Names)> kTellApart{"catalog.feed_tell_apart",
                                                                      R"(
    UPDATE variants v
    SET options = jsonb_set(v.options, '{-1}',
                            to_jsonb(left(v.options ->> -1, 45) || ' (' || v.sku || ')'))
    FROM (SELECT x.id, row_number() OVER (PARTITION BY x.product_id, x.options
                                          ORDER BY x.sku = ANY ($3::text[]) DESC, x.id) AS place
          FROM variants x WHERE x.merchant_id = $1 AND x.product_id = ANY ($2::uuid[])) AS d
    WHERE v.merchant_id = $1 AND v.id = d.id AND d.place > 1 AND v.options <> '[]')"};

}  // namespace

// A row without a group says nothing of the other variants, and nothing of what they are told by.
void FeedBatch::find_homes(Tx& tx, MerchantId merchant) {
  if (!is_alone_) return;
  Names alone;
  for (std::size_t i = 0; i < skus_.size(); ++i)
    if (keeps_home_[i]) alone.push_back(skus_[i]);
  std::map<std::string, std::string> homes;
  for (auto& home : tx.all(kHomes, merchant, alone)) homes.emplace(home.sku, home.handle);
  for (std::size_t i = 0; i < skus_.size(); ++i) {
    const auto home = homes.find(skus_[i]);
    if (!keeps_home_[i] || home == homes.end()) continue;
    if (const auto of = known_handles_.find(skus_[i]); of != known_handles_.end()) {
      handles_[of->second] = home->second;
      option_names_[of->second].reset();
    }
    if (unpriced_handles_.erase(skus_[i]) > 0) unpriced_handles_.insert(home->second);
    of_[i] = home->second;
    options_[i].reset();
    has_open_options_ = true;
  }
}

std::vector<ProductId> FeedBatch::withdraw_unpriced(Tx& tx, MerchantId merchant,
                                                    const std::vector<Currency>& taken) const {
  if (unpriced_handles_.empty()) return {};
  const Names handles(unpriced_handles_.begin(), unpriced_handles_.end());
  Names codes;
  for (const auto& currency : taken) codes.emplace_back(currency.code());
  return tx.all(kWithdraw, merchant, handles, codes, tx.now());
}

void FeedBatch::fit_options(Tx& tx, MerchantId merchant, const std::vector<ProductId>& changed,
                            bool is_news_only) const {
  if (!is_news_only) tx.run(kNameOptions, merchant, changed);
  if (has_open_options_ || !is_news_only) tx.run(kFitOptions, merchant, changed);
  if (!is_news_only) tx.run(kTellApart, merchant, changed, skus_);
}

}  // namespace bottega::catalog
