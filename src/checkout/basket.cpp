#include "checkout/basket.hpp"

#include <algorithm>

#include "checkout/items.hpp"
#include "checkout/link_rows.hpp"

namespace bottega::checkout {
namespace {

using pricing::Asked;

constexpr std::size_t kNameMax = 100;

LinkLines lines_of(const std::vector<CartItem>& items) {
  LinkLines lines;
  for (const auto& item : items)
    lines.items.push_back(
        {item.variant_id, std::nullopt, item.quantity, std::nullopt, std::nullopt});
  return lines;
}

Chosen linked(Tx& tx, Basket& basket, const NewQuote& given) {
  auto link = lines_of_link(tx, basket.merchant_id, given.payment_link->value);
  if (given.currency && *given.currency != link.currency)
    throw Error(Code::invalid, "the link sells in another currency",
                {{"/currency", "must be " + text_of(link.currency)}});
  basket.origin = payments::Origin::link;
  basket.link = link.id;
  basket.title = std::move(link.title);
  return {std::move(link.lines), link.currency, "/payment_link"};
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
      {offer->variant_id, offer->sku, offer->name(kNameMax), quantity, price->amount});
  basket.priced_from.lines.push_back(
      {price->amount, quantity, offer->weight_g, offer->tax_class, offer->needs_shipping});
  basket.needs_shipping = basket.needs_shipping || offer->needs_shipping;
}

// Something that is not of the catalogue.
void add_free(Basket& basket, const LinkLine& line) {
  const bool is_shipped = line.needs_shipping.value_or(false);
  basket.lines.push_back({std::nullopt, std::nullopt, line.name.value().value, line.quantity,
                          line.unit_amount.value()});
  basket.priced_from.lines.push_back(
      {line.unit_amount.value(), line.quantity, 0, std::string(), is_shipped});
  basket.needs_shipping = basket.needs_shipping || is_shipped;
}

std::optional<pricing::Destination> destination_of(const Basket& basket) {
  if (!basket.ship_to) return std::nullopt;
  return orders::destination_of(*basket.ship_to);
}

void name_way(Basket& basket, const NewQuote& given) {
  if (!given.shipping_rate) return;
  const auto options = ways_of(basket);
  const auto way = std::ranges::find(options, *given.shipping_rate, &pricing::ShippingOption::id);
  if (way != options.end()) basket.shipping_name = way->name;
}

// A region that is none would be taxed as none is.
bool is_place(const Basket& basket) {
  if (!basket.ship_to || !basket.ship_to->region) return true;
  const auto& [country, region] = std::tie(basket.ship_to->country, *basket.ship_to->region);
  return !pricing::has_regions(basket.rules, country) || pricing::is_region(region.value, country);
}

const pricing::Destination* where(const std::optional<pricing::Destination>& place) {
  return place ? &*place : nullptr;
}

}  // namespace

Basket basket_of(const Stall& stall) {
  Basket basket;
  basket.merchant_id = stall.merchant_id;
  basket.shop = stall.name;
  basket.origin = payments::Origin::buy_now;
  return basket;
}

Chosen chosen_of(Tx& tx, Basket& basket, const Stall& stall, ConversationId id,
                 const NewQuote& given) {
  if (given.payment_link) return linked(tx, basket, given);
  const auto currency = given.currency.value_or(stall.currency);
  if (given.lines) return {lines_of(given.lines->items), currency};
  basket.origin = payments::Origin::cart;
  return {lines_of(cart_items(tx, stall, id, given.cart_version->value)), currency, "/cart"};
}

void put_in(Basket& basket, const Chosen& chosen, const Offers& offers, Instant now) {
  basket.priced_from.currency = chosen.currency;
  Lookup in{chosen.currency, now};
  for (std::size_t i = 0; i < chosen.lines.size(); ++i) {
    const auto& line = chosen.lines.items[i];
    if (!line.variant_id) {
      add_free(basket, line);
      continue;
    }
    const auto offer = offers.find({basket.merchant_id, *line.variant_id});
    add(basket, in, offer == offers.end() ? nullptr : &offer->second, line.quantity,
        chosen.place + "/lines/" + std::to_string(i));
  }
  if (in.faults.empty() && !in.lacking.empty())
    throw Error(Code::conflict, "not all of it is there any more", std::move(in.lacking))
        .reason("out_of_stock");
  basket.is_sold = in.faults.empty();
  basket.faults = std::move(in.faults);
  basket.faults.insert(basket.faults.end(), in.lacking.begin(), in.lacking.end());
}

void set_price(Basket& basket, const NewQuote& given, std::optional<pricing::Discount> discount) {
  if (basket.rules.buyer.address != Asked::none) basket.ship_to = given.ship_to;
  pricing::Choice choice{given.shipping_rate, std::move(discount),
                         given.tip ? given.tip->value : 0};
  if (!is_place(basket)) {
    basket.faults.push_back(
        {"/ship_to/region",
         "must be a region of " + basket.ship_to->country.value + ", by code or name"});
    choice.shipping_rate.reset();
  }
  if (!basket.is_sold) return;
  const auto place = destination_of(basket);
  const pricing::ShopTaxes taxes(basket.rules.taxes);
  basket.priced =
      pricing::price(basket.priced_from, where(place), basket.rules, choice, taxes, basket.faults);
  if (!basket.faults.empty()) return;
  // What is free may still be paid for on its way.
  const bool is_all = given.shipping_rate || !basket.priced.shipping_asked;
  if (basket.priced.total == 0 && is_all)
    basket.faults.push_back({given.discount_code ? "/discount_code" : "/lines",
                             "leaves nothing to pay: what costs nothing is not sold here"});
  name_way(basket, given);
}

Basket fill(Tx& tx, const Who& who, ConversationId id, const NewQuote& given) {
  const auto stall = stall_of_buyer(tx, who, id);
  auto basket = basket_of(stall);
  const auto chosen = chosen_of(tx, basket, stall, id, given);
  Offers offers;
  for (auto& [variant, offer] : offers_of_link(tx, stall.merchant_id, chosen.lines))
    offers.emplace(std::pair(stall.merchant_id, variant), std::move(offer));
  put_in(basket, chosen, offers, tx.now());
  basket.rules = pricing::read_rules(tx, stall.merchant_id);
  std::optional<pricing::Discount> discount;
  if (given.discount_code)
    discount = pricing::find_discount(tx, stall.merchant_id, *given.discount_code, who.account,
                                      basket.faults);
  set_price(basket, given, std::move(discount));
  return basket;
}

std::vector<pricing::ShippingOption> ways_of(const Basket& basket) {
  const auto place = destination_of(basket);
  return pricing::shipping_options(basket.priced_from, where(place), basket.rules);
}

void refuse(Faults faults) {
  throw Error(Code::invalid, "it cannot be bought so", std::move(faults));
}

Faults missing(const Basket& basket, const NewQuote& given) {
  const auto& to = basket.ship_to;
  if (!to && basket.asked_address() == Asked::required) return {{"/ship_to", "is required"}};
  Faults faults;
  if (to && !to->region && pricing::has_regions(basket.rules, to->country))
    faults.push_back({"/ship_to/region", "is required: the price depends on it"});
  if (given.shipping_rate || !to || !basket.is_sold || !basket.priced.shipping_asked) return faults;
  if (ways_of(basket).empty())
    faults.push_back({"/ship_to", "is where this shop does not ship it to in this currency"});
  else
    faults.push_back({"/shipping_rate", "is required: see the quote"});
  return faults;
}

}  // namespace bottega::checkout
