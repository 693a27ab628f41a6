// Variants: changed under the lock of their product, whose version they raise.
#include <algorithm>

#include "catalog/rows.hpp"
#include "bottega/catalog/catalog.hpp"

namespace bottega::catalog {
namespace {

using Mpn = std::optional<Line<1, 70>>;

const Sql<Variant(MerchantId, ProductId)> kList{"catalog.variants", R"(
    SELECT id, product_id, position, sku, options, gtin, mpn, prices, weight_g, availability,
           available_at, image
    FROM variants WHERE merchant_id = $1 AND product_id = $2 ORDER BY position, id)"};

const Sql<ProductId(MerchantId, VariantId)> kProductOf{"catalog.product_of_variant", R"(
    SELECT product_id FROM variants WHERE merchant_id = $1 AND id = $2)"};

// Answers the SKUs that were not taken yet.
const Sql<std::string(MerchantId, ProductId, Json)> kInsert{"catalog.insert_variants", R"(
    INSERT INTO variants (merchant_id, id, product_id, position, sku, options, gtin, mpn, prices,
                          weight_g, availability, available_at, image)
    SELECT $1, r.id, $2, r.position, r.sku, coalesce(r.options, '[]'), r.gtin, r.mpn,
           coalesce(r.prices, '[]'), r.weight_g, coalesce(r.availability, 'in_stock'),
           r.available_at, r.image
    FROM jsonb_to_recordset($3::jsonb) AS r (
      id uuid, position integer, sku text, options jsonb, gtin text, mpn text, prices jsonb,
      weight_g bigint, availability text, available_at timestamptz, image jsonb)
    ON CONFLICT (merchant_id, sku) DO NOTHING RETURNING sku)"};

const Sql<void(MerchantId, VariantId, std::int64_t, Sku, OptionValues, std::optional<Gtin>, Mpn,
               Prices, std::optional<Weight>, Availability, std::optional<Instant>,
               std::optional<Image>)>
    kUpdate{"catalog.update_variant", R"(
    UPDATE variants
    SET position = $3, sku = $4, options = $5, gtin = $6, mpn = $7, prices = $8, weight_g = $9,
        availability = $10, available_at = $11, image = $12
    WHERE merchant_id = $1 AND id = $2
      AND NOT EXISTS (SELECT FROM variants o
                      WHERE o.merchant_id = $1 AND o.sku = $4 AND o.id <> $2))"};

// Not where somebody is paying for one.
const Sql<void(MerchantId, VariantId)> kRemove{"catalog.remove_variant", R"(
    DELETE FROM variants v
    WHERE v.merchant_id = $1 AND v.id = $2
      AND NOT EXISTS (SELECT FROM stock s
                      WHERE s.merchant_id = $1 AND s.variant_id = $2 AND s.reserved > 0))"};

// Nobody sets pieces aside while the row is held.
const Sql<std::int64_t(MerchantId, VariantId)> kHoldStock{"catalog.hold_stock", R"(
    SELECT reserved FROM stock WHERE merchant_id = $1 AND variant_id = $2 FOR UPDATE)"};

Json row_of(const NewVariant& given, VariantId id, std::int64_t position) {
  auto row = to_json(given);
  row["id"] = uuid_text(id.uuid);
  row["position"] = position;
  return row;
}

std::string below(const std::string& prefix, std::size_t i, const std::string& name) {
  return (prefix.empty() ? "" : prefix + '/' + std::to_string(i)) + name;
}

// The values of the variants of one product, but for one of them.
void refuse_same(const std::vector<Variant>& others, VariantId but, const OptionValues& values,
                 Faults& faults) {
  for (const auto& other : others)
    if (other.id != but && other.options.items == values.items)
      faults.push_back({"/options", "are another variant's already"});
}

// What an edit of one variant makes of it, with all its faults.
NewVariant checked(const ProductRow& product, const std::vector<Variant>& others, VariantId id,
                   const NewVariant& given) {
  Faults faults;
  const auto values = given.options.value_or(OptionValues{});
  check_options(product.option_names, values, faults, "/options");
  if (faults.empty()) refuse_same(others, id, values, faults);
  if (!faults.empty()) refuse(std::move(faults));
  return given;
}

void save(Tx& tx, const ProductRow& product, const Variant& before, const NewVariant& next,
          std::int64_t position) {
  const auto done =
      tx.run(kUpdate, product.merchant_id, before.id, position, next.sku,
             next.options.value_or(OptionValues{}), next.gtin, next.mpn,
             next.prices.value_or(Prices{}), next.weight_g,
             next.availability.value_or(Availability::in_stock), next.available_at, next.image);
  if (done == 0) refuse({{"/sku", "is another variant's already"}});
}

const Variant& find(const std::vector<Variant>& variants, VariantId id) {
  const auto found = std::ranges::find(variants, id, &Variant::id);
  if (found == variants.end())
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  return *found;
}

}  // namespace

std::vector<Variant> variants_of(Tx& tx, MerchantId merchant, ProductId product) {
  return tx.all(kList, merchant, product);
}

ProductId product_of(Tx& tx, MerchantId merchant, VariantId id) {
  return tx.one(kProductOf, merchant, id);
}

void insert_variants(Tx& tx, const ProductRow& product, const std::vector<NewVariant>& given,
                     const std::string& prefix, std::int64_t first_position) {
  if (given.empty()) return;
  Json rows = Json::array();
  std::vector<Uuid> ids;
  for (const auto& variant : given) {
    const auto id = VariantId::make();
    rows.push_back(row_of(variant, id, first_position + static_cast<std::int64_t>(ids.size())));
    ids.push_back(id.uuid);
  }
  const auto taken = tx.all(kInsert, product.merchant_id, product.id, rows);
  Faults faults;
  for (std::size_t i = 0; i < given.size(); ++i)
    if (std::ranges::find(taken, given[i].sku.value) == taken.end())
      faults.push_back({below(prefix, i, "/sku"), "is another variant's already"});
  if (!faults.empty()) refuse(std::move(faults));
  identity::enter_directory(tx, ids, product.merchant_id);
}

Product add_variant(Tx& tx, const Who& who, ProductId id, std::int64_t version,
                    const NewVariant& given) {
  const auto product = lock_for_edit(tx, who, id, version);
  const auto others = variants_of(tx, product.merchant_id, id);
  if (others.size() >= kVariantsMax)
    throw Error(Code::conflict,
                "a product has " + std::to_string(kVariantsMax) + " variants at most");
  const auto next = others.empty() ? 0 : std::min<std::int64_t>(others.back().position + 1, 999);
  insert_variants(tx, product, {checked(product, others, {}, given)}, "", next);
  return finish_edit(tx, product);
}

Product change_variant(Tx& tx, const Who& who, VariantId id, std::int64_t version,
                       const Json& edit) {
  const auto shape = from_json<ChangedVariant>(edit);
  const auto merchant = identity::merchant_of(tx, id.uuid);
  require_editor(tx, who, merchant);
  const auto product = lock_for_edit(tx, who, product_of(tx, merchant, id), version);
  const auto others = variants_of(tx, merchant, product.id);
  const auto& before = find(others, id);
  auto merged = fields_of(before);
  // A picture is one thing: another one is not merged with it.
  if (edit.contains("image")) merged.erase("image");
  merged.merge_patch(edit);
  merged.erase("position");
  const auto next = checked(product, others, id, from_json<NewVariant>(merged));
  const auto position = shape.position ? shape.position->value : before.position;
  save(tx, product, before, next, position);
  return finish_edit(tx, product);
}

Product remove_variant(Tx& tx, const Who& who, VariantId id, std::int64_t version) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  require_editor(tx, who, merchant);
  const auto product = lock_for_edit(tx, who, product_of(tx, merchant, id), version);
  if (product.state == State::published && variants_of(tx, merchant, product.id).size() == 1)
    throw Error(Code::conflict, "what is published needs a variant; archive it first");
  tx.find(kHoldStock, merchant, id);
  if (tx.run(kRemove, merchant, id) == 0)
    throw Error(Code::conflict, "somebody is paying for it just now");
  identity::leave_directory(tx, id.uuid);
  return finish_edit(tx, product);
}

}  // namespace bottega::catalog
