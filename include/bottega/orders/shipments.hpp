#pragma once
// What was sent of an order: its parcels, who carries them, and what the carriers say about where
// they are. News may come twice, late and in any order; all of it is kept, and none of it brings a
// parcel back from where it has arrived.
#include <variant>

#include "bottega/core/webhook_signature.hpp"
#include "bottega/orders/orders.hpp"

namespace bottega::orders {

using ShipmentId = Id<"shp">;

// Where a parcel is. `shipped` says no more than that the merchant has sent it.
enum class Tracking : std::uint8_t {
  shipped,
  label_created,
  picked_up,
  in_transit,
  arrived_at_facility,
  departed_facility,
  in_customs,
  customs_cleared,
  delayed,
  on_hold,
  out_for_delivery,
  delivery_attempted,
  available_for_pickup,
  delivered,
  exception,
  address_problem,
  damaged,
  lost,
  refused,
  returning,
  returned_to_sender,
  cancelled,
};
BOOST_DESCRIBE_ENUM(Tracking, shipped, label_created, picked_up, in_transit, arrived_at_facility,
                    departed_facility, in_customs, customs_cleared, delayed, on_hold,
                    out_for_delivery, delivery_attempted, available_for_pickup, delivered,
                    exception, address_problem, damaged, lost, refused, returning,
                    returned_to_sender, cancelled)

// How far along a status is. News of an earlier stage than the parcel's own, or older than its last
// news, does not move it; nothing moves it from the last stage.
enum class Stage : std::uint8_t { announced, sent, moving, ended };
constexpr Stage stage_of(Tracking status) {
  switch (status) {
    case Tracking::label_created:
      return Stage::announced;
    case Tracking::shipped:
      return Stage::sent;
    case Tracking::delivered:
    case Tracking::returned_to_sender:
    case Tracking::cancelled:
      return Stage::ended;
    default:
      return Stage::moving;
  }
}
// Whether news moves a parcel that has had its last news at `last`.
bool moves(Tracking now, Instant last, Tracking news, Instant at);

// So many pieces of the order's line with this index, from 0.
struct SentLine {
  Count<0, 99> line;
  Count<1, 9'999> quantity;
};
BOOST_DESCRIBE_STRUCT(SentLine, (), (line, quantity))
using SentLines = List<SentLine, 1, 100>;

struct Shipment {
  ShipmentId id;
  OrderId order_id;
  std::string carrier;
  std::optional<std::string> tracking_number, tracking_url;
  SentLines lines;
  Tracking status{};
  Instant status_at{}, created_at{}, shipped_at{};
  std::optional<Instant> delivered_at;
};
BOOST_DESCRIBE_STRUCT(Shipment, (),
                      (id, order_id, carrier, tracking_number, tracking_url, lines, status,
                       status_at, created_at, shipped_at, delivered_at))

// A carrier's code or any name; where there is none the number must tell it. Nobody tracks what
// "other" carries, which needs no number. All that is left to send where there are no lines.
struct NewShipment {
  std::optional<Line<1, 50>> carrier;
  std::optional<Line<1, 60>> tracking_number;
  std::optional<SentLines> lines;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewShipment, (), (carrier, tracking_number, lines))

inline constexpr std::size_t kShipmentsMax = 100;        // of one order
inline constexpr std::int64_t kTrackingEventsMax = 500;  // of one parcel

// What a shipment has made of an order, with what the payout is reckoned from.
struct Sent {
  Order order;
  Shipment shipment;
  Share share;
  std::vector<std::string> warnings;  // about the tracking number, or a withdrawal
};
// What is to be sent of an order whose lock the caller holds.
struct Sending {
  Order order;
  const NewShipment* given = nullptr;
};
// For many, each order once: what becomes of one is nothing to the others. The caller writes their
// entries, and sees to the payouts where an order is `shipped` then. Error(invalid) for more than
// is left to send.
std::vector<std::variant<Sent, Error>> ship(Tx& tx, const std::vector<Sending>& asked,
                                            conversations::Log& log);

// What was written wrongly on the label, or read wrongly from it; the rules are those of sending.
struct ChangedShipment {
  std::optional<Line<1, 50>> carrier;
  std::optional<Line<1, 60>> tracking_number;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(ChangedShipment, (), (carrier, tracking_number))
struct Corrected {
  Shipment shipment;
  std::vector<std::string> warnings;
};
BOOST_DESCRIBE_STRUCT(Corrected, (), (shipment, warnings))
// By the merchant's side, until the parcel has arrived; throws Error(conflict) then. Tells the
// conversation.
Corrected correct(Tx& tx, const Who& who, ShipmentId id, const ChangedShipment& given);

// What of an order was not sent, by the prices of its lines (by its pieces where these are free).
struct Unsent {
  std::int64_t part = 0, whole = 0;
};
Unsent unsent_of(Tx& tx, const Order& order);
// The order counts as shipped with what was sent of it. Throws Error(conflict) unless that is a
// part. Tells nobody yet.
Order close(Tx& tx, Order order, const std::string& reason);
// Tells the conversation, and that it was delivered where all its parcels were.
Order tell_closed(Tx& tx, Order order);

// How many pieces of each of its lines were sent.
std::vector<std::int64_t> sent_of(Tx& tx, const Order& order);
// What becomes of an order of which something is sent back; the caller holds its lock and tells.
// Where nothing comes back after all it is again what it `was`, or delivered where all its parcels
// have arrived since.
Order request_return(Tx& tx, Order order);
Order receive_return(Tx& tx, Order order);
Order end_return(Tx& tx, Order order, State was);

// All its parcels have arrived, says the merchant.
Order deliver(Tx& tx, Order order);

// For the buyer and the shop.
std::vector<Shipment> list_shipments(Tx& tx, const Who& who, OrderId id);
Shipment fetch_shipment(Tx& tx, const Who& who, ShipmentId id);

// Who has told it.
enum class Source : std::uint8_t { member, api_key, webhook };
BOOST_DESCRIBE_ENUM(Source, member, api_key, webhook)

struct TrackingEvent {
  std::string event_id;
  Tracking status{};
  Instant at{};
  std::optional<std::string> place, note;
  Source source{};
  Instant received_at{};
};
BOOST_DESCRIBE_STRUCT(TrackingEvent, (), (event_id, status, at, place, note, source, received_at))

struct NewTrackingEvent {
  Tracking status{};
  std::optional<Instant> at;  // now where none is given
  std::optional<Line<1, 200>> place;
  std::optional<Line<1, 500>> note;
  // The carrier's own id: the same one again changes nothing. Where there is none, what says the
  // same of the same time and place is the same.
  std::optional<Line<1, 100>> event_id;
};
BOOST_DESCRIBE_STRUCT(NewTrackingEvent, (), (status, at, place, note, event_id))

// By the merchant's side. The order is delivered with its last parcel; the conversation is told
// what went out for delivery, has arrived, or has met with a problem. Throws Error(conflict) where
// there are kTrackingEventsMax.
Shipment track(Tx& tx, const Who& who, ShipmentId id, const NewTrackingEvent& given);
// The latest first.
std::vector<TrackingEvent> list_events(Tx& tx, const Who& who, ShipmentId id, std::int64_t limit);

// What signs the news that others post about a merchant's parcels (Standard Webhooks 1.0). Told
// once; the one before it is good for kSecretOverlap.
struct TrackingSecret {
  std::string secret;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(TrackingSecret, (), (secret, created_at))
inline constexpr std::chrono::hours kSecretOverlap{24};
TrackingSecret make_tracking_secret(Tx& tx, const Who& who, MerchantId merchant);

// News by the parcel's id, or by its number where only one parcel has it.
struct TrackingNews {
  std::optional<ShipmentId> shipment_id;
  std::optional<Line<1, 60>> tracking_number;
  Tracking status{};
  std::optional<Instant> at;
  std::optional<Line<1, 200>> place;
  std::optional<Line<1, 500>> note;
  std::optional<Line<1, 100>> event_id;  // the message's own id where none is given
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(TrackingNews, (),
                      (shipment_id, tracking_number, status, at, place, note, event_id))
// Throws Error(forbidden) unless a secret of this merchant has signed it; `now` is by the machine's
// clock.
void verify_news(Tx& tx, MerchantId merchant, const SignedMessage& message, Instant now);
// Throws Error(not_found) where no parcel of the merchant is meant.
Shipment take_news(Tx& tx, MerchantId merchant, const TrackingNews& news,
                   const std::string& message_id);

}  // namespace bottega::orders
