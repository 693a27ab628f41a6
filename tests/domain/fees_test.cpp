// What the platform takes: by the plan in force when the money is captured, and never again by
// another.
#include "bottega/identity/fees.hpp"

#include <gtest/gtest.h>

#include "payments/rows.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace fees_test {

using namespace std::chrono_literals;
using identity::StaffFeePlan;

class FeePlans : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { shop_ = world_->shop(); }

  static Instant now() { return world_->clock.now(); }
  static Instant midnight_in(int days) {
    return std::chrono::floor<std::chrono::days>(now()) + std::chrono::days(days);
  }
  static void go_to(Instant time) {
    world_->clock.set_offset(world_->clock.offset() + (time - world_->clock.now()));
  }

  StaffFeePlan add(const Json& plan) const {
    auto given = plan;
    given["reason"] = "they sell a lot";
    const auto body = from_json<identity::NewFeePlan>(given);
    const auto who = world_->staff(identity::StaffRole::finance);
    return world_->transact(
        [&](Tx& tx) { return identity::add_fee_plan(tx, who, shop_.merchant, body); });
  }
  StaffFeePlan add(std::int64_t basis_points, std::int64_t fixed) const {
    return add({{"basis_points", basis_points}, {"fixed", fixed}});
  }
  StaffFeePlan add_from(Instant start, std::int64_t basis_points,
                        const Json& currency = nullptr) const {
    return add({{"currency", currency},
                {"basis_points", basis_points},
                {"fixed", 0},
                {"effective_from", text_of(start)}});
  }
  std::int64_t rate(const std::string& currency) const {
    return world_
        ->transact([&](Tx& tx) {
          return identity::fee_rate(tx, shop_.merchant, parse_currency(currency));
        })
        .basis_points;
  }
  std::vector<StaffFeePlan> plans() const {
    return world_->transact(
        [&](Tx& tx) { return identity::list_fee_plans(tx, shop_.merchant, std::nullopt, 100); });
  }
  std::vector<std::int64_t> in_force() const {
    std::vector<std::int64_t> points;
    for (const auto& plan : plans())
      if (plan.in_force) points.push_back(plan.basis_points);
    return points;
  }
  std::int64_t fee_of(const orders::Order& order) const {
    return world_->transact([&](Tx& tx) { return orders::share_of(tx, shop_.merchant, order.id); })
        .fee;
  }

  static inline std::unique_ptr<World> world_;
  Shop shop_;
};

TEST_F(FeePlans, BeginWithTheOneOfTheDayThatTheMerchantCame) {
  const auto all = plans();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].basis_points, 290);
  EXPECT_EQ(all[0].fixed, 30);
  EXPECT_EQ(all[0].currency, std::nullopt);
  EXPECT_EQ(all[0].created_by, "system");
  EXPECT_TRUE(all[0].in_force);
  const auto merchant =
      world_->transact([&](Tx& tx) { return identity::fetch_merchant(tx, shop_.merchant); });
  EXPECT_EQ(all[0].effective_from, merchant.created_at);
}

