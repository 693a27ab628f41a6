// Refunds against each other and against the payout of the same order: never more than was paid,
// and the books balance whichever comes first.
#include <gtest/gtest.h>

#include "support/at_once.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace refunds_concurrent_test {

using namespace std::chrono_literals;

class RefundsConcurrently : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
  }
  static void TearDownTestSuite() { world_.reset(); }

  static int all_at_once(const Acts& acts) {
    return test::all_at_once(acts, {Code::conflict, Code::invalid});
  }
  static payments::Payment payment(const orders::Order& order) {
    return world_->transact(
        [&](Tx& tx) { return payments::fetch_payment(tx, shop_.owner, order.payment_id); });
  }
  static void drain() {
    world_->run_jobs();
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

TEST_F(RefundsConcurrently, NeverGiveBackMoreThanWasPaid) {
  for (int round = 0; round < 10; ++round) {
    const auto order = world_->sell(shop_, 10'000);
    const auto some = [&] { world_->give_back(shop_, order, 4'000); };
    EXPECT_EQ(all_at_once({some, some, some, some}), 2);
    drain();
    EXPECT_EQ(payment(order).refunded, 8'000);
    EXPECT_EQ(payment(order).refunding, 0);
  }
}

TEST_F(RefundsConcurrently, MeetTheShipmentAndOneOfThemIsFirst) {
  for (int round = 0; round < 10; ++round) {
    const auto order = world_->sell(shop_, 10'000);
    const int refused = all_at_once(
        {[&] { world_->give_back(shop_, order); }, [&] { world_->ship(shop_, order); }});
    drain();
    const auto now =
        world_->transact([&](Tx& tx) { return orders::fetch(tx, shop_.owner, order.id); });
    EXPECT_EQ(now.state, refused == 1 ? orders::State::cancelled : orders::State::shipped);
    EXPECT_EQ(payment(order).state, payments::State::refunded);
  }
}

TEST_F(RefundsConcurrently, MeetThePayoutAndTheMoneyIsTakenFromWhereItIs) {
  int held = 0, released = 0;
  for (int round = 0; round < 8; ++round) {
    const auto order = world_->sell(shop_, 10'000);
    const auto payout = world_->ship(shop_, order).payout.value();
    world_->advance(6 * 24h);
    EXPECT_EQ(all_at_once({[&] { world_->give_back(shop_, order, 10'000); },
                           [&] { world_->pay_out(payout); }}),
              0);
    drain();
    const auto now =
        world_->transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, payout.id); });
    EXPECT_EQ(payment(order).state, payments::State::refunded);
    ++(now.state == payouts::State::cancelled ? held : released);
    if (now.state != payouts::State::cancelled) {
      EXPECT_EQ(now.state, payouts::State::paid);
    }
  }
  EXPECT_EQ(held + released, 8);
}

}  // namespace refunds_concurrent_test
}  // namespace bottega::test
