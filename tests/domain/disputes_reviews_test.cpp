// A payment that is disputed and reviewed: whichever is decided first, the money is somebody's.
#include "domain/disputes.hpp"
#include "bottega/payments/reviews.hpp"

namespace bottega::test {
namespace disputes_reviews_test {

class ReviewedDisputes : public DisputeTest {
 protected:
  void SetUp() override {
    DisputeTest::SetUp();
    world_.payment_rules.limits.review_amount = 99;
  }
  std::optional<payments::Refund> reject() {
    const auto reviews = world_.transact([&](Tx& tx) {
      return ops::find_reviews(tx, shop_.merchant, risk::ReviewState::open, std::nullopt, 10);
    });
    return world_.transact([&](Tx& tx) {
      return payments::reject(tx, staff_, reviews.at(0).id, "a stolen card", world_.payment_rules)
          .refund;
    });
  }
  void expect_all_given_back(const orders::Order& order, const payouts::Payout& payout) {
    EXPECT_EQ(payment(order).state, payments::State::refunded);
    EXPECT_EQ(payment(order).refunded, order.total.amount);
    EXPECT_EQ(now(order).state, orders::State::shipped);
    EXPECT_EQ(now(payout).state, payouts::State::cancelled);
    EXPECT_EQ(balance(Kind::held), 0);
    EXPECT_EQ(balance(Kind::dispute_reserve), 0);
  }

  const identity::Who staff_ = world_.staff();
};

TEST_F(ReviewedDisputes, ThatAreWonAfterThePaymentWasRejectedAreRefunded) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto dispute = open(order);
  EXPECT_FALSE(reject()) << "nothing is left to give back";
  EXPECT_EQ(contest(dispute).state, State::won);
  world_.run_jobs();
  expect_all_given_back(order, payout);
}

TEST_F(ReviewedDisputes, AboutAPartLeaveNothingBehindThatIsNobodys) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto dispute = open(order, 4'000);
  EXPECT_EQ(reject().value().amount.amount, 6'000);
  world_.run_jobs();
  EXPECT_EQ(contest(dispute).state, State::won);
  world_.run_jobs();
  expect_all_given_back(order, payout);
}

TEST_F(ReviewedDisputes, ThatAreWonBeforeThePaymentIsRejectedAreRefundedByThat) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = sent(order);
  EXPECT_EQ(contest(open(order)).state, State::won);
  EXPECT_EQ(balance(Kind::held), 10'000) << "the review is open";
  EXPECT_EQ(reject().value().amount.amount, 10'000);
  world_.run_jobs();
  expect_all_given_back(order, payout);
}

}  // namespace disputes_reviews_test
}  // namespace bottega::test
