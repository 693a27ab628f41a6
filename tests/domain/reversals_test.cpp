// What the processor takes back after it had said it: refunds and payouts that come back, and
// charges that succeed after all. Our books are theirs, and nobody loses what is theirs.
#include "domain/attempts.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace reversals_test {

using namespace std::chrono_literals;
using ledger::Kind;
using payments::RefundState;
using processors::Operation, processors::Outcome, processors::Verdict;

class Reversals : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { shop_ = world_->shop(); }
  void TearDown() override {
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  static std::string key_of(identity::MerchantId merchant, const Uuid& subject) {
    return world_->transact(
        [&](Tx& tx) { return attempts::lock_latest(tx, merchant, subject, 10s).key(); });
  }
  std::string key_of(const Uuid& subject) const { return key_of(shop_.merchant, subject); }
  // News of the processor, twice and under two names.
  static void hear(Operation operation, const std::string& key, const Outcome& told) {
    for (int copy = 0; copy < 2; ++copy) {
      const processors::Event event{"evt_" + random_token(12), operation, key, told};
      world_->transact([&](Tx& tx) { attempts::keep_event(tx, "sandbox", event); });
      world_->run_jobs();
    }
  }
  static Outcome no(const std::string& reason) { return {Verdict::declined, "", reason, ""}; }
  void comes_back(const payments::Refund& refund) const {
    ASSERT_EQ(now(refund).state, RefundState::succeeded);
    undone(key_of(refund.id.uuid));
    hear(Operation::refund, key_of(refund.id.uuid), no("lost_or_stolen_card"));
    EXPECT_EQ(now(refund).state, RefundState::failed);
    EXPECT_EQ(now(refund).failure, "lost_or_stolen_card");
  }
  payments::Refund give_back(const orders::Order& order,
                             std::optional<std::int64_t> amount = std::nullopt) const {
    const auto refund = world_->give_back(shop_, order, amount);
    world_->run_jobs();
    return refund;
  }
  payments::Refund by_platform(const orders::Order& order, std::int64_t amount) const {
    const payments::StaffRefund given{from_text<Count<1, kAmountMax>>(std::to_string(amount)),
                                      from_text<Text<1, 255>>("it was late"),
                                      payments::Funder::platform};
    const auto who = world_->staff();
    const auto refund = world_->transact([&](Tx& tx) {
      return payments::give_back(tx, who, order.payment_id, given, world_->payment_rules);
    });
    world_->run_jobs();
    return refund;
  }
  payments::Refund now(const payments::Refund& refund) const {
    return world_->transact(
        [&](Tx& tx) { return payments::fetch_refund(tx, shop_.owner, refund.id); });
  }
  payouts::Payout now(const payouts::Payout& payout) const {
    return world_->transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, payout.id); });
  }
  payments::Payment payment(orders::PaymentId id) const {
    return world_->transact([&](Tx& tx) { return payments::fetch_payment(tx, shop_.owner, id); });
  }
  // The balance of an account, on its own side.
  std::int64_t balance(Kind kind) const {
    for (const auto& row : world_->transact(
             [&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop_.merchant)); }))
      if (row.kind == kind) {
        const bool debited = kind == Kind::merchant_debt || kind == Kind::goodwill ||
                             kind == Kind::processor_clearing;
        return debited ? row.debits - row.credits : row.credits - row.debits;
      }
    return 0;
  }
  payouts::Payout sent(const orders::Order& order) const {
    return world_->ship(shop_, order).payout.value();
  }
  payouts::Payout paid_out(const orders::Order& order) const {
    const auto payout = sent(order);
    world_->advance(6 * 24h);
    world_->run_jobs();
    EXPECT_EQ(now(payout).state, payouts::State::paid);
    return now(payout);
  }
  // In the processor's books it has not moved any more.
  static void undone(const std::string& key) {
    execute(world_->urls.superuser,
            "UPDATE sandbox.movements SET state = 'declined', reason = 'returned', moved_at = NULL "
            "WHERE key = '" +
                key + "'");
  }
  // As if the processor had done after all what it had declined.
  static std::string done_after_all(const std::string& key) {
    execute(world_->urls.superuser,
            "UPDATE sandbox.movements SET state = 'succeeded', reason = '', moved_at = created_at "
            "WHERE key = '" +
                key + "'");
    return execute(world_->urls.superuser,
                   "SELECT reference FROM sandbox.movements WHERE key = '" + key + "'");
  }

  static inline std::unique_ptr<World> world_;
  Shop shop_;
};

// ---- refunds ------------------------------------------------------------------------------------

