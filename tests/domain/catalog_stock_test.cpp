// The stock: what people count, and what a sale sets aside, takes and gives back.
#include "domain/catalog.hpp"

namespace bottega::test {
namespace catalog_stock_test {

using namespace catalog;

class Stocks : public Shelf {
 protected:
  Stock adjust(VariantId id, std::int64_t delta, const std::string& reason = "Found") {
    const auto given = from_json<StockAdjustment>({{"delta", delta}, {"reason", reason}});
    return in([&](Tx& tx) { return adjust_stock(tx, shop.owner, id, given); });
  }
  Stock uncount(VariantId id) {
    return in([&](Tx& tx) { return set_stock(tx, shop.owner, id, CountedStock{}); });
  }
  void release(const std::vector<Item>& held) {
    in([&](Tx& tx) { catalog::release(tx, shop.merchant, held); });
  }
  void take(const std::vector<Item>& held) {
    in([&](Tx& tx) { catalog::take(tx, shop.merchant, held); });
  }
  void put_back(const std::vector<Item>& held) {
    in([&](Tx& tx) { catalog::put_back(tx, shop.merchant, held); });
  }
  void expect(VariantId id, std::int64_t on_hand, std::int64_t reserved) {
    const auto now = stock(id);
    EXPECT_EQ(now.on_hand, on_hand);
    EXPECT_EQ(now.reserved, reserved);
    EXPECT_EQ(now.left, on_hand - reserved);
  }
};

TEST_F(Stocks, AreCountedByPeopleWhoSayWhy) {
  const auto id = published(tea("TEA-1")).variants[0].id;
  EXPECT_EQ(stock(id).on_hand, std::nullopt) << "nobody counts it";
  EXPECT_EQ(code_of([&] { adjust(id, 1); }), Code::conflict);
  count(id, 10);
  adjust(id, -3, "Broken");
  expect(id, 7, 0);
  EXPECT_EQ(code_of([&] { adjust(id, -8); }), Code::conflict);
  expect(id, 7, 0);
  uncount(id);
  EXPECT_EQ(stock(id).on_hand, std::nullopt);
  const auto rows = in([&](Tx& tx) { return stock_changes(tx, shop.owner, id, std::nullopt, 10); });
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].on_hand, std::nullopt);
  EXPECT_EQ(rows[0].delta, -7);
  EXPECT_EQ(rows[1].delta, -3);
  EXPECT_EQ(rows[1].on_hand, 7);
  EXPECT_EQ(rows[1].reason, "Broken");
  EXPECT_EQ(rows[1].changed_by, shop.owner.actor());
  EXPECT_EQ(rows[2].delta, 10);
  const auto rest = in([&](Tx& tx) { return stock_changes(tx, shop.owner, id, rows[1].id, 10); });
  EXPECT_EQ(rest.size(), 1u);
}

TEST_F(Stocks, AreTheShopsOwnBusiness) {
  const auto id = counted("TEA-1", 5);
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { return fetch_stock(tx, shop.buyer, id); }); }),
            Code::not_found);
  const auto agent = world.member(shop, identity::Role::agent);
  EXPECT_EQ(in([&](Tx& tx) { return fetch_stock(tx, agent, id); }).on_hand, 5);
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { return set_stock(tx, agent, id, CountedStock{}); }); }),
            Code::forbidden);
}

TEST_F(Stocks, OfChangesAreNeverChanged) {
  counted("TEA-1", 5);
  for (const auto* act : {"UPDATE stock_changes SET reason = 'x'", "DELETE FROM stock_changes"})
    EXPECT_THROW(execute(world.urls.app, "SET search_path = bottega; " + std::string(act)),
                 std::exception)
        << act;
}

TEST_F(Stocks, AreSetAsideThenSoldOrThereAgain) {
  const auto id = counted("TEA-1", 5);
  const auto first = reserve({{id, 2}}), second = reserve({{id, 3}});
  EXPECT_TRUE(first.lacking.empty());
  ASSERT_EQ(first.held.size(), 1u);
  EXPECT_EQ(first.held[0].quantity, 2);
  expect(id, 5, 5);
  const auto third = reserve({{id, 1}});
  ASSERT_EQ(third.lacking.size(), 1u);
  EXPECT_EQ(third.lacking[0].left, 0);
  EXPECT_TRUE(third.held.empty());
  take(first.held);
  expect(id, 3, 3);
  release(second.held);
  expect(id, 3, 0);
  put_back(first.held);
  expect(id, 5, 0);
}

