#include "checkout/basket.hpp"

#include <algorithm>
#include <map>

#include "checkout/items.hpp"

namespace bottega::checkout {
namespace {

using pricing::Asked;

constexpr std::size_t kNameMax = 100;

struct Chosen {
  std::vector<CartItem> items;
  payments::Origin origin{};
};

Chosen chosen_of(Tx& tx, const Stall& stall, ConversationId id, const NewQuote& given) {
  if (given.lines) return {given.lines->items, payments::Origin::buy_now};
  return {cart_items(tx, stall, id, given.cart_version->value), payments::Origin::cart};
}

// At most so many bytes, and no half a character.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

struct Lookup {
  const Currency& currency;
  Instant now;
  Faults faults = {}, lacking = {};
};

void add(Basket& basket, Lookup& in, const catalog::Offer* offer, std::int64_t quantity,
         const std::string& pointer) {
  if (offer == nullptr)
    return in.faults.push_back({pointer + "/variant_id", "is nothing that this shop sells"});
  const auto price = catalog::price_now(offer->prices, in.currency, in.now);
  if (!price)
    return in.faults.push_back(
        {pointer + "/variant_id", "has no price in " + text_of(in.currency)});
  if (!offer->has(1)) return in.lacking.push_back({pointer + "/quantity", "is sold out"});
  if (!offer->has(quantity))
    return in.lacking.push_back(
        {pointer + "/quantity", "is more than the " + std::to_string(*offer->left) + " left"});
  basket.lines.push_back(
      {offer->variant_id, offer->sku, shortened(offer->name(), kNameMax), quantity, price->amount});
  basket.priced_from.lines.push_back(
      {price->amount, quantity, offer->weight_g, offer->tax_class, offer->needs_shipping});
  basket.needs_shipping = basket.needs_shipping || offer->needs_shipping;
}

// What is wrong with the choice is said with what lacks.
void refuse(Faults faults, Faults lacking) {
  if (faults.empty() && lacking.empty()) return;
  const bool is_wrong = !faults.empty();
  faults.insert(faults.end(), lacking.begin(), lacking.end());
  if (is_wrong) throw Error(Code::invalid, "not all of it can be bought", std::move(faults));
  throw Error(Code::conflict, "not all of it is there any more", std::move(faults))
      .reason("out_of_stock");
}

// Looks up what was chosen, in one statement.
void look_up(Tx& tx, Basket& basket, const Chosen& chosen, const Currency& currency) {
  std::vector<catalog::VariantId> ids;
  for (const auto& item : chosen.items) ids.push_back(item.variant_id);
  const auto offers = catalog::offer(tx, basket.merchant_id, ids);
  std::map<catalog::VariantId, const catalog::Offer*> found;
  for (const auto& offer : offers) found.emplace(offer.variant_id, &offer);
  Lookup in{currency, tx.now()};
  const std::string place = chosen.origin == payments::Origin::cart ? "/cart" : "";
  for (std::size_t i = 0; i < chosen.items.size(); ++i) {
    const auto& item = chosen.items[i];
    const auto offer = found.find(item.variant_id);
    add(basket, in, offer == found.end() ? nullptr : offer->second, item.quantity,
        place + "/lines/" + std::to_string(i));
  }
  refuse(std::move(in.faults), std::move(in.lacking));
}

pricing::Choice choice_of(Tx& tx, const Who& who, const Basket& basket, const NewQuote& given) {
  pricing::Choice choice;
  choice.shipping_rate = given.shipping_rate;
  choice.tip = given.tip ? given.tip->value : 0;
  if (given.discount_code)
    choice.discount =
        pricing::find_discount(tx, basket.merchant_id, *given.discount_code, who.account);
  return choice;
}

void name_way(Basket& basket, const NewQuote& given, const pricing::Destination* place) {
  if (!given.shipping_rate) return;
  const auto options = pricing::shipping_options(basket.priced_from, place, basket.rules);
  const auto way = std::ranges::find(options, *given.shipping_rate, &pricing::ShippingOption::id);
  if (way != options.end()) basket.shipping_name = way->name;
}

}  // namespace

Basket fill(Tx& tx, const Who& who, ConversationId id, const NewQuote& given) {
  const auto stall = stall_of_buyer(tx, who, id);
  Basket basket;
  basket.merchant_id = stall.merchant_id;
  basket.shop = stall.name;
  const auto currency = given.currency.value_or(stall.currency);
  const auto chosen = chosen_of(tx, stall, id, given);
  basket.origin = chosen.origin;
  basket.priced_from.currency = currency;
  look_up(tx, basket, chosen, currency);
  basket.rules = pricing::read_rules(tx, stall.merchant_id);
  const auto place = destination_of(given.ship_to);
  const auto* where = place ? &*place : nullptr;
  const auto choice = choice_of(tx, who, basket, given);
  basket.priced = pricing::price(basket.priced_from, where, basket.rules, choice);
  name_way(basket, given, where);
  return basket;
}

std::optional<pricing::Destination> destination_of(const std::optional<orders::Address>& address) {
  if (!address) return std::nullopt;
  return pricing::Destination{address->country, address->region ? address->region->value : "",
                              address->postal_code.value};
}

Faults missing_address(const Basket& basket, const NewQuote& given) {
  if (given.ship_to || !basket.needs_shipping || basket.rules.buyer.address != Asked::required)
    return {};
  return {{"/ship_to", "is required"}};
}

Faults missing_way(const Basket& basket, const NewQuote& given) {
  if (given.shipping_rate || !given.ship_to || !basket.priced.shipping_asked) return {};
  const auto place = destination_of(given.ship_to);
  if (pricing::shipping_options(basket.priced_from, &*place, basket.rules).empty())
    return {{"/ship_to", "is where this shop does not ship it to"}};
  return {{"/shipping_rate", "is required: see the quote"}};
}

}  // namespace bottega::checkout
