// The revenue report: the same as the ledger's transfers added up by hand, whatever happened.
#include "bottega/ledger/revenue.hpp"

#include <gtest/gtest.h>

#include <random>

#include "support/world.hpp"

namespace bottega::test {
namespace revenue_test {

using namespace std::chrono_literals;
using ledger::Kind, ledger::RevenueRow, ledger::Why;
using std::chrono::days;

processors::SandboxOptions with_fees() {
  auto options = World::default_options();
  options.fee_basis_points = 150;
  return options;
}

// Far from the end of a day; answers the day.
Date go_to_noon(World& world) {
  const auto today = std::chrono::floor<days>(world.clock.now());
  world.clock.set_offset(world.clock.offset() + (today + days(1) + 12h - world.clock.now()));
  return today + days(1);
}

Date day_of(Instant at) { return std::chrono::floor<days>(at); }

ledger::Revenue report(World& world, Date from, Date until,
                       std::optional<identity::MerchantId> merchant = std::nullopt) {
  return world.transact([&](Tx& tx) { return ledger::revenue(tx, from, until, merchant); });
}

std::vector<ledger::Entry> history(World& world, const Shop& shop) {
  return world.transact([&](Tx& tx) {
    return ledger::history(tx, ledger::owner_of(shop.merchant), std::nullopt, 100'000);
  });
}

payments::Refund by_platform(World& world, const orders::Order& order, std::int64_t amount) {
  const auto given = from_json<payments::StaffRefund>(
      {{"amount", amount}, {"reason", "it was late"}, {"funded_by", "platform"}});
  const auto who = world.staff();
  return world.transact([&](Tx& tx) {
    return payments::give_back(tx, who, order.payment_id, given, world.payment_rules);
  });
}

// ---- a sale, day by day -------------------------------------------------------------------------

TEST(Revenue, OfASaleIsOnTheDaysOnWhichItMoved) {
  World world(with_fees());
  const auto first = go_to_noon(world);
  const auto shop = world.shop();
  const auto order = world.sell(shop, 10'000);
  by_platform(world, order, 500);
  world.run_jobs();
  world.ship(shop, order);
  world.advance(10 * 24h);
  world.run_jobs();
  const auto second = day_of(world.clock.now());
  world.give_back(shop, order, 2'500);
  world.run_jobs();
  const auto told = report(world, first, second);
  ASSERT_EQ(told.data.size(), 2u);
  ASSERT_EQ(told.totals.size(), 1u);
  const auto usd = parse_currency("USD");
  const RevenueRow sold{first, usd, 10'000, 1, 500, 0, 0, 500, 150, 0, -650};
  const RevenueRow paid_out{second, usd, 0, 0, 2'500, 320, 80, 0, 0, 0, 240};
  const RevenueRow both{std::nullopt, usd, 10'000, 1, 3'000, 320, 80, 500, 150, 0, -410};
  EXPECT_EQ(to_json(told.data[0]), to_json(sold));
  EXPECT_EQ(to_json(told.data[1]), to_json(paid_out));
  EXPECT_EQ(to_json(told.totals[0]), to_json(both));
  EXPECT_EQ(report(world, first, first).data.size(), 1u) << "both days are included";
  EXPECT_EQ(report(world, second, second).data.size(), 1u);
  EXPECT_TRUE(report(world, first - days(9), first - days(1)).data.empty());
  EXPECT_TRUE(report(world, first - days(9), first - days(1)).totals.empty());
  EXPECT_TRUE(report(world, first, second, identity::MerchantId::make()).data.empty());
}

TEST(Revenue, IsWithoutTheGoodwillThatCameBack) {
  World world;
  const auto first = go_to_noon(world);
  const auto shop = world.shop();
  const auto order = world.sell(shop, 10'000);
  by_platform(world, order, 500);
  world.run_jobs();
  world.cancel(shop, order);
  world.run_jobs();
  const auto told = report(world, first, first + days(1));
  ASSERT_EQ(told.totals.size(), 1u);
  EXPECT_EQ(told.totals[0].refunded, 10'000);
  EXPECT_EQ(told.totals[0].goodwill, 0);
  EXPECT_EQ(told.totals[0].net_revenue, 0);
}

TEST(Revenue, IsWithoutWhatIsPending) {
  World world;
  const auto first = go_to_noon(world);
  const auto shop = world.shop();
  const auto order = world.sell(shop, 10'000);
  const auto refund = world.give_back(shop, order, 1'017);  // done, and no answer comes
  world.run_jobs();
  EXPECT_EQ(report(world, first, first + days(1)).totals.at(0).refunded, 0);
  world.advance(6s);
  world.run_jobs();
  EXPECT_EQ(report(world, first, first + days(1)).totals.at(0).refunded, 1'017);
}

TEST(Revenue, OfACsvIsInTheDecimalsOfEachCurrency) {
  const Date day = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);
  const RevenueRow usd{day, parse_currency("USD"), 10'000, 1, 3'000, 320, 80, 500, 150, 0, -410};
  const RevenueRow jpy{day, parse_currency("JPY"), 500, 2, 0, 44, 0, 0, 0, 0, 44};
  const RevenueRow kwd{day, parse_currency("KWD"), 12'345, 1, 0, 5, 0, 0, 0, 0, 5};
  EXPECT_EQ(ledger::revenue_csv({day, day, {usd, jpy, kwd}, {}}),
            "day,currency,captured,captures,refunded,fees_earned,fees_returned,goodwill,"
            "processor_fees,losses,net_revenue\r\n"
            "2026-03-01,USD,100.00,1,30.00,3.20,0.80,5.00,1.50,0.00,-4.10\r\n"
            "2026-03-01,JPY,500,2,0,44,0,0,0,0,44\r\n"
            "2026-03-01,KWD,12.345,1,0.000,0.005,0.000,0.000,0.000,0.000,0.005\r\n");
}

// ---- random histories ---------------------------------------------------------------------------

using Sums = std::map<std::pair<std::string, std::string>, std::map<std::string, std::int64_t>>;

// Which of a row's sums a transfer counts in, and with which sign.
const std::map<Why, std::map<std::string, int>>& meanings() {
  static const std::map<Why, std::map<std::string, int>> rows = {
      {Why::capture, {{"captured", 1}}},
      {Why::processor_fee, {{"processor_fees", 1}, {"net_revenue", -1}}},
      {Why::refund, {{"refunded", 1}}},
      {Why::refund_fee, {{"refunded", 1}, {"fees_returned", 1}, {"net_revenue", -1}}},
      {Why::refund_balance, {{"refunded", 1}}},
      {Why::refund_advance, {{"refunded", 1}}},
      {Why::goodwill, {{"refunded", 1}, {"goodwill", 1}, {"net_revenue", -1}}},
      {Why::refund_return, {{"refunded", -1}}},
      {Why::refund_return_fee, {{"refunded", -1}, {"fees_returned", -1}, {"net_revenue", 1}}},
      {Why::refund_return_balance, {{"refunded", -1}}},
      {Why::refund_return_debt, {{"refunded", -1}}},
      {Why::refund_return_goodwill, {{"refunded", -1}, {"goodwill", -1}, {"net_revenue", 1}}},
      {Why::goodwill_return, {{"goodwill", -1}, {"net_revenue", 1}}},
      {Why::platform_fee, {{"fees_earned", 1}, {"net_revenue", 1}}}};
  return rows;
}

Sums by_hand(const std::vector<ledger::Entry>& entries, Date from, Date until) {
  Sums sums;
  for (const auto& entry : entries) {
    const auto found = meanings().find(entry.why);
    const auto day = day_of(entry.at);
    if (found == meanings().end() || entry.phase != ledger::Phase::posted) continue;
    if (day < from || day > until) continue;
    auto& row = sums[{text_of(day), text_of(entry.amount.currency)}];
    for (const auto& [name, sign] : found->second) row[name] += sign * entry.amount.amount;
    if (entry.why == Why::capture) ++row["captures"];
  }
  for (auto& [key, row] : sums) std::erase_if(row, [](const auto& sum) { return sum.second == 0; });
  return sums;
}

Sums as_told(const std::vector<RevenueRow>& rows) {
  Sums sums;
  for (const auto& row : rows) {
    auto& sum = sums[{text_of(row.day.value()), text_of(row.currency)}];
    const auto json = to_json(row);
    for (const auto& [name, value] : json.items())
      if (value.is_number() && value != 0) sum[name] = value;
  }
  return sums;
}

class RevenueHistories : public ::testing::TestWithParam<unsigned> {
 protected:
  RevenueHistories() : world_(with_fees()), random_(GetParam()) {
    for (const auto* currency : {"USD", "JPY", "USD"})
      shops_.push_back({world_.shop(currency), currency});
  }
  struct Stand {
    Shop shop;
    std::string currency;
  };

  int die(int sides) { return std::uniform_int_distribution<>(0, sides - 1)(random_); }
  void step() {
    const auto& stand = shops_[static_cast<std::size_t>(die(3))];
    const int what = die(8);
    if (what < 3 || orders_.empty()) {
      const auto request = world_.ask(stand.shop, 200 + die(50'000), stand.currency);
      orders_.push_back({stand.shop, world_.pay(stand.shop, request).order.value()});
      return;
    }
    const auto& [shop, order] = orders_[static_cast<std::size_t>(die(std::ssize(orders_)))];
    const auto amount = 1 + die(static_cast<int>(order.total.amount));
    attempt([&] {
      if (what == 3) world_.give_back(shop, order, amount);
      if (what == 4) by_platform(world_, order, amount);
      if (what == 5) world_.cancel(shop, order);
      if (what == 6) world_.ship(shop, order);
    });
    if (what == 7) world_.advance(std::chrono::hours(1 + die(60)));
    world_.run_jobs();
  }
  int die(std::ptrdiff_t sides) { return die(static_cast<int>(sides)); }
  std::vector<ledger::Entry> everything() {
    std::vector<ledger::Entry> all;
    for (const auto& stand : shops_)
      for (const auto& entry : history(world_, stand.shop)) all.push_back(entry);
    return all;
  }

  World world_;
  std::mt19937 random_;
  std::vector<Stand> shops_;
  std::vector<std::pair<Shop, orders::Order>> orders_;
};

TEST_P(RevenueHistories, AreTheSumsOfTheirTransfers) {
  const auto first = day_of(world_.clock.now());
  for (int i = 0; i < 60; ++i) step();
  for (int day = 0; day < 12; ++day) {
    world_.advance(24h);
    world_.run_jobs();
  }
  const auto last = day_of(world_.clock.now());
  const auto all = everything();
  const auto told = report(world_, first, last);
  EXPECT_EQ(as_told(told.data), by_hand(all, first, last));
  EXPECT_GE(told.data.size(), 4u) << "the walk must have gone somewhere";
  const auto later = first + days(3), sooner = last - days(3);
  EXPECT_EQ(as_told(report(world_, later, sooner).data), by_hand(all, later, sooner));
  for (const auto& stand : shops_)
    EXPECT_EQ(as_told(report(world_, first, last, stand.shop.merchant).data),
              by_hand(history(world_, stand.shop), first, last));
  // What was earned is what the accounts hold.
  std::map<std::string, std::int64_t> net;
  for (const auto& row : world_.trial_balance().accounts)
    if (row.kind == Kind::platform_fees || row.kind == Kind::goodwill ||
        row.kind == Kind::processor_fees)
      net[row.currency] += row.credits - row.debits;
  ASSERT_EQ(told.totals.size(), net.size());
  for (const auto& row : told.totals) {
    EXPECT_FALSE(row.day);
    EXPECT_EQ(row.net_revenue, net[text_of(row.currency)]) << text_of(row.currency);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RevenueHistories, ::testing::Values(1u),
                         [](const auto& row) { return "Seed" + std::to_string(row.param); });

}  // namespace revenue_test
}  // namespace bottega::test
