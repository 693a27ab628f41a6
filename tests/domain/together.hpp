#pragma once
// Sales that were paid somehow, to be placed and sent together.
#include "domain/parcels.hpp"
#include "bottega/conversations/log.hpp"

namespace bottega::test {

inline orders::Sale sale_of(const Shop& shop, std::int64_t quantity = 1) {
  Json lines = Json::array();
  lines.push_back({{"name", "Lamp"}, {"quantity", quantity}, {"unit_amount", 1'250}});
  return {shop.merchant,
          shop.conversation,
          shop.buyer.account,
          orders::PaymentId::make(),
          "Lamps",
          from_json<orders::Lines>(lines),
          {1'250 * quantity, *Currency::find("USD")},
          66,
          an_address(),
          from_text<Country>("US")};
}

inline std::vector<orders::Order> place(World& world, const std::vector<orders::Sale>& sales) {
  return world.transact([&](Tx& tx) {
    conversations::Log log;
    auto orders = orders::place(tx, sales, std::chrono::days(7), log);
    log.write(tx);
    return orders;
  });
}

inline payouts::Sending sending(const identity::Who& who, orders::OrderId order,
                                const Json& body = {{"carrier", "other"}}) {
  return {who, order, from_json<orders::NewShipment>(body)};
}

using Shippings = std::vector<std::variant<payouts::Shipped, Error>>;
inline Shippings ship(World& world, const std::vector<payouts::Sending>& asked) {
  return world.transact([&](Tx& tx) { return payouts::ship(tx, asked, world.payout_rules); });
}
// The order's state, or what it was refused with.
inline std::string said(const std::variant<payouts::Shipped, Error>& outcome) {
  if (const auto* refusal = std::get_if<Error>(&outcome))
    return std::string(info(refusal->code()).slug);
  const auto& order = std::get<payouts::Shipped>(outcome).order;
  return text_of(order.state) + ' ' + text_of(order.fulfilment);
}

// Another buyer in a conversation with the same shop.
inline Shop beside(World& world, Shop shop) {
  shop.buyer = world.person();
  shop.conversation = world.transact(
      [&](Tx& tx) { return conversations::open(tx, shop.buyer, {shop.merchant}).conversation.id; });
  return shop;
}
// The live jobs of a kind.
inline std::string jobs_of(World& world, std::string_view kind) {
  return execute(world.urls.superuser,
                 "SELECT count(*) FROM bottega.jobs WHERE kind = '" + std::string(kind) + "'");
}

}  // namespace bottega::test