TEST_F(Reversals, OfARefundOfAnUnsentOrderMakeItHeldAgainAndRefundable) {
  const auto order = world_->sell(shop_, 10'000);
  comes_back(give_back(order, 2'500));
  EXPECT_EQ(payment(order.payment_id).state, payments::State::captured);
  EXPECT_EQ(payment(order.payment_id).refunded, 0);
  EXPECT_EQ(balance(Kind::held), 10'000);
  EXPECT_EQ(balance(Kind::processor_clearing), 10'000);
  give_back(order, 2'500);
  EXPECT_EQ(payment(order.payment_id).state, payments::State::partially_refunded);
  EXPECT_EQ(paid_out(order).amount.amount, 7'260);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::processor_clearing), 240);
}

TEST_F(Reversals, OfOneOfTwoRefundsLeaveTheOther) {
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto first = give_back(order, 4'000);
  give_back(order, 6'000);
  ASSERT_EQ(payment(order.payment_id).state, payments::State::refunded);
  comes_back(first);
  EXPECT_EQ(payment(order.payment_id).state, payments::State::partially_refunded);
  EXPECT_EQ(payment(order.payment_id).refunded, 6'000);
  EXPECT_EQ(now(payout).state, payouts::State::held);
  EXPECT_EQ(now(payout).amount.amount, 4'000 - now(payout).fee);
  give_back(order);
  EXPECT_EQ(payment(order.payment_id).state, payments::State::refunded);
  EXPECT_EQ(now(payout).state, payouts::State::cancelled);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::processor_clearing), 0);
}

TEST_F(Reversals, OfARefundOfAllHoldThePayoutUntilTheStaffLetsItGo) {
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto refund = give_back(order);
  ASSERT_EQ(now(payout).state, payouts::State::cancelled);
  comes_back(refund);
  EXPECT_EQ(now(payout).state, payouts::State::held);
  EXPECT_EQ(now(payout).reason, "a refund came back");
  EXPECT_EQ(now(payout).amount.amount, 9'680);
  world_->advance(10 * 24h);
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::held);
  world_->transact([&](Tx& tx) { return payouts::release(tx, payout.id); });
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::paid);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::platform_fees), 320);
}

TEST_F(Reversals, OfTheRefundOfACancelledOrderKeepTheBuyersMoneyForThem) {
  const auto order = world_->sell(shop_, 10'000);
  const auto refund = world_->cancel(shop_, order).refund.value();
  world_->run_jobs();
  comes_back(refund);
  EXPECT_EQ(balance(Kind::held), 10'000);
  give_back(order);
  EXPECT_EQ(payment(order.payment_id).state, payments::State::refunded);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::processor_clearing), 0);
}

TEST_F(Reversals, OfARefundOfWhatWasReleasedMeanwhileAreTheMerchantsAndThePlatforms) {
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto refund = give_back(order, 2'500);
  world_->advance(6 * 24h);
  world_->run_jobs();
  ASSERT_EQ(now(payout).state, payouts::State::paid);
  comes_back(refund);
  EXPECT_EQ(balance(Kind::merchant_payable), 2'420);
  EXPECT_EQ(balance(Kind::platform_fees), 320);
  EXPECT_EQ(balance(Kind::processor_clearing), 2'740);
  give_back(order, 2'500);
  EXPECT_EQ(balance(Kind::merchant_payable), 0);
  EXPECT_EQ(balance(Kind::merchant_debt), 0);
  EXPECT_EQ(balance(Kind::platform_fees), 240);
}

TEST_F(Reversals, OfAnAdvanceForgiveWhatIsOwedAndGiveBackWhatWasRecovered) {
  const auto order = world_->sell(shop_, 10'000);
  paid_out(order);
  const auto refund = give_back(order);
  ASSERT_EQ(balance(Kind::merchant_debt), 9'680);
  const auto later = paid_out(world_->sell(shop_, 4'000));
  ASSERT_EQ(later.recovered, 3'854);
  comes_back(refund);
  EXPECT_EQ(balance(Kind::merchant_debt), 0);
  EXPECT_EQ(balance(Kind::merchant_payable), 3'854);
  EXPECT_EQ(balance(Kind::platform_fees), 320 + 146);
  EXPECT_EQ(balance(Kind::processor_clearing), 3'854 + 320 + 146);
}

TEST_F(Reversals, OfTheGoodwillAreThePlatformsOrOfACancelledOrderTheBuyers) {
  const auto order = world_->sell(shop_, 10'000), other = world_->sell(shop_, 10'000);
  comes_back(by_platform(order, 1'000));
  EXPECT_EQ(balance(Kind::goodwill), 0);
  const auto refund = by_platform(other, 1'000);
  world_->cancel(shop_, other);
  world_->run_jobs();
  comes_back(refund);
  EXPECT_EQ(balance(Kind::goodwill), 0);
  EXPECT_EQ(balance(Kind::held), 11'000);
  give_back(other);
  EXPECT_EQ(payment(other.payment_id).state, payments::State::refunded);
  EXPECT_EQ(balance(Kind::held), 10'000);
}

// ---- payouts ------------------------------------------------------------------------------------

TEST_F(Reversals, OfAPayoutAreTheMerchantsBalanceAndGoWithTheNextBatch) {
  const auto payout = paid_out(world_->sell(shop_, 10'000));
  const auto batch = payout.batch_id.value();
  world_->notices.clear();
  undone(key_of(batch.uuid));
  hear(Operation::payout, key_of(batch.uuid), no("account_closed"));
  EXPECT_EQ(now(payout).state, payouts::State::failed);
  EXPECT_EQ(now(payout).reason, "account_closed");
  EXPECT_FALSE(now(payout).paid_at);
  EXPECT_EQ(balance(Kind::merchant_payable), 9'680);
  EXPECT_EQ(balance(Kind::processor_clearing), 10'000);
  EXPECT_EQ(std::ranges::count_if(
                world_->notices,
                [](const Notice& one) { return one.text.find("payout.failed") != one.text.npos; }),
            1)
      << "the merchant is told once";
  world_->advance(10s);
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::paid);
  EXPECT_NE(now(payout).batch_id, batch);
  EXPECT_EQ(balance(Kind::merchant_payable), 0);
  EXPECT_EQ(balance(Kind::platform_fees), 320) << "the fee was taken once";
}

TEST_F(Reversals, OfAWithdrawalAreTheOwnersBalance) {
  const auto who = world_->person();
  world_->top_up(who, 5'000);
  const auto facts = run(world_->registry.get("sandbox").describe_method("tok_bank"));
  const wallet::NewMethod bank{from_text<wallet::MethodToken>("tok_bank"), {}};
  const auto given = from_json<wallet::NewWithdrawal>({{"amount", 2'000}, {"currency", "USD"}});
  const auto withdrawal = world_->transact([&](Tx& tx) {
    wallet::add_method(tx, who.account, "sandbox", bank, facts.value());
    return wallet::begin_withdrawal(tx, who.account, given, world_->wallet_rules);
  });
  world_->run_jobs();
  ASSERT_EQ(world_->balance(who).balance, 3'000);
  world_->notices.clear();
  hear(Operation::payout, key_of(wallet::kPlatformMerchant, withdrawal.id.uuid),
       no("account_closed"));
  EXPECT_EQ(world_->balance(who).available, 5'000);
  const auto after = world_->transact(
      [&](Tx& tx) { return wallet::fetch_withdrawal(tx, who.account, withdrawal.id); });
  EXPECT_EQ(after.state, wallet::WithdrawalState::failed);
  EXPECT_EQ(after.reason, "account_closed");
  const auto is_told = [&](const Notice& one) {
    return one.text.find("withdrawal.failed") != one.text.npos &&
           one.topics == std::vector{identity::account_topic(who.account)};
  };
  EXPECT_EQ(std::ranges::count_if(world_->notices, is_told), 1) << "its owner is told once";
}

// ---- charges ------------------------------------------------------------------------------------

TEST_F(Reversals, OfAFailedChargeAreRefundedAtOnceWhetherTheRequestIsPaidOrNot) {
  for (const bool is_paid_again : {true, false}) {
    const auto request = world_->ask(shop_, 5'000);
    const auto failed = world_->pay(shop_, request, "tok_declined").payment;
    ASSERT_EQ(failed.state, payments::State::failed);
    if (is_paid_again) {
      ASSERT_TRUE(world_->pay(shop_, request).order);
    }
    const auto held = balance(Kind::held);
    const auto key = key_of(failed.id.uuid);
    const Outcome yes{Verdict::succeeded, done_after_all(key), "", ""};
    const Errors errors;
    hear(Operation::charge, key, yes);
    EXPECT_EQ(errors.about("payment.late"), 1);
    const auto late =
        world_->transact([&](Tx& tx) { return payments::current(tx, shop_.merchant, failed.id); });
    EXPECT_EQ(late.payment.state, payments::State::refunded);
    EXPECT_EQ(late.order.value().state, orders::State::cancelled);
    EXPECT_EQ(late.payment_request.state,
              is_paid_again ? payments::RequestState::paid : payments::RequestState::open);
    EXPECT_EQ(balance(Kind::held), held);
    EXPECT_EQ(balance(Kind::processor_clearing), held);
    if (!is_paid_again) {
      EXPECT_TRUE(world_->pay(shop_, request).order) << "it can be paid still";
    }
  }
}

TEST_F(Reversals, OfAFailedTopUpAreTheOwnersBalance) {
  const auto who = world_->person();
  const auto top_up = world_->top_up(who, 5'000, "tok_declined");
  ASSERT_EQ(top_up.state, wallet::TopUpState::failed);
  const auto key = key_of(wallet::kPlatformMerchant, top_up.id.uuid);
  hear(Operation::charge, key, {Verdict::succeeded, done_after_all(key), "", ""});
  EXPECT_EQ(world_->balance(who).balance, 5'000);
}

}  // namespace reversals_test
}  // namespace bottega::test
