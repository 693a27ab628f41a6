#pragma once
// Baskets and shops for the tests of prices.
#include "bottega/pricing/price.hpp"

namespace bottega::test::baskets {

inline Country country(const std::string& code) { return from_text<Country>(code); }

inline pricing::BasketLine line(std::int64_t unit_amount, std::int64_t quantity = 1,
                                std::int64_t weight_g = 0, const std::string& tax_class = "") {
  return {unit_amount, quantity, weight_g, tax_class, true};
}

inline pricing::Basket basket(std::vector<pricing::BasketLine> lines,
                              const std::string& currency = "USD") {
  return {parse_currency(currency), std::move(lines)};
}

inline pricing::RateRule rate(std::int64_t amount,
                              std::optional<std::int64_t> free_from = std::nullopt,
                              const std::string& currency = "USD") {
  pricing::RateRule rule;
  rule.id = pricing::ShippingRateId::make();
  rule.name = "Post";
  pricing::ShippingPrice price{parse_currency(currency), {amount}, std::nullopt};
  if (free_from) price.free_from = Count<0, kAmountMax>{*free_from};
  rule.prices.items = {price};
  return rule;
}

inline pricing::ZoneRule zone(const std::vector<std::string>& countries,
                              std::vector<pricing::RateRule> rates) {
  pricing::ZoneRule rule;
  rule.id = pricing::ZoneId::make();
  for (const auto& code : countries) rule.countries.push_back(country(code));
  rule.rates = std::move(rates);
  return rule;
}

inline pricing::TaxRule tax(const std::string& code, std::int64_t parts_per_million,
                            const std::string& tax_class = "standard",
                            const std::string& region = "") {
  return {pricing::TaxRateId::make(), "VAT", country(code), region, tax_class,
          parts_per_million,          true};
}

// A shop in Germany.
inline pricing::ShopRules shop_rules(pricing::TaxMode mode,
                                     std::vector<pricing::TaxRule> taxes = {}) {
  pricing::ShopRules rules;
  rules.country = country("DE");
  rules.tax_mode = mode;
  rules.taxes = std::move(taxes);
  return rules;
}

inline pricing::Destination to(const std::string& code, const std::string& region = "",
                               const std::string& postal_code = "") {
  return {country(code), region, postal_code};
}

inline pricing::Choice with(const pricing::Discount& discount) {
  return {std::nullopt, discount, 0};
}

inline pricing::Discount amount_off(std::int64_t amount, const std::string& currency = "USD") {
  pricing::Discount discount;
  discount.kind = pricing::DiscountKind::amount;
  discount.currency = parse_currency(currency);
  discount.amount = amount;
  return discount;
}

inline pricing::Discount share_off(std::int64_t basis_points) {
  pricing::Discount discount;
  discount.kind = pricing::DiscountKind::percent;
  discount.basis_points = basis_points;
  return discount;
}

inline pricing::Discount free_shipping() {
  pricing::Discount discount;
  discount.kind = pricing::DiscountKind::free_shipping;
  return discount;
}

inline pricing::Tips tips(std::int64_t most_percent, const std::vector<std::int64_t>& suggested) {
  pricing::Tips out{true, {}, {most_percent}};
  for (const auto percent : suggested) out.suggested_percent.items.push_back({percent});
  return out;
}

// The pointers of what a price is refused for.
template <class Work>
std::vector<std::string> faults_of(Work work) {
  std::vector<std::string> pointers;
  try {
    work();
  } catch (const Error& error) {
    for (const auto& fault : error.faults()) pointers.push_back(fault.pointer);
    if (pointers.empty()) pointers.emplace_back(error.what());
  }
  return pointers;
}

}  // namespace bottega::test::baskets
