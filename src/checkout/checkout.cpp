// Buying what was chosen: one transaction from the price to the payment that has begun.
#include "checkout/basket.hpp"
#include "bottega/conversations/safety.hpp"
#include "bottega/identity/guests.hpp"

namespace bottega::checkout {
namespace {

using pricing::Asked;

template <class T>
void ask(Faults& faults, Asked asked, const std::optional<T>& given, const char* pointer) {
  if (asked == Asked::required && !given) faults.push_back({pointer, "is required"});
}

// All that is wrong and all that is missing, at once.
void require_complete(const Basket& basket, const NewCheckout& given) {
  const auto& asks = basket.rules.buyer;
  auto faults = basket.faults;
  const auto lacks = missing(basket, given.quoted());
  faults.insert(faults.end(), lacks.begin(), lacks.end());
  const auto contact = given.contact.value_or(payments::Contact{});
  ask(faults, asks.name, contact.name, "/contact/name");
  ask(faults, asks.email, contact.email, "/contact/email");
  ask(faults, asks.phone, contact.phone, "/contact/phone");
  ask(faults, asks.billing, given.billing, "/billing");
  if (!faults.empty()) refuse(std::move(faults));
}

// What the shop does not ask for, it does not get; a guest cannot be reached in another way.
std::optional<payments::Contact> contact_of(const Basket& basket, const NewCheckout& given) {
  if (!given.contact || basket.origin == payments::Origin::link) return given.contact;
  auto contact = *given.contact;
  const auto& asks = basket.rules.buyer;
  if (asks.name == Asked::none) contact.name.reset();
  if (asks.email == Asked::none) contact.email.reset();
  if (asks.phone == Asked::none) contact.phone.reset();
  if (!contact.name && !contact.email && !contact.phone) return std::nullopt;
  return contact;
}

void require_price(const Basket& basket, const NewCheckout& given) {
  const auto& priced = basket.priced;
  if (priced.total == given.total.value) return;
  const auto now = display({priced.total, priced.currency});
  throw Error(Code::conflict, "it costs " + now + " now; nothing was charged",
              {{"/total", "is " + std::to_string(priced.total) + " now"}})
      .reason("price_changed");
}

std::string title_of(const Basket& basket) {
  if (basket.title) return *basket.title;
  const auto& first = basket.lines.front().name;
  const auto others = basket.lines.size() - 1;
  return others == 0 ? first : first + ", and " + std::to_string(others) + " more";
}

}  // namespace

void add_contact(Tx& tx, const Who& who, NewCheckout& given) {
  if (!who.is_guest || given.contact) return;
  const auto guest = identity::find_guest(tx, who.account);
  if (guest)
    given.contact = payments::Contact{Line<1, 100>{guest->name}, guest->email, std::nullopt};
}

payments::Purchase purchase_of(const Basket& basket, ConversationId id, const NewCheckout& given) {
  require_complete(basket, given);
  require_price(basket, given);
  const auto& priced = basket.priced;
  payments::Purchase out;
  out.conversation_id = id;
  out.origin = basket.origin;
  out.payment_link_id = basket.link;
  out.title = title_of(basket);
  for (const auto& line : basket.lines) {
    orders::OrderLine sold{{line.name}, {line.quantity}, {line.unit_amount}};
    sold.variant_id = line.variant_id;
    if (line.sku) sold.sku = Line<1, 50>{*line.sku};
    out.lines.items.push_back(std::move(sold));
  }
  out.total = {priced.total, priced.currency};
  out.breakdown = {priced.items,
                   priced.discount,
                   priced.shipping,
                   priced.tax,
                   priced.tip,
                   priced.tax_included,
                   priced.lines,
                   priced.taxes,
                   basket.shipping_name,
                   std::nullopt,
                   basket.rules.withdrawal_days};
  if (given.discount_code) out.breakdown.discount_code = given.discount_code->value;
  out.contact = contact_of(basket, given);
  // Also of what is not shipped: the tax is that of the place.
  if (basket.asked_address() != Asked::none) out.ship_to = basket.ship_to;
  out.shipping_address =
      out.ship_to ? payments::ShippingAddress::required : payments::ShippingAddress::none;
  return out;
}

payments::Payment begin(Tx& tx, const Who& who, ConversationId id, NewCheckout given,
                        const payments::Rules& rules) {
  add_contact(tx, who, given);
  const auto seat =
      conversations::enter(tx, who, id, identity::Scope::chat, conversations::Lock::no);
  conversations::require_not_blocked(tx, seat);
  const auto basket = fill(tx, who, id, given.quoted());
  const auto purchase = purchase_of(basket, id, given);
  const auto merchant = identity::keep_merchant(tx, basket.merchant_id);
  const auto request = payments::open_purchase(tx, who, merchant, purchase, rules);
  if (basket.origin == payments::Origin::cart) note_paying(tx, basket.merchant_id, id, request.id);
  payments::Acceptance acceptance{given.payment_method, std::nullopt, given.billing, given.pin};
  return payments::begin(tx, who, request.id, acceptance, rules);
}

}  // namespace bottega::checkout
