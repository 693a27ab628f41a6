// The shop's own table of taxes: of the rates that fit, the most exact ones.
#include <algorithm>

#include "bottega/pricing/price.hpp"

namespace bottega::pricing {
namespace {

// The rules of a class at a place: the region's, else the whole country's.
std::vector<const TaxRule*> rules_of(const std::vector<TaxRule>& rules, const Destination& place,
                                     const std::string& region, std::string_view tax_class) {
  std::vector<const TaxRule*> of_region, of_country;
  for (const auto& rule : rules) {
    if (rule.tax_class != tax_class || rule.country != place.country) continue;
    if (rule.region.empty())
      of_country.push_back(&rule);
    else if (rule.region == region)
      of_region.push_back(&rule);
  }
  return of_region.empty() ? of_country : of_region;
}

TaxParts parts_of(const std::vector<const TaxRule*>& rules) {
  TaxParts parts;
  for (const auto* rule : rules) parts.push_back({rule->id, rule->name, rule->parts_per_million});
  return parts;
}

}  // namespace

TaxParts ShopTaxes::of_goods(const Destination& place, std::string_view tax_class) const {
  const auto region = fold_region(place.region, place.country);
  const auto own = rules_of(rules_, place, region, tax_class.empty() ? kStandardClass : tax_class);
  return parts_of(own.empty() ? rules_of(rules_, place, region, kStandardClass) : own);
}

TaxParts ShopTaxes::of_shipping(const Destination& place) const {
  auto rules = rules_of(rules_, place, fold_region(place.region, place.country), kStandardClass);
  std::erase_if(rules, [](const TaxRule* rule) { return !rule->applies_to_shipping; });
  return parts_of(rules);
}

}  // namespace bottega::pricing
