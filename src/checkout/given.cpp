// What is wrong with a body by itself.
#include <set>

#include "bottega/checkout/links.hpp"
#include "bottega/checkout/quotes.hpp"

namespace bottega::checkout {
namespace {

void check_lines(const std::vector<CartItem>& lines, Faults& faults, const std::string& pointer) {
  std::set<catalog::VariantId> seen;
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (!seen.insert(lines[i].variant_id).second)
      faults.push_back(
          {pointer + "/lines/" + std::to_string(i) + "/variant_id", "is there already"});
}

}  // namespace

void NewCart::check(Faults& faults, const std::string& pointer) const {
  check_lines(lines.items, faults, pointer);
}

void NewProposal::check(Faults& faults, const std::string& pointer) const {
  check_lines(lines.items, faults, pointer);
}

void NewQuote::check(Faults& faults, const std::string& pointer) const {
  const int sources =
      int{lines.has_value()} + int{cart_version.has_value()} + int{payment_link.has_value()};
  if (sources == 0)
    faults.push_back(
        {pointer + "/lines", "is required, or a cart_version or a payment_link in its place"});
  if (sources > 1)
    faults.push_back({pointer + (lines ? "/lines" : "/cart_version"),
                      "must be left out with another of lines, cart_version and payment_link"});
}

void NewCheckout::check(Faults& faults, const std::string& pointer) const {
  quoted().check(faults, pointer);
  if (pin && !payment_method.id)
    faults.push_back({pointer + "/pin", "is only for a payment method that is kept"});
}

NewQuote NewCheckout::quoted() const {
  return {lines, cart_version, payment_link, currency, ship_to, shipping_rate, discount_code, tip};
}

void LinkLine::check(Faults& faults, const std::string& pointer) const {
  constexpr const char* kOwn = "must be left out: the catalogue says it";
  if (variant_id) {
    if (name) faults.push_back({pointer + "/name", kOwn});
    if (unit_amount) faults.push_back({pointer + "/unit_amount", kOwn});
    if (needs_shipping) faults.push_back({pointer + "/needs_shipping", kOwn});
    return;
  }
  if (!name) faults.push_back({pointer + "/name", "is required without a variant_id"});
  if (!unit_amount)
    faults.push_back({pointer + "/unit_amount", "is required without a variant_id"});
}

void NewPaymentLink::check(Faults& faults, const std::string& pointer) const {
  std::set<catalog::VariantId> seen;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& variant = lines.items[i].variant_id;
    if (variant && !seen.insert(*variant).second)
      faults.push_back(
          {pointer + "/lines/" + std::to_string(i) + "/variant_id", "is there already"});
  }
}

}  // namespace bottega::checkout