TEST_F(Stocks, AreSetAsideAllTogetherOrNotAtAll) {
  const auto one = counted("TEA-1", 5), two = counted("TEA-2", 1), three = counted("TEA-3", 0);
  const auto got = reserve({{one, 2}, {two, 2}, {three, 1}});
  EXPECT_TRUE(got.held.empty());
  ASSERT_EQ(got.lacking.size(), 2u) << "each that lacks is told";
  for (const auto& lack : got.lacking) EXPECT_EQ(lack.left, lack.variant_id == two ? 1 : 0);
  for (const auto& [id, on_hand] : {std::pair(one, 5), std::pair(two, 1), std::pair(three, 0)})
    expect(id, on_hand, 0);
}

TEST_F(Stocks, OfAVariantThatIsNamedTwiceAreAddedUp) {
  const auto id = counted("TEA-1", 3);
  EXPECT_EQ(reserve({{id, 2}, {id, 2}}).lacking.size(), 1u);
  EXPECT_TRUE(reserve({{id, 2}, {id, 1}}).lacking.empty());
  expect(id, 3, 3);
}

TEST_F(Stocks, ThatNobodyCountsAreAlwaysThere) {
  const auto id = published(tea("TEA-1")).variants[0].id;
  const auto got = reserve({{id, 9'999}});
  EXPECT_TRUE(got.lacking.empty());
  EXPECT_TRUE(got.held.empty());
  EXPECT_EQ(stock(id).on_hand, std::nullopt);
}

TEST_F(Stocks, OfWhatIsSoldBeforeItIsThereAreTakenAsFarAsTheyGo) {
  auto body = tea("TEA-1");
  body["variants"][0]["availability"] = "backorder";
  const auto id = published(body).variants[0].id;
  count(id, 2);
  const auto got = reserve({{id, 5}});
  EXPECT_TRUE(got.lacking.empty());
  ASSERT_EQ(got.held.size(), 1u);
  EXPECT_EQ(got.held[0].quantity, 2);
  EXPECT_TRUE(reserve({{id, 5}}).lacking.empty());
  EXPECT_TRUE(offer(id)->has(100));
  take(got.held);
  expect(id, 0, 0);
}

TEST_F(Stocks, AreNotCountedBelowWhatIsBeingPaidFor) {
  const auto id = counted("TEA-1", 5);
  const auto held = reserve({{id, 3}}).held;
  EXPECT_EQ(code_of([&] { count(id, 2); }), Code::conflict);
  EXPECT_EQ(code_of([&] { adjust(id, -3); }), Code::conflict);
  adjust(id, -2);
  expect(id, 3, 3);
  // What is counted anew would not know of it.
  EXPECT_EQ(code_of([&] { uncount(id); }), Code::conflict);
  release(held);
  uncount(id);
  count(id, 1);
  expect(id, 1, 0);
}

TEST_F(Stocks, KeepAVariantThatSomebodyIsPayingFor) {
  auto body = tea("TEA-1");
  body["option_names"] = {"size"};
  body["variants"][0]["options"] = {"100 g"};
  body["variants"].push_back({{"sku", "TEA-2"}, {"options", {"200 g"}}});
  const auto product = published(body);
  const auto id = product.variants[1].id;
  count(id, 5);
  const auto held = reserve({{id, 1}}).held;
  const auto remove_it = [&] {
    in([&](Tx& tx) { return remove_variant(tx, shop.owner, id, product.version); });
  };
  EXPECT_EQ(code_of(remove_it), Code::conflict);
  release(held);
  EXPECT_EQ(code_of(remove_it), std::nullopt);
  release(held);  // and whatever is gone is no fault
}

TEST_F(Stocks, OfNothingAreNothing) {
  EXPECT_TRUE(reserve({}).lacking.empty());
  release({});
  take({});
  put_back({});
  EXPECT_EQ(code_of([&] { stock(VariantId::make()); }), Code::not_found);
}

}  // namespace catalog_stock_test
}  // namespace bottega::test
