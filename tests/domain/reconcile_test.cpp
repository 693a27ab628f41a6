// A call without an answer, and a death between two transactions: found out, never guessed.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace reconcile_test {

using namespace std::chrono_literals;
using payments::RequestState, payments::State;
using processors::MovementState, processors::Outcome, processors::Verdict;

// From one question about an unknown outcome to the next.
constexpr auto kDay = 86'401s;
constexpr auto kWaits = std::to_array({6s, 6s, 31s, 301s, 3'601s, kDay, kDay, kDay, kDay, kDay});

class Reconcile : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
  }
  static void TearDownTestSuite() { world_.reset(); }
  // How long a call may take, in real time; 0 makes every call that has begun overdue.
  void SetUp() override { world_->payment_rules.call_timeout = 10'000ms; }
  static void calls_are_overdue() { world_->payment_rules.call_timeout = 0ms; }

  static payments::Payment begin(const payments::Request& request) {
    const auto given = acceptance("tok_approved");
    return world_->transact([&](Tx& tx) {
      return payments::begin(tx, shop_.buyer, request.id, given, world_->payment_rules);
    });
  }
  static Outcome call(const payments::Payment& payment) {
    return run(payments::call(world_->db, world_->registry.get("sandbox"), shop_.merchant,
                              payment.id, "tok_approved", ""));
  }
  static payments::Accepted settle(const payments::Payment& payment, const Outcome& outcome) {
    return world_->transact([&](Tx& tx) {
      return payments::settle(tx, shop_.merchant, payment.id, outcome, world_->payment_rules);
    });
  }
  static payments::Accepted now(const payments::Payment& payment) {
    return world_->transact(
        [&](Tx& tx) { return payments::current(tx, shop_.merchant, payment.id); });
  }
  static void reconcile(const payments::Payment& payment) {
    run(payments::reconcile(world_->db, world_->registry, shop_.merchant, payment.id,
                            world_->payment_rules));
  }
  static std::optional<processors::BookEntry> book_of(const payments::Payment& payment) {
    const auto key = world_->transact([&](Tx& tx) {
      return attempts::lock_latest(tx, shop_.merchant, payment.id.uuid, 1s).key();
    });
    for (const auto& entry : world_->books())
      if (entry.key == key) return entry;
    return std::nullopt;
  }
  static std::string jobs_about(const std::string& about) {
    return execute(world_->urls.superuser,
                   "SELECT count(*) FROM bottega.jobs WHERE about = '" + about + "'");
  }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

TEST_F(Reconcile, FindsThatALostAnswerWasAYes) {
  const auto request = world_->ask(shop_);
  const auto unknown = world_->pay(shop_, request, "tok_answer_lost").payment;
  ASSERT_EQ(unknown.state, State::unknown);
  world_->run_jobs();
  EXPECT_EQ(now(unknown).payment.state, State::unknown) << "first asked after five seconds";
  world_->advance(6s);
  world_->run_jobs();
  const auto known = now(unknown);
  EXPECT_EQ(known.payment.state, State::captured);
  EXPECT_EQ(known.payment_request.state, RequestState::paid);
  EXPECT_TRUE(known.order);
  EXPECT_EQ(known.payment.reference, book_of(unknown).value().reference);
  EXPECT_EQ(jobs_about(text_of(unknown.id)), "0") << "and is not asked about again";
}

TEST_F(Reconcile, FindsThatNothingWasDoneAndSeesToItThatNothingWillBe) {
  const auto request = world_->ask(shop_);
  const auto unknown = world_->pay(shop_, request, "tok_no_answer").payment;
  ASSERT_EQ(unknown.state, State::unknown);
  EXPECT_FALSE(book_of(unknown));
  world_->advance(6s);
  world_->run_jobs();
  const auto known = now(unknown);
  EXPECT_EQ(known.payment.state, State::voided);
  EXPECT_EQ(known.payment_request.state, RequestState::open);
  EXPECT_FALSE(known.order);
  EXPECT_EQ(book_of(unknown).value().state, MovementState::declined);
  // The call that was lost on its way arrives after all.
  const auto late = call(unknown);
  EXPECT_EQ(late.verdict, Verdict::declined);
  EXPECT_EQ(late.reason, "cancelled");
  EXPECT_EQ(settle(unknown, late).payment.state, State::voided);
  EXPECT_EQ(book_of(unknown).value().state, MovementState::declined);
  EXPECT_EQ(world_->pay(shop_, request).payment.state, State::captured) << "and may be paid anew";
}

TEST_F(Reconcile, HearsTheWebhookOfACancellationWithoutHarm) {
  const auto request = world_->ask(shop_);
  const auto unknown = world_->pay(shop_, request, "tok_no_answer").payment;
  world_->advance(6s);
  world_->run_jobs();
  const auto paid = world_->pay(shop_, request).payment;
  EXPECT_GE(world_->deliver_webhooks(), 2);
  world_->run_jobs();
  EXPECT_EQ(now(unknown).payment.state, State::voided);
  EXPECT_EQ(now(paid).payment.state, State::captured);
  EXPECT_EQ(now(paid).payment_request.state, RequestState::paid);
}

// ---- we died ------------------------------------------------------------------------------------

TEST_F(Reconcile, GivesUpAPaymentThatDiedBeforeItsCall) {
  const auto payment = begin(world_->ask(shop_));
  EXPECT_EQ(jobs_about(text_of(payment.id)), "1") << "committed with the payment";
  calls_are_overdue();
  world_->advance(21s);
  world_->run_jobs();
  const auto known = now(payment);
  EXPECT_EQ(known.payment.state, State::voided);
  EXPECT_EQ(known.payment_request.state, RequestState::open);
  EXPECT_EQ(book_of(payment).value().state, MovementState::declined);
}

TEST_F(Reconcile, SettlesAPaymentThatDiedAfterItsCall) {
  const auto payment = begin(world_->ask(shop_));
  ASSERT_EQ(call(payment).verdict, Verdict::succeeded);  // and then the power went
  calls_are_overdue();
  world_->advance(21s);
  world_->run_jobs();
  EXPECT_EQ(now(payment).payment.state, State::captured);
  EXPECT_TRUE(now(payment).order);
}

TEST_F(Reconcile, LeavesACallAloneThatMayStillBeUnderWay) {
  const auto payment = begin(world_->ask(shop_));
  world_->advance(1h);  // the test clock moves; how long a call takes does not
  try {
    reconcile(payment);
    ADD_FAILURE() << "it was given up";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::busy);
  }
  EXPECT_EQ(now(payment).payment.state, State::created);
  EXPECT_FALSE(book_of(payment)) << "nothing was said to the processor";
  EXPECT_EQ(settle(payment, call(payment)).payment.state, State::captured);
}

TEST_F(Reconcile, TakesTheAnswerOfACallThatIsStillUnderWay) {
  const auto payment = begin(world_->ask(shop_));
  const auto answer = call(payment);
  reconcile(payment);
  EXPECT_EQ(now(payment).payment.state, State::captured);
  EXPECT_EQ(settle(payment, answer).payment.state, State::captured);
}

TEST_F(Reconcile, AsksAgainWhileTheBuyerHasNotConfirmed) {
  const auto waiting = world_->pay(shop_, world_->ask(shop_), "tok_confirm").payment;
  try {
    reconcile(waiting);
    ADD_FAILURE() << "there is no outcome yet";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::busy);
  }
  EXPECT_EQ(now(waiting).payment.state, State::requires_action);
  EXPECT_EQ(now(waiting).payment.action_url, waiting.action_url);
  // The webhook of the confirmation is lost; the reconciler finds it all the same.
  run(world_->sandbox.confirm(waiting.reference.value(), processors::Confirm::yes));
  reconcile(waiting);
  EXPECT_EQ(now(waiting).payment.state, State::captured);
}

