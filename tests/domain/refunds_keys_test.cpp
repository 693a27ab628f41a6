// What API keys may give back: ending an unsent order takes the scope for orders too.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace refunds_keys_test {

TEST(RefundKeys, GiveBackAllOfAnUnsentOrderOnlyWhereTheyMayCancelIt) {
  World world;
  const auto shop = world.shop();
  const auto order = world.sell(shop, 10'000);
  const auto key = world.key_with(shop, identity::Scope::payments);
  const auto give = [&](const std::string& amount) {
    return code_of([&] {
      world.transact([&](Tx& tx) {
        const payments::NewRefund one{from_text<Count<1, kAmountMax>>(amount),
                                      from_text<Text<1, 255>>("why not")};
        payments::give_back(tx, key, order.payment_id, one, world.payment_rules);
      });
    });
  };
  const auto state = [&] {
    return world.transact([&](Tx& tx) { return orders::fetch(tx, shop.owner, order.id).state; });
  };
  EXPECT_EQ(give("10000"), Code::forbidden);
  EXPECT_FALSE(give("9999"));
  EXPECT_EQ(give("1"), Code::forbidden) << "that is all that is left";
  EXPECT_EQ(state(), orders::State::paid);
  world.run_jobs();
  world.ship(shop, order);
  EXPECT_FALSE(give("1")) << "what was sent stays an order";
}

}  // namespace refunds_keys_test
}  // namespace bottega::test
