// What is wrong with what clients give, as far as that can be told without the database.
#include <algorithm>
#include <set>

#include "catalog/rows.hpp"
#include "bottega/catalog/catalog.hpp"

namespace bottega::catalog {
namespace {

std::string at(const std::string& pointer, std::size_t i, const char* name = "") {
  return pointer + '/' + std::to_string(i) + name;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// No two variants have one SKU, or the same values.
void check_variants(const OptionNames& names, const std::vector<NewVariant>& variants,
                    Faults& faults, const std::string& pointer) {
  std::set<std::string> skus;
  std::set<std::vector<Line<1, 100>>> combinations;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const auto values = variants[i].options.value_or(OptionValues{});
    check_options(names, values, faults, at(pointer, i, "/options"));
    if (!skus.insert(variants[i].sku.value).second)
      faults.push_back({at(pointer, i, "/sku"), "is another variant's already"});
    if (!combinations.insert(values.items).second)
      faults.push_back({at(pointer, i, "/options"), "are another variant's already"});
  }
}

}  // namespace

void check_names(const OptionNames& names, Faults& faults, const std::string& pointer) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!seen.insert(lower(names.items[i].value)).second)
      faults.push_back({at(pointer, i), "is in the list already"});
}

void check_options(const OptionNames& names, const OptionValues& values, Faults& faults,
                   const std::string& pointer) {
  if (values.size() != names.size())
    faults.push_back({pointer, "must be " + std::to_string(names.size()) +
                                   " values, one for each of the product's option_names"});
}

void NewVariant::check(Faults& faults, const std::string& pointer) const {
  if (prices) check_prices(*prices, faults, pointer + "/prices");
  if (availability == Availability::preorder && !available_at)
    faults.push_back({pointer + "/available_at", "is required for a preorder"});
}

void NewProduct::check(Faults& faults, const std::string& pointer) const {
  const auto names = option_names.value_or(OptionNames{});
  check_names(names, faults, pointer + "/option_names");
  if (variants) check_variants(names, variants->items, faults, pointer + "/variants");
}

}  // namespace bottega::catalog
