// What is wrong with a body by itself.
#include <set>

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
  if (sources != 1)
    faults.push_back(
        {pointer + "/lines", "is required, or a cart_version or a payment_link in its place"});
}

void NewCheckout::check(Faults& faults, const std::string& pointer) const {
  quoted().check(faults, pointer);
  if (pin && !payment_method.id)
    faults.push_back({pointer + "/pin", "is only for a payment method that is kept"});
}

NewQuote NewCheckout::quoted() const {
  return {lines, cart_version, payment_link, currency, ship_to, shipping_rate, discount_code, tip};
}

}  // namespace bottega::checkout
