// Many nodes at once on one payout: it is paid once, or held, never both.
#include <gtest/gtest.h>

#include <set>

#include "support/at_once.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace payouts_concurrent_test {

using namespace std::chrono_literals;

class PayoutsConcurrently : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
  }
  static void TearDownTestSuite() { world_.reset(); }

  static int all_at_once(const Acts& acts) { return test::all_at_once(acts, {Code::conflict}); }
  static payouts::Payout due_payout(std::int64_t amount) {
    const auto payout = world_->ship(shop_, world_->sell(shop_, amount)).payout.value();
    world_->advance(6 * 24h);
    return payout;
  }
  static payouts::Payout now(const payouts::Payout& payout) {
    return world_->transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, payout.id); });
  }
  static std::int64_t paid_out() {
    const auto all = world_->books();
    return std::ranges::count_if(all, [](const processors::BookEntry& entry) {
      return entry.operation == processors::Operation::payout;
    });
  }
  static void pay(const payouts::Payout& payout) { world_->pay_out(payout); }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

TEST_F(PayoutsConcurrently, FourNodesThatPayTheSameOnePayItOnce) {
  for (int round = 0; round < 10; ++round) {
    const auto before = paid_out();
    const auto payout = due_payout(10'000);
    const auto act = [&] { pay(payout); };
    EXPECT_EQ(all_at_once({act, act, act, act}), 0);
    EXPECT_EQ(paid_out(), before + 1);
    EXPECT_EQ(now(payout).state, payouts::State::paid);
    EXPECT_EQ(now(payout).tries, 1);
  }
  EXPECT_TRUE(world_->trial_balance().is_balanced);
}

TEST_F(PayoutsConcurrently, FourRunnersTakeEachJobOnce) {
  const auto before = paid_out();
  std::vector<payouts::Payout> all;
  for (int i = 0; i < 12; ++i) all.push_back(due_payout(10'000 + i));
  const auto act = [&] { world_->run_jobs(); };
  EXPECT_EQ(all_at_once({act, act, act, act}), 0);
  std::set<payouts::BatchId> batches;
  for (const auto& payout : all) {
    EXPECT_EQ(now(payout).state, payouts::State::paid);
    EXPECT_EQ(now(payout).tries, 1);
    batches.insert(now(payout).batch_id.value());
  }
  EXPECT_EQ(paid_out(), before + std::ssize(batches));
  EXPECT_TRUE(world_->trial_balance().is_balanced);
}

TEST_F(PayoutsConcurrently, AHoldIsInTimeOrRefused) {
  const payouts::Reason why{from_text<Text<1, 255>>("asked by the bank")};
  for (int round = 0; round < 15; ++round) {
    const auto before = paid_out();
    const auto payout = due_payout(9'000);
    const int conflicts =
        all_at_once({[&] { world_->transact([&](Tx& tx) { payouts::hold(tx, payout.id, why); }); },
                     [&] { pay(payout); }});
    const auto after = now(payout);
    EXPECT_EQ(after.state, conflicts == 0 ? payouts::State::held : payouts::State::paid);
    EXPECT_EQ(paid_out(), before + conflicts);
  }
}

}  // namespace payouts_concurrent_test
}  // namespace bottega::test
