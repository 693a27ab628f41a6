// Parcels: where they are, and who says so.
#include "bottega/orders/shipments.hpp"

#include "gateway/dispatch.hpp"
#include "gateway/routes/routes.hpp"
#include "bottega/carriers/carriers.hpp"

namespace bottega::gateway {
namespace {

using identity::MerchantId;
using orders::OrderId, orders::Shipment, orders::ShipmentId, orders::TrackingEvent;

asio::awaitable<Reply> list(Call& call) {
  const auto id = call.at<OrderId>(0);
  co_return co_await call.read([&](Tx& tx) {
    return call.page(orders::list_shipments(tx, call.who(), id), orders::kShipmentsMax,
                     id_of<Shipment>);
  });
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<ShipmentId>(0);
  co_return co_await call.read(
      [&](Tx& tx) { return ok(orders::fetch_shipment(tx, call.who(), id)); });
}

asio::awaitable<Reply> events(Call& call) {
  const auto id = call.at<ShipmentId>(0);
  co_return co_await call.read([&](Tx& tx) {
    const auto position = [](const TrackingEvent& event) { return event.event_id; };
    return call.page(orders::list_events(tx, call.who(), id, orders::kTrackingEventsMax),
                     orders::kTrackingEventsMax, position);
  });
}

asio::awaitable<Reply> track(Call& call) {
  const auto id = call.at<ShipmentId>(0);
  const auto given = call.body<orders::NewTrackingEvent>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(orders::track(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> correct(Call& call) {
  const auto id = call.at<ShipmentId>(0);
  const auto given = call.body<orders::ChangedShipment>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(orders::correct(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> recognise(Call& call) {
  const auto number = call.parameter_as<Line<1, 60>>("number");
  if (!number)
    throw Error(Code::invalid, "a query parameter is missing", {{"number", "is required"}});
  co_return ok(carriers::recognise(number->value));
}

asio::awaitable<Reply> make_secret(Call& call) {
  const auto id = call.at<MerchantId>(0);
  co_return co_await call.transact(
      [&](Tx& tx) { return created(orders::make_tracking_secret(tx, call.who(), id)); });
}

SignedMessage message_of(const Request& request) {
  return {request.header("webhook-id"), request.header("webhook-timestamp"),
          request.header("webhook-signature"), request.body};
}

// Whoever cannot sign is counted as a stranger, before anybody reads what was sent.
asio::awaitable<void> require_genuine_news(Call& call, MerchantId merchant) {
  auto& app = call.app;
  const auto message = message_of(call.request);
  // Others sign by the machine's time: the test clock does not move it.
  const auto now = app.clock.now() - app.clock.offset();
  std::exception_ptr failure;
  try {
    co_await app.db.read([&](Tx& tx) { orders::verify_news(tx, merchant, message, now); });
  } catch (const Error& error) {
    if (error.code() != Code::forbidden) throw;
    failure = std::current_exception();
  }
  if (!failure) co_return;
  admit_forgery(app, call.who(), call.request.address);
  std::rethrow_exception(failure);
}

asio::awaitable<Reply> hear(Call& call) {
  auto& app = call.app;
  const auto merchant = call.at<MerchantId>(0);
  co_await require_genuine_news(call, merchant);
  admit_event(app, text_of(merchant));
  const auto news = from_json<orders::TrackingNews>(parse_json(call.request.body));
  const auto id = std::string(call.request.header("webhook-id"));
  co_await app.db.transact([&](Tx& tx) { orders::take_news(tx, merchant, news, id); });
  co_return no_content();
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/orders/{id}/shipments",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listShipments",
     .summary = "The parcels of an order, in the order in which they were sent",
     .gives = kGivesPage<Shipment>},
    {.verb = Verb::get,
     .path = "/v1/shipments/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getShipment",
     .summary = "One parcel, with where it is and the carrier's page about it",
     .gives = kGives<Shipment>},
    {.verb = Verb::patch,
     .path = "/v1/shipments/{id}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = correct,
     .name = "changeShipment",
     .summary = "Correct the carrier and the tracking number, until the parcel has arrived",
     .takes = kTakes<orders::ChangedShipment>,
     .gives = kGives<orders::Corrected>},
    {.verb = Verb::get,
     .path = "/v1/shipments/{id}/events",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = events,
     .name = "listTrackingEvents",
     .summary = "What the carrier has said about a parcel, the latest first",
     .gives = kGivesPage<TrackingEvent>},
    {.verb = Verb::post,
     .path = "/v1/shipments/{id}/events",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = track,
     .name = "addTrackingEvent",
     .summary = "Say where a parcel is; the same event_id again changes nothing",
     .takes = kTakes<orders::NewTrackingEvent>,
     .gives = kGives<Shipment>},
    {.verb = Verb::get,
     .path = "/v1/tracking/recognise",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = recognise,
     .name = "recogniseTracking",
     .summary = "Which carriers a tracking number may belong to",
     .gives = kGives<carriers::Recognised>,
     .parameters = "number"},
    {.verb = Verb::post,
     .path = "/v1/merchants/{id}/tracking_secret",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = make_secret,
     .name = "makeTrackingSecret",
     .summary = "Make the secret that signs tracking news; the one before is good for a day",
     .status = 201,
     .gives = kGives<orders::TrackingSecret>},
    {.verb = Verb::post,
     .path = "/v1/tracking/webhook/{id}",
     .access = Access::anyone,
     .budget = Budget::events,
     .once = Once::none,
     .handler = hear,
     .name = "receiveTracking",
     .summary = "Signed news of a merchant's parcels (Standard Webhooks)",
     .status = 204,
     .media_type = "*/*"},
};

}  // namespace

std::span<const Route> shipment_routes() { return kRoutes; }

}  // namespace bottega::gateway