// A buyer who takes their time is no fault that a person must look at. Should the news of the
// confirmation be lost too, the end of the request finds it.
TEST_F(Reconcile, OfAPaymentThatIsNeverConfirmedEndsQuietlyAndTheRequestsEndFindsTheTruth) {
  const auto usual = std::exchange(world_->payment_rules.expiry_default, std::chrono::days(20));
  const auto waiting = world_->pay(shop_, world_->ask(shop_), "tok_confirm").payment;
  world_->payment_rules.expiry_default = usual;
  const auto dead = run(world_->runner.counts()).dead;
  world_->advance(1min);
  for (const auto wait : kWaits) {
    world_->advance(wait);
    world_->run_jobs();
  }
  EXPECT_EQ(run(world_->runner.counts()).dead, dead);
  EXPECT_EQ(jobs_about(text_of(waiting.id)), "0");
  EXPECT_EQ(now(waiting).payment.state, State::requires_action);
  run(world_->sandbox.confirm(waiting.reference.value(), processors::Confirm::yes));
  world_->advance(std::chrono::days(20));
  world_->run_jobs();
  EXPECT_EQ(now(waiting).payment.state, State::captured);
  EXPECT_TRUE(now(waiting).order);
}

TEST_F(Reconcile, OfWhatIsSettledAsksNobodyAndChangesNothing) {
  const auto payment = world_->pay(shop_, world_->ask(shop_)).payment;
  const processors::Registry nobody;  // asking would throw
  const auto before = to_json(now(payment));
  run(payments::reconcile(world_->db, nobody, shop_.merchant, payment.id, world_->payment_rules));
  EXPECT_EQ(to_json(now(payment)), before);
}

