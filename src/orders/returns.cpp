// What becomes of an order of which something is sent back.
#include <algorithm>

#include "orders/rows.hpp"

namespace bottega::orders {
namespace {

Event resume(State was) {
  switch (was) {
    case State::delivered:
      return Event::resume_delivered;
    case State::completed:
      return Event::resume_completed;
    case State::returned:
      return Event::resume_returned;
    default:
      return Event::resume_shipped;
  }
}

}  // namespace

std::vector<std::int64_t> sent_of(Tx& tx, const Order& order) {
  std::vector<std::int64_t> sent(order.lines.size(), 0);
  for (const auto& parcel : shipments_of(tx, order.merchant_id, order.id))
    for (const auto& line : parcel.lines)
      sent.at(static_cast<std::size_t>(line.line.value)) += line.quantity;
  return sent;
}

Order request_return(Tx& tx, Order order) {
  return move(tx, std::move(order), Event::request_return);
}

Order receive_return(Tx& tx, Order order) {
  return move(tx, std::move(order), Event::receive_return);
}

Order end_return(Tx& tx, Order order, State was) {
  if (was != State::shipped) return move(tx, std::move(order), resume(was));
  const auto parcels = shipments_of(tx, order.merchant_id, order.id);
  if (!has_all_arrived(parcels)) return move(tx, std::move(order), resume(was));
  const auto last = std::ranges::max(parcels, {}, &Shipment::delivered_at);
  order.delivered_at = last.delivered_at;
  return move(tx, std::move(order), Event::resume_delivered);
}

}  // namespace bottega::orders
