// Every pair of state and event of a payout and of the batch that it is sent with. Time and the
// bank move most of them; the staff holds and releases, and the shop tries again.
#include <deque>

#include "http/machines.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::test {
namespace machines_payouts_test {

using payouts::BatchEvent, payouts::BatchState, payouts::Event, payouts::State;

constexpr std::int64_t kUntilDue = 10 * 24;  // hours

void must(const Answer& answer) { EXPECT_EQ(answer.status / 100, 2) << answer.body; }

// A payout, and what it is for.
struct Due {
  Thing thing;
  std::string payment;
};

// The payouts of a shop that come due together go with one batch: shops of their own keep what is
// tried apart. A sum that ends in 13 is refused by the bank; a refund that ends in 17 keeps
// whatever else is to be sent waiting, until its answer is given up.
class Payouts {
 public:
  Stage stage{{"fees.basis_points=0", "fees.fixed=0", "payouts.tries_max=1",
               "payments.call_timeout_ms=15000", "risk.review_amount=300"}};
  Walk<payouts::kLifecycle> walk{[this] { stage.settle(); }};
  Walk<payouts::kBatchLifecycle> batches{[this] { stage.settle(); }};

  const Storefront& open_shop() { return shops_.emplace_back(shop(stage.house.server)); }

  Due scheduled(const Storefront& front, std::int64_t amount = 1'000) {
    const auto order = sell(front, amount);
    const auto sent = ship(front, order);
    must(sent);
    return {{&front.owner.api, "/v1/payouts/" + sent.json()["payout"]["id"].get<std::string>(), ""},
            order["payment_id"]};
  }

  Answer staff_acts(const Due& due, const std::string& verb) {
    return stage.admin.post("/v1/admin/payouts/" + due.thing.id() + '/' + verb,
                            {{"reason", "as it is"}});
  }

  // The buyer gets all of it back, or this much.
  Answer refund(const Due& due, std::optional<std::int64_t> amount = std::nullopt) {
    auto owner = *due.thing.who;
    Json body = {{"reason", "a scratch"}};
    if (amount) body["amount"] = *amount;
    return owner.post("/v1/payments/" + due.payment + "/refunds", body);
  }

  Answer retry(const Due& due) {
    auto owner = *due.thing.who;
    return owner.post(due.thing.path + "/retry");
  }

  Thing batch_of(const Due& due) {
    const auto id = due.thing.look()["batch_id"].get<std::string>();
    return {due.thing.who, "/v1/payout_batches/" + id, ""};
  }

  Answer bank_says(const Due& due, const std::string& verdict) {
    return stage.tell(
        news_of("payout", stage.key_of(batch_of(due).id()), verdict, "account_closed"));
  }

  // The calls but these: first what is refused, for what is not moves it.
  void try_calls(State state, const Due& due, const std::set<Event>& but = {}) {
    const std::map<Event, std::function<Answer()>> calls = {
        {Event::schedule, [&] { return retry(due); }},
        {Event::hold, [&] { return staff_acts(due, "hold"); }},
        {Event::release, [&] { return staff_acts(due, "release"); }}};
    for (const bool is_legal : {false, true})
      for (const auto& [event, call] : calls)
        if (!but.contains(event) && payouts::kLifecycle.next(state, event).has_value() == is_legal)
          walk.tries(state, event, Asked::directly, due.thing, call);
  }

  void advance() {
    stage.advance(kUntilDue);
    for (auto& front : shops_) front.owner = log_in(stage.house.server, front.owner.email);
    for (auto& front : shops_) front.buyer = log_in(stage.house.server, front.buyer.email);
  }

