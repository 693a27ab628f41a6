#pragma once
// Who sits where in a conversation's shop, and what that shop offers in the form of a message.
#include "bottega/checkout/carts.hpp"
#include "bottega/payments/payments.hpp"

namespace bottega::checkout {

using conversations::Offered, conversations::Side;

struct Stall {
  MerchantId merchant_id;
  AccountId buyer_id;
  std::string name;
  Currency currency;
  bool is_member = false;
};
BOOST_DESCRIBE_STRUCT(Stall, (), (merchant_id, buyer_id, name, currency, is_member))

// One statement. Throws Error(not_found) unless the one who asks is the buyer or belongs to the
// merchant (an API key with the scope).
struct Place {
  Stall stall;
  Side side{};
};
Place place_of(Tx& tx, const Who& who, ConversationId id, identity::Scope scope);

// Without a price where it has none in the currency.
Offered offered_of(const catalog::Offer& offer, const Currency& currency, Instant now);
Offered offered_of(const catalog::Card& card);
// What is in the cart, locked; throws Error(conflict) where it has been changed since that version,
// and with the reason `cart_being_paid` while a request that was made of it is being paid.
std::vector<CartItem> cart_items(Tx& tx, const Stall& stall, ConversationId id,
                                 std::int64_t version);
// From now on it is paid with this request.
void note_paying(Tx& tx, MerchantId merchant, ConversationId id, payments::RequestId request);
// As put_cart() has it: throws Error(forbidden) for the merchant's side.
Stall stall_of_buyer(Tx& tx, const Who& who, ConversationId id);

// "Green tea 100 g".
std::string name_of(const Offered& product);

}  // namespace bottega::checkout
