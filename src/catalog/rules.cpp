// What must hold across the fields of a product and its variants.
#include <algorithm>
#include <set>

#include "catalog/rows.hpp"
#include "bottega/catalog/catalog.hpp"

namespace bottega::catalog {
namespace {

bool has_price(const Variant& variant, const identity::Merchant& merchant) {
  return std::ranges::any_of(variant.prices, [&](const VariantPrice& price) {
    return identity::takes(merchant, price.currency);
  });
}

// Keeps the members that say something.
Json without_nulls(const Json& given) {
  Json out = Json::object();
  for (auto member = given.begin(); member != given.end(); ++member)
    if (!member->is_null()) out[member.key()] = *member;
  return out;
}

}  // namespace

void refuse(Faults faults) {
  const auto words = std::to_string(faults.size()) + " field(s) are not possible";
  throw Error(Code::invalid, words, std::move(faults));
}

void require_sellable(Tx& tx, const Product& product) {
  Faults faults;
  const auto merchant = identity::fetch_merchant(tx, product.merchant_id);
  if (std::ranges::none_of(product.variants,
                           [&](const Variant& variant) { return has_price(variant, merchant); }))
    faults.push_back({"/variants", "one must have a price in a currency that the shop takes"});
  std::set<std::vector<Line<1, 100>>> combinations;
  for (std::size_t i = 0; i < product.variants.size(); ++i) {
    const auto& values = product.variants[i].options;
    check_options(product.option_names, values, faults,
                  "/variants/" + std::to_string(i) + "/options");
    if (!combinations.insert(values.items).second)
      faults.push_back(
          {"/variants/" + std::to_string(i) + "/options", "are another variant's already"});
  }
  if (!faults.empty())
    throw Error(Code::invalid, "a buyer could not buy this yet", std::move(faults));
}

Product with_variants(const ProductRow& row, std::vector<Variant> variants) {
  return {row.id,
          row.merchant_id,
          row.handle,
          row.version,
          row.state,
          row.title,
          row.description,
          row.brand,
          row.condition,
          row.category,
          row.google_category,
          row.url,
          row.images,
          row.option_names,
          row.tax_class,
          row.needs_shipping,
          std::move(variants),
          row.created_at,
          row.updated_at,
          row.published_at};
}

Json fields_of(const ProductRow& row) {
  auto fields = without_nulls(to_json(row));
  for (const auto* name : {"id", "version", "state", "created_at", "updated_at", "published_at"})
    fields.erase(name);
  return fields;
}

Json fields_of(const Variant& variant) {
  auto fields = without_nulls(to_json(variant));
  for (const auto* name : {"id", "product_id"}) fields.erase(name);
  return fields;
}

}  // namespace bottega::catalog
