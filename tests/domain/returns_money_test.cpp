// The money of what is sent back: the payout waits while it is under way and goes on after it,
// whatever its end; the refund is made once, and may be tried again where it failed.
#include "domain/returns.hpp"
#include "support/at_once.hpp"

namespace bottega::test {
namespace returns_money_test {

using namespace std::chrono_literals;

class ReturnsMoney : public ReturnsTest {
 protected:
  payouts::State payout_state(const orders::Order& order) const { return payout_of(order).state; }
  void days_pass(int days) const {
    world->advance(days * 24h);
    world->run_jobs();
  }
};

TEST_F(ReturnsMoney, IsHeldWhileAReturnIsUnderWayAndPaidOutWhenItWasNone) {
  const auto order = sent();
  ASSERT_EQ(payout_state(order), payouts::State::scheduled);
  const auto item = request(order);
  EXPECT_EQ(payout_state(order), payouts::State::held);
  EXPECT_EQ(payout_of(order).reason, "a return is under way");
  days_pass(10);
  EXPECT_EQ(payout_state(order), payouts::State::held);
  approve(item);
  EXPECT_EQ(payout_state(order), payouts::State::held);
  cancel(item);
  EXPECT_EQ(payout_state(order), payouts::State::scheduled);
  world->run_jobs();
  EXPECT_EQ(payout_state(order), payouts::State::paid);
  EXPECT_EQ(payout_of(order).tries, 1);
}

TEST_F(ReturnsMoney, IsPaidOutAfterARejection) {
  const auto order = sent();
  reject(request(order));
  days_pass(6);
  EXPECT_EQ(payout_state(order), payouts::State::paid);
}

TEST_F(ReturnsMoney, IsPaidOutWhenNothingComesBackInTime) {
  const auto order = sent();
  const auto item = approve(request(order));
  days_pass(29);
  EXPECT_EQ(now(item).state, State::approved);
  EXPECT_EQ(payout_state(order), payouts::State::held);
  days_pass(2);
  EXPECT_EQ(now(item).state, State::expired);
  EXPECT_TRUE(now(item).ended_at);
  EXPECT_NE(state_of(order), Order::return_requested);
  world->run_jobs();
  EXPECT_EQ(payout_state(order), payouts::State::paid);
  EXPECT_EQ(code_of([&] { receive(item); }), Code::conflict);
}

TEST_F(ReturnsMoney, DoesNotExpireOnceItHasCome) {
  const auto item = come_back(sent());
  days_pass(40);
  EXPECT_EQ(now(item).state, State::received);
}

TEST_F(ReturnsMoney, OfAPartMakesThePayoutSmaller) {
  const auto order = sent();
  refund(come_back(order, pieces(1)));
  EXPECT_EQ(payout_state(order), payouts::State::held);
  world->run_jobs();
  EXPECT_EQ(payout_state(order), payouts::State::scheduled);
  days_pass(6);
  const auto payout = payout_of(order);
  EXPECT_EQ(payout.state, payouts::State::paid);
  EXPECT_EQ(payout.amount.amount, 5'000 - 160) << "and half of the fee of 320";
}

TEST_F(ReturnsMoney, OfAllOfItCancelsThePayout) {
  const auto order = sent();
  refund(come_back(order));
  world->run_jobs();
  days_pass(6);
  EXPECT_EQ(payout_state(order), payouts::State::cancelled);
}

TEST_F(ReturnsMoney, ThatWasPaidOutIsTakenFromTheMerchant) {
  const auto order = sent();
  days_pass(6);
  ASSERT_EQ(payout_state(order), payouts::State::paid);
  const auto item = come_back(order);
  EXPECT_EQ(payout_state(order), payouts::State::paid);
  refund(item);
  world->run_jobs();
  EXPECT_EQ(now(item).state, State::refunded);
  EXPECT_EQ(payment_of(*world, order).refunded, 10'000);
}

TEST_F(ReturnsMoney, MayBeLessOrMoreThanIsProposedUpToWhatIsLeft) {
  const auto order = sent();
  const auto item = come_back(order, pieces(1));
  EXPECT_EQ(item.proposed, 5'000);
  EXPECT_EQ(code_of([&] { refund(item, 10'001); }), Code::invalid);
  EXPECT_FALSE(now(item).refund_id) << "nothing has begun";
  EXPECT_EQ(refund(item, 7'000).amount, 7'000);
  world->run_jobs();
  const auto other = come_back(order);
  EXPECT_EQ(other.proposed, 3'000) << "what is left";
  EXPECT_EQ(refund(other).amount, 3'000);
  world->run_jobs();
  EXPECT_EQ(payment_of(*world, order).refunded, 10'000);
}

TEST_F(ReturnsMoney, MayBeNothingAndThenItHasEnded) {
  const auto order = sent();
  const auto item = come_back(order);
  const auto ended = refund(item, 0);
  EXPECT_EQ(ended.state, State::refunded);
  EXPECT_FALSE(ended.refund_id);
  days_pass(6);
  EXPECT_EQ(payout_state(order), payouts::State::paid);
  EXPECT_EQ(payout_of(order).amount.amount, 9'680);
}

TEST_F(ReturnsMoney, IsNotForgottenWhereAllOfItHasGoneBackOtherwise) {
  const auto order = sent();
  const auto item = come_back(order);
  world->give_back(shop, order);
  EXPECT_EQ(code_of([&] { refund(item); }), Code::conflict) << "it may fail yet";
  world->run_jobs();
  EXPECT_EQ(refund(item, 0).state, State::refunded);
}

// The sandbox refuses amounts that end in 13.
TEST_F(ReturnsMoney, ThatIsRefusedMayBeTriedAgain) {
  const auto order = sent();
  const auto item = come_back(order);
  const auto first = refund(item, 4'013);
  EXPECT_EQ(code_of([&] { refund(item, 4'000); }), Code::conflict) << "it is under way";
  world->run_jobs();
  EXPECT_EQ(now(item).state, State::received);
  EXPECT_FALSE(now(item).refund_id);
  EXPECT_EQ(payout_state(order), payouts::State::held) << "it is still under way";
  EXPECT_EQ(log().back().event, "return.refund_failed");
  const auto second = refund(item, 4'000);
  EXPECT_NE(second.refund_id, first.refund_id);
  world->run_jobs();
  EXPECT_EQ(now(item).state, State::refunded);
  EXPECT_EQ(payment_of(*world, order).refunded, 4'000);
  EXPECT_EQ(payout_state(order), payouts::State::scheduled);
}

TEST_F(ReturnsMoney, IsGivenBackOnceHoweverOftenItIsHeardOf) {
  const auto item = refund(come_back(sent()));
  world->run_jobs();
  const auto told = log().size();
  for (int i = 0; i < 3; ++i)
    in([&](Tx& tx) { returns::refund_ended(tx, shop.merchant, item.refund_id.value()); });
  EXPECT_EQ(now(item).state, State::refunded);
  EXPECT_EQ(log().size(), told);
}

// A part was sent and comes back; the money for the other part has not reached the buyer.
TEST_F(ReturnsMoney, IsNotWhatIsOwedForWhatWasNeverSent) {
  const auto order = sell_pieces(*world, shop, {{1, 6'000}, {1, 5'013}});
  send_part(*world, shop, order, 0, 1);
  const auto closing = from_json<payments::NewClosing>({{"reason", "out of stock"}});
  in([&](Tx& tx) {
    return payments::close_rest(tx, shop.owner, order.id, closing, world->payment_rules,
                                world->payout_rules);
  });
  world->run_jobs();
  EXPECT_EQ(payout_state(order), payouts::State::held);
  refund(come_back(order, pieces(1)), 5'500);
  world->run_jobs();
  EXPECT_EQ(payment_of(*world, order).refunded, 5'500);
  EXPECT_EQ(payout_state(order), payouts::State::held);
  EXPECT_EQ(payout_of(order).reason, "what was not sent has not been refunded");
  world->give_back(shop, order, 5'012);
  world->give_back(shop, order, 1);
  world->run_jobs();
  EXPECT_EQ(payout_state(order), payouts::State::scheduled);
}

// ---- at the same time ---------------------------------------------------------------------------

TEST_F(ReturnsMoney, IsKeptOrReceivedConcurrentlyAndNeverBoth) {
  int kept = 0, received = 0;
  for (int round = 0; round < 12; ++round) {
    const auto order = sent();
    const auto item = approve(request(order));
    const int refused =
        all_at_once({[&] { cancel(item); }, [&] { receive(item); }}, {Code::conflict});
    EXPECT_EQ(refused, 1);
    const auto after = now(item);
    if (after.state == State::cancelled) {
      ++kept;
      EXPECT_EQ(state_of(order), Order::shipped);
      EXPECT_FALSE(after.received);
      EXPECT_EQ(payout_state(order), payouts::State::scheduled);
    } else {
      ++received;
      EXPECT_EQ(after.state, State::received);
      EXPECT_EQ(state_of(order), Order::returned);
      EXPECT_EQ(payout_state(order), payouts::State::held);
    }
  }
  EXPECT_EQ(kept + received, 12);
}

TEST_F(ReturnsMoney, IsAskedForOnceAndRefundedOnceConcurrently) {
  for (int round = 0; round < 6; ++round) {
    const auto order = sent();
    const auto ask = [&] { request(order, pieces(1)); };
    EXPECT_EQ(all_at_once({ask, ask, ask}, {Code::conflict}), 2);
    const auto item =
        in([&](Tx& tx) { return returns::list_of_order(tx, shop.buyer, order.id); }).front();
    receive(approve(item));
    const auto pay = [&] { refund(item); };
    EXPECT_EQ(all_at_once({pay, pay, pay}, {Code::conflict}), 2);
    world->run_jobs();
    EXPECT_EQ(payment_of(*world, order).refunded, 5'000);
  }
}

}  // namespace returns_money_test
}  // namespace bottega::test
