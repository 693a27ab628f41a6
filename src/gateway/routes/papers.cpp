// The papers of an order, to read, print and keep.
#include "gateway/papers.hpp"
#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using identity::Role, identity::Scope;
using orders::OrderId;

PaperFormat format_of(const Call& call) {
  return call.parameter_as<PaperFormat>("format").value_or(PaperFormat::html);
}

// A guest has said who they are at the checkout.
std::string buyer_of(Tx& tx, const orders::Order& order) {
  const auto account = identity::fetch_account(tx, order.buyer_id);
  if (!account.is_guest) return account.name;
  const auto contact = payments::contact_of(tx, order.merchant_id, order.payment_id);
  return contact && contact->name ? contact->name->value : account.name;
}

Sold sold_of(Tx& tx, const orders::Order& order) {
  Sold sold{order, identity::fetch_merchant(tx, order.merchant_id), buyer_of(tx, order), {}};
  sold.disclosures = pricing::fetch_settings(tx, order.merchant_id).disclosures;
  return sold;
}

asio::awaitable<Reply> receipt(Call& call) {
  const auto id = call.at<OrderId>(0);
  const auto format = format_of(call);
  const auto sold = co_await call.app.db.read([&](Tx& tx) {
    auto found = sold_of(tx, orders::fetch(tx, call.who(), id));
    found.refunds = payments::list_refunds(tx, call.who(), found.order.payment_id);
    return found;
  });
  const auto paper = receipt_of(sold);
  const auto name = "receipt-" + sold.order.number;
  co_return co_await print(call.app, paper, format, name);
}

orders::Shipment parcel_of(Tx& tx, const identity::Who& who, const orders::Order& order,
                           orders::ShipmentId id) {
  auto parcel = orders::fetch_shipment(tx, who, id);
  if (parcel.order_id != order.id)
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  return parcel;
}

asio::awaitable<Reply> packing_slip(Call& call) {
  const auto id = call.at<OrderId>(0);
  const auto one = call.parameter_as<orders::ShipmentId>("shipment_id");
  const auto format = format_of(call);
  const auto sold = co_await call.app.db.read([&](Tx& tx) {
    const auto order = orders::fetch(tx, call.who(), id);
    // Who packs is not who buys.
    identity::require_member(tx, call.who(), order.merchant_id, Role::agent, Scope::read);
    auto found = sold_of(tx, order);
    if (order.fulfilment == orders::Fulfilment::partial) found.sent = orders::sent_of(tx, order);
    if (one) found.parcel = parcel_of(tx, call.who(), order, *one);
    return found;
  });
  const auto paper = packing_slip_of(sold);
  const auto name = "packing-slip-" + sold.order.number;
  co_return co_await print(call.app, paper, format, name);
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/orders/{id}/receipt",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = receipt,
     .name = "getReceipt",
     .summary =
         "What was bought, paid and given back, for both sides: a page that prints, or a PDF",
     .gives = any_text,
     .media_type = "text/html",
     .parameters = "format"},
    {.verb = Verb::get,
     .path = "/v1/orders/{id}/packing_slip",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = packing_slip,
     .name = "getPackingSlip",
     .summary = "What goes into the parcel and where it goes, without prices, for the merchant",
     .gives = any_text,
     .media_type = "text/html",
     .parameters = "format shipment_id"},
};

}  // namespace

std::span<const Route> paper_routes() { return kRoutes; }

}  // namespace bottega::gateway
