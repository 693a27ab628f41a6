// Many at once: no piece is sold twice, and nobody waits in a circle.
#include <atomic>

#include "domain/catalog.hpp"
#include "support/at_once.hpp"

namespace bottega::test {
namespace catalog_concurrent_test {

using namespace catalog;

constexpr int kBuyers = 16;

class StockConcurrently : public Shelf {
 protected:
  void TearDown() override {
    EXPECT_EQ(world.db.load().retries, 0u) << "nobody waited in a circle";
  }
};

TEST_F(StockConcurrently, SellsExactlyWhatIsThere) {
  const auto id = counted("TEA-1", 10);
  std::atomic<int> sold = 0, told = 0;
  Acts acts;
  for (int i = 0; i < kBuyers; ++i)
    acts.emplace_back([&] {
      for (int turn = 0; turn < 4; ++turn) {
        const auto got = reserve({{id, 1}});
        if (got.lacking.empty())
          ++sold;
        else
          ++told;
      }
    });
  EXPECT_EQ(all_at_once(acts, {}), 0);
  EXPECT_EQ(sold.load(), 10);
  EXPECT_EQ(told.load(), 4 * kBuyers - 10);
  EXPECT_EQ(stock(id).reserved, 10);
}

// Half of them name the two the other way round.
TEST_F(StockConcurrently, SetsAsideSeveralThingsInAnyOrder) {
  const auto one = counted("TEA-1", 30), two = counted("TEA-2", 30);
  Acts acts;
  for (int i = 0; i < kBuyers; ++i)
    acts.emplace_back([&, i] {
      const std::vector<Item> items = i % 2 == 0 ? std::vector<Item>{{one, 1}, {two, 2}}
                                                 : std::vector<Item>{{two, 2}, {one, 1}};
      for (int turn = 0; turn < 10; ++turn) {
        const auto got = reserve(items);
        if (!got.lacking.empty()) continue;
        const bool paid = turn == 9 && i < 5;
        in([&](Tx& tx) {
          if (paid)
            take(tx, shop.merchant, got.held);
          else
            release(tx, shop.merchant, got.held);
        });
        if (paid) return;
      }
    });
  EXPECT_EQ(all_at_once(acts, {}), 0);
  const auto first = stock(one), second = stock(two);
  EXPECT_EQ(first.reserved, 0);
  EXPECT_EQ(second.reserved, 0);
  EXPECT_EQ(2 * (30 - *first.on_hand), 30 - *second.on_hand) << "the two go together";
}

TEST_F(StockConcurrently, TakesEditsOfOneProductOneAfterTheOther) {
  const auto product = make(tea("TEA-1"));
  Acts acts;
  for (int i = 0; i < kBuyers; ++i)
    acts.emplace_back([&, i] { change(product, {{"title", "Tea " + std::to_string(i)}}); });
  EXPECT_EQ(all_at_once(acts, {Code::precondition_failed}), kBuyers - 1);
  EXPECT_EQ(in([&](Tx& tx) { return fetch(tx, shop.owner, product.id); }).version, 2);
}

TEST_F(StockConcurrently, CountsWhileOthersBuy) {
  const auto id = counted("TEA-1", 0);
  std::atomic<std::int64_t> held = 0;
  Acts acts;
  for (int i = 0; i < kBuyers; ++i)
    acts.emplace_back([&, i] {
      if (i % 2 == 0) {
        const auto given = from_json<StockAdjustment>({{"delta", 3}, {"reason", "Delivery"}});
        in([&](Tx& tx) { return adjust_stock(tx, shop.owner, id, given); });
      } else if (reserve({{id, 2}}).lacking.empty()) {
        held += 2;
      }
    });
  EXPECT_EQ(all_at_once(acts, {}), 0);
  EXPECT_EQ(stock(id).on_hand, 3 * kBuyers / 2);
  EXPECT_EQ(stock(id).reserved, held.load());
}

}  // namespace catalog_concurrent_test
}  // namespace bottega::test
