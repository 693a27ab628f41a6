// Withdrawing from a contract: what it means, that it is declared once, and until when.
#include "domain/support.hpp"
#include "bottega/pricing/settings.hpp"

namespace bottega::test {
namespace support_withdrawal_test {

using namespace std::chrono_literals;
using support::ContractWithdrawal;

class Withdrawing : public SupportTest {
 protected:
  static ContractWithdrawal withdraw(const Who& who, const orders::Order& order,
                                     std::optional<bool> confirm = std::nullopt) {
    return in([&](Tx& tx) { return support::withdraw(tx, who, order.id, {confirm}); });
  }
  void promise(std::int64_t days) const {
    pricing::NewCheckoutSettings given;
    given.withdrawal_days = Count<0, 365>{days};
    in([&](Tx& tx) { return pricing::set_settings(tx, shop.owner, shop.merchant, given); });
  }
  void deliver(const orders::Order& order) const {
    world->ship(shop, order);
    in([&](Tx& tx) { return orders::deliver(tx, orders::lock(tx, shop.merchant, order.id)); });
  }
};

TEST_F(Withdrawing, SaysFirstWhatItMeansAndChangesNothing) {
  const auto order = world->sell(shop);
  const auto before = log().size();
  for (const auto& confirm : {std::optional<bool>(), std::optional(false)}) {
    const auto offer = withdraw(shop.buyer, order, confirm);
    EXPECT_FALSE(offer.is_declared);
    EXPECT_EQ(offer.refund, order.total);
    EXPECT_EQ(offer.until, std::nullopt) << "nothing was delivered";
    EXPECT_NE(offer.content.find(order.number), std::string::npos);
    EXPECT_EQ(offer.declared_at, std::nullopt);
  }
  EXPECT_EQ(log().size(), before);
}

TEST_F(Withdrawing, IsDeclaredOnceAndToldWithItsDateAndWords) {
  const auto order = world->sell(shop);
  const auto declared = withdraw(shop.buyer, order, true);
  EXPECT_TRUE(declared.is_declared);
  ASSERT_TRUE(declared.declared_at);
  EXPECT_NE(declared.content.find(text_of(*declared.declared_at)), std::string::npos);
  const auto entries = log();
  EXPECT_EQ(entries.back().event, "order.withdrawn");
  EXPECT_EQ(entries.back().data["withdrawal"]["content"], declared.content);
  EXPECT_EQ(entries.back().data["order"]["id"], text_of(order.id));
  EXPECT_FALSE(entries.back().data["order"].contains("ship_to"));
  const auto made = seen_by(shop.owner, declared.case_id.value());
  EXPECT_EQ(made.subject, support::Subject::withdrawal);
  EXPECT_EQ(made.order_id, order.id);
  for (const auto& confirm : {std::optional<bool>(), std::optional(true)}) {
    const auto again = withdraw(shop.buyer, order, confirm);
    EXPECT_EQ(again.content, declared.content);
    EXPECT_EQ(again.declared_at, declared.declared_at);
  }
  EXPECT_EQ(log().size(), entries.size());
}

TEST_F(Withdrawing, IsSeenByWhoeverSendsTheOrder) {
  const auto order = world->sell(shop);
  withdraw(shop.buyer, order);
  const auto read = [&] {
    return in([&](Tx& tx) { return orders::fetch(tx, shop.owner, order.id); });
  };
  EXPECT_FALSE(read().withdrawn_at);
  const auto declared = withdraw(shop.buyer, order, true);
  EXPECT_EQ(read().withdrawn_at, declared.declared_at);
  EXPECT_EQ(log().back().data["order"]["withdrawn_at"], text_of(*declared.declared_at));
  const auto sent = world->ship(shop, order);
  ASSERT_FALSE(sent.warnings.empty());
  EXPECT_TRUE(sent.warnings.back().starts_with("the buyer withdrew from the contract on "));
  EXPECT_EQ(sent.order.withdrawn_at, declared.declared_at);
}

TEST_F(Withdrawing, StandsBesideAnotherCaseAboutTheOrder) {
  const auto order = world->sell(shop);
  const auto made = open_about(order);
  EXPECT_NE(withdraw(shop.buyer, order, true).case_id, made.id);
}

TEST_F(Withdrawing, IsPossibleUntilFourteenDaysAfterTheDayOfDelivery) {
  const auto order = world->sell(shop);
  deliver(order);
  const auto until = withdraw(shop.buyer, order).until.value();
  set_time(until - 1min);
  EXPECT_TRUE(withdraw(shop.buyer, order, true).is_declared);
  set_time(until + 1min);
  EXPECT_TRUE(withdraw(shop.buyer, order).is_declared) << "what was declared stays so";
}

TEST_F(Withdrawing, IsPossibleForAsLongAsTheShopSays) {
  const auto order = world->sell(shop);
  deliver(order);
  promise(30);
  world->advance(std::chrono::days(20));
  EXPECT_TRUE(withdraw(shop.buyer, order).until);
  world->advance(std::chrono::days(12));
  EXPECT_EQ(code_of([&] { withdraw(shop.buyer, order, true); }), Code::conflict);
  promise(0);
  const auto other = world->sell(shop);
  EXPECT_EQ(code_of([&] { withdraw(shop.buyer, other); }), Code::conflict)
      << "a shop outside of the European Union, and an address there";
  promise(14);
  EXPECT_TRUE(withdraw(shop.buyer, other, true).is_declared);
  promise(0);
  EXPECT_TRUE(withdraw(shop.buyer, other).is_declared);
}

TEST_F(Withdrawing, IsTooLateAfterThatAndForWhatIsCancelled) {
  const auto late = world->sell(shop), cancelled = world->sell(shop);
  deliver(late);
  world->cancel(shop, cancelled);
  EXPECT_EQ(code_of([&] { withdraw(shop.buyer, cancelled, true); }), Code::conflict);
  world->advance(std::chrono::days(15));
  EXPECT_EQ(code_of([&] { withdraw(shop.buyer, late, true); }), Code::conflict);
  EXPECT_EQ(code_of([&] { withdraw(shop.buyer, late); }), Code::conflict);
}

TEST_F(Withdrawing, IsTheBuyersAlone) {
  const auto order = world->sell(shop);
  for (const auto& who : {shop.owner, world->person(), world->staff()})
    EXPECT_EQ(code_of([&] { withdraw(who, order, true); }), Code::not_found);
}

}  // namespace support_withdrawal_test
}  // namespace bottega::test