 private:
  std::deque<Storefront> shops_;
};

using Timed = std::vector<Walk<payouts::kLifecycle>::Try>;

// ---- before anything is sent --------------------------------------------------------------------

// Answers what waits for its time in each of these states.
Timed try_the_unsent(Payouts& payouts, const Storefront& front) {
  auto& walk = payouts.walk;
  payouts.try_calls(State::scheduled, payouts.scheduled(front));
  const auto plain = payouts.scheduled(front);
  walk.tries(State::scheduled, Event::cancel, Asked::elsewhere, plain.thing,
             [&] { return payouts.refund(plain); });
  payouts.try_calls(State::cancelled, plain);
  const auto held = [&] {
    const auto due = payouts.scheduled(front);
    must(payouts.staff_acts(due, "hold"));
    return due;
  };
  payouts.try_calls(State::held, held());
  const auto unwanted = held();
  walk.tries(State::held, Event::cancel, Asked::elsewhere, unwanted.thing,
             [&] { return payouts.refund(unwanted); });
  const auto back = payouts.scheduled(front);
  const auto refund = payouts.refund(back);
  payouts.stage.settle();
  walk.tries(State::cancelled, Event::reinstate, Asked::elsewhere, back.thing, [&] {
    const auto key = payouts.stage.key_of(refund.json()["id"]);
    return payouts.stage.tell(news_of("refund", key, "declined", "account_closed"));
  });
  Timed timed;
  timed.push_back(walk.begin(State::scheduled, Event::submit, Asked::elsewhere,
                             payouts.scheduled(front).thing));
  timed.push_back(walk.begin(State::held, Event::submit, Asked::elsewhere, held().thing));
  timed.push_back(walk.begin(State::cancelled, Event::submit, Asked::elsewhere, plain.thing));
  return timed;
}

// ---- what has gone ------------------------------------------------------------------------------

// News about the batch, which moves its payout as well, or neither of them.
struct Heard {
  Walk<payouts::kLifecycle>::Try payout;
  Walk<payouts::kBatchLifecycle>::Try batch;
  Answer answer;
};

Heard tell(Payouts& payouts, const Due& due, std::pair<State, Event> payout,
           std::pair<BatchState, BatchEvent> batch, const std::string& verdict) {
  Heard heard{
      payouts.walk.begin(payout.first, payout.second, Asked::elsewhere, due.thing),
      payouts.batches.begin(batch.first, batch.second, Asked::elsewhere, payouts.batch_of(due)),
      payouts.bank_says(due, verdict)};
  // The batch must not be sent before that is heard.
  if (const auto to = payouts::kLifecycle.next(payout.first, payout.second))
    soon([&] { return due.thing.look()["state"] == text_of(*to); });
  return heard;
}

void end(Payouts& payouts, const Heard& heard) {
  payouts.walk.end(heard.payout, heard.answer);
  payouts.batches.end(heard.batch, heard.answer);
}

void hear(Payouts& payouts, const Due& due, std::pair<State, Event> payout,
          std::pair<BatchState, BatchEvent> batch, const std::string& verdict) {
  end(payouts, tell(payouts, due, payout, batch, verdict));
}

Timed try_the_paid(Payouts& payouts, const Due& stays, const Due& returns) {
  payouts.try_calls(State::paid, stays);
  hear(payouts, stays, {State::paid, Event::pay}, {BatchState::paid, BatchEvent::pay}, "succeeded");
  payouts.walk.tries(State::paid, Event::cancel, Asked::elsewhere, stays.thing,
                     [&] { return payouts.refund(stays); });
  hear(payouts, returns, {State::paid, Event::come_back}, {BatchState::paid, BatchEvent::come_back},
       "declined");
  return {payouts.walk.begin(State::paid, Event::submit, Asked::elsewhere, stays.thing)};
}

Timed try_the_failed(Payouts& payouts, const std::vector<Due>& refused) {
  auto& walk = payouts.walk;
  const auto &stays = refused.at(0), &held = refused.at(1), &again = refused.at(2);
  payouts.try_calls(State::failed, stays, {Event::schedule, Event::hold});
  hear(payouts, stays, {State::failed, Event::fail}, {BatchState::failed, BatchEvent::fail},
       "declined");
  hear(payouts, stays, {State::failed, Event::pay}, {BatchState::failed, BatchEvent::pay},
       "succeeded");
  walk.tries(State::failed, Event::hold, Asked::directly, held.thing,
             [&] { return payouts.staff_acts(held, "hold"); });
  walk.tries(State::failed, Event::schedule, Asked::directly, again.thing,
             [&] { return payouts.retry(again); }, {Event::submit, Event::pay});
  walk.tries(State::failed, Event::cancel, Asked::elsewhere, stays.thing,
             [&] { return payouts.refund(stays); });
  return {walk.begin(State::failed, Event::submit, Asked::elsewhere, stays.thing)};
}

void try_the_submitted(Payouts& payouts, const Due& called, const Due& paid, const Due& refused) {
  for (const auto* due : {&called, &paid, &refused})
    EXPECT_TRUE(soon([&] { return due->thing.look()["state"] == "submitted"; }));
  payouts.try_calls(State::submitted, called);
  const auto no = tell(payouts, refused, {State::submitted, Event::fail},
                       {BatchState::submitted, BatchEvent::fail}, "declined");
  const auto yes = tell(payouts, paid, {State::submitted, Event::pay},
                        {BatchState::submitted, BatchEvent::pay}, "succeeded");
  end(payouts, no);
  end(payouts, yes);
}

void name_what_cannot_be_tried(Payouts& payouts) {
  auto& walk = payouts.walk;
  walk.leave_out({State::scheduled, State::held, State::cancelled},
                 {Event::pay, Event::fail, Event::come_back}, "the bank knows nothing of it");
  walk.leave_out({State::scheduled, State::held, State::submitted, State::paid, State::failed},
                 {Event::reinstate}, "only what a refund has cancelled is there again");
  walk.leave_out({State::submitted}, {Event::submit}, "a job that runs twice, in tests/domain");
  walk.leave_out({State::submitted}, {Event::cancel}, "what was released is not asked any more");
  walk.leave_out({State::cancelled}, {Event::cancel}, "nothing is left that could be refunded");
  walk.leave_out({State::submitted, State::failed}, {Event::come_back}, "there a no is a failure");
  walk.leave_out({State::paid}, {Event::fail}, "there a no is money that comes back");
  payouts.batches.leave_out({BatchState::submitted, BatchState::failed}, {BatchEvent::come_back},
                            "there a no is a failure");
  payouts.batches.leave_out({BatchState::paid}, {BatchEvent::fail},
                            "there a no is money that comes back");
}

TEST(MachinesOfPayouts, EveryPairOfAPayoutAndItsBatch) {
  Payouts payouts;
  const auto& unsent = payouts.open_shop();
  const auto stays = payouts.scheduled(payouts.open_shop());
  const auto returns = payouts.scheduled(payouts.open_shop());
  const auto& unlucky = payouts.open_shop();
  std::vector<Due> refused;
  for (const auto amount : {1'000, 1'000, 1'000, 1'013})
    refused.push_back(payouts.scheduled(unlucky, amount));
  payouts.advance();
  payouts.stage.settle();
  auto timed = try_the_unsent(payouts, unsent);
  for (const auto& more : {try_the_paid(payouts, stays, returns), try_the_failed(payouts, refused)})
    timed.insert(timed.end(), more.begin(), more.end());
  const auto called = payouts.scheduled(payouts.open_shop());
  const auto paid = payouts.scheduled(payouts.open_shop());
  const auto failed = payouts.scheduled(payouts.open_shop());
  must(payouts.refund(payouts.scheduled(payouts.open_shop(), 2'000), 117));
  payouts.advance();
  try_the_submitted(payouts, called, paid, failed);
  Answer moved;
  moved.status = 200;
  for (const auto& one : timed) payouts.walk.end(one, moved, {Event::pay});
  name_what_cannot_be_tried(payouts);
  payouts.walk.expect_whole();
  payouts.batches.expect_whole();
}

TEST(MachinesOfPayouts, WhatWasCancelledIsNotReleasedWhateverElseHeldIt) {
  Payouts payouts;
  const auto due = payouts.scheduled(payouts.open_shop(), 40'000);
  EXPECT_EQ(due.thing.look()["state"], "held") << "it is being reviewed";
  must(payouts.staff_acts(due, "hold"));
  must(payouts.refund(due));
  payouts.stage.settle();
  const auto was = before(due.thing);
  EXPECT_EQ(was.looked["state"], "cancelled");
  expect_conflict(was, payouts.staff_acts(due, "release"), "release");
}

}  // namespace machines_payouts_test
}  // namespace bottega::test
