// Orders, and marking them as sent.
#include "bottega/orders/orders.hpp"

#include "gateway/routes/routes.hpp"
#include "bottega/payments/refunds.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::gateway {
namespace {

using identity::MerchantId;
using orders::Order, orders::OrderId;

asio::awaitable<Reply> list(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  const auto after = cursor_id<OrderId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    if (!merchant && call.who().kind == identity::Kind::person)
      return orders::list_of_buyer(tx, call.who().account, after, limit + 1);
    const auto shop = merchant.value_or(call.who().merchant);
    identity::require_member(tx, call.who(), shop, identity::Role::agent, identity::Scope::read);
    return orders::list_of_merchant(tx, shop, after, limit + 1);
  });
  co_return call.page(found, limit, id_of<Order>);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<OrderId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(orders::fetch(tx, call.who(), id)); });
}

asio::awaitable<Reply> ship(Call& call) {
  const auto id = call.at<OrderId>(0);
  const auto given = call.body<orders::Shipment>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(payouts::ship(tx, call.who(), id, given, call.app.payout_rules)); });
}

asio::awaitable<Reply> deliver(Call& call) {
  const auto id = call.at<OrderId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    const auto order = orders::lock_for_merchant(tx, call.who(), id, identity::Role::agent);
    return ok(orders::deliver(tx, order));
  });
}

asio::awaitable<Reply> cancel(Call& call) {
  const auto id = call.at<OrderId>(0);
  const auto given = call.body<payouts::Reason>();
  const auto reply = co_await call.transact([&](Tx& tx) {
    return ok(payments::cancel_order(tx, call.who(), id, given.reason.value, call.app.payment_rules)
                  .order);
  });
  call.app.poke_jobs();
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/orders",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listOrders",
     .summary = "One's own orders, or a shop's by merchant_id; newest first",
     .gives = kGivesPage<Order>,
     .parameters = "limit cursor merchant_id"},
    {.verb = Verb::get,
     .path = "/v1/orders/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getOrder",
     .summary = "One order",
     .gives = kGives<Order>},
    {.verb = Verb::post,
     .path = "/v1/orders/{id}/ship",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = ship,
     .name = "shipOrder",
     .summary = "Mark as sent; this schedules the payout",
     .takes = kTakes<orders::Shipment>,
     .gives = kGives<payouts::Shipped>},
    {.verb = Verb::post,
     .path = "/v1/orders/{id}/deliver",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = deliver,
     .name = "deliverOrder",
     .summary = "Mark as delivered",
     .gives = kGives<Order>},
    {.verb = Verb::post,
     .path = "/v1/orders/{id}/cancel",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = cancel,
     .name = "cancelOrder",
     .summary = "Cancel what was not sent, with a full refund",
     .takes = kTakes<payouts::Reason>,
     .gives = kGives<Order>},
};

}  // namespace

std::span<const Route> order_routes() { return kRoutes; }

}  // namespace bottega::gateway
