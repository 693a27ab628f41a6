#pragma once
// Orders of several pieces, and what is sent of them.
#include "support/world.hpp"

namespace bottega::test {

// Sells lines with these quantities and prices.
struct Piece {
  std::int64_t quantity, unit_amount;
};
inline orders::Order sell_pieces(World& world, const Shop& shop, const std::vector<Piece>& pieces) {
  Json lines = Json::array();
  for (const auto& piece : pieces)
    lines.push_back(
        {{"name", "Lamp"}, {"quantity", piece.quantity}, {"unit_amount", piece.unit_amount}});
  const auto asked =
      from_json<payments::NewRequest>({{"conversation_id", text_of(shop.conversation)},
                                       {"title", "Lamps"},
                                       {"description", "Lamps of brass"},
                                       {"lines", lines}});
  const auto request = world.transact(
      [&](Tx& tx) { return payments::ask(tx, shop.owner, asked, world.payment_rules); });
  return world.pay(shop, request).order.value();
}

inline payouts::Shipped send(World& world, const identity::Who& who, const orders::Order& order,
                             const Json& body) {
  const auto given = from_json<orders::NewShipment>(body);
  return world.transact(
      [&](Tx& tx) { return payouts::ship(tx, who, order.id, given, world.payout_rules); });
}

// So many pieces of one line, with nobody who tracks them.
inline payouts::Shipped send_part(World& world, const Shop& shop, const orders::Order& order,
                                  std::int64_t line, std::int64_t quantity) {
  return send(world, shop.owner, order,
              {{"carrier", "other"}, {"lines", {{{"line", line}, {"quantity", quantity}}}}});
}

inline orders::Order now(World& world, const orders::Order& order) {
  return world.transact([&](Tx& tx) { return orders::lock(tx, order.merchant_id, order.id); });
}
inline payments::Payment payment_of(World& world, const orders::Order& order) {
  return world.transact(
      [&](Tx& tx) { return payments::current(tx, order.merchant_id, order.payment_id).payment; });
}
// The rows of a table that are about the order.
inline std::string count_of(World& world, const std::string& table, const orders::Order& order) {
  return execute(world.urls.superuser, "SELECT count(*) FROM bottega." + table +
                                           " WHERE order_id = '" + uuid_text(order.id.uuid) + "'");
}
// The events of the conversation about the order, the first first.
inline std::vector<std::string> told(World& world, const Shop& shop, const orders::Order& order) {
  std::vector<std::string> names;
  for (const auto& event : world.transact([&](Tx& tx) {
         return conversations::log_after(tx, shop.buyer, shop.conversation, 0, 500);
       }))
    if (event.data.contains("order") && event.data["order"]["id"] == text_of(order.id))
      names.push_back(event.event);
  return names;
}

}  // namespace bottega::test
