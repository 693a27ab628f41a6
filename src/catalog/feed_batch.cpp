#include "catalog/feed_batch.hpp"

#include <algorithm>

#include "catalog/rows.hpp"

namespace bottega::catalog {
namespace {

using Texts = std::vector<std::optional<std::string>>;
using Names = std::vector<std::string>;
using Flags = std::vector<bool>;
using Counts = std::vector<std::optional<std::int64_t>>;

// A plan that was made while the tables were small would be kept when they are not: each row is
// looked up by its key, whatever the statistics say.
const Sql<std::string()> kByKeys{"catalog.feed_plans", R"(
    SELECT set_config('enable_seqscan', 'off', true) || set_config('enable_hashjoin', 'off', true)
             || set_config('enable_mergejoin', 'off', true)
             || set_config('enable_material', 'off', true) AS set)"};

// What the file has not said stays as it was. Files of our own are known to the product already, or
// are left out: nobody names another's.
const Sql<ProductId(MerchantId, Instant, std::vector<ProductId>, Names, Names, Texts, Texts, Texts,
                    Texts, Texts, Texts, Texts, Texts, Texts, Texts,
                    std::vector<std::optional<bool>>)>
    kProducts{"catalog.feed_products", R"(
    INSERT INTO products AS p
           (merchant_id, id, handle, state, title, description, brand, condition, category,
            google_category, url, images, option_names, tax_class, needs_shipping, created_at,
            updated_at, published_at)
    SELECT DISTINCT ON (f.handle) $1::uuid, f.id, f.handle, n.state, f.title,
           coalesce(f.description, o.description, ''),
           CASE WHEN f.brand IS NULL THEN o.brand ELSE nullif(f.brand, '') END,
           coalesce(f.condition, o.condition, 'new'),
           CASE WHEN f.category IS NULL THEN o.category ELSE nullif(f.category, '') END,
           CASE WHEN f.google_category IS NULL THEN o.google_category
                ELSE nullif(f.google_category, '') END,
           CASE WHEN f.url IS NULL THEN o.url ELSE nullif(f.url, '') END,
           CASE WHEN strpos(f.images, 'att_') = 0 THEN f.images::jsonb
                WHEN f.images IS NULL THEN coalesce(o.images, '[]')
                ELSE (SELECT coalesce(jsonb_agg(i.image ORDER BY i.place), '[]')
                      FROM jsonb_array_elements(f.images::jsonb)
                             WITH ORDINALITY AS i (image, place)
                      WHERE i.image ->> 'attachment_id' IS NULL
                         OR o.images @> jsonb_build_array(i.image)) END,
           coalesce(f.option_names::jsonb, o.option_names, '[]'),
           coalesce(f.tax_class, o.tax_class, 'standard'),
           coalesce(f.needs_shipping, o.needs_shipping, true), $2::timestamptz, $2,
           CASE WHEN n.state = 'published' THEN $2 END
    FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
                $16::boolean[])
           AS f (id, handle, title, description, brand, condition, category, google_category, url,
                 images, option_names, state, tax_class, needs_shipping)
         LEFT JOIN LATERAL (
           SELECT x.state, x.description, x.brand, x.condition, x.category, x.google_category,
                  x.url, x.images, x.option_names, x.tax_class, x.needs_shipping
           FROM products x WHERE x.merchant_id = $1 AND x.handle = f.handle OFFSET 0) o ON true
         CROSS JOIN LATERAL (
           SELECT CASE WHEN f.state = 'unpriced' THEN coalesce(o.state, 'draft')
                       ELSE coalesce(f.state, CASE WHEN o.state = 'draft' THEN 'draft'
                                                   ELSE 'published' END) END) AS n (state)
    ORDER BY f.handle, f.id
    ON CONFLICT (merchant_id, handle) DO UPDATE
    SET state = excluded.state, title = excluded.title, description = excluded.description,
        brand = excluded.brand, condition = excluded.condition, category = excluded.category,
        google_category = excluded.google_category, url = excluded.url, images = excluded.images,
        option_names = excluded.option_names, tax_class = excluded.tax_class,
        needs_shipping = excluded.needs_shipping, updated_at = excluded.updated_at,
        published_at = coalesce(p.published_at, excluded.published_at), version = p.version + 1
    WHERE (p.state, p.title, p.description, p.brand, p.condition, p.category, p.google_category,
           p.url, p.images, p.option_names, p.tax_class, p.needs_shipping)
          IS DISTINCT FROM
          (excluded.state, excluded.title, excluded.description, excluded.brand,
           excluded.condition, excluded.category, excluded.google_category, excluded.url,
           excluded.images, excluded.option_names, excluded.tax_class, excluded.needs_shipping)
    RETURNING p.id)"};

// Products that are about to lose a variant to another one.
const Sql<ProductId(MerchantId, Names, Names)> kLosing{"catalog.feed_losing", R"(
    SELECT DISTINCT v.product_id
    FROM unnest($2::text[], $3::text[]) AS f (sku, handle)
         CROSS JOIN LATERAL (SELECT x.product_id FROM variants x
                             WHERE x.merchant_id = $1 AND x.sku = f.sku OFFSET 0) v
         CROSS JOIN LATERAL (SELECT x.id FROM products x
                             WHERE x.merchant_id = $1 AND x.handle = f.handle OFFSET 0) p
    WHERE v.product_id <> p.id)"};

struct WrittenVariant {
  VariantId id;
  ProductId product_id;
};
BOOST_DESCRIBE_STRUCT(WrittenVariant, (), (id, product_id))

const Sql<WrittenVariant(MerchantId, std::vector<VariantId>, Names, Names,
                         std::vector<std::int64_t>, Texts, Texts, Texts, Names, Flags, Counts,
                         Names, std::vector<std::optional<Instant>>, Texts, Flags, Flags, Flags,
                         Flags, Flags, Instant)>
    kVariants{"catalog.feed_variants", R"(
    INSERT INTO variants AS v
           (merchant_id, id, product_id, position, sku, options, gtin, mpn, prices, weight_g,
            availability, available_at, image)
    SELECT $1, f.id, p.id, CASE WHEN f.keeps_place THEN coalesce(o.position, f.position)
                                ELSE f.position END, f.sku, coalesce(f.options, o.options, '[]'),
           CASE WHEN f.gtin IS NULL THEN o.gtin ELSE nullif(f.gtin, '') END,
           CASE WHEN f.mpn IS NULL THEN o.mpn ELSE nullif(f.mpn, '') END,
           CASE WHEN f.has_all OR o.prices IS NULL THEN f.prices
                ELSE CASE WHEN was.price IS NULL THEN f.prices
                          ELSE jsonb_build_array(f.prices -> 0 || jsonb_build_object(
                                 'compare_at', kept.compare_at, 'sale', kept.sale)) END
                     || (SELECT coalesce(jsonb_agg(others.price), '[]')
                         FROM (SELECT price FROM jsonb_array_elements(o.prices) AS e (price)
                               WHERE price ->> 'currency' <> f.prices -> 0 ->> 'currency'
                               LIMIT 9) AS others) END,
           coalesce(f.weight_g, o.weight_g), f.availability,
           CASE WHEN NOT f.says_date AND f.availability IN ('preorder', 'backorder')
                THEN o.available_at ELSE f.available_at END,
           CASE WHEN f.is_exact AND f.image ->> 'attachment_id' IS NULL THEN f.image
                WHEN f.is_exact OR f.image IS NULL THEN o.image
                WHEN f.image <> coalesce(p.images -> 0, 'null') THEN f.image END
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::integer[], $6::jsonb[], $7::text[],
                $8::text[], $9::jsonb[], $10::boolean[], $11::bigint[], $12::text[],
                $13::timestamptz[], $14::jsonb[], $15::boolean[], $16::boolean[], $17::boolean[],
                $18::boolean[], $19::boolean[])
           AS f (id, handle, sku, position, options, gtin, mpn, prices, has_all, weight_g,
                 availability, available_at, image, is_exact, says_sale, says_dates, says_date,
                 keeps_place)
         CROSS JOIN LATERAL (
           SELECT x.id, x.images FROM products x
           WHERE x.merchant_id = $1 AND x.handle = f.handle OFFSET 0) p
         LEFT JOIN LATERAL (
           SELECT x.position, x.options, x.gtin, x.mpn, x.prices, x.weight_g, x.available_at,
                  x.image
           FROM variants x WHERE x.merchant_id = $1 AND x.sku = f.sku OFFSET 0) o ON true
         LEFT JOIN LATERAL (
           SELECT e.price, nullif(e.price -> 'sale', 'null') AS sale
           FROM jsonb_array_elements(o.prices) AS e (price)
           WHERE e.price ->> 'currency' = f.prices -> 0 ->> 'currency' LIMIT 1) was
           ON NOT f.has_all
         CROSS JOIN LATERAL (
           SELECT (f.prices #>> '{0,amount}')::bigint, nullif(f.prices #> '{0,sale}', 'null'))
           AS now (amount, sale)
         CROSS JOIN LATERAL (
           SELECT CASE WHEN (was.price ->> 'compare_at')::bigint > now.amount
                       THEN was.price -> 'compare_at' END,
                  CASE WHEN NOT f.says_sale AND (was.sale ->> 'amount')::bigint < now.amount
                       THEN was.sale
                       WHEN NOT f.says_dates AND was.sale IS NOT NULL AND now.sale IS NOT NULL
                         AND coalesce((was.sale ->> 'ends_at')::timestamptz > $20::timestamptz,
                                      true)
                       THEN was.sale || jsonb_build_object('amount', now.sale -> 'amount')
                       WHEN f.says_sale THEN now.sale END)
           AS kept (compare_at, sale)
    ORDER BY f.sku
    ON CONFLICT (merchant_id, sku) DO UPDATE
    SET product_id = excluded.product_id, position = excluded.position, options = excluded.options,
        gtin = excluded.gtin, mpn = excluded.mpn, prices = excluded.prices,
        weight_g = excluded.weight_g, availability = excluded.availability,
        available_at = excluded.available_at, image = excluded.image
    WHERE (v.product_id, v.position, v.options, v.gtin, v.mpn, v.prices, v.weight_g,
           v.availability, v.available_at, v.image)
          IS DISTINCT FROM
          (excluded.product_id, excluded.position, excluded.options, excluded.gtin, excluded.mpn,
           excluded.prices, excluded.weight_g, excluded.availability, excluded.available_at,
           excluded.image)
    RETURNING v.id, v.product_id)"};

// What somebody is paying for just now is there.
const Sql<ProductId(MerchantId, Names, Counts)> kStock{"catalog.feed_stock", R"(
    WITH written AS (
      INSERT INTO stock AS s (merchant_id, variant_id, on_hand)
      SELECT $1, v.id, f.on_hand
      FROM unnest($2::text[], $3::bigint[]) AS f (sku, on_hand)
           CROSS JOIN LATERAL (SELECT x.id FROM variants x
                               WHERE x.merchant_id = $1 AND x.sku = f.sku OFFSET 0) v
      WHERE f.on_hand IS NOT NULL ORDER BY v.id
      ON CONFLICT (merchant_id, variant_id) DO UPDATE
      SET on_hand = greatest(excluded.on_hand, s.reserved)
      WHERE s.on_hand <> greatest(excluded.on_hand, s.reserved)
      RETURNING s.variant_id)
    SELECT DISTINCT v.product_id
    FROM written w
         CROSS JOIN LATERAL (SELECT x.product_id FROM variants x
                             WHERE x.merchant_id = $1 AND x.id = w.variant_id OFFSET 0) v)"};

const Sql<void(MerchantId, std::vector<ProductId>, Instant)> kRaise{"catalog.feed_raise", R"(
    UPDATE products SET version = version + 1, updated_at = $3
    WHERE merchant_id = $1 AND id = ANY ($2::uuid[]))"};

const Sql<void(MerchantId, std::vector<ProductId>, Instant)> kArchiveEmpty{
    "catalog.feed_archive_empty", R"(
    UPDATE products p SET state = 'archived', version = version + 1, updated_at = $3
    WHERE p.merchant_id = $1 AND p.id = ANY ($2::uuid[]) AND p.state = 'published'
      AND NOT EXISTS (SELECT FROM variants v WHERE v.merchant_id = $1 AND v.product_id = p.id))"};

const Sql<void(MerchantId, FeedImportId, Names, Names)> kSeen{"catalog.feed_seen", R"(
    INSERT INTO feed_import_seen (merchant_id, import_id, thing_id)
    SELECT $1::uuid, $2::uuid, t.id
    FROM unnest($3::text[]) AS f (sku)
         CROSS JOIN LATERAL (SELECT x.id, x.product_id FROM variants x
                             WHERE x.merchant_id = $1 AND x.sku = f.sku OFFSET 0) v
         CROSS JOIN LATERAL (VALUES (v.id), (v.product_id)) AS t (id)
    UNION
    SELECT $1::uuid, $2::uuid, p.id
    FROM unnest($4::text[]) AS f (handle)
         CROSS JOIN LATERAL (SELECT x.id FROM products x
                             WHERE x.merchant_id = $1 AND x.handle = f.handle OFFSET 0) p
    ON CONFLICT DO NOTHING)"};

// Products that show files of the shop: few do, and a feed may have taken one away.
const Sql<ProductId(MerchantId, std::vector<ProductId>)> kPictured{"catalog.feed_pictured", R"(
    SELECT DISTINCT product_id FROM product_pictures
    WHERE merchant_id = $1 AND product_id = ANY ($2::uuid[]))"};

const Sql<ProductRow(MerchantId, ProductId)> kRow{"catalog.feed_product", R"(
    SELECT id, merchant_id, handle, version, state, title, description, brand, condition, category,
           google_category, url, images, option_names, tax_class, needs_shipping, created_at,
           updated_at, published_at
    FROM products WHERE merchant_id = $1 AND id = $2)"};

void follow_pictures(Tx& tx, MerchantId merchant, const std::vector<ProductId>& changed) {
  for (const auto& id : tx.all(kPictured, merchant, changed))
    take_pictures(tx, tx.one(kRow, merchant, id), variants_of(tx, merchant, id));
}

std::optional<std::string> text_of_view(const FeedItem::View& view) {
  if (!view) return std::nullopt;
  return std::string(*view);
}

template <class T>
std::optional<std::string> word_of(const std::optional<T>& value) {
  if (!value) return std::nullopt;
  return text_of(*value);
}

std::vector<ProductId> list_of(const std::set<ProductId>& ids) { return {ids.begin(), ids.end()}; }

}  // namespace

void prefer_keys(Tx& tx) { tx.find(kByKeys); }

void FeedBatch::add(std::int64_t row, const FeedItem& item) {
  upto_ = row;
  known_skus_.emplace(item.sku);
  if (item.is_first && known_handles_.emplace(item.handle, products_.size()).second)
    add_product(item);
  if (!item.is_priced) unpriced_handles_.emplace(item.handle);
  if (const auto of = known_handles_.find(item.handle); of != known_handles_.end())
    are_priced_[of->second] = are_priced_[of->second] || item.is_priced;
  last_handle_ = item.handle;
  variants_.push_back(VariantId::make());
  of_.emplace_back(item.handle);
  skus_.emplace_back(item.sku);
  positions_.push_back(item.position);
  options_.push_back(item.options);
  gtins_.push_back(text_of_view(item.gtin));
  mpns_.push_back(text_of_view(item.mpn));
  prices_.push_back(item.prices);
  all_prices_.push_back(item.has_all_prices);
  weights_.push_back(item.weight_g);
  availabilities_.push_back(text_of(item.availability));
  available_at_.push_back(item.available_at);
  own_images_.push_back(item.image);
  exact_images_.push_back(item.is_exact_image);
  says_sale_.push_back(item.says_sale);
  says_dates_.push_back(item.says_dates);
  says_date_.push_back(item.says_date);
  keeps_home_.push_back(item.keeps_home);
  is_alone_ = is_alone_ || item.keeps_home;
  on_hand_.push_back(item.on_hand);
  has_stock_ = has_stock_ || item.on_hand.has_value();
  has_open_options_ = has_open_options_ || !item.options.has_value();
  bytes_ += 500 + item.prices.size() + item.sku.size();
}

void FeedBatch::add_product(const FeedItem& item) {
  products_.push_back(ProductId::make());
  handles_.emplace_back(item.handle);
  titles_.emplace_back(item.title);
  descriptions_.push_back(text_of_view(item.description));
  brands_.push_back(text_of_view(item.brand));
  conditions_.push_back(word_of(item.condition));
  categories_.push_back(text_of_view(item.category));
  google_categories_.push_back(text_of_view(item.google_category));
  urls_.push_back(text_of_view(item.url));
  images_.push_back(item.images);
  option_names_.push_back(item.option_names);
  states_.push_back(word_of(item.state));
  tax_classes_.push_back(word_of(item.extra.tax_class));
  needs_shipping_.push_back(item.extra.needs_shipping);
  are_priced_.push_back(false);
  bytes_ += 500 + item.title.size() + item.description.value_or("").size() +
            (item.images ? item.images->size() : 0);
}

void FeedBatch::leave_out(std::int64_t row, std::string_view sku, std::string_view handle) {
  upto_ = row;
  if (!sku.empty()) left_out_skus_.emplace_back(sku);
  if (!handle.empty()) left_out_handles_.emplace_back(handle);
  bytes_ += sku.size() + handle.size();
}

std::vector<ProductId> FeedBatch::write_products(Tx& tx, MerchantId merchant) const {
  if (products_.empty()) return {};
  return tx.all(kProducts, merchant, tx.now(), products_, handles_, titles_, descriptions_, brands_,
                conditions_, categories_, google_categories_, urls_, images_, option_names_,
                states(), tax_classes_, needs_shipping_);
}

// What nobody could buy is not published.
FeedBatch::Texts FeedBatch::states() const {
  auto states = states_;
  for (std::size_t i = 0; i < states.size(); ++i)
    if (!are_priced_[i] && states[i].value_or(text_of(State::published)) == "published")
      states[i] = "unpriced";
  return states;
}

// Answers the products whose variants it has changed.
std::vector<ProductId> FeedBatch::write_variants(Tx& tx, MerchantId merchant) const {
  const auto written =
      tx.all(kVariants, merchant, variants_, of_, skus_, positions_, options_, gtins_, mpns_,
             prices_, all_prices_, weights_, availabilities_, available_at_, own_images_,
             exact_images_, says_sale_, says_dates_, says_date_, keeps_home_, tx.now());
  auto made = variants_;
  std::ranges::sort(made);
  std::vector<Uuid> fresh;
  std::set<ProductId> changed;
  for (const auto& one : written) {
    changed.insert(one.product_id);
    if (std::ranges::binary_search(made, one.id)) fresh.push_back(one.id.uuid);
  }
  if (!fresh.empty()) identity::enter_directory(tx, fresh, merchant);
  return list_of(changed);
}

std::vector<ProductId> FeedBatch::write_stock(Tx& tx, MerchantId merchant) const {
  if (!has_stock_) return {};
  return tx.all(kStock, merchant, skus_, on_hand_);
}

void FeedBatch::write(Tx& tx, MerchantId merchant, const std::vector<Currency>& taken) {
  if (skus_.empty()) return;
  prefer_keys(tx);
  find_homes(tx, merchant);
  const auto written = write_products(tx, merchant);
  auto made = products_;
  std::ranges::sort(made);
  std::vector<Uuid> fresh;
  for (const auto& id : written)
    if (std::ranges::binary_search(made, id)) fresh.push_back(id.uuid);
  if (!fresh.empty()) identity::enter_directory(tx, fresh, merchant);
  const auto losing = tx.all(kLosing, merchant, skus_, of_);
  std::set<ProductId> changed(written.begin(), written.end());
  std::vector<ProductId> raised;
  for (const auto& id : write_variants(tx, merchant))
    if (changed.insert(id).second) raised.push_back(id);
  if (!raised.empty()) tx.run(kRaise, merchant, raised, tx.now());
  const bool is_news_only = raised.empty() && losing.empty() && fresh.size() == written.size();
  fit_options(tx, merchant, list_of(changed), is_news_only);
  if (!losing.empty()) tx.run(kArchiveEmpty, merchant, losing, tx.now());
  changed.insert(losing.begin(), losing.end());
  for (const auto& id : write_stock(tx, merchant)) changed.insert(id);
  for (const auto& id : withdraw_unpriced(tx, merchant, taken)) changed.insert(id);
  const auto all = list_of(changed);
  if (!is_news_only) follow_pictures(tx, merchant, all);
  index(tx, merchant, all);
}

void FeedBatch::note_seen(Tx& tx, MerchantId merchant, FeedImportId import) const {
  auto skus = skus_;
  skus.insert(skus.end(), left_out_skus_.begin(), left_out_skus_.end());
  if (!skus.empty() || !left_out_handles_.empty())
    tx.run(kSeen, merchant, import, skus, left_out_handles_);
}

}  // namespace bottega::catalog
