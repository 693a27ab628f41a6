// The main loop in the domain: asked, paid, sent, paid out, and the books balance.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace sale_test {

using namespace std::chrono_literals;

TEST(Sale, IsPaidSentAndPaidOutAndTheBooksBalance) {
  World world;
  const auto shop = world.shop();
  const auto request = world.ask(shop, 10'000);
  const auto accepted = world.pay(shop, request);
  ASSERT_EQ(accepted.payment.state, payments::State::captured);
  ASSERT_TRUE(accepted.order);
  const auto shipped = world.ship(shop, *accepted.order);
  EXPECT_EQ(shipped.payout->amount.amount, 10'000 - 320);
  EXPECT_EQ(shipped.payout->state, payouts::State::scheduled);
  world.run_jobs();
  EXPECT_EQ(world.books().size(), 1u) << "nothing is paid out before it is due";
  world.advance(7 * 24h);
  world.run_jobs();
  const auto paid =
      world.transact([&](Tx& tx) { return payouts::fetch(tx, shop.owner, shipped.payout->id); });
  EXPECT_EQ(paid.state, payouts::State::paid);
  EXPECT_EQ(world.books().size(), 2u);
  const auto balance = world.trial_balance();
  EXPECT_TRUE(balance.is_balanced) << (balance.faults.empty() ? "" : balance.faults.front());
}

}  // namespace sale_test
}  // namespace bottega::test
