// What the processor keeps of a payment: written down and posted once, whoever brings the news, and
// borne by the platform.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace processor_fees_test {

using namespace std::chrono_literals;
using ledger::Kind, ledger::Why;
using payments::State;
using processors::Outcome, processors::Verdict;

processors::SandboxOptions with_fees() {
  auto options = World::default_options();
  options.fee_basis_points = 250;
  return options;
}

class ProcessorFees : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(with_fees()); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { shop_ = world_->shop(); }
  void TearDown() override {
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  payments::Payment begin(std::int64_t amount) const {
    const auto request = world_->ask(shop_, amount);
    const auto given = acceptance("tok_approved");
    return world_->transact([&](Tx& tx) {
      return payments::begin(tx, shop_.buyer, request.id, given, world_->payment_rules);
    });
  }
  Outcome call(const payments::Payment& payment) const {
    return run(payments::call(world_->db, world_->registry.get("sandbox"), shop_.merchant,
                              payment.id, "tok_approved", "http://shop.example/back"));
  }
  payments::Accepted settle(const payments::Payment& payment, const Outcome& outcome) const {
    return world_->transact([&](Tx& tx) {
      return payments::settle(tx, shop_.merchant, payment.id, outcome, world_->payment_rules);
    });
  }
  State state_of(const payments::Payment& payment) const {
    return world_
        ->transact([&](Tx& tx) { return payments::current(tx, shop_.merchant, payment.id); })
        .payment.state;
  }
  static std::string kept_of(const payments::Payment& payment) {
    return execute(world_->urls.superuser,
                   "SELECT coalesce(processor_fee::text, 'unknown') FROM bottega.payments "
                   "WHERE id = '" +
                       uuid_text(payment.id.uuid) + "'");
  }
  // The transfers about this payment's fee.
  std::vector<ledger::Entry> posted(const payments::Payment& payment) const {
    auto all = world_->transact([&](Tx& tx) {
      return ledger::history(tx, ledger::owner_of(shop_.merchant), std::nullopt, 1'000);
    });
    std::erase_if(all, [&](const ledger::Entry& entry) {
      return entry.why != Why::processor_fee || entry.about != text_of(payment.id);
    });
    return all;
  }
  void expect_once(const payments::Payment& payment, std::int64_t fee) const {
    EXPECT_EQ(kept_of(payment), std::to_string(fee));
    const auto transfers = posted(payment);
    ASSERT_EQ(transfers.size(), 1u);
    EXPECT_EQ(transfers[0].amount.amount, fee);
    EXPECT_EQ(transfers[0].debit_kind, Kind::processor_fees);
    EXPECT_EQ(transfers[0].credit_kind, Kind::processor_clearing);
    EXPECT_EQ(transfers[0].phase, ledger::Phase::posted);
  }
  std::int64_t balance(Kind kind) const {
    for (const auto& row : world_->transact(
             [&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop_.merchant)); }))
      if (row.kind == kind) return row.debits - row.credits;
    return 0;
  }
  static void hear_everything() {
    world_->deliver_webhooks();
    world_->run_jobs();
  }

  static inline std::unique_ptr<World> world_;
  Shop shop_;
};

