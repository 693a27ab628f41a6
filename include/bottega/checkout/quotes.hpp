#pragma once
// What a buyer's choice costs now, by the server alone: the goods at the catalogue's prices, the
// way they are shipped, taxes, a discount, a tip.
#include "bottega/checkout/carts.hpp"
#include "bottega/payments/payments.hpp"
#include "bottega/pricing/discounts.hpp"

namespace bottega::checkout {

using LinkCode = Opaque<64>;

// What is to be bought: these lines, or the cart as it was read, or what a payment link sells.
struct NewQuote {
  std::optional<List<CartItem, 1, kCartLinesMax>> lines;
  std::optional<Count<1, INT64_MAX>> cart_version;
  std::optional<LinkCode> payment_link;
  std::optional<Currency>
      currency;  // one of the shop's, or the link's; their default where none is given
  std::optional<orders::Address> ship_to;
  std::optional<pricing::ShippingRateId> shipping_rate;
  std::optional<pricing::CouponCode> discount_code;
  std::optional<Count<0, kAmountMax>> tip;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewQuote, (),
                      (lines, cart_version, payment_link, currency, ship_to, shipping_rate,
                       discount_code, tip))

// The same, bought. `total` is what the buyer was shown.
struct NewCheckout {
  std::optional<List<CartItem, 1, kCartLinesMax>> lines;
  std::optional<Count<1, INT64_MAX>> cart_version;
  std::optional<LinkCode> payment_link;
  std::optional<Currency> currency;
  std::optional<orders::Address> ship_to;
  std::optional<pricing::ShippingRateId> shipping_rate;
  std::optional<pricing::CouponCode> discount_code;
  std::optional<Count<0, kAmountMax>> tip;
  Count<1, kAmountMax> total;
  std::optional<payments::Contact> contact;
  std::optional<orders::Address> billing;  // goes with the charge and is not kept
  wallet::MethodChoice payment_method;
  std::optional<identity::Pin> pin;  // with a payment method that is kept
  void check(Faults& faults, const std::string& pointer) const;
  NewQuote quoted() const;
};
BOOST_DESCRIBE_STRUCT(NewCheckout, (),
                      (lines, cart_version, payment_link, currency, ship_to, shipping_rate,
                       discount_code, tip, total, contact, billing, payment_method, pin))

struct QuoteLine {
  std::optional<catalog::VariantId> variant_id;
  std::optional<std::string> sku;
  std::string name;
  std::int64_t quantity = 0, unit_amount = 0, amount = 0, discount = 0;
};
BOOST_DESCRIBE_STRUCT(QuoteLine, (),
                      (variant_id, sku, name, quantity, unit_amount, amount, discount))

struct Quote {
  Currency currency;
  std::vector<QuoteLine> lines;
  std::int64_t items = 0, discount = 0, shipping = 0, tax = 0, tip = 0, total = 0;
  bool tax_included = false;
  std::vector<pricing::TaxLine> taxes;
  std::vector<pricing::ShippingOption> shipping_options;
  std::vector<std::int64_t> suggested_tips;
  pricing::BuyerData asks;  // the address as far as this needs it
  bool needs_shipping = false;
  bool is_final = false;  // or a way of shipping has to be chosen still
};
BOOST_DESCRIBE_STRUCT(Quote, (),
                      (currency, lines, items, discount, shipping, tax, tip, total, tax_included,
                       taxes, shipping_options, suggested_tips, asks, needs_shipping, is_final))

// For the buyer alone. Throws Error(invalid) with everything that is not possible, Error(conflict)
// with the reason `out_of_stock`, or where the cart has been changed since that version.
Quote quote(Tx& tx, const Who& who, ConversationId id, const NewQuote& given,
            const payments::Rules& rules);

// Writes down that the buyer pays what they were shown: the request is made, and its payment begun.
// Throws as quote() does, with what the shop asks for and was not given; Error(conflict) with the
// reason `price_changed`; and what payments::begin() throws.
payments::Payment begin(Tx& tx, const Who& who, ConversationId id, NewCheckout given,
                        const payments::Rules& rules);
// Takes what was bought out of the cart that it was in, once; for payments::Rules.
void bought(Tx& tx, const payments::Request& request);
// Throws Error(conflict), with the reason `cart_checked_out_anew`, for what was made of a cart that
// was checked out anew, or bought, since; for payments::Rules.
void require_of_cart(Tx& tx, const payments::Request& request);

}  // namespace bottega::checkout
