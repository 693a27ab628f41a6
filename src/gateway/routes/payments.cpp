// Payment requests, paying them, payments and refunds.
#include "bottega/payments/refunds.hpp"

#include "gateway/routes/paying.hpp"
#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using namespace payments;

asio::awaitable<Reply> create(Call& call) {
  const auto given = call.body<NewRequest>();
  co_return co_await call.transact(
      [&](Tx& tx) { return created(ask(tx, call.who(), given, call.app.payment_rules)); });
}

asio::awaitable<Reply> list(Call& call) {
  const auto conversation = call.parameter_as<ConversationId>("conversation_id");
  if (!conversation)
    throw Error(Code::invalid, "which conversation?", {{"conversation_id", "is required"}});
  const auto after = cursor_id<RequestId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read(
      [&](Tx& tx) { return list_requests(tx, call.who(), *conversation, after, limit + 1); });
  co_return call.page(found, limit, id_of<payments::Request>);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<RequestId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(fetch_request(tx, call.who(), id)); });
}

asio::awaitable<Reply> decline_one(Call& call) {
  const auto id = call.at<RequestId>(0);
  const auto given = call.body<Refusal>();
  co_return co_await call.transact([&](Tx& tx) { return ok(decline(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> cancel_one(Call& call) {
  const auto id = call.at<RequestId>(0);
  const auto given = call.body<Refusal>();
  co_return co_await call.transact([&](Tx& tx) { return ok(cancel(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> accept(Call& call) {
  const auto given = call.body<Acceptance>();
  const auto id = call.at<RequestId>(0);
  Paying paying;
  paying.asked = {call.who(), checkout::Accepting{id, given}};
  paying.acceptance = given;
  paying.begin = [&](Tx& tx) { return begin(tx, call.who(), id, given, call.app.payment_rules); };
  co_return co_await pay(call, std::move(paying));
}

asio::awaitable<Reply> show_payment(Call& call) {
  const auto id = call.at<PaymentId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(fetch_payment(tx, call.who(), id)); });
}

asio::awaitable<Reply> refunds(Call& call) {
  const auto id = call.at<PaymentId>(0);
  const auto all =
      co_await call.app.db.read([&](Tx& tx) { return list_refunds(tx, call.who(), id); });
  co_return call.page(all, std::ssize(all), id_of<Refund>);
}

asio::awaitable<Reply> give_back_some(Call& call) {
  const auto id = call.at<PaymentId>(0);
  const auto given = call.body<NewRefund>();
  const auto reply = co_await call.transact([&](Tx& tx) {
    return created(give_back(tx, call.who(), id, given, call.app.payment_rules));
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> show_refund(Call& call) {
  const auto id = call.at<RefundId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(fetch_refund(tx, call.who(), id)); });
}

// The buyer gives up a payment that waits for a confirmation; the processor is told first.
asio::awaitable<Reply> give_up(Call& call) {
  const auto id = call.at<PaymentId>(0);
  auto& app = call.app;
  const auto payment =
      co_await app.db.read([&](Tx& tx) { return fetch_payment(tx, call.who(), id); });
  if (payment.buyer_id != call.who().account || call.who().kind != identity::Kind::person)
    throw Error(Code::forbidden, "only the buyer gives up a payment");
  if (payment.state != State::requires_action)
    throw Error(Code::conflict, "cannot cancel what is " + text_of(payment.state));
  co_await abandon(app.db, app.registry, payment.merchant_id, id, app.payment_rules);
  co_return co_await call.transact([&](Tx& tx) {
    const auto now = fetch_payment(tx, call.who(), id);
    if (now.state == State::captured)
      throw Error(Code::conflict, "the payment was confirmed before it could be given up");
    return ok(now);
  });
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/payment_requests",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = create,
     .name = "createPaymentRequest",
     .summary = "Ask the buyer of a conversation for money",
     .takes = kTakes<NewRequest>,
     .status = 201,
     .gives = kGives<payments::Request>},
    {.verb = Verb::get,
     .path = "/v1/payment_requests",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listPaymentRequests",
     .summary = "The payment requests of a conversation, newest first",
     .gives = kGivesPage<payments::Request>,
     .parameters = "conversation_id limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/payment_requests/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getPaymentRequest",
     .summary = "One payment request",
     .gives = kGives<payments::Request>},
    {.verb = Verb::post,
     .path = "/v1/payment_requests/{id}/accept",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = accept,
     .name = "acceptPaymentRequest",
     .summary = "Pay: charged once, however often it is asked; 202 while the outcome is open",
     .takes = kTakes<Acceptance>,
     .gives = kGives<Accepted>},
    {.verb = Verb::post,
     .path = "/v1/payment_requests/{id}/decline",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = decline_one,
     .name = "declinePaymentRequest",
     .summary = "Decline, as its buyer",
     .takes = kTakes<Refusal>,
     .gives = kGives<payments::Request>},
    {.verb = Verb::post,
     .path = "/v1/payment_requests/{id}/cancel",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = cancel_one,
     .name = "cancelPaymentRequest",
     .summary = "Take it back, as its merchant",
     .takes = kTakes<Refusal>,
     .gives = kGives<payments::Request>},
    {.verb = Verb::get,
     .path = "/v1/payments/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_payment,
     .name = "getPayment",
     .summary = "One payment; the buyer also sees where to confirm it",
     .gives = kGives<Payment>},
    {.verb = Verb::post,
     .path = "/v1/payments/{id}/cancel",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = give_up,
     .name = "cancelPayment",
     .summary = "Give up a payment that waits for the buyer's confirmation",
     .gives = kGives<Payment>},
    {.verb = Verb::get,
     .path = "/v1/payments/{id}/refunds",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = refunds,
     .name = "listRefunds",
     .summary = "The refunds of a payment",
     .gives = kGivesPage<Refund>},
    {.verb = Verb::post,
     .path = "/v1/payments/{id}/refunds",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = give_back_some,
     .name = "createRefund",
     .summary = "Give back a part, or all that is left; of an unsent order that cancels it",
     .takes = kTakes<NewRefund>,
     .status = 201,
     .gives = kGives<Refund>},
    {.verb = Verb::get,
     .path = "/v1/refunds/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_refund,
     .name = "getRefund",
     .summary = "One refund",
     .gives = kGives<Refund>},
};

}  // namespace

std::span<const Route> payment_routes() { return kRoutes; }

}  // namespace bottega::gateway