TEST_F(Reconcile, MayBeDoneAgainFromTheTop) {
  const auto payment = begin(world_->ask(shop_));
  ASSERT_EQ(call(payment).verdict, Verdict::succeeded);
  calls_are_overdue();
  reconcile(payment);
  const auto once = to_json(now(payment));
  reconcile(payment);
  EXPECT_EQ(to_json(now(payment)), once);
  EXPECT_EQ(now(payment).payment.state, State::captured);
  EXPECT_EQ(execute(world_->urls.superuser,
                    "SELECT count(*) FROM bottega.ledger_transfers WHERE about = '" +
                        uuid_text(payment.id.uuid) + "'"),
            "1");
}

// A processor that says nothing for a while.
struct Silent final : processors::Processor {
  explicit Silent(processors::Processor& given) : inner(given) {}
  std::string_view name() const override { return "sandbox"; }
  asio::awaitable<Outcome> charge(const processors::Charge& c) override { return inner.charge(c); }
  asio::awaitable<Outcome> refund(const processors::Refund& r) override { return inner.refund(r); }
  asio::awaitable<Outcome> pay_out(const processors::Payout& p) override {
    return inner.pay_out(p);
  }
  asio::awaitable<processors::OnboardingPage> onboard(const processors::Onboarding& o) override {
    return inner.onboard(o);
  }
  asio::awaitable<std::optional<processors::MethodFacts>> describe_method(
      const std::string& token) override {
    return inner.describe_method(token);
  }
  asio::awaitable<Outcome> look_up(processors::Operation, const std::string&) override {
    ++asked;
    co_return Outcome{};
  }
  asio::awaitable<Outcome> cancel(const std::string& key) override {
    ++cancelled;
    return inner.cancel(key);
  }
  asio::awaitable<processors::MovementPage> movements(const processors::Period& period,
                                                      const std::string& cursor,
                                                      std::int64_t limit) override {
    return inner.movements(period, cursor, limit);
  }
  processors::Event read_webhook(std::string_view body, const processors::Headers& headers,
                                 Instant at) const override {
    return inner.read_webhook(body, headers, at);
  }
  processors::Processor& inner;
  int asked = 0, cancelled = 0;
};

TEST_F(Reconcile, OfAnUnknownPaymentGoesOnUntilTheProcessorSpeaks) {
  auto made = std::make_unique<Silent>(world_->registry.get("sandbox"));
  auto& silent = *made;
  processors::Registry registry;
  registry.add(std::move(made));
  const auto payment = begin(world_->ask(shop_));
  call(payment);
  settle(payment, Outcome{});
  for (int i = 0; i < 3; ++i)
    EXPECT_THROW(run(payments::reconcile(world_->db, registry, shop_.merchant, payment.id,
                                         world_->payment_rules)),
                 Error);
  EXPECT_EQ(silent.asked, 3);
  EXPECT_EQ(silent.cancelled, 0) << "silence is no proof that nothing was done";
  EXPECT_EQ(now(payment).payment.state, State::unknown);
  // By its job: for an hour, and then daily for as long as it takes.
  const JobWorld world{
      world_->db,           registry,     world_->payment_rules, world_->payout_rules,
      world_->wallet_rules, world_->depot};
  jobs::Runner runner(world_->db, job_kinds(world), 16);
  for (const auto wait : kWaits) {
    world_->advance(wait);
    run(runner.drain(50));
  }
  EXPECT_EQ(silent.asked, 13);
  for (int day = 0; day < 20; ++day) {
    world_->advance(kDay);
    run(runner.drain(50));
  }
  EXPECT_EQ(silent.asked, 33);
  EXPECT_EQ(silent.cancelled, 0);
  EXPECT_EQ(execute(world_->urls.superuser,
                    "SELECT count(*) FROM bottega.jobs WHERE dead_at IS NOT NULL AND about = '" +
                        text_of(payment.id) + "'"),
            "0");
  world_->advance(kDay);
  world_->run_jobs();
  EXPECT_EQ(now(payment).payment.state, State::captured);
}

}  // namespace reconcile_test
}  // namespace bottega::test
