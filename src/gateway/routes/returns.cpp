// What buyers send back.
#include "bottega/returns/returns.hpp"

#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using identity::MerchantId, identity::Role, identity::Scope;
using orders::OrderId;
using returns::Return, returns::ReturnId;

returns::Rules rules_of(const Call& call) {
  return {std::chrono::days(call.app.config.orders_returnable_days),
          std::chrono::days(call.app.config.orders_return_within_days)};
}

asio::awaitable<Reply> request(Call& call) {
  const auto id = call.at<OrderId>(0);
  const auto given = call.body<returns::NewReturn>();
  const auto rules = rules_of(call);
  co_return co_await call.transact(
      [&](Tx& tx) { return created(returns::request(tx, call.who(), id, given, rules)); });
}

asio::awaitable<Reply> list_of_order(Call& call) {
  const auto id = call.at<OrderId>(0);
  co_return co_await call.read([&](Tx& tx) {
    return call.page(returns::list_of_order(tx, call.who(), id), returns::kReturnsMax,
                     id_of<Return>);
  });
}

// One's own, or a shop's.
asio::awaitable<Reply> list(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  const auto state = call.parameter_as<returns::State>("state");
  const auto after = cursor_id<ReturnId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    const bool is_person = call.who().kind == identity::Kind::person;
    if (!merchant && is_person && state)
      throw Error(Code::invalid, "only a shop's are filtered", {{"merchant_id", "is required"}});
    if (!merchant && is_person)
      return returns::list_of_buyer(tx, call.who().account, after, limit + 1);
    const auto shop = merchant.value_or(call.who().merchant);
    identity::require_member(tx, call.who(), shop, Role::agent, Scope::read);
    return returns::list_of_merchant(tx, shop, state, after, limit + 1);
  });
  co_return call.page(found, limit, id_of<Return>);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<ReturnId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(returns::fetch(tx, call.who(), id)); });
}

asio::awaitable<Reply> approve(Call& call) {
  const auto id = call.at<ReturnId>(0);
  const auto given = call.body<returns::ReturnApproval>();
  const auto rules = rules_of(call);
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(returns::approve(tx, call.who(), id, given, rules)); });
}

asio::awaitable<Reply> reject(Call& call) {
  const auto id = call.at<ReturnId>(0);
  const auto given = call.body<returns::ReturnRejection>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(returns::reject(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> cancel(Call& call) {
  const auto id = call.at<ReturnId>(0);
  co_return co_await call.transact([&](Tx& tx) { return ok(returns::cancel(tx, call.who(), id)); });
}

asio::awaitable<Reply> receive(Call& call) {
  const auto id = call.at<ReturnId>(0);
  const auto given = call.body<returns::ReturnReceipt>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(returns::receive(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> refund(Call& call) {
  const auto id = call.at<ReturnId>(0);
  const auto given = call.body<returns::ReturnRefund>();
  const auto& rules = call.app.payment_rules;
  const auto reply = co_await call.transact(
      [&](Tx& tx) { return ok(returns::refund(tx, call.who(), id, given, rules)); });
  call.app.poke_jobs();
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/orders/{id}/returns",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = request,
     .name = "requestReturn",
     .summary = "Ask, as its buyer, to send an order back, or a part of it",
     .takes = kTakes<returns::NewReturn>,
     .status = 201,
     .gives = kGives<Return>},
    {.verb = Verb::get,
     .path = "/v1/orders/{id}/returns",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_of_order,
     .name = "listReturnsOfOrder",
     .summary = "The returns of an order, newest first",
     .gives = kGivesPage<Return>},
    {.verb = Verb::get,
     .path = "/v1/returns",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listReturns",
     .summary = "One's own returns, or a shop's by merchant_id; newest first",
     .gives = kGivesPage<Return>,
     .parameters = "limit cursor merchant_id state"},
    {.verb = Verb::get,
     .path = "/v1/returns/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getReturn",
     .summary = "One return, with the buyer's words",
     .gives = kGives<Return>},
    {.verb = Verb::post,
     .path = "/v1/returns/{id}/approve",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = approve,
     .name = "approveReturn",
     .summary = "Approve, as the shop; what does not come in time expires",
     .takes = kTakes<returns::ReturnApproval>,
     .gives = kGives<Return>},
    {.verb = Verb::post,
     .path = "/v1/returns/{id}/reject",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = reject,
     .name = "rejectReturn",
     .summary = "Reject, as the shop; the order is what it was before",
     .takes = kTakes<returns::ReturnRejection>,
     .gives = kGives<Return>},
    {.verb = Verb::post,
     .path = "/v1/returns/{id}/cancel",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = cancel,
     .name = "cancelReturn",
     .summary = "Keep it, as the buyer, until it was received",
     .gives = kGives<Return>},
    {.verb = Verb::post,
     .path = "/v1/returns/{id}/receive",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = receive,
     .name = "receiveReturn",
     .summary = "Say, as the shop, what has come back and how, and put it into the stock again",
     .takes = kTakes<returns::ReturnReceipt>,
     .gives = kGives<Return>},
    {.verb = Verb::post,
     .path = "/v1/returns/{id}/refund",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = refund,
     .name = "refundReturn",
     .summary = "Give back what is proposed for it, or another amount; 0 ends it without a refund",
     .takes = kTakes<returns::ReturnRefund>,
     .gives = kGives<Return>},
};

}  // namespace

std::span<const Route> return_routes() { return kRoutes; }

}  // namespace bottega::gateway
