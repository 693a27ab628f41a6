// What processors tell is kept once, many at a time, and is work only where it says more than is
// known.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/attempts/attempts.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace events_kept_test {

using namespace std::chrono_literals;
using attempts::Heard, attempts::Seen;
using payments::State;
using processors::Operation, processors::Outcome, processors::Verdict;

class EventsKept : public ::testing::Test {
 protected:
  static processors::SandboxOptions with_fees() {
    auto options = World::default_options();
    options.fee_basis_points = 250;
    return options;
  }
  std::vector<Seen> keep(const std::vector<Heard>& heard) {
    return world_.transact([&](Tx& tx) { return attempts::keep_events(tx, heard); });
  }
  Seen keep(const Heard& heard) { return keep(std::vector{heard}).front(); }
  attempts::Attempt attempt_of(const Uuid& subject) {
    return world_.transact(
        [&](Tx& tx) { return attempts::lock_latest(tx, shop_.merchant, subject, 1s); });
  }
  // What the processor would say of it by itself.
  static Heard news_of(const attempts::Attempt& attempt) {
    Heard heard{"sandbox", {"evt_" + random_token(12), attempt.operation, attempt.key(), {}}};
    const bool is_yes = attempt.state == attempts::State::succeeded;
    heard.event.outcome = {is_yes ? Verdict::succeeded : Verdict::declined,
                           attempt.reference.value_or(""),
                           is_yes ? "" : attempt.reason.value_or(""), ""};
    return heard;
  }
  payments::Payment begin() {
    const auto request = world_.ask(shop_, 10'000);
    const auto given = acceptance("tok_approved");
    return world_.transact([&](Tx& tx) {
      return payments::begin(tx, shop_.buyer, request.id, given, world_.payment_rules);
    });
  }
  State state_of(const payments::Payment& payment) {
    return world_
        .transact([&](Tx& tx) { return payments::current(tx, shop_.merchant, payment.id); })
        .payment.state;
  }
  std::string sql(const std::string& text) { return execute(world_.urls.superuser, text); }
  std::string jobs() {
    return sql("SELECT count(*) FROM bottega.jobs WHERE kind = 'attempts.event'");
  }
  std::string handled(const Heard& heard) {
    return sql("SELECT handled_at IS NOT NULL FROM bottega.processor_events WHERE processor = '" +
               heard.processor + "' AND event_id = '" + heard.event.id + "'");
  }

  World world_{with_fees()};
  Shop shop_ = world_.shop();
};

TEST_F(EventsKept, TogetherAreJudgedOneByOne) {
  const auto paid = world_.pay(shop_, world_.ask(shop_, 10'000)).payment;
  const auto refused = world_.pay(shop_, world_.ask(shop_), "tok_declined").payment;
  const auto begun = begin();
  const auto yes = news_of(attempt_of(paid.id.uuid)), no = news_of(attempt_of(refused.id.uuid));
  auto fresh = news_of(attempt_of(begun.id.uuid));
  fresh.event.outcome = {Verdict::succeeded, "sch_fresh", "", ""};
  auto stranger = yes, elsewhere = yes, onboarding = yes, not_ours = yes;
  stranger.event.id += "stranger";
  stranger.event.key = text_of(attempts::AttemptId::make());
  elsewhere.processor = "other";
  onboarding.event.id += "onboarding";
  onboarding.event.operation = Operation::onboarding;
  not_ours.event.id += "not_ours";
  not_ours.event.key = "no key of ours";
  const std::vector<Heard> heard = {fresh, yes,       no,         yes,      stranger,
                                    fresh, elsewhere, onboarding, not_ours, no};
  const std::vector<Seen> expected = {Seen::first, Seen::known, Seen::known, Seen::again,
                                      Seen::first, Seen::again, Seen::first, Seen::first,
                                      Seen::first, Seen::again};
  const auto before = jobs();
  EXPECT_EQ(keep(heard), expected);
  EXPECT_EQ(std::stoi(jobs()) - std::stoi(before), 5) << "one for each that is news";
  for (std::size_t i = 0; i < heard.size(); ++i) {
    const bool is_news = i != 1 && i != 2 && i != 3 && i != 9;
    EXPECT_EQ(handled(heard[i]), is_news ? "f" : "t") << i;
  }
  EXPECT_EQ(keep(heard), std::vector<Seen>(heard.size(), Seen::again));
  EXPECT_EQ(std::stoi(jobs()) - std::stoi(before), 5);
  world_.run_jobs();
  EXPECT_EQ(state_of(begun), State::captured);
  EXPECT_EQ(state_of(paid), State::captured);
  EXPECT_EQ(state_of(refused), State::failed);
  EXPECT_EQ(handled(fresh), "t");
  EXPECT_EQ(handled(stranger), "f");
}

TEST_F(EventsKept, AreNewsWhereAnythingIsOtherThanWhatIsKnown) {
  const auto paid = world_.pay(shop_, world_.ask(shop_, 10'000)).payment;
  const auto known = news_of(attempt_of(paid.id.uuid));
  const auto seen = [&](const std::function<void(processors::Event&)>& change) {
    auto heard = known;
    heard.event.id = "evt_" + random_token(12);
    change(heard.event);
    return keep(heard);
  };
  const Money asked{10'000, parse_currency("USD")};
  EXPECT_EQ(seen([](auto&) {}), Seen::known);
  EXPECT_EQ(seen([&](auto& event) { event.outcome.amount = asked; }), Seen::known);
  EXPECT_EQ(seen([](auto& event) { event.outcome.fee = 250; }), Seen::known);
  EXPECT_EQ(seen([](auto& event) { event.outcome.fee = 251; }), Seen::first);
  EXPECT_EQ(seen([](auto& event) {
              event.outcome.amount = {9'999, parse_currency("USD")};
            }),
            Seen::first);
  EXPECT_EQ(seen([](auto& event) {
              event.outcome.amount = {10'000, parse_currency("EUR")};
            }),
            Seen::first);
  EXPECT_EQ(seen([](auto& event) { event.outcome.reference = "sch_another"; }), Seen::first);
  EXPECT_EQ(seen([](auto& event) { event.outcome.reference = ""; }), Seen::first);
  EXPECT_EQ(seen([](auto& event) { event.outcome.reason = "for no reason"; }), Seen::first);
  EXPECT_EQ(seen([](auto& event) { event.operation = Operation::refund; }), Seen::first);
  for (const auto verdict : {Verdict::declined, Verdict::refused, Verdict::pending,
                             Verdict::buyer_action, Verdict::unknown, Verdict::not_found})
    EXPECT_EQ(seen([&](auto& event) { event.outcome.verdict = verdict; }), Seen::first)
        << text_of(verdict);
}

TEST_F(EventsKept, OfAFeeThatTheAnswerDidNotTellAreNews) {
  const auto payment = begin();
  const Outcome answer{Verdict::succeeded, "sch_quiet", "", ""};
  world_.transact([&](Tx& tx) {
    payments::settle(tx, shop_.merchant, payment.id, answer, world_.payment_rules);
  });
  auto heard = news_of(attempt_of(payment.id.uuid));
  EXPECT_EQ(keep(heard), Seen::known);
  heard.event.id += "fee";
  heard.event.outcome.fee = 250;
  EXPECT_EQ(keep(heard), Seen::first);
  world_.run_jobs();
  EXPECT_EQ(sql("SELECT processor_fee FROM bottega.payments WHERE id = '" +
                uuid_text(payment.id.uuid) + "'"),
            "250");
  heard.event.id += "again";
  EXPECT_EQ(keep(heard), Seen::known);
}

TEST_F(EventsKept, BeforeOurOwnAnswerAreNewsAndTheJobFindsNothingLeftToDo) {
  const auto payment = begin();
  const auto answer = run(payments::call(world_.db, world_.registry.get("sandbox"), shop_.merchant,
                                         payment.id, "tok_approved", "http://shop.example/back"));
  EXPECT_GE(world_.deliver_webhooks(), 1);
  EXPECT_EQ(jobs(), "1");
  world_.transact([&](Tx& tx) {
    payments::settle(tx, shop_.merchant, payment.id, answer, world_.payment_rules);
  });
  const auto seq = world_.last_seq(shop_);
  world_.run_jobs();
  EXPECT_EQ(jobs(), "0");
  EXPECT_EQ(world_.last_seq(shop_), seq);
  EXPECT_EQ(state_of(payment), State::captured);
  EXPECT_EQ(sql("SELECT count(*) FROM bottega.processor_events WHERE handled_at IS NULL AND "
                "key = '" +
                attempt_of(payment.id.uuid).key() + "'"),
            "0");
}

TEST_F(EventsKept, OfASaleItsRefundAndItsPayoutAreNoWork) {
  const auto order = world_.sell(shop_, 10'000);
  const auto other = world_.sell(shop_, 10'000);
  world_.give_back(shop_, order);
  world_.run_jobs();
  world_.ship(shop_, other);
  world_.advance(std::chrono::days(6));
  world_.run_jobs();
  world_.top_up(world_.person(), 5'000);
  world_.top_up(world_.person(), 5'000, "tok_declined");
  EXPECT_GE(world_.deliver_webhooks(), 6);
  EXPECT_EQ(jobs(), "0");
  EXPECT_EQ(sql("SELECT string_agg(DISTINCT operation, ' ' ORDER BY operation) FROM "
                "bottega.processor_events WHERE handled_at IS NOT NULL"),
            "charge onboarding payout refund");
  const auto books = world_.trial_balance();
  EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
}

TEST_F(EventsKept, OfWhatCameBackAreNews) {
  const auto order = world_.sell(shop_, 10'000);
  const auto refund = world_.give_back(shop_, order);
  world_.run_jobs();
  const auto known = news_of(attempt_of(refund.id.uuid));
  EXPECT_EQ(keep(known), Seen::known);
  auto back = known;
  back.event.id += "back";
  back.event.outcome = {Verdict::declined, "", "lost_or_stolen_card", ""};
  EXPECT_EQ(keep(back), Seen::first);
  world_.run_jobs();
  auto late = known;
  late.event.id += "late";
  EXPECT_EQ(keep(late), Seen::first) << "it is not as it says any more";
}

TEST_F(EventsKept, AreForgottenAfterAWhileWhereTheyWereHandled) {
  const auto paid = world_.pay(shop_, world_.ask(shop_, 10'000)).payment;
  const auto known = news_of(attempt_of(paid.id.uuid));
  auto stranger = known;
  stranger.event.id += "stranger";
  stranger.event.key = text_of(attempts::AttemptId::make());
  keep({known, stranger});
  const auto forget = [&](Instant before) {
    return world_.transact([&](Tx& tx) { return attempts::forget_events(tx, before, 1'000); });
  };
  const auto now = world_.clock.now();
  forget(now - 1h);
  EXPECT_EQ(handled(known), "t") << "it is not old";
  EXPECT_EQ(world_.transact([&](Tx& tx) { return attempts::forget_events(tx, now + 1h, 1); }), 1)
      << "no more than it may";
  EXPECT_EQ(forget(now + 1h), 1) << "the other one";
  EXPECT_EQ(handled(known), "");
  EXPECT_EQ(handled(stranger), "f") << "nobody has made anything of it";
  EXPECT_EQ(forget(now + 1h), 0);
}

}  // namespace events_kept_test
}  // namespace bottega::test
