// Refunds of any part, at any time: whose money it is, what the merchant is paid in the end, and
// what nobody can be given twice.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace refunds_parts_test {

using namespace std::chrono_literals;
using ledger::Kind;
using payments::RefundState;

class RefundParts : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    world_->payment_rules.fee_on_refund = payments::FeeOnRefund::proportional;
    shop_ = world_->shop();
  }
  void TearDown() override {
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  payments::Refund give_back(const orders::Order& order,
                             std::optional<std::int64_t> amount = std::nullopt) const {
    return world_->give_back(shop_, order, amount);
  }
  payments::Refund by_staff(const orders::Order& order, std::int64_t amount,
                            payments::Funder funder) const {
    const payments::StaffRefund given{from_text<Count<1, kAmountMax>>(std::to_string(amount)),
                                      from_text<Text<1, 255>>("it was late"), funder};
    const auto who = world_->staff();
    return world_->transact([&](Tx& tx) {
      return payments::give_back(tx, who, order.payment_id, given, world_->payment_rules);
    });
  }
  payments::Refund now(const payments::Refund& refund) const {
    return world_->transact(
        [&](Tx& tx) { return payments::fetch_refund(tx, shop_.owner, refund.id); });
  }
  orders::Order now(const orders::Order& order) const {
    return world_->transact([&](Tx& tx) { return orders::fetch(tx, shop_.owner, order.id); });
  }
  payouts::Payout now(const payouts::Payout& payout) const {
    return world_->transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, payout.id); });
  }
  payments::Payment payment(const orders::Order& order) const {
    return world_->transact(
        [&](Tx& tx) { return payments::fetch_payment(tx, shop_.owner, order.payment_id); });
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
  // A sale that was sent; and one that was paid out.
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

  static inline std::unique_ptr<World> world_;
  Shop shop_;
};

