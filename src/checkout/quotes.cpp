#include "checkout/basket.hpp"

namespace bottega::checkout {

Quote quote(Tx& tx, const Who& who, ConversationId id, const NewQuote& given,
            const payments::Rules& rules) {
  const auto basket = fill(tx, who, id, given);
  if (!basket.faults.empty()) refuse(basket.faults);
  const auto& priced = basket.priced;
  // The sum may still grow by its way.
  if (given.shipping_rate || !priced.shipping_asked) {
    const auto merchant = identity::fetch_merchant(tx, basket.merchant_id);
    payments::check_sum(tx, merchant, {priced.total, priced.currency}, rules);
  }
  Quote out;
  out.currency = priced.currency;
  for (std::size_t i = 0; i < basket.lines.size(); ++i) {
    const auto& line = basket.lines[i];
    out.lines.push_back({line.variant_id, line.sku, line.name, line.quantity, line.unit_amount,
                         priced.lines[i].amount, priced.lines[i].discount});
  }
  out.items = priced.items;
  out.discount = priced.discount;
  out.shipping = priced.shipping;
  out.tax = priced.tax;
  out.tip = priced.tip;
  out.total = priced.total;
  out.tax_included = priced.tax_included;
  out.taxes = priced.taxes;
  out.shipping_options = ways_of(basket);
  out.suggested_tips = pricing::suggested_tips(priced, basket.rules.tips);
  out.asks = basket.rules.buyer;
  out.asks.address = basket.asked_address();
  out.needs_shipping = basket.needs_shipping;
  out.is_final = missing(basket, given).empty();
  return out;
}

}  // namespace bottega::checkout
