// What is wrong with what clients give, as far as that can be told without the database.
#include <algorithm>

#include "bottega/pricing/discounts.hpp"

namespace bottega::pricing {
namespace {

bool is_in_range(char c, char first, char last) { return c >= first && c <= last; }

template <class Given>
bool is_some(const std::optional<Given>& given) {
  return given && given->size() > 0;
}

constexpr const char* kOnlyFor = "must be left out for this kind";

void check_region(const std::string& region, const Country& country, Faults& faults,
                  const std::string& pointer) {
  if (!is_region(region, country))
    faults.push_back({pointer, "must be a region of " + country.value + ", by its code or name"});
}

bool is_code_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

}  // namespace

void NewDiscountCode::check(Faults& faults, const std::string& pointer) const {
  const bool is_amount = kind == DiscountKind::amount, is_percent = kind == DiscountKind::percent;
  if (is_amount && !amount) faults.push_back({pointer + "/amount", "is required for this kind"});
  if (!is_amount && amount) faults.push_back({pointer + "/amount", kOnlyFor});
  if (is_percent && !basis_points)
    faults.push_back({pointer + "/basis_points", "is required for this kind"});
  if (!is_percent && basis_points) faults.push_back({pointer + "/basis_points", kOnlyFor});
  if (!currency && (is_amount || least_total))
    faults.push_back({pointer + "/currency", "is required with an amount or a least total"});
  if (starts_at && ends_at && *starts_at >= *ends_at)
    faults.push_back({pointer + "/ends_at", "must be after starts_at"});
}

void SellerContact::check(Faults& faults, const std::string& pointer) const {
  if (!email && !phone)
    faults.push_back({pointer + "/email", "a mail address or a phone is required"});
}

void Tips::check(Faults& faults, const std::string& pointer) const {
  const auto& items = suggested_percent.items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto place = pointer + "/suggested_percent/" + std::to_string(i);
    if (i > 0 && items[i].value <= items[i - 1].value)
      faults.push_back({place, "must be more than the one before"});
    else if (items[i].value > most_percent.value)
      faults.push_back({place, "must not be more than the most"});
  }
}

void NewTaxRate::check(Faults& faults, const std::string& pointer) const {
  if (region) check_region(region->value, country, faults, pointer + "/region");
}

void NewShippingZone::check(Faults& faults, const std::string& pointer) const {
  const std::string words = "must be left out unless there is exactly one country";
  if (countries.size() != 1 && is_some(regions)) faults.push_back({pointer + "/regions", words});
  if (countries.size() != 1 && is_some(postal_prefixes))
    faults.push_back({pointer + "/postal_prefixes", words});
  for (std::size_t i = 0; countries.size() == 1 && regions && i < regions->size(); ++i)
    check_region(regions->items[i].value, countries.items.front(), faults,
                 pointer + "/regions/" + std::to_string(i));
  if (countries.size() != 1 || !postal_prefixes) return;
  for (std::size_t i = 0; i < postal_prefixes->size(); ++i)
    if (fold_postal(postal_prefixes->items[i].value).empty())
      faults.push_back(
          {pointer + "/postal_prefixes/" + std::to_string(i), "must have a letter or a digit"});
}

void NewShippingRate::check(Faults& faults, const std::string& pointer) const {
  const auto& items = prices.items;
  for (auto one = items.begin(); one != items.end(); ++one)
    if (std::find_if(items.begin(), one, [&](const ShippingPrice& other) {
          return other.currency == one->currency;
        }) != one)
      faults.push_back({pointer + "/prices/" + std::to_string(one - items.begin()) + "/currency",
                        "has a price already"});
  if (weight_over_g && weight_up_to_g && weight_over_g->value >= weight_up_to_g->value)
    faults.push_back({pointer + "/weight_up_to_g", "must be more than weight_over_g"});
  if (days_min && days_max && days_min->value > days_max->value)
    faults.push_back({pointer + "/days_max", "must not be less than days_min"});
}

}  // namespace bottega::pricing

namespace bottega {

using pricing::CouponCode, pricing::Phone, pricing::VatId;
using pricing::is_code_character, pricing::is_in_range;

std::optional<Phone> Form<Phone>::parse(std::string_view text) {
  Phone phone;
  if (text.size() > 40 || !text.starts_with('+')) return std::nullopt;
  for (const char c : text.substr(1)) {
    if (is_in_range(c, '0', '9'))
      phone.value += c;
    else if (std::string_view(" -().").find(c) == std::string_view::npos)
      return std::nullopt;
  }
  const auto digits = phone.value.size();
  if (digits < 7 || digits > 15 || phone.value.front() == '0') return std::nullopt;
  phone.value.insert(0, 1, '+');
  return phone;
}

std::optional<VatId> Form<VatId>::parse(std::string_view text) {
  VatId id;
  if (text.size() > 30) return std::nullopt;
  for (const char c : text) {
    if (c == ' ' || c == '-' || c == '.') continue;
    id.value += is_in_range(c, 'a', 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (id.value.size() < 4 || id.value.size() > 15) return std::nullopt;
  for (std::size_t i = 0; i < id.value.size(); ++i) {
    const bool letter = is_in_range(id.value[i], 'A', 'Z');
    if (!letter && (i < 2 || !is_in_range(id.value[i], '0', '9'))) return std::nullopt;
  }
  return id;
}

std::optional<CouponCode> Form<CouponCode>::parse(std::string_view text) {
  if (text.size() < 3 || text.size() > 40) return std::nullopt;
  CouponCode code{std::string(text)};
  for (auto& c : code.value)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (!std::ranges::all_of(code.value, is_code_character)) return std::nullopt;
  return code;
}

}  // namespace bottega
