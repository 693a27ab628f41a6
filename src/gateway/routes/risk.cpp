// Payments that the staff looks at, and the limits of a merchant.
#include "gateway/routes/staff.hpp"
#include "bottega/payments/reviews.hpp"

namespace bottega::gateway {
namespace {

using identity::MerchantId;
using risk::Review, risk::ReviewId, risk::ReviewState;

asio::awaitable<Reply> list(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  const auto state = call.parameter_as<ReviewState>("state");
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return ops::find_reviews(tx, merchant, state, after, limit);
  };
  co_return co_await listing<ReviewId>(call, "reviews.list", find);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<ReviewId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    const auto review = risk::fetch_review(tx, id);
    ops::record(tx, call.who(), act_of(call, "review.show", text_of(id)));
    return ok(review);
  });
}

asio::awaitable<Reply> approve(Call& call) {
  const auto id = call.at<ReviewId>(0);
  const auto given = call.body<payouts::Reason>();
  const auto reply = co_await call.transact([&](Tx& tx) {
    const auto review = payments::approve(tx, call.who(), id, given.reason.value);
    ops::record(tx, call.who(),
                act_of(call, "review.approve", text_of(id), given.reason.value,
                       {{"payment", text_of(review.payment_id)}}));
    return ok(review);
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> reject(Call& call) {
  const auto id = call.at<ReviewId>(0);
  const auto given = call.body<payouts::Reason>();
  const auto reply = co_await call.transact([&](Tx& tx) {
    const auto done =
        payments::reject(tx, call.who(), id, given.reason.value, call.app.payment_rules);
    Json details = {{"payment", text_of(done.review.payment_id)}};
    if (done.refund) details["refund"] = text_of(done.refund->id);
    ops::record(tx, call.who(),
                act_of(call, "review.reject", text_of(id), given.reason.value, details));
    return ok(done.review);
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> limits(Call& call) {
  const auto id = call.at<MerchantId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    const auto found = risk::limits_of(tx, id, call.app.payment_rules.limits);
    ops::record(tx, call.who(), act_of(call, "limits.show", text_of(id)));
    return ok(found);
  });
}

asio::awaitable<Reply> set_limits(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<risk::NewLimits>();
  co_return co_await call.transact([&](Tx& tx) {
    risk::set_limits(tx, id, given, call.who().actor());
    const auto now = risk::limits_of(tx, id, call.app.payment_rules.limits);
    ops::record(tx, call.who(),
                act_of(call, "limits.set", text_of(id), given.reason.value,
                       {{"request_max", now.request_max}, {"week_max", now.week_max}}));
    return ok(now);
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/admin/reviews",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "adminListReviews",
     .summary = "Payments that are to be looked at, or were, newest first",
     .gives = kGivesPage<Review>,
     .parameters = "merchant_id state limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/reviews/{id}",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "adminGetReview",
     .summary = "Why a payment is reviewed, and how it was decided",
     .gives = kGives<Review>},
    {.verb = Verb::post,
     .path = "/v1/admin/reviews/{id}/approve",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = approve,
     .name = "adminApproveReview",
     .summary = "Let the merchant be paid, with a reason",
     .takes = kTakes<payouts::Reason>,
     .gives = kGives<Review>},
    {.verb = Verb::post,
     .path = "/v1/admin/reviews/{id}/reject",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = reject,
     .name = "adminRejectReview",
     .summary = "Give the buyer all of it back, with a reason; the merchant is never paid",
     .takes = kTakes<payouts::Reason>,
     .gives = kGives<Review>},
    {.verb = Verb::get,
     .path = "/v1/admin/merchants/{id}/limits",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = limits,
     .name = "adminGetLimits",
     .summary = "What a merchant may ask for and take, in whole units, and has taken in 7 days",
     .gives = kGives<risk::MerchantLimits>},
    {.verb = Verb::post,
     .path = "/v1/admin/merchants/{id}/limits",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = set_limits,
     .name = "adminSetLimits",
     .summary = "Give a merchant limits of its own; what is not given is as the settings say",
     .takes = kTakes<risk::NewLimits>,
     .gives = kGives<risk::MerchantLimits>},
};

}  // namespace

std::span<const Route> risk_routes() { return kRoutes; }

}  // namespace bottega::gateway
