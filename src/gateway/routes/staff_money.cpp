// What the staff does about money: refunds, and payouts that wait.
#include "gateway/routes/staff.hpp"
#include "bottega/payments/refunds.hpp"

namespace bottega::gateway {
namespace {

using orders::PaymentId, payouts::PayoutId;

asio::awaitable<Reply> hold(Call& call) {
  const auto id = call.at<PayoutId>(0);
  const auto given = call.body<payouts::Reason>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto payout = payouts::hold(tx, id, given);
    ops::record(tx, call.who(), act_of(call, "payout.hold", text_of(id), given.reason.value));
    return ok(payout);
  });
}

asio::awaitable<Reply> release(Call& call) {
  const auto id = call.at<PayoutId>(0);
  const auto given = call.body<payouts::Reason>();
  const auto reply = co_await call.transact([&](Tx& tx) {
    const auto payout = payouts::release(tx, id);
    ops::record(tx, call.who(), act_of(call, "payout.release", text_of(id), given.reason.value));
    return ok(payout);
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> refund(Call& call) {
  const auto id = call.at<PaymentId>(0);
  const auto given = call.body<payments::StaffRefund>();
  const auto reply = co_await call.transact([&](Tx& tx) {
    const auto refund = payments::give_back(tx, call.who(), id, given, call.app.payment_rules);
    ops::record(tx, call.who(),
                act_of(call, "payment.refund", text_of(id), given.reason.value,
                       {{"refund", text_of(refund.id)},
                        {"amount", to_json(refund.amount)},
                        {"funded_by", text_of(given.funded_by)}}));
    return created(refund);
  });
  call.app.poke_jobs();
  co_return reply;
}

// Asking once more moves nothing that was not to be moved: the attempt has its key.
asio::awaitable<Reply> ask(Call& call) {
  const auto id = call.at<attempts::AttemptId>(0);
  const auto given = call.body<payouts::Reason>();
  const auto reply = co_await call.transact([&](Tx& tx) {
    const auto attempt = ops::ask(tx, id);
    ops::record(
        tx, call.who(),
        act_of(call, "attempt.ask", text_of(id), given.reason.value,
               {{"operation", text_of(attempt.operation)}, {"state", text_of(attempt.state)}}));
    return accepted(attempt);
  });
  call.app.poke_jobs();
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/admin/attempts/{id}/ask",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = ask,
     .name = "adminAskAboutAttempt",
     .summary = "Ask the processor now what became of a call, with a reason",
     .takes = kTakes<payouts::Reason>,
     .status = 202,
     .gives = kGives<attempts::Attempt>},
    {.verb = Verb::post,
     .path = "/v1/admin/payments/{id}/refunds",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = refund,
     .name = "adminCreateRefund",
     .summary = "Give back money of any payment, from the merchant's share or the platform's own",
     .takes = kTakes<payments::StaffRefund>,
     .status = 201,
     .gives = kGives<payments::Refund>},
    {.verb = Verb::post,
     .path = "/v1/admin/payouts/{id}/hold",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = hold,
     .name = "adminHoldPayout",
     .summary = "Hold a payout, with a reason",
     .takes = kTakes<payouts::Reason>,
     .gives = kGives<payouts::Payout>},
    {.verb = Verb::post,
     .path = "/v1/admin/payouts/{id}/release",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = release,
     .name = "adminReleasePayout",
     .summary = "Release a held payout, with a reason",
     .takes = kTakes<payouts::Reason>,
     .gives = kGives<payouts::Payout>},
};

}  // namespace

std::span<const Route> staff_money_routes() { return kRoutes; }

}  // namespace bottega::gateway
