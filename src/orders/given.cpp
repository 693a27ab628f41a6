// What is wrong with what clients give, as far as that can be told without the database.
#include "bottega/carriers/carriers.hpp"
#include "bottega/orders/shipments.hpp"

namespace bottega::orders {
namespace {

template <class T>
void check_label(const T& given, Faults& faults, const std::string& pointer) {
  const bool is_untracked = given.carrier && given.carrier->value == carriers::kOther;
  if (!given.tracking_number && !is_untracked)
    faults.push_back({pointer + "/tracking_number", "is required where the carrier is not other"});
}

}  // namespace

void NewShipment::check(Faults& faults, const std::string& pointer) const {
  check_label(*this, faults, pointer);
}

void ChangedShipment::check(Faults& faults, const std::string& pointer) const {
  check_label(*this, faults, pointer);
}

void TrackingNews::check(Faults& faults, const std::string& pointer) const {
  if (shipment_id.has_value() == tracking_number.has_value())
    faults.push_back({pointer + "/shipment_id", "is required, or tracking_number in its place"});
}

}  // namespace bottega::orders