TEST_F(FeePlans, ApplyAtOnceWhereTheyNameNoDay) {
  const auto made = add(100, 5);
  EXPECT_TRUE(made.in_force);
  EXPECT_EQ(made.reason, "they sell a lot");
  EXPECT_TRUE(made.created_by.starts_with("usr_")) << made.created_by;
  EXPECT_EQ(fee_of(world_->sell(shop_, 10'000)), 105);
  ASSERT_EQ(plans().size(), 2u);
  EXPECT_EQ(plans()[0].id, made.id) << "the latest first";
  EXPECT_EQ(in_force(), std::vector<std::int64_t>{100});
  const auto shown = made.for_merchant();
  EXPECT_EQ(shown.id, made.id);
  EXPECT_EQ(shown.fixed, 5);
}

// Plans as they are made, and what applies on which day.
struct Dated {
  int day;
  const char* currency;  // none: every one
  std::int64_t basis_points;
};
struct DatedRow {
  const char* name;
  std::vector<Dated> plans, expected;
  friend std::ostream& operator<<(std::ostream& out, const DatedRow& row) {
    return out << row.name;
  }
};
class DatedPlans : public FeePlans, public ::testing::WithParamInterface<DatedRow> {};

TEST_P(DatedPlans, ApplyFromTheirDayOnTheNewestFirstAndOfOneDayTheOneOfTheCurrency) {
  const auto start = midnight_in(1);
  const auto on = [&](int day) { return start + std::chrono::days(day); };
  for (const auto& plan : GetParam().plans)
    add_from(on(plan.day), plan.basis_points,
             plan.currency == nullptr ? Json(nullptr) : Json(plan.currency));
  int last = -1;
  for (const auto& row : GetParam().expected) {
    if (row.day != last) go_to(on(row.day) + 1s);
    last = row.day;
    EXPECT_EQ(rate(row.currency), row.basis_points) << row.currency << " on day " << row.day;
    if (std::string(row.currency) == "USD") {
      EXPECT_EQ(in_force(), std::vector<std::int64_t>{row.basis_points}) << row.day;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, DatedPlans,
    ::testing::Values(
        DatedRow{"None", {}, {{0, "USD", 290}, {0, "JPY", 290}}},
        DatedRow{
            "ForAll", {{1, nullptr, 100}}, {{0, "USD", 290}, {1, "USD", 100}, {1, "JPY", 100}}},
        DatedRow{"ForOne", {{1, "USD", 200}}, {{0, "USD", 290}, {1, "USD", 200}, {1, "JPY", 290}}},
        DatedRow{"ForAllAndThenForOne",
                 {{1, nullptr, 100}, {2, "USD", 200}},
                 {{1, "USD", 100}, {2, "USD", 200}, {2, "JPY", 100}}},
        DatedRow{"ForOneAndThenForAll",
                 {{1, "USD", 200}, {2, nullptr, 100}},
                 {{1, "USD", 200}, {1, "JPY", 290}, {2, "USD", 100}, {2, "JPY", 100}}},
        DatedRow{"BothFromOneDay",
                 {{1, nullptr, 100}, {1, "USD", 200}},
                 {{0, "USD", 290}, {1, "USD", 200}, {1, "JPY", 100}}},
        DatedRow{"BothFromOneDayMadeTheOtherWay",
                 {{1, "USD", 200}, {1, nullptr, 100}},
                 {{1, "USD", 200}, {1, "JPY", 100}}},
        DatedRow{"MadeInAnotherOrderThanTheirDays",
                 {{3, nullptr, 300}, {1, nullptr, 100}, {2, nullptr, 200}},
                 {{1, "USD", 100}, {2, "USD", 200}, {3, "USD", 300}}}),
    [](const auto& row) { return std::string(row.param.name); });

// One for all currencies, and one for some of them: together they say what applies to each.
TEST_F(FeePlans, AreInForceForWhicheverCurrencyTheMerchantTakes) {
  add_from(now() + 1s, 200, "JPY");
  world_->advance(2s);
  EXPECT_EQ(in_force(), std::vector<std::int64_t>{290}) << "nothing is sold in yen";
  world_->take(shop_, {"USD", "JPY"});
  EXPECT_EQ(in_force(), (std::vector<std::int64_t>{200, 290}));
  world_->take(shop_, {"JPY"});
  EXPECT_EQ(in_force(), std::vector<std::int64_t>{200});
  const auto order = world_->sell(shop_, 10'000, "JPY");
  EXPECT_EQ(fee_of(order), 200);
}

TEST_F(FeePlans, ThatBeginAtMidnightTakeWhatIsCapturedAfterItWhateverWasAskedBefore) {
  const auto midnight = midnight_in(2);
  add_from(midnight, 1'000);
  go_to(midnight - 1h);
  const auto before = world_->sell(shop_, 10'000);
  const auto request = world_->ask(shop_, 10'000);
  go_to(midnight);
  const auto after = world_->pay(shop_, request).order.value();
  EXPECT_EQ(fee_of(before), 320);
  EXPECT_EQ(fee_of(after), 1'000);
  EXPECT_EQ(world_->ship(shop_, before).payout->fee, 320) << "what was sold stays sold";
  EXPECT_EQ(world_->ship(shop_, after).payout->fee, 1'000);
}

TEST_F(FeePlans, ThatWouldTakeAllOfItAreRefusedFromTheirDayOn) {
  const auto midnight = midnight_in(1);
  add_from(midnight, 10'000);
  EXPECT_NO_THROW(world_->ask(shop_, 5'000));
  go_to(midnight);
  try {
    world_->ask(shop_, 5'000);
    ADD_FAILURE() << "the merchant would be paid nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, "/lines");
  }
}

struct RoundRow {
  std::int64_t total, basis_points, fixed, fee;
  friend std::ostream& operator<<(std::ostream& out, const RoundRow& row) {
    return out << row.total << " at " << row.basis_points << " and " << row.fixed;
  }
};
class RoundedFees : public FeePlans, public ::testing::WithParamInterface<RoundRow> {};

TEST_P(RoundedFees, GoHalfToEvenOnceOnTheTotal) {
  const auto& row = GetParam();
  add(row.basis_points, row.fixed);
  EXPECT_EQ(fee_of(world_->sell(shop_, row.total)), row.fee);
}

INSTANTIATE_TEST_SUITE_P(Table, RoundedFees,
                         ::testing::Values(RoundRow{50, 100, 0, 0},             // 0.5
                                           RoundRow{51, 100, 0, 1},             // 0.51
                                           RoundRow{150, 100, 0, 2},            // 1.5
                                           RoundRow{250, 100, 0, 2},            // 2.5
                                           RoundRow{250, 100, 1, 3},            // the share alone
                                           RoundRow{350, 100, 7, 11},           // 3.5
                                           RoundRow{10'000, 1, 0, 1},           // exact
                                           RoundRow{14'999, 1, 0, 1},           // 1.4999
                                           RoundRow{7'000, 9'999, 0, 6'999}));  // 6999.3

TEST_F(FeePlans, CannotBeginInThePastOrTooFarAhead) {
  for (const auto& start : {now() - 1s, now() - 24h * 30, now() + 24h * 367}) try {
      add_from(start, 100);
      ADD_FAILURE() << text_of(start);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid);
      ASSERT_EQ(error.faults().size(), 1u);
      EXPECT_EQ(error.faults()[0].pointer, "/effective_from");
    }
  EXPECT_EQ(plans().size(), 1u);
  EXPECT_NO_THROW(add_from(now() + 24h * 365, 100));
}

TEST_F(FeePlans, AreOneForEachMomentAndCurrency) {
  const auto start = midnight_in(2);
  add_from(start, 100);
  add_from(start, 100, "USD");
  add_from(start, 100, "EUR");
  EXPECT_EQ(code_of([&] { add_from(start, 200); }), Code::conflict);
  EXPECT_EQ(code_of([&] { add_from(start, 200, "EUR"); }), Code::conflict);
  EXPECT_EQ(plans().size(), 4u);
}

TEST_F(FeePlans, OfOneMerchantAreNotAnothers) {
  const auto other = world_->shop();
  add(5'000, 0);
  EXPECT_EQ(rate("USD"), 5'000);
  const auto theirs = world_->transact([&](Tx& tx) {
    return payments::fee_of(tx, other.merchant, {10'000, parse_currency("USD")});
  });
  EXPECT_EQ(theirs, 320);
  const auto who = world_->staff();
  const auto plan =
      from_json<identity::NewFeePlan>({{"basis_points", 1}, {"fixed", 0}, {"reason", "x"}});
  EXPECT_EQ(code_of([&] {
              world_->transact([&](Tx& tx) {
                identity::add_fee_plan(tx, who, identity::MerchantId::make(), plan);
              });
            }),
            Code::not_found);
}

TEST_F(FeePlans, AreListedFromAnyOneOn) {
  for (const std::int64_t points : {1, 2, 3}) add(points, 0);
  const auto all = plans();
  ASSERT_EQ(all.size(), 4u);
  const auto rest = world_->transact(
      [&](Tx& tx) { return identity::list_fee_plans(tx, shop_.merchant, all[1].id, 2); });
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest[0].basis_points, 1);
  EXPECT_EQ(rest[1].basis_points, 290);
}

}  // namespace fees_test
}  // namespace bottega::test
