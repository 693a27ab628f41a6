// Payments that a person looks at: which ones, what they wait for, and what becomes of the money.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/payments/reviews.hpp"

namespace bottega::test {
namespace reviews_test {

using namespace std::chrono_literals;
using risk::Concern, risk::Review, risk::ReviewState;

class Reviews : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    shop_ = world_->shop();
    staff_ = world_->staff();
  }
  void TearDown() override {
    rules() = {};
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  static risk::Rules& rules() { return world_->payment_rules.limits; }
  std::vector<Review> found(std::optional<ReviewState> state = std::nullopt) const {
    return world_->transact(
        [&](Tx& tx) { return ops::find_reviews(tx, shop_.merchant, state, std::nullopt, 10); });
  }
  // A sale of 100 USD that is reviewed.
  orders::Order reviewed() const {
    rules().review_amount = 99;
    return world_->sell(shop_, 10'000);
  }
  Review approve(const Review& review) const {
    return world_->transact(
        [&](Tx& tx) { return payments::approve(tx, staff_, review.id, "asked the buyer"); });
  }
  payments::Rejected reject(const Review& review) const {
    return world_->transact([&](Tx& tx) {
      return payments::reject(tx, staff_, review.id, "a stolen card", world_->payment_rules);
    });
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
  payouts::Payout sent(const orders::Order& order) const {
    return world_->ship(shop_, order).payout.value();
  }
  static void days_pass() {
    world_->advance(6 * 24h);
    world_->run_jobs();
  }

  static inline std::unique_ptr<World> world_;
  Shop shop_;
  identity::Who staff_;
};

// ---- which payments -----------------------------------------------------------------------------

TEST_F(Reviews, AreNoneWhereNothingIsAbove) {
  rules().review_first_sale = 100;
  rules().review_amount = 100;
  rules().review_week = 100;
  world_->sell(shop_, 10'000);
  EXPECT_TRUE(found().empty());
}

TEST_F(Reviews, SayEveryReason) {
  rules().review_first_sale = 100;
  rules().review_amount = 100;
  rules().review_week = 100;
  const auto order = world_->sell(shop_, 10'001);
  const auto all = found();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].order_id, order.id);
  EXPECT_EQ(all[0].payment_id, order.payment_id);
  EXPECT_EQ(all[0].buyer_id, shop_.buyer.account);
  EXPECT_EQ(all[0].amount, order.total);
  EXPECT_EQ(all[0].reasons,
            (std::vector{Concern::first_sale, Concern::amount, Concern::merchant_week}));
  EXPECT_EQ(all[0].state, ReviewState::open);
}

TEST_F(Reviews, SeeAFirstSaleOnce) {
  rules().review_first_sale = 100;
  world_->sell(shop_, 10'001);
  world_->sell(shop_, 10'001);
  ASSERT_EQ(found().size(), 1u);
  EXPECT_EQ(found()[0].reasons, std::vector{Concern::first_sale});
}

TEST_F(Reviews, DoNotTakeAChargeThatCameLateForTheFirstSale) {
  rules().review_first_sale = 100;
  const auto failed = world_->pay(shop_, world_->ask(shop_, 10'001), "tok_declined").payment;
  const processors::Outcome late{processors::Verdict::succeeded, "sch_" + text_of(failed.id), "",
                                 ""};
  const auto charged = world_->transact([&](Tx& tx) {
    return payments::settle(tx, shop_.merchant, failed.id, late, world_->payment_rules);
  });
  ASSERT_EQ(charged.order.value().state, orders::State::cancelled);
  EXPECT_TRUE(found().empty()) << "it goes back";
  const auto order = world_->sell(shop_, 10'001);
  const auto all = found();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].order_id, order.id);
  EXPECT_EQ(all[0].reasons, std::vector{Concern::first_sale});
}

TEST_F(Reviews, BeginWhereAWeekIsAbove) {
  rules().review_week = 100;
  world_->sell(shop_, 6'000);
  world_->sell(shop_, 4'000);
  EXPECT_TRUE(found().empty());
  world_->sell(shop_, 100);
  ASSERT_EQ(found().size(), 1u);
  EXPECT_EQ(found()[0].reasons, std::vector{Concern::merchant_week});
  world_->advance(7 * 24h + 1h);
  world_->sell(shop_, 100);
  EXPECT_EQ(found().size(), 1u);
}

TEST_F(Reviews, AreInWholeUnitsOfTheCurrency) {
  rules().review_amount = 100;
  for (const auto& [code, most] : {std::pair{"JPY", 100}, std::pair{"BHD", 100'000}}) {
    shop_ = world_->shop(code);
    world_->pay(shop_, world_->ask(shop_, most, code));
    EXPECT_TRUE(found().empty()) << code;
    world_->pay(shop_, world_->ask(shop_, most + 1, code));
    EXPECT_EQ(found().size(), 1u) << code;
  }
}

TEST_F(Reviews, AreNotOpenedForWhatWasNotCharged) {
  rules().review_amount = 99;
  world_->pay(shop_, world_->ask(shop_, 10'000), "tok_declined");
  EXPECT_TRUE(found().empty());
}

TEST_F(Reviews, AreOpenedOnceForACaptureThatIsFoundLater) {
  rules().review_amount = 99;
  world_->pay(shop_, world_->ask(shop_, 10'000), "tok_answer_lost");
  EXPECT_TRUE(found().empty());
  world_->advance(10s);
  world_->run_jobs();
  world_->deliver_webhooks();
  world_->run_jobs();
  EXPECT_EQ(found().size(), 1u);
}

// ---- what they come to --------------------------------------------------------------------------

TEST_F(Reviews, HoldThePayoutUntilTheyAreApproved) {
  const auto order = reviewed();
  const auto payout = sent(order);
  EXPECT_EQ(payout.state, payouts::State::held);
  EXPECT_EQ(payout.reason, "the payment is being reviewed");
  days_pass();
  EXPECT_EQ(now(payout).state, payouts::State::held);
  const auto approved = approve(found()[0]);
  EXPECT_EQ(approved.state, ReviewState::approved);
  EXPECT_EQ(approved.decision, "asked the buyer");
  EXPECT_EQ(approved.decided_by, staff_.actor());
  EXPECT_TRUE(approved.decided_at.has_value());
  EXPECT_EQ(now(payout).state, payouts::State::scheduled);
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::paid);
}

TEST_F(Reviews, MayBeApprovedBeforeTheOrderIsSent) {
  const auto order = reviewed();
  approve(found()[0]);
  EXPECT_EQ(sent(order).state, payouts::State::scheduled);
}

TEST_F(Reviews, ThatAreApprovedLeaveWhatElseHolds) {
  const auto payout = sent(reviewed());
  const auto release = [&] { world_->transact([&](Tx& tx) { payouts::release(tx, payout.id); }); };
  EXPECT_EQ(code_of(release), Code::conflict) << "a review is not lifted by hand";
  const payouts::Reason why{from_text<Text<1, 255>>("asked by the bank")};
  world_->transact([&](Tx& tx) { payouts::hold(tx, payout.id, why); });
  approve(found()[0]);
  EXPECT_EQ(now(payout).state, payouts::State::held);
  EXPECT_EQ(now(payout).reason, "asked by the bank");
  release();
  EXPECT_EQ(now(payout).state, payouts::State::scheduled);
}

TEST_F(Reviews, ThatAreRejectedGiveAllBackAndCancelWhatWasNotSent) {
  const auto order = reviewed();
  const auto done = reject(found()[0]);
  EXPECT_EQ(done.review.state, ReviewState::rejected);
  EXPECT_EQ(done.review.decision, "a stolen card");
  ASSERT_TRUE(done.refund.has_value());
  EXPECT_EQ(done.refund->amount, order.total);
  EXPECT_EQ(done.refund->reason.find("stolen"), std::string::npos) << "it is the staff's to know";
  world_->run_jobs();
  EXPECT_EQ(payment(order).state, payments::State::refunded);
  EXPECT_EQ(now(order).state, orders::State::cancelled);
}

TEST_F(Reviews, ThatAreRejectedEndThePayoutOfWhatWasSent) {
  const auto order = reviewed();
  const auto payout = sent(order);
  EXPECT_EQ(reject(found()[0]).refund->amount, order.total);
  EXPECT_EQ(now(payout).state, payouts::State::held);
  world_->run_jobs();
  EXPECT_EQ(payment(order).state, payments::State::refunded);
  EXPECT_EQ(now(payout).state, payouts::State::cancelled);
  days_pass();
  EXPECT_EQ(now(payout).state, payouts::State::cancelled);
}

TEST_F(Reviews, ThatAreRejectedKeepThePayoutWhereTheRefundFails) {
  rules().review_amount = 99;
  const auto order = world_->sell(shop_, 10'013);  // the sandbox refuses to refund what ends in 13
  const auto payout = sent(order);
  reject(found()[0]);
  days_pass();
  EXPECT_EQ(payment(order).state, payments::State::captured);
  EXPECT_EQ(now(payout).state, payouts::State::held);
}

TEST_F(Reviews, ThatAreRejectedGiveBackWhatIsLeft) {
  const auto order = reviewed();
  sent(order);
  world_->give_back(shop_, order, 4'000);
  EXPECT_EQ(reject(found()[0]).refund->amount.amount, 6'000);
  world_->run_jobs();
  EXPECT_EQ(payment(order).state, payments::State::refunded);
}

TEST_F(Reviews, OfWhatWasGivenBackAlreadyAreOnlyWrittenDown) {
  for (const bool rejects : {true, false}) {
    const auto order = reviewed();
    world_->cancel(shop_, order);
    world_->run_jobs();
    const auto open = found(ReviewState::open);
    ASSERT_EQ(open.size(), 1u);
    if (rejects)
      EXPECT_FALSE(reject(open[0]).refund.has_value());
    else
      approve(open[0]);
    EXPECT_EQ(payment(order).state, payments::State::refunded);
  }
  EXPECT_TRUE(found(ReviewState::open).empty());
}

TEST_F(Reviews, AreDecidedOnce) {
  reviewed();
  reviewed();
  const auto all = found();
  ASSERT_EQ(all.size(), 2u);
  approve(all[0]);
  reject(all[1]);
  for (const auto& review : all) {
    const auto before = world_->transact([&](Tx& tx) { return risk::fetch_review(tx, review.id); });
    EXPECT_EQ(code_of([&] { approve(review); }), Code::conflict);
    EXPECT_EQ(code_of([&] { reject(review); }), Code::conflict);
    const auto after = world_->transact([&](Tx& tx) { return risk::fetch_review(tx, review.id); });
    EXPECT_EQ(to_json(after), to_json(before));
  }
  world_->run_jobs();
  EXPECT_EQ(world_->transact([&](Tx& tx) {
    return payments::fetch_payment(tx, shop_.owner, all[0].payment_id).state;
  }),
            payments::State::captured);
}

TEST_F(Reviews, ThatAreNotThereAreNotFound) {
  Review none;
  none.id = risk::ReviewId::make();
  EXPECT_EQ(code_of([&] { approve(none); }), Code::not_found);
  EXPECT_EQ(code_of([&] { reject(none); }), Code::not_found);
}

}  // namespace reviews_test
}  // namespace bottega::test
