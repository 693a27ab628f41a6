// What carriers say about a parcel, and what that makes of it and of its order.
#include <algorithm>

#include "orders/rows.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::orders {
namespace {

using namespace std::chrono_literals;

constexpr auto kAhead = 24h;                      // clocks and time zones of carriers are their own
constexpr auto kBehind = std::chrono::days(365);  // so that a wrong year is noticed
constexpr std::size_t kDerivedSize = 32;

const Sql<OrderId(MerchantId, ShipmentId)> kOrderOf{"orders.order_of_shipment", R"(
    SELECT order_id FROM shipments WHERE merchant_id = $1 AND id = $2)"};

const Sql<std::int64_t(MerchantId, ShipmentId)> kCount{"orders.count_tracking", R"(
    SELECT count(*) FROM shipment_events WHERE merchant_id = $1 AND shipment_id = $2)"};

const Sql<void(MerchantId, ShipmentId, std::string, Tracking, Instant, std::optional<std::string>,
               std::optional<std::string>, Source, Instant)>
    kKeep{"orders.keep_tracking", R"(
    INSERT INTO shipment_events (merchant_id, shipment_id, event_id, status, at, place, note,
                                 source, received_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING)"};

const Sql<void(MerchantId, ShipmentId, Tracking, Instant, std::optional<Instant>)> kMove{
    "orders.move_shipment", R"(
    UPDATE shipments SET status = $3, status_at = $4, delivered_at = $5
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<TrackingEvent(MerchantId, ShipmentId, std::int64_t)> kEvents{"orders.tracking", R"(
    SELECT event_id, status, at, place, note, source, received_at FROM shipment_events
    WHERE merchant_id = $1 AND shipment_id = $2 ORDER BY at DESC, received_at DESC, event_id
    LIMIT $3)"};

const Sql<ShipmentId(MerchantId, std::string)> kByNumber{"orders.shipments_by_number", R"(
    SELECT id FROM shipments
    WHERE merchant_id = $1
      AND upper(translate(tracking_number, ' -', '')) = upper(translate($2, ' -', ''))
    ORDER BY id DESC LIMIT 2)"};

TrackingEvent event_of(const Tx& tx, const NewTrackingEvent& given, Source source) {
  TrackingEvent event{"",     given.status, given.at.value_or(tx.now()), std::nullopt, std::nullopt,
                      source, tx.now()};
  if (given.place) event.place = given.place->value;
  if (given.note) event.note = given.note->value;
  if (event.at > tx.now() + kAhead)
    throw Error(Code::invalid, "nobody knows that yet",
                {{"/at", "must be at most a day from now"}});
  event.event_id = given.event_id ? given.event_id->value
                                  : sha256_hex(text_of(event.status) + ' ' + text_of(event.at) +
                                               ' ' + event.place.value_or(""))
                                        .substr(0, kDerivedSize);
  return event;
}

bool is_problem(Tracking status) {
  return status == Tracking::exception || status == Tracking::address_problem ||
         status == Tracking::damaged || status == Tracking::lost || status == Tracking::refused ||
         status == Tracking::returned_to_sender;
}

// The order's own state follows when nothing of it is under way any more, also where what was is
// cancelled. While something of it comes back the state tells of that, and only the day is kept.
void tell_arrival(Tx& tx, Order order, const Shipment& shipment) {
  const auto all = shipments_of(tx, order.merchant_id, order.id);
  const bool moves = kLifecycle.next(order.state, Event::deliver).has_value();
  const bool comes_back = order.state == State::return_requested || order.state == State::returned;
  const bool follows =
      (moves || (comes_back && order.shipped_at && !order.delivered_at)) && has_all_arrived(all);
  if (!follows && shipment.status == Tracking::cancelled) return;
  if (!follows) return tell(tx, order, "order.part_delivered", "a part was delivered", &shipment);
  order.delivered_at = std::ranges::max(all, {}, &Shipment::delivered_at).delivered_at;
  if (moves)
    order = move(tx, std::move(order), Event::deliver);
  else
    write(tx, order);
  tell(tx, order, "order.delivered", "delivered", &shipment);
}

void tell_news(Tx& tx, const Order& order, const Shipment& shipment) {
  if (shipment.status == Tracking::delivered || shipment.status == Tracking::cancelled)
    return tell_arrival(tx, order, shipment);
  if (shipment.status == Tracking::out_for_delivery)
    return tell(tx, order, "order.out_for_delivery", "out for delivery", &shipment);
  if (is_problem(shipment.status))
    tell(tx, order, "order.exception", "a problem with the delivery", &shipment);
}

// The order's lock is that of its parcels.
Shipment take(Tx& tx, MerchantId merchant, ShipmentId id, const TrackingEvent& event) {
  const auto order = lock(tx, merchant, tx.one(kOrderOf, merchant, id));
  if (event.at < order.created_at - kBehind)
    throw Error(Code::invalid, "nothing of the order was under way then",
                {{"/at", "must be less than a year before the order was made"}});
  const auto all = shipments_of(tx, merchant, order.id);
  auto shipment = *std::ranges::find(all, id, &Shipment::id);
  if (tx.one(kCount, merchant, id) >= kTrackingEventsMax)
    throw Error(Code::conflict, "too much is known about this parcel already");
  const bool is_new = tx.run(kKeep, merchant, id, event.event_id, event.status, event.at,
                             event.place, event.note, event.source, event.received_at) > 0;
  if (!is_new || !moves(shipment.status, shipment.status_at, event.status, event.at))
    return shipment;
  const bool is_news = shipment.status != event.status;
  shipment.status = event.status;
  shipment.status_at = event.at;
  // When it came counts for what happens so many days later: neither before it was sent nor ahead.
  if (event.status == Tracking::delivered)
    shipment.delivered_at = std::clamp(event.at, shipment.shipped_at, tx.now());
  tx.run(kMove, merchant, id, shipment.status, shipment.status_at, shipment.delivered_at);
  if (is_news) tell_news(tx, order, shipment);
  return shipment;
}

}  // namespace

bool moves(Tracking now, Instant last, Tracking news, Instant at) {
  if (stage_of(now) == Stage::ended || stage_of(news) < stage_of(now)) return false;
  return stage_of(news) > stage_of(now) || at >= last;
}

bool has_all_arrived(const std::vector<Shipment>& shipments) {
  const auto is_there = [](const Shipment& one) {
    return one.status == Tracking::delivered || one.status == Tracking::cancelled;
  };
  return std::ranges::all_of(shipments, is_there) &&
         std::ranges::count(shipments, Tracking::delivered, &Shipment::status) > 0;
}

Shipment track(Tx& tx, const Who& who, ShipmentId id, const NewTrackingEvent& given) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::agent, identity::Scope::orders);
  const auto source = who.kind == identity::Kind::api_key ? Source::api_key : Source::member;
  return take(tx, merchant, id, event_of(tx, given, source));
}

std::vector<TrackingEvent> list_events(Tx& tx, const Who& who, ShipmentId id, std::int64_t limit) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  fetch_shipment(tx, who, id);
  return tx.all(kEvents, merchant, id, limit);
}

Shipment take_news(Tx& tx, MerchantId merchant, const TrackingNews& news,
                   const std::string& message_id) {
  auto id = news.shipment_id;
  if (news.tracking_number) {
    const auto found = tx.all(kByNumber, merchant, news.tracking_number->value);
    if (found.size() > 1)
      throw Error(Code::conflict, "more than one parcel has this number: say which by its id");
    if (!found.empty()) id = found.front();
  }
  if (!id) throw Error(Code::not_found, "no parcel has this number");
  NewTrackingEvent given{news.status, news.at, news.place, news.note, news.event_id};
  if (!given.event_id) given.event_id = from_text<Line<1, 100>>(message_id);
  return take(tx, merchant, *id, event_of(tx, given, Source::webhook));
}

}  // namespace bottega::orders
