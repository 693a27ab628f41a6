// The ledger: a cause is posted once, accounts are never overdrawn, and the books balance after any
// history.
#include "bottega/ledger/ledger.hpp"

#include <gtest/gtest.h>

#include <future>
#include <random>

#include "domain/ledger.hpp"

namespace bottega::test {
namespace ledger_test {

using ledger::Kind, ledger::Transfer, ledger::Why;

class Ledger : public LedgerOfOne {
 protected:
  // Debits and credits as "kind currency debits/credits".
  std::string balances() const {
    std::string text;
    for (const auto& row : balances_of_owner())
      text += text_of(row.kind) + ' ' + row.currency + ' ' + std::to_string(row.debits) + '/' +
              std::to_string(row.credits) + "; ";
    return text;
  }
  std::vector<ledger::Entry> history(std::optional<ledger::TransferId> after = std::nullopt,
                                     std::int64_t limit = 100) const {
    return world->transact(
        [&](Tx& tx) { return ledger::history(tx, ledger::owner_of(owner), after, limit); });
  }
};

TEST_F(Ledger, ATransferDebitsOneAccountAndCreditsTheOther) {
  post(capture(1250));
  EXPECT_EQ(balances(), "held USD 0/1250; processor_clearing USD 1250/0; ");
}

TEST_F(Ledger, TheSameCauseIsPostedOnce) {
  const auto once = capture(1250);
  for (int i = 0; i < 3; ++i) post(once);
  world->transact([&](Tx& tx) {
    ledger::post(tx, once);
    ledger::post(tx, once);
  });
  EXPECT_EQ(history().size(), 1u);
  EXPECT_EQ(balances(), "held USD 0/1250; processor_clearing USD 1250/0; ");
}

TEST_F(Ledger, OneThingMayBeTheCauseOfDifferentTransfers) {
  const auto first = capture(1000);
  auto second = transfer(Why::platform_fee, Kind::held, Kind::platform_fees, 100);
  second.about = first.about;
  post(first);
  post(second);
  EXPECT_EQ(history().size(), 2u);
}

TEST_F(Ledger, AnotherTransferForTheSameCauseIsRefused) {
  const auto first = capture(1250);
  post(first);
  auto amount = first, currency = first, sides = first, other_owner = first;
  amount.amount.amount = 1251;
  currency.amount.currency = from_text<Currency>("EUR");
  sides.credit.kind = Kind::merchant_payable;
  other_owner.credit.owner = ledger::OwnerId::make();
  for (const auto& other : {amount, currency, sides, other_owner})
    EXPECT_EQ(code_of([&] { post(other); }), Code::internal);
  EXPECT_EQ(history().size(), 1u);
  EXPECT_EQ(balances(), "held USD 0/1250; processor_clearing USD 1250/0; ");
}

TEST_F(Ledger, ConcurrentPostsOfOneCauseMoveTheMoneyOnce) {
  const auto once = capture(700);
  std::vector<std::future<void>> posts;
  for (int i = 0; i < 8; ++i) posts.push_back(std::async(std::launch::async, [&] { post(once); }));
  for (auto& one : posts) one.get();
  EXPECT_EQ(history().size(), 1u);
  EXPECT_EQ(balances(), "held USD 0/700; processor_clearing USD 700/0; ");
}

TEST_F(Ledger, ConcurrentTransfersBothWaysNeitherLoseMoneyNorDeadlock) {
  post(capture(1000));
  std::vector<std::future<void>> posts;
  for (int i = 0; i < 8; ++i)
    posts.push_back(std::async(std::launch::async, [&, i] {
      for (int n = 0; n < 5; ++n)
        post(i % 2 == 0 ? capture(10)
                        : transfer(Why::refund, Kind::held, Kind::processor_clearing, 10));
    }));
  for (auto& one : posts) one.get();
  EXPECT_EQ(balances(), "held USD 200/1200; processor_clearing USD 1200/200; ");
}

struct Bad {
  const char* name;
  std::int64_t amount;
  Kind debit, credit;
};
class BadTransfer : public Ledger, public testing::WithParamInterface<Bad> {};

TEST_P(BadTransfer, IsRefusedByTheDatabaseAndChangesNothing) {
  post(capture(1000));
  const auto before = balances();
  const auto& bad = GetParam();
  EXPECT_EQ(code_of([&] { post(transfer(Why::release, bad.debit, bad.credit, bad.amount)); }),
            Code::internal);
  EXPECT_EQ(balances(), before);
  EXPECT_EQ(history().size(), 1u);
}
INSTANTIATE_TEST_SUITE_P(
    Ledger, BadTransfer,
    testing::Values(
        Bad{"OfNothing", 0, Kind::held, Kind::merchant_payable},
        Bad{"OfANegativeAmount", -5, Kind::held, Kind::merchant_payable},
        Bad{"ToItself", 5, Kind::held, Kind::held},
        Bad{"OfMoreThanIsHeld", 1001, Kind::held, Kind::merchant_payable},
        Bad{"OfAShareThatIsNotThere", 1, Kind::merchant_payable, Kind::processor_clearing},
        Bad{"OfFeesThatWereNotTaken", 1, Kind::platform_fees, Kind::held},
        Bad{"OfMoreThanTheProcessorHas", 1001, Kind::platform_fees, Kind::processor_clearing},
        Bad{"BeyondSixtyFourBits", std::numeric_limits<std::int64_t>::max(),
            Kind::processor_clearing, Kind::held}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(Ledger, TheLastUnitMayLeaveAnAccount) {
  post(capture(1000));
  post(transfer(Why::release, Kind::held, Kind::merchant_payable, 1000));
  EXPECT_EQ(balances(),
            "held USD 1000/1000; merchant_payable USD 0/1000; processor_clearing USD 1000/0; ");
}

TEST_F(Ledger, AnotherCurrencysMoneyPaysNothing) {
  post(capture(1000, "EUR"));
  EXPECT_EQ(
      code_of([&] { post(transfer(Why::release, Kind::held, Kind::merchant_payable, 1, "USD")); }),
      Code::internal);
  post(transfer(Why::release, Kind::held, Kind::merchant_payable, 1, "EUR"));
  EXPECT_EQ(balances(),
            "held EUR 1/1000; merchant_payable EUR 0/1; processor_clearing EUR 1000/0; ");
}

TEST_F(Ledger, AnotherMerchantsMoneyPaysNothing) {
  post(capture(1000));
  auto foreign = transfer(Why::release, Kind::held, Kind::merchant_payable, 1);
  foreign.debit.owner = ledger::OwnerId::make();
  EXPECT_EQ(code_of([&] { post(foreign); }), Code::internal);
}

TEST_F(Ledger, ARolledBackTransferIsNotThere) {
  EXPECT_THROW(world->transact([&](Tx& tx) {
    ledger::post(tx, capture(1000));
    throw Error(Code::conflict, "after all not");
  }),
               Error);
  EXPECT_EQ(balances(), "");
  EXPECT_TRUE(history().empty());
}

TEST_F(Ledger, HistoryIsInOrderAndPagesWithoutGapOrRepeat) {
  std::vector<std::int64_t> amounts;
  for (std::int64_t amount = 1; amount <= 7; ++amount) post(capture(amount));
  std::optional<ledger::TransferId> after;
  for (auto page = history(after, 3); !page.empty(); page = history(after, 3)) {
    EXPECT_LE(page.size(), 3u);
    for (const auto& entry : page) amounts.push_back(entry.amount.amount);
    after = page.back().id;
  }
  EXPECT_EQ(amounts, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7}));
  const auto first = history().front();
  EXPECT_EQ(first.why, Why::capture);
  EXPECT_EQ(first.debit_kind, Kind::processor_clearing);
  EXPECT_EQ(first.credit_kind, Kind::held);
  EXPECT_EQ(text_of(first.amount.currency), "USD");
}

class LedgerHistories : public Ledger, public testing::WithParamInterface<unsigned> {};

// Any sequence of transfers, the refused ones included, leaves books that balance.
TEST_P(LedgerHistories, BalanceInEveryCurrency) {
  std::mt19937 random(GetParam());
  const auto pick = [&](int most) {
    return static_cast<int>(random() % static_cast<unsigned>(most));
  };
  std::map<std::pair<Kind, std::string>, std::int64_t> expected;
  int taken = 0;
  for (int step = 0; step < 60; ++step) {
    const auto debit = static_cast<Kind>(pick(9)), credit = static_cast<Kind>(pick(9));
    const std::string currency = std::array{"USD", "JPY", "BHD"}[static_cast<std::size_t>(pick(3))];
    const std::int64_t amount = 1 + pick(500);
    if (code_of([&] { post(transfer(Why::capture, debit, credit, amount, currency)); })) continue;
    ++taken;
    expected[{debit, currency}] += amount;
    expected[{credit, currency}] -= amount;
  }
  EXPECT_GT(taken, 3) << "seed " << GetParam();
  std::map<std::string, std::int64_t> sums;
  for (const auto& row : balances_of_owner()) {
    const auto net = row.debits - row.credits;
    EXPECT_EQ(net, (expected[{row.kind, row.currency}])) << text_of(row.kind);
    const bool is_asset = row.kind == Kind::processor_fees || row.kind == Kind::merchant_debt ||
                          row.kind == Kind::goodwill || row.kind == Kind::wallet_debt ||
                          row.kind == Kind::losses;
    if (row.kind != Kind::processor_clearing) {
      EXPECT_TRUE(is_asset ? net >= 0 : net <= 0) << text_of(row.kind);
    }
    sums[row.currency] += net;
  }
  for (const auto& [currency, sum] : sums) EXPECT_EQ(sum, 0) << currency;
  EXPECT_TRUE(world->trial_balance().is_balanced);
}
INSTANTIATE_TEST_SUITE_P(Seeds, LedgerHistories, testing::Range(1u, 7u));

TEST(LedgerAudit, FindsABalanceThatIsNotTheSumOfItsTransfers) {
  World world;
  const auto shop = world.shop();
  world.sell(shop, 5000);
  EXPECT_TRUE(world.trial_balance().is_balanced);
  // As a superuser could who turned the triggers off.
  execute(world.urls.superuser,
          "SET session_replication_role = replica; UPDATE bottega.ledger_accounts "
          "SET credits = credits + 1 WHERE kind = 'held'");
  const auto balance = world.trial_balance();
  EXPECT_FALSE(balance.is_balanced);
  ASSERT_EQ(balance.faults.size(), 2u);
  EXPECT_NE(balance.faults[0].find("differ by -1 (pending: 0) in USD"), std::string::npos)
      << balance.faults[0];
  EXPECT_NE(balance.faults[1].find("account held"), std::string::npos) << balance.faults[1];
}

TEST(LedgerAudit, FindsATransferThatWasRemoved) {
  World world;
  const auto shop = world.shop();
  world.sell(shop, 5000);
  execute(world.urls.superuser,
          "SET session_replication_role = replica; DELETE FROM bottega.ledger_transfers");
  EXPECT_FALSE(world.trial_balance().is_balanced);
}

}  // namespace ledger_test
}  // namespace bottega::test
