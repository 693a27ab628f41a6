// Payments at the same moment: as many begin as a limit lets, whoever pays, and what has failed is
// given back once.
#include <gtest/gtest.h>

#include "support/at_once.hpp"
#include "support/world.hpp"
#include "bottega/payments/reviews.hpp"

namespace bottega::test {
namespace limits_concurrent_test {

constexpr int kPayers = 8;

class LimitsConcurrently : public ::testing::Test {
 protected:
  void SetUp() override {
    shop_ = world_.shop();
    for (int i = 0; i < kPayers; ++i) {
      auto shop = shop_;
      shop.buyer = world_.person();
      shop.conversation = world_.transact([&](Tx& tx) {
        return conversations::open(tx, shop.buyer, {shop.merchant}).conversation.id;
      });
      shops_.push_back(shop);
    }
  }
  void TearDown() override {
    const auto books = world_.trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
    EXPECT_EQ(world_.db.load().retries, 0u) << "nobody waited in a circle";
  }
  // What pays a request of 10 USD with this token.
  std::function<void()> paying(const Shop& shop, const std::string& token = "tok_approved") {
    const auto request = world_.ask(shop, 1'000);
    return [this, shop, request, token] { world_.pay(shop, request, token); };
  }
  std::int64_t taken() {
    return world_.transact(
        [&](Tx& tx) { return risk::taken_in_week(tx, shop_.merchant, *Currency::find("USD")); });
  }

  World world_;
  Shop shop_;
  std::vector<Shop> shops_;
};

TEST_F(LimitsConcurrently, LetAMerchantTakeAsMuchAsFits) {
  world_.payment_rules.limits.merchant_week_max = 30;
  std::vector<std::function<void()>> acts;
  for (const auto& shop : shops_) acts.push_back(paying(shop));
  EXPECT_EQ(all_at_once(acts, {Code::conflict}), kPayers - 3);
  EXPECT_EQ(taken(), 3'000);
}

TEST_F(LimitsConcurrently, LetABuyerPayAsOftenAsTheyMay) {
  world_.payment_rules.limits.buyer_count_hour_max = 3;
  std::vector<std::function<void()>> acts;
  for (int i = 0; i < kPayers; ++i) {
    auto shop = world_.shop();
    shop.buyer = shop_.buyer;
    shop.conversation = world_.transact([&](Tx& tx) {
      return conversations::open(tx, shop.buyer, {shop.merchant}).conversation.id;
    });
    acts.push_back(paying(shop));
  }
  EXPECT_EQ(all_at_once(acts, {Code::rate_limited}), kPayers - 3);
}

TEST_F(LimitsConcurrently, CountWhatHasNotFailed) {
  for (int round = 0; round < 5; ++round) {
    std::vector<std::function<void()>> acts;
    for (std::size_t i = 0; i < shops_.size(); ++i)
      acts.push_back(paying(shops_[i], i % 2 == 0 ? "tok_approved" : "tok_declined"));
    EXPECT_EQ(all_at_once(acts, {}), 0);
  }
  EXPECT_EQ(taken(), 5 * kPayers / 2 * 1'000);
}

TEST_F(LimitsConcurrently, DecideAReviewOnce) {
  world_.payment_rules.limits.review_amount = 5;
  const auto staff = world_.staff();
  for (int round = 0; round < 5; ++round) {
    world_.sell(shop_, 1'000);
    const auto id = world_.transact([&](Tx& tx) {
      return ops::find_reviews(tx, shop_.merchant, risk::ReviewState::open, std::nullopt, 1);
    });
    ASSERT_EQ(id.size(), 1u);
    const auto approve = [&] {
      world_.transact([&](Tx& tx) { payments::approve(tx, staff, id[0].id, "fine"); });
    };
    const auto reject = [&] {
      world_.transact(
          [&](Tx& tx) { payments::reject(tx, staff, id[0].id, "odd", world_.payment_rules); });
    };
    EXPECT_EQ(all_at_once({approve, reject, approve, reject}, {Code::conflict}), 3);
    world_.run_jobs();
  }
}

}  // namespace limits_concurrent_test
}  // namespace bottega::test
