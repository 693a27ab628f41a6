#pragma once
// What the files about orders share.
#include "bottega/orders/shipments.hpp"

namespace bottega::orders {

// Tells both sides, with all but where it goes; `words` end the line that simple clients show.
void tell(Tx& tx, const Order& order, const std::string& event, const std::string& words,
          const Shipment* shipment = nullptr);
// The same, written by the caller; with this seq, where it is known.
void tell(conversations::Log& log, const Order& order, const std::string& event,
          const std::string& words, const Shipment* shipment = nullptr,
          std::optional<std::int64_t> seq = std::nullopt);
// Writes what an order has become.
void write(Tx& tx, const Order& order);
Order move(Tx& tx, Order order, Event on);

// The parcels of an order, in the order in which they were sent.
std::vector<Shipment> shipments_of(Tx& tx, MerchantId merchant, OrderId id);
bool has_all_arrived(const std::vector<Shipment>& shipments);

}  // namespace bottega::orders