// The fee of 10,000 is 290 and 30.
TEST_F(RefundParts, OfAnUnsentOrderMakeThePayoutSmallerByTheirShareOfTheFee) {
  const auto order = world_->sell(shop_, 10'000);
  const auto refund = give_back(order, 2'500);
  EXPECT_EQ(refund.state, RefundState::pending);
  EXPECT_EQ(payment(order).refunding, 2'500);
  world_->run_jobs();
  EXPECT_EQ(now(refund).state, RefundState::succeeded);
  EXPECT_EQ(payment(order).state, payments::State::partially_refunded);
  EXPECT_EQ(payment(order).refunded, 2'500);
  EXPECT_EQ(payment(order).refunding, 0);
  EXPECT_EQ(now(order).state, orders::State::paid);
  const auto payout = paid_out(order);
  EXPECT_EQ(payout.fee, 240);
  EXPECT_EQ(payout.amount.amount, 7'260);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::platform_fees), 240);
  EXPECT_EQ(balance(Kind::processor_clearing), 240);
}

TEST_F(RefundParts, OfASentOrderHoldItsPayoutUntilTheyEnd) {
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto refund = give_back(order, 5'000);
  EXPECT_EQ(now(payout).state, payouts::State::held);
  EXPECT_EQ(now(payout).reason, "a refund is under way");
  world_->run_jobs();
  EXPECT_EQ(now(refund).state, RefundState::succeeded);
  EXPECT_EQ(now(payout).state, payouts::State::scheduled);
  EXPECT_FALSE(now(payout).reason);
  EXPECT_EQ(now(payout).amount.amount, 4'840);
  EXPECT_EQ(now(payout).fee, 160);
  world_->advance(6 * 24h);
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::paid);
  EXPECT_EQ(balance(Kind::held), 0);
}

TEST_F(RefundParts, OfAllThatIsLeftOfAnUnsentOrderCancelIt) {
  const auto order = world_->sell(shop_, 10'000);
  give_back(order, 4'000);
  world_->run_jobs();
  give_back(order);
  EXPECT_EQ(now(order).state, orders::State::cancelled);
  EXPECT_EQ(now(order).reason, "a scratch");
  world_->run_jobs();
  EXPECT_EQ(payment(order).state, payments::State::refunded);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::processor_clearing), 0);
}

TEST_F(RefundParts, OfAllOfASentOrderCancelItsPayout) {
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = sent(order);
  give_back(order);
  world_->run_jobs();
  EXPECT_EQ(now(order).state, orders::State::shipped);
  EXPECT_EQ(now(payout).state, payouts::State::cancelled);
  EXPECT_EQ(now(payout).reason, "the order was refunded");
  world_->advance(30 * 24h);
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::cancelled);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::platform_fees), 0);
}

TEST_F(RefundParts, InManySmallPiecesReturnTheFeeToTheUnit) {
  const auto order = world_->sell(shop_, 1'003);  // a fee of 29 + 30
  sent(order);
  std::int64_t back = 0;
  for (const std::int64_t piece : {1, 2, 3, 7, 90, 100, 300, 499}) {
    give_back(order, piece);
    world_->run_jobs();
    back += piece;
    EXPECT_EQ(payment(order).refunded, back);
  }
  const auto share =
      world_->transact([&](Tx& tx) { return orders::share_of(tx, shop_.merchant, order.id); });
  EXPECT_EQ(share.refunded, 1'002);
  EXPECT_EQ(share.fee_returned, 59);
  world_->advance(6 * 24h);
  world_->run_jobs();
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::processor_clearing), 0);
}

TEST_F(RefundParts, KeepTheFeeWhereTheOperatorSaysSoAsLongAsSomethingIsLeftToTakeItFrom) {
  world_->payment_rules.fee_on_refund = payments::FeeOnRefund::keep;
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = sent(order);
  give_back(order, 9'000);
  world_->run_jobs();
  EXPECT_EQ(now(payout).fee, 320);
  EXPECT_EQ(now(payout).amount.amount, 680);
  give_back(order, 900);
  world_->run_jobs();
  EXPECT_EQ(now(payout).fee, 100);
  EXPECT_EQ(now(payout).amount.amount, 0);
  world_->advance(6 * 24h);
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::paid) << "there is nothing to send";
  EXPECT_EQ(balance(Kind::platform_fees), 100);
  EXPECT_EQ(balance(Kind::held), 0);
}

TEST_F(RefundParts, OfWhatWasPaidOutAreAdvancedAndRecoveredFromLaterPayouts) {
  const auto order = world_->sell(shop_, 10'000);
  paid_out(order);
  give_back(order);
  world_->run_jobs();
  EXPECT_EQ(payment(order).state, payments::State::refunded);
  EXPECT_EQ(balance(Kind::platform_fees), 0) << "its fee went back";
  EXPECT_EQ(balance(Kind::merchant_debt), 9'680);
  EXPECT_EQ(balance(Kind::processor_clearing), -9'680);
  const auto small = paid_out(world_->sell(shop_, 4'000));
  EXPECT_EQ(small.recovered, small.amount.amount);
  EXPECT_EQ(small.amount.amount, 3'854);
  EXPECT_EQ(balance(Kind::merchant_debt), 9'680 - 3'854);
  const auto large = paid_out(world_->sell(shop_, 20'000));
  EXPECT_EQ(large.recovered, 9'680 - 3'854);
  EXPECT_EQ(balance(Kind::merchant_debt), 0);
  EXPECT_EQ(balance(Kind::merchant_payable), 0);
  EXPECT_EQ(balance(Kind::processor_clearing), balance(Kind::platform_fees));
  std::int64_t sent = 0;
  for (const auto& entry : world_->books())
    if (entry.operation == processors::Operation::payout) sent = entry.amount.amount;
  EXPECT_EQ(sent, large.amount.amount - large.recovered);
}

TEST_F(RefundParts, ThatTheProcessorRefusesChangeNothing) {
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto refund = give_back(order, 1'013);  // ends in 13: refused
  world_->run_jobs();
  EXPECT_EQ(now(refund).state, RefundState::failed);
  EXPECT_EQ(now(refund).failure, "refund_rejected");
  EXPECT_EQ(payment(order).state, payments::State::captured);
  EXPECT_EQ(payment(order).refunding, 0);
  EXPECT_EQ(now(payout).state, payouts::State::scheduled);
  EXPECT_EQ(now(payout).amount.amount, 9'680);
  world_->advance(6 * 24h);
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::paid);
  const auto late = give_back(order, 2'013);
  EXPECT_EQ(balance(Kind::merchant_debt), 0) << "nothing has moved yet";
  world_->run_jobs();
  EXPECT_EQ(now(late).state, RefundState::failed);
  EXPECT_EQ(balance(Kind::merchant_debt), 0);
  EXPECT_EQ(balance(Kind::platform_fees), 320);
}

TEST_F(RefundParts, WhoseAnswerIsLostKeepThePayoutWaiting) {
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto refund = give_back(order, 1'017);  // ends in 17: done, and no answer comes
  world_->run_jobs();
  ASSERT_EQ(now(refund).state, RefundState::unknown);
  EXPECT_EQ(now(payout).state, payouts::State::held);
  EXPECT_EQ(payment(order).refunding, 1'017);
  const auto more = [&] { give_back(order, 8'984); };
  EXPECT_EQ(code_of(more), Code::invalid) << "what is on its way is not there any more";
  world_->advance(6s);
  world_->run_jobs();
  EXPECT_EQ(now(refund).state, RefundState::succeeded);
  EXPECT_EQ(now(payout).state, payouts::State::scheduled);
}

TEST_F(RefundParts, OfMoreThanIsLeftAreRefusedWithTheirBounds) {
  const auto order = world_->sell(shop_, 10'000);
  sent(order);
  give_back(order, 9'000);
  try {
    give_back(order, 1'001);
    FAIL() << "more than was paid";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, "/amount");
    EXPECT_EQ(error.faults()[0].detail, "must be at most 1000");
  }
  give_back(order, 1'000);
  EXPECT_EQ(code_of([&] { give_back(order); }), Code::conflict) << "nothing is left";
  world_->run_jobs();
  EXPECT_EQ(code_of([&] { give_back(order); }), Code::conflict);
}

TEST_F(RefundParts, AreForManagersWithinTheirTime) {
  const auto order = world_->sell(shop_, 10'000);
  const auto by = [&](const identity::Who& who) {
    return code_of([&] {
      world_->transact([&](Tx& tx) {
        const payments::NewRefund one{from_text<Count<1, kAmountMax>>("1"),
                                      from_text<Text<1, 255>>("why not")};
        payments::give_back(tx, who, order.payment_id, one, world_->payment_rules);
      });
    });
  };
  EXPECT_EQ(by(world_->person()), Code::not_found);
  EXPECT_EQ(by(shop_.buyer), Code::not_found) << "a buyer asks the merchant";
  EXPECT_EQ(by(world_->member(shop_, identity::Role::agent)), Code::forbidden);
  EXPECT_EQ(by(world_->key_with(shop_, identity::Scope::read)), Code::forbidden);
  EXPECT_FALSE(by(world_->member(shop_, identity::Role::manager)));
  EXPECT_FALSE(by(world_->key_with(shop_, identity::Scope::payments)));
  world_->ship(shop_, order);
  world_->advance(181 * 24h);
  EXPECT_EQ(by(shop_.owner), Code::conflict);
  by_staff(order, 100, payments::Funder::merchant);
}

TEST_F(RefundParts, OfAPaymentThatWasNotCapturedAreRefused) {
  const auto request = world_->ask(shop_, 5'000);
  const auto declined = world_->pay(shop_, request, "tok_declined").payment;
  EXPECT_EQ(code_of([&] {
              world_->transact([&](Tx& tx) {
                const payments::NewRefund all{std::nullopt, from_text<Text<1, 255>>("why not")};
                payments::give_back(tx, shop_.owner, declined.id, all, world_->payment_rules);
              });
            }),
            Code::conflict);
}

// ---- the platform's goodwill --------------------------------------------------------------------

TEST_F(RefundParts, OfThePlatformsGoodwillLeaveTheMerchantsShareAlone) {
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = sent(order);
  by_staff(order, 1'000, payments::Funder::platform);
  EXPECT_EQ(now(payout).state, payouts::State::scheduled);
  world_->run_jobs();
  EXPECT_EQ(payment(order).refunded, 1'000);
  EXPECT_EQ(balance(Kind::goodwill), 1'000);
  world_->advance(6 * 24h);
  world_->run_jobs();
  EXPECT_EQ(now(payout).amount.amount, 9'680);
  EXPECT_EQ(now(payout).state, payouts::State::paid);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(code_of([&] { by_staff(order, 9'001, payments::Funder::platform); }), Code::invalid)
      << "never more than was captured";
}

TEST_F(RefundParts, OfThePlatformsGoodwillComeBackWhenTheOrderIsCancelled) {
  const auto order = world_->sell(shop_, 10'000);
  by_staff(order, 1'000, payments::Funder::platform);
  EXPECT_EQ(code_of([&] { world_->cancel(shop_, order); }), Code::conflict)
      << "not while it is open";
  world_->run_jobs();
  const auto cancelled = world_->cancel(shop_, order);
  EXPECT_EQ(cancelled.refund->amount.amount, 9'000);
  world_->run_jobs();
  EXPECT_EQ(payment(order).state, payments::State::refunded);
  EXPECT_EQ(balance(Kind::goodwill), 0);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::processor_clearing), 0);
}

TEST_F(RefundParts, OfAllByThePlatformLeaveNothingToRefundWhenTheOrderIsNotSent) {
  const auto order = world_->sell(shop_, 10'000);
  by_staff(order, 10'000, payments::Funder::platform);
  world_->run_jobs();
  EXPECT_EQ(now(order).state, orders::State::paid);
  world_->advance(8 * 24h);
  world_->run_jobs();
  EXPECT_EQ(now(order).state, orders::State::cancelled);
  EXPECT_EQ(balance(Kind::goodwill), 0);
  EXPECT_EQ(balance(Kind::held), 0);
}

TEST_F(RefundParts, ThatFailedOfACancelledOrderCanBeAskedForAgain) {
  const auto order = world_->sell(shop_, 10'013);
  const auto failed = world_->cancel(shop_, order).refund.value();
  world_->run_jobs();
  ASSERT_EQ(now(failed).state, RefundState::failed);
  EXPECT_EQ(code_of([&] { by_staff(order, 1'000, payments::Funder::platform); }), Code::conflict)
      << "the buyer's money is still there";
  give_back(order, 10'000);
  give_back(order);
  world_->run_jobs();
  EXPECT_EQ(payment(order).state, payments::State::partially_refunded) << "13 is refused as well";
  EXPECT_EQ(balance(Kind::held), 13);
  give_back(order, 6);
  give_back(order, 7);
  world_->run_jobs();
  EXPECT_EQ(payment(order).state, payments::State::refunded);
  EXPECT_EQ(balance(Kind::held), 0);
}

// ---- several holds ------------------------------------------------------------------------------

TEST_F(RefundParts, EndWithoutReleasingWhatTheStaffHolds) {
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = sent(order);
  const payouts::Reason why{from_text<Text<1, 255>>("asked by the bank")};
  world_->transact([&](Tx& tx) { payouts::hold(tx, payout.id, why); });
  give_back(order, 1'000);
  EXPECT_EQ(now(payout).reason, "a refund is under way");
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::held);
  EXPECT_EQ(now(payout).reason, "asked by the bank");
  give_back(order, 500);
  const auto released = world_->transact([&](Tx& tx) { return payouts::release(tx, payout.id); });
  EXPECT_EQ(released.state, payouts::State::held) << "the refund holds it still";
  EXPECT_EQ(released.reason, "a refund is under way");
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::scheduled);
}

TEST_F(RefundParts, UnderWayWhenTheOrderIsSentHoldItsPayout) {
  const auto order = world_->sell(shop_, 10'000);
  give_back(order, 1'000);
  const auto payout = sent(order);
  EXPECT_EQ(payout.state, payouts::State::held);
  EXPECT_EQ(payout.reason, "a refund is under way");
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::scheduled);
  EXPECT_EQ(now(payout).amount.amount, 8'712);
}

}  // namespace refunds_parts_test
}  // namespace bottega::test