TEST_F(ProcessorFees, AreKnownByTheAnswerAndTheWebhookAddsNothing) {
  const auto payment = world_->pay(shop_, world_->ask(shop_, 10'000)).payment;
  expect_once(payment, 250);
  hear_everything();
  expect_once(payment, 250);
  EXPECT_EQ(balance(Kind::processor_fees), 250);
  EXPECT_EQ(balance(Kind::processor_clearing), 9'750);
  EXPECT_EQ(balance(Kind::held), -10'000) << "the platform bears it";
}

TEST_F(ProcessorFees, AreKnownByTheWebhookAndTheAnswerAddsNothing) {
  const auto payment = begin(10'000);
  const auto answer = call(payment);
  hear_everything();
  EXPECT_EQ(state_of(payment), State::captured);
  expect_once(payment, 250);
  EXPECT_EQ(execute(world_->urls.superuser,
                    "SELECT count(*) FROM bottega.processor_events WHERE fee = 250 "
                    "AND reference = '" +
                        answer.reference + "'"),
            "1");
  settle(payment, answer);
  expect_once(payment, 250);
}

TEST_F(ProcessorFees, AreKnownByTheReconcilerAfterAnUnknownOutcome) {
  const auto payment = world_->pay(shop_, world_->ask(shop_, 10'000), "tok_answer_lost").payment;
  ASSERT_EQ(payment.state, State::unknown);
  EXPECT_EQ(kept_of(payment), "unknown");
  world_->advance(6s);
  world_->run_jobs();
  EXPECT_EQ(state_of(payment), State::captured);
  expect_once(payment, 250);
  hear_everything();
  expect_once(payment, 250);
}

TEST_F(ProcessorFees, WaitForTheBuyersConfirmation) {
  const auto payment = world_->pay(shop_, world_->ask(shop_, 10'000), "tok_confirm").payment;
  ASSERT_EQ(payment.state, State::requires_action);
  EXPECT_EQ(kept_of(payment), "unknown");
  run(world_->sandbox.confirm(payment.reference.value(), processors::Confirm::yes));
  hear_everything();
  EXPECT_EQ(state_of(payment), State::captured);
  expect_once(payment, 250);
}

TEST_F(ProcessorFees, MayBeSaidLaterThanTheMoneyAndTheFirstWordCounts) {
  const auto payment = begin(10'000);
  auto told = call(payment);
  told.fee.reset();
  settle(payment, told);
  EXPECT_EQ(state_of(payment), State::captured);
  EXPECT_EQ(kept_of(payment), "unknown");
  told.fee = 77;
  settle(payment, told);
  expect_once(payment, 77);
  told.fee = 88;
  settle(payment, told);
  expect_once(payment, 77);
}

TEST_F(ProcessorFees, OfNothingAreKnownAndMoveNothing) {
  const auto payment = begin(10'000);
  auto told = call(payment);
  told.fee = 0;
  settle(payment, told);
  EXPECT_EQ(kept_of(payment), "0");
  EXPECT_TRUE(posted(payment).empty());
}

TEST_F(ProcessorFees, ThatMakeNoSenseAreNotTaken) {
  const auto payment = begin(10'000);
  auto told = call(payment);
  for (const auto fee : {std::int64_t{-5}, std::int64_t{INT64_MAX}}) {
    told.fee = fee;
    settle(payment, told);
  }
  EXPECT_EQ(state_of(payment), State::captured);
  EXPECT_EQ(kept_of(payment), "unknown");
  EXPECT_TRUE(posted(payment).empty());
}

TEST_F(ProcessorFees, AreNotTakenOfWhatIsDeclined) {
  const auto payment = world_->pay(shop_, world_->ask(shop_, 10'000), "tok_declined").payment;
  ASSERT_EQ(payment.state, State::failed);
  hear_everything();
  EXPECT_EQ(kept_of(payment), "unknown");
  auto told = Outcome{Verdict::declined, "", "card_declined", ""};
  told.fee = 30;
  settle(payment, told);
  EXPECT_EQ(kept_of(payment), "unknown");
  EXPECT_EQ(balance(Kind::processor_fees), 0);
}

TEST_F(ProcessorFees, StayWithTheProcessorWhenTheSaleIsGivenBack) {
  const auto order = world_->sell(shop_, 10'000);
  world_->cancel(shop_, order);
  hear_everything();
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::processor_fees), 250);
  EXPECT_EQ(balance(Kind::processor_clearing), -250);
}

TEST_F(ProcessorFees, LeaveTheMerchantsShareAsItIs) {
  const auto order = world_->sell(shop_, 10'000);
  EXPECT_EQ(world_->ship(shop_, order).payout->amount.amount, 9'680);
  world_->advance(6 * 24h);
  world_->run_jobs();
  EXPECT_EQ(balance(Kind::merchant_payable), 0);
  EXPECT_EQ(balance(Kind::processor_clearing), 320 - 250);
}

TEST_F(ProcessorFees, AreInTheSandboxsBooksAndInWhateverItSays) {
  const auto payment = begin(5'025);  // 125.625
  const auto key = world_->transact(
      [&](Tx& tx) { return attempts::lock_latest(tx, shop_.merchant, payment.id.uuid, 1s).key(); });
  EXPECT_EQ(call(payment).fee, 126);
  EXPECT_EQ(call(payment).fee, 126) << "asked again";
  auto& processor = world_->registry.get("sandbox");
  EXPECT_EQ(run(processor.look_up(processors::Operation::charge, key)).fee, 126);
  std::optional<std::int64_t> moved, kept;
  const processors::Period ever{Instant{}, world_->clock.now() + 24h};
  const std::string first;
  const auto page = run(processor.movements(ever, first, 100'000));
  for (const auto& movement : page.movements)
    if (movement.key == key) moved = movement.fee;
  for (const auto& entry : world_->books())
    if (entry.key == key) kept = entry.fee;
  EXPECT_EQ(moved, 126);
  EXPECT_EQ(kept, 126);
  hear_everything();
}

TEST_F(ProcessorFees, OfATopUpAreThePlatformsAndPostedOnce) {
  const auto top_up = world_->top_up(shop_.buyer, 10'000);
  hear_everything();
  const auto all = world_->transact(
      [&](Tx& tx) { return ledger::history(tx, ledger::kPlatform, std::nullopt, 1'000); });
  std::vector<std::int64_t> kept;
  for (const auto& entry : all)
    if (entry.why == Why::processor_fee && entry.about == text_of(top_up.id))
      kept.push_back(entry.amount.amount);
  EXPECT_EQ(kept, std::vector<std::int64_t>{250});
  EXPECT_EQ(world_->balance(shop_.buyer).balance, 10'000) << "the platform bears it";
}

TEST(ProcessorFeesOff, AreNotSpokenOf) {
  World world;
  const auto shop = world.shop();
  const auto paid = world.pay(shop, world.ask(shop, 10'000));
  world.deliver_webhooks();
  world.run_jobs();
  EXPECT_EQ(paid.payment.state, State::captured);
  for (const auto& entry : world.books()) EXPECT_FALSE(entry.fee);
  EXPECT_EQ(execute(world.urls.superuser,
                    "SELECT count(*) FROM bottega.payments WHERE processor_fee IS NOT NULL"),
            "0");
  for (const auto& row : world.trial_balance().accounts) EXPECT_NE(row.kind, Kind::processor_fees);
}

}  // namespace processor_fees_test
}  // namespace bottega::test
