#pragma once
// What a buyer has chosen, looked up and priced, as a quote shows it and a checkout sells it.
#include "checkout/items.hpp"
#include "bottega/checkout/links.hpp"
#include "bottega/checkout/quotes.hpp"

namespace bottega::checkout {

struct BasketItem {
  std::optional<catalog::VariantId> variant_id;
  std::optional<std::string> sku;
  std::string name;
  std::int64_t quantity = 0, unit_amount = 0;
};

struct Basket {
  MerchantId merchant_id;
  std::string shop;
  payments::Origin origin{};
  std::vector<BasketItem> lines;
  pricing::ShopRules rules;
  pricing::Basket priced_from;
  pricing::Priced priced;
  std::optional<std::string> shipping_name;
  bool needs_shipping = false;
  std::optional<orders::Address> ship_to;  // where the shop asks for it at all
  std::optional<payments::LinkId> link;
  std::optional<std::string> title;  // of what a link sells
  bool is_sold = false;              // each of its lines: else it has no price
  Faults faults;                     // all that is wrong with what was chosen

  pricing::Asked asked_address() const { return pricing::asked_address(rules, needs_shipping); }
};

// Throws Error(conflict) where nothing is wrong but that not all of it is there any more.
Basket fill(Tx& tx, const Who& who, ConversationId id, const NewQuote& given);

// The parts of fill(), for whoever reads what they need for several at once. The rules of the shop
// are put into the basket before its price is set.
struct Chosen {
  LinkLines lines;
  Currency currency;
  std::string place = {};  // the pointer of its lines
};
using Offers = std::map<std::pair<MerchantId, catalog::VariantId>, catalog::Offer>;
Basket basket_of(const Stall& stall);
Chosen chosen_of(Tx& tx, Basket& basket, const Stall& stall, ConversationId id,
                 const NewQuote& given);
void put_in(Basket& basket, const Chosen& chosen, const Offers& offers, Instant now);
void set_price(Basket& basket, const NewQuote& given, std::optional<pricing::Discount> discount);

// How it can be shipped where it goes.
std::vector<pricing::ShippingOption> ways_of(const Basket& basket);
[[noreturn]] void refuse(Faults faults);
// What is missing before it can be paid: where it goes, and which way it is shipped.
Faults missing(const Basket& basket, const NewQuote& given);

// A guest has said who they are when they opened the link.
void add_contact(Tx& tx, const Who& who, NewCheckout& given);
// What is paid for. Throws Error(invalid) with all that is missing, Error(conflict) where it costs
// something else now.
payments::Purchase purchase_of(const Basket& basket, ConversationId id, const NewCheckout& given);

}  // namespace bottega::checkout
