// The platform's fee where it is kept (fees.on_refund=keep): what counts is what has gone back in
// the end, not what was under way meanwhile.
#include "domain/disputes.hpp"

namespace bottega::test {
namespace kept_fees_test {

using namespace std::chrono_literals;
using payments::RefundState;

class KeptFees : public DisputeTest {
 protected:
  void SetUp() override {
    DisputeTest::SetUp();
    world_.payment_rules.fee_on_refund = payments::FeeOnRefund::keep;
  }
  void pay_all_out() {
    world_.advance(6 * 24h);
    world_.run_jobs();
  }
};

// The fee of 10,000 is 290 and 30.
TEST_F(KeptFees, AreTakenFromWhatARefundThatFailedHasLeft) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto refused = world_.give_back(shop_, order, 5'013);  // ends in 13: refused
  const auto rest = world_.give_back(shop_, order);
  world_.run_jobs();
  ASSERT_EQ(now(refused).state, RefundState::failed);
  ASSERT_EQ(now(rest).state, RefundState::succeeded);
  EXPECT_EQ(now(payout).fee, 320);
  EXPECT_EQ(now(payout).amount.amount, 10'000 - 4'987 - 320);
  pay_all_out();
  ASSERT_EQ(now(payout).state, payouts::State::paid);
  EXPECT_EQ(balance(Kind::platform_fees), 320);
  EXPECT_EQ(balance(Kind::held), 0);
  // Asked for again when it has been paid out: now it does go back, as far as nothing else is left.
  world_.give_back(shop_, order, 5'000);
  world_.run_jobs();
  EXPECT_EQ(balance(Kind::platform_fees), 13);
  EXPECT_EQ(balance(Kind::merchant_debt), 10'000 - 4'987 - 320) << "all that they were paid";
}

TEST_F(KeptFees, GoBackWhenAllHasGoneInWhateverOrder) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto late = world_.give_back(shop_, order, 5'017);  // ends in 17: its answer is lost
  world_.give_back(shop_, order);
  world_.run_jobs();
  ASSERT_EQ(now(late).state, RefundState::unknown);
  EXPECT_EQ(now(payout).fee, 320);
  world_.advance(6s);
  world_.run_jobs();
  ASSERT_EQ(now(late).state, RefundState::succeeded);
  EXPECT_EQ(now(payout).fee, 0);
  EXPECT_EQ(now(payout).state, payouts::State::cancelled);
  EXPECT_EQ(balance(Kind::held), 0);
}

TEST_F(KeptFees, AreTakenFromWhatWasWonBack) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto dispute = open(order, 5'000);
  const auto rest = world_.give_back(shop_, order);
  world_.run_jobs();
  ASSERT_EQ(now(rest).state, RefundState::succeeded);
  ASSERT_EQ(contest(dispute).state, State::won);
  EXPECT_EQ(now(payout).fee, 320);
  EXPECT_EQ(now(payout).amount.amount, 5'000 - 320);
  pay_all_out();
  EXPECT_EQ(balance(Kind::platform_fees), 320);
  EXPECT_EQ(balance(Kind::held), 0);
}

TEST_F(KeptFees, AreTakenFromWhatALostDisputeHasLeft) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto refused = world_.give_back(shop_, order, 1'513);  // ends in 13: refused
  const auto dispute = hear(news_of(at_the_bank(order, 8'413), State::evidence_due));
  world_.run_jobs();
  ASSERT_EQ(now(refused).state, RefundState::failed);
  ASSERT_EQ(contest(dispute).state, State::lost) << "it ends in 13";
  EXPECT_EQ(now(payout).fee, 320);
  EXPECT_EQ(now(payout).amount.amount, 10'000 - 8'413 - 320);
  pay_all_out();
  EXPECT_EQ(balance(Kind::platform_fees), 320);
  // What was written down of the fee agrees: the rest of it goes back with the rest of the sale.
  world_.give_back(shop_, order);
  world_.run_jobs();
  EXPECT_EQ(balance(Kind::platform_fees), 0);
  EXPECT_EQ(balance(Kind::merchant_debt), 10'000 - 8'413 - 320);
}

}  // namespace kept_fees_test
}  // namespace bottega::test
