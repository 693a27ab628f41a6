// Payments that begin together, and sales that are looked at together: what is counted for one
// counts for those behind it, and what is refused does not.
#include <gtest/gtest.h>

#include <random>

#include "domain/together.hpp"
#include "bottega/risk/reviews.hpp"

namespace bottega::test {
namespace limits_together_test {

using risk::Concern, risk::Rules, risk::Try;

class LimitsTogether : public ::testing::Test {
 protected:
  static Try trying(identity::MerchantId merchant, const identity::Who& buyer,
                    std::int64_t amount = 1'000, const std::string& currency = "USD") {
    return {merchant, buyer.account, {amount, *Currency::find(currency)}, {}};
  }
  // The reasons of refusal; empty for what was counted.
  std::vector<std::string> together(const std::vector<Try>& all) {
    std::vector<std::string> reasons;
    for (const auto& refusal :
         world_.transact([&](Tx& tx) { return risk::count(tx, all, rules_); }))
      reasons.push_back(refusal ? refusal->reason() : "");
    return reasons;
  }
  std::vector<std::string> alone(const std::vector<Try>& all) {
    std::vector<std::string> reasons;
    for (const auto& one : all) {
      std::string reason;
      try {
        world_.transact([&](Tx& tx) { risk::count(tx, one, rules_); });
      } catch (const Error& refusal) {
        reason = refusal.reason();
      }
      reasons.push_back(reason);
    }
    return reasons;
  }
  std::int64_t taken(identity::MerchantId merchant, const std::string& currency = "USD") {
    return world_.transact(
        [&](Tx& tx) { return risk::taken_in_week(tx, merchant, *Currency::find(currency)); });
  }
  std::vector<std::vector<Concern>> concerns(const std::vector<orders::Order>& sold) {
    std::vector<std::vector<Concern>> all;
    for (const auto& review :
         world_.transact([&](Tx& tx) { return risk::assess(tx, sold, rules_); }))
      all.push_back(review ? review->reasons : std::vector<Concern>{});
    return all;
  }

  World world_;
  Rules rules_;
  Shop shop_ = world_.shop(), far_ = world_.shop();
  identity::Who ada_ = world_.person("Ada"), ben_ = world_.person("Ben");
};

TEST_F(LimitsTogether, AreKeptInTheMiddleOfABatch) {
  rules_.merchant_week_max = 30;
  const auto merchant = shop_.merchant;
  const std::vector<std::string> expected = {"", "", "not_possible_now",
                                             "", "", "not_possible_now"};
  EXPECT_EQ(together({trying(merchant, ada_), trying(merchant, ben_), trying(merchant, ada_, 2'000),
                      trying(merchant, ben_), trying(far_.merchant, ada_, 2'500),
                      trying(merchant, ada_, 1)}),
            expected);
  EXPECT_EQ(taken(merchant), 3'000);
  EXPECT_EQ(taken(far_.merchant), 2'500);
  EXPECT_EQ(together({trying(merchant, ben_, 1), trying(far_.merchant, ben_, 500)}),
            (std::vector<std::string>{"not_possible_now", ""}))
      << "what was counted then counts now";
}

TEST_F(LimitsTogether, OfABuyerAreOverAllShopsAndCurrencies) {
  rules_.buyer_count_hour_max = 2;
  rules_.buyer_sum_day_max = 15;
  EXPECT_EQ(
      together({trying(shop_.merchant, ada_), trying(far_.merchant, ada_),
                trying(far_.merchant, ada_, 700, "EUR"), trying(shop_.merchant, ada_, 100),
                trying(shop_.merchant, ben_)}),
      (std::vector<std::string>{"", "buyer_sum_day_limit", "", "buyer_count_hour_limit", ""}));
  EXPECT_EQ(taken(far_.merchant), 0);
  EXPECT_EQ(taken(far_.merchant, "EUR"), 700);
}

TEST_F(LimitsTogether, OfAMethodCountWhatWasTriedWithIt) {
  rules_.method_tries_hour_max = 1;
  auto with_card = trying(shop_.merchant, ada_);
  with_card.method.id = wallet::MethodId::make();
  EXPECT_EQ(
      together({trying(shop_.merchant, ada_), with_card, trying(shop_.merchant, ada_), with_card}),
      (std::vector<std::string>{"", "", "method_hour_limit", "method_hour_limit"}));
}

TEST_F(LimitsTogether, AreAsOfOneAfterTheOther) {
  rules_.merchant_week_max = 60;
  rules_.buyer_sum_hour_max = 40;
  rules_.buyer_count_day_max = 6;
  rules_.method_tries_hour_max = 5;
  const auto shops = std::array{std::array{shop_.merchant, far_.merchant},
                                std::array{world_.shop().merchant, world_.shop().merchant}};
  const auto people =
      std::array{std::array{ada_, ben_}, std::array{world_.person(), world_.person()}};
  std::array<std::vector<Try>, 2> tries;
  std::minstd_rand random(7);
  for (int i = 0; i < 40; ++i) {
    const std::size_t shop = random() % 2, buyer = random() % 2;
    const auto amount = static_cast<std::int64_t>(random() % 1'500 + 1);
    for (const std::size_t k : {0u, 1u})
      tries.at(k).push_back(trying(shops.at(k).at(shop), people.at(k).at(buyer), amount));
  }
  const auto reasons = alone(tries[0]);
  EXPECT_EQ(together(tries[1]), reasons);
  EXPECT_GT(std::ranges::count(reasons, ""), 3);
  EXPECT_GT(std::set<std::string>(reasons.begin(), reasons.end()).size(), 2u);
  for (const std::size_t shop : {0u, 1u})
    EXPECT_EQ(taken(shops[1].at(shop)), taken(shops[0].at(shop)));
}

TEST_F(LimitsTogether, AskForNothingWhereNothingIsAsked) {
  EXPECT_TRUE(together({}).empty());
  EXPECT_TRUE(concerns({}).empty());
}

TEST_F(LimitsTogether, AreReviewedAsTheyWereSold) {
  const auto small = world_.sell(shop_, 400), large = world_.sell(shop_, 9'000),
             first = world_.sell(far_, 2'000), second = world_.sell(far_, 2'000);
  const std::vector sold = {small, large, first, second};
  EXPECT_EQ(concerns(sold), std::vector<std::vector<Concern>>(4)) << "no rule, no concern";
  rules_.review_first_sale = 5;
  rules_.review_amount = 50;
  const std::vector<std::vector<Concern>> expected = {
      {}, {Concern::amount}, {Concern::first_sale}, {}};
  EXPECT_EQ(concerns(sold), expected);
  const auto held = payouts::State::held;
  EXPECT_EQ(world_.ship(shop_, large).payout->state, held);
  EXPECT_EQ(world_.ship(far_, first).payout->state, held);
  EXPECT_EQ(world_.ship(far_, second).payout->state, payouts::State::scheduled);
}

TEST_F(LimitsTogether, AreReviewedByWhatTheMerchantTakesInAWeek) {
  const auto here = world_.sell(shop_, 4'000), there = world_.sell(far_, 1'000);
  rules_.review_week = 30;
  EXPECT_EQ(concerns({there, here}),
            (std::vector<std::vector<Concern>>{{}, {Concern::merchant_week}}));
}

}  // namespace limits_together_test
}  // namespace bottega::test
