// When a payout is due, and how much of a sale it is.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/core/calendar.hpp"
#include "bottega/identity/fees.hpp"

namespace bottega::test {
namespace payouts_due_test {

using namespace std::chrono_literals;
using payouts::State;

class Dues : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }

  static void set_time(Instant to) {
    world_->clock.set_offset(world_->clock.offset() + (to - world_->clock.now()));
  }
  static payouts::Payout now(const Shop& shop, const payouts::Payout& payout) {
    return world_->transact([&](Tx& tx) { return payouts::fetch(tx, shop.owner, payout.id); });
  }

  static inline std::unique_ptr<World> world_;
};

// ---- the day ------------------------------------------------------------------------------------

struct DueRow {
  const char* name;
  const char* shipped;
  const char* due_on;
  friend std::ostream& operator<<(std::ostream& out, const DueRow& row) { return out << row.name; }
};
class DueDays : public Dues, public ::testing::WithParamInterface<DueRow> {};

TEST_P(DueDays, AreThreeBusinessDaysAfterTheParcelWasSent) {
  const auto shipped_at = parse_instant(GetParam().shipped).value();
  set_time(shipped_at - 1h);
  const auto shop = world_->shop();
  const auto order = world_->sell(shop, 10'000);
  set_time(shipped_at);
  const auto payout = world_->ship(shop, order).payout.value();
  const auto day = std::chrono::floor<std::chrono::days>(payout.shipped_at);
  ASSERT_EQ(day, std::chrono::floor<std::chrono::days>(shipped_at));
  EXPECT_EQ(to_text(payout.due_on), GetParam().due_on);
  EXPECT_EQ(payout.due_at, Calendars::built_in().of("US").add_business_days(payout.shipped_at, 3));
  EXPECT_GE(payout.due_at - payout.shipped_at, 3 * 24h);
  EXPECT_LE(payout.due_at - payout.shipped_at, 6 * 24h);
  // A second before, nothing happens, unless that second is over by the time the job looks.
  set_time(payout.due_at - 1s);
  world_->run_jobs();
  const auto before = now(shop, payout);
  EXPECT_TRUE(before.state == State::scheduled || before.submitted_at >= payout.due_at)
      << text_of(before.state);
  set_time(payout.due_at);
  world_->run_jobs();
  EXPECT_EQ(now(shop, payout).state, State::paid);
}

INSTANTIATE_TEST_SUITE_P(
    Table, DueDays,
    ::testing::Values(DueRow{"EndOfFebruary", "2027-02-26T12:00:00Z", "2027-03-03"},
                      DueRow{"JustAfterMidnightOnMonday", "2027-03-01T00:00:10Z", "2027-03-04"},
                      DueRow{"Monday", "2027-03-01T10:00:00Z", "2027-03-04"},
                      DueRow{"Tuesday", "2027-03-02T10:00:00Z", "2027-03-05"},
                      DueRow{"Wednesday", "2027-03-03T10:00:00Z", "2027-03-08"},
                      DueRow{"Thursday", "2027-03-04T10:00:00Z", "2027-03-09"},
                      DueRow{"Friday", "2027-03-05T10:00:00Z", "2027-03-10"},
                      DueRow{"LateOnFriday", "2027-03-05T23:50:00Z", "2027-03-10"},
                      DueRow{"Saturday", "2027-03-06T10:00:00Z", "2027-03-11"},
                      DueRow{"Sunday", "2027-03-07T10:00:00Z", "2027-03-11"},
                      DueRow{"LateOnSunday", "2027-03-07T23:50:00Z", "2027-03-11"},
                      DueRow{"EndOfMarch", "2027-03-31T10:00:00Z", "2027-04-05"},
                      DueRow{"EndOfTheYear", "2027-12-31T10:00:00Z", "2028-01-05"},
                      DueRow{"NewYearsDayOnASaturday", "2028-01-01T10:00:00Z", "2028-01-06"},
                      DueRow{"LeapDayBetween", "2028-02-28T10:00:00Z", "2028-03-02"},
                      DueRow{"LeapDay", "2028-02-29T10:00:00Z", "2028-03-03"},
                      DueRow{"OverThanksgiving", "2028-11-21T10:00:00Z", "2028-11-27"},
                      DueRow{"OverIndependenceDay", "2028-07-03T10:00:00Z", "2028-07-07"},
                      DueRow{"BeforeALongWeekend", "2029-01-12T10:00:00Z", "2029-01-18"}),
    [](const auto& row) { return std::string(row.param.name); });

// ---- the share ----------------------------------------------------------------------------------

struct FeeRow {
  const char* currency;
  std::int64_t total, fee;
  friend std::ostream& operator<<(std::ostream& out, const FeeRow& row) {
    return out << row.total << ' ' << row.currency;
  }
};
std::string name_of(const ::testing::TestParamInfo<FeeRow>& row) {
  return row.param.currency + std::to_string(row.param.total);
}
class Fees : public Dues, public ::testing::WithParamInterface<FeeRow> {};

// 290 basis points, half to even, and 30 minor units of whatever currency it is.
TEST_P(Fees, AreTakenOnceAndTheRestIsTheMerchants) {
  const auto& row = GetParam();
  const auto shop = world_->shop(row.currency);
  const auto order = world_->pay(shop, world_->ask(shop, row.total, row.currency)).order.value();
  const auto payout = world_->ship(shop, order).payout.value();
  EXPECT_EQ(payout.fee, row.fee);
  EXPECT_EQ(payout.amount, (Money{row.total - row.fee, parse_currency(row.currency)}));
  world_->advance(6 * 24h);
  world_->run_jobs();
  if (now(shop, payout).state == State::submitted) {  // the amount ends in 17
    world_->advance(6s);
    world_->run_jobs();
  }
  EXPECT_EQ(now(shop, payout).state, State::paid);
  std::map<std::string, std::int64_t> left;
  for (const auto& account : world_->transact(
           [&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop.merchant)); })) {
    EXPECT_EQ(account.currency, row.currency);
    left[text_of(account.kind)] = account.credits - account.debits;
  }
  const std::map<std::string, std::int64_t> expected = {{"held", 0},
                                                        {"merchant_payable", 0},
                                                        {"platform_fees", row.fee},
                                                        {"processor_clearing", -row.fee}};
  EXPECT_EQ(left, expected);
}

INSTANTIATE_TEST_SUITE_P(Table, Fees,
                         ::testing::Values(FeeRow{"USD", 32, 31},       // 0.93: all but one cent
                                           FeeRow{"USD", 100, 33},      // 2.9
                                           FeeRow{"USD", 500, 44},      // 14.5, to even: 14
                                           FeeRow{"USD", 1'250, 66},    // 36.25
                                           FeeRow{"USD", 1'500, 74},    // 43.5, to even: 44
                                           FeeRow{"USD", 1'999, 88},    // 57.97
                                           FeeRow{"USD", 2'500, 102},   // 72.5, to even: 72
                                           FeeRow{"USD", 3'500, 132},   // 101.5, to even: 102
                                           FeeRow{"USD", 10'000, 320},  // exact
                                           FeeRow{"USD", 75'000'000, 2'175'030},
                                           FeeRow{"JPY", 500, 44}, FeeRow{"JPY", 1'980, 87},
                                           FeeRow{"KWD", 1'000, 59}, FeeRow{"KWD", 12'345, 388},
                                           FeeRow{"KWD", 1'500, 74}),
                         name_of);

class FeesBeyondTheTotal : public Dues, public ::testing::WithParamInterface<FeeRow> {};

TEST_P(FeesBeyondTheTotal, AreRefusedBeforeAnybodyIsAsked) {
  const auto shop = world_->shop(GetParam().currency);
  try {
    world_->ask(shop, GetParam().total, GetParam().currency);
    ADD_FAILURE() << "the merchant would be paid nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, "/lines");
  }
}

INSTANTIATE_TEST_SUITE_P(Table, FeesBeyondTheTotal,
                         ::testing::Values(FeeRow{"USD", 1, 30}, FeeRow{"USD", 30, 31},
                                           FeeRow{"USD", 31, 31}, FeeRow{"JPY", 31, 31},
                                           FeeRow{"KWD", 5, 30}),
                         name_of);

// ---- the merchant's plan ------------------------------------------------------------------------

Shop shop_with(World& world, identity::FeeRate plan) {
  Shop shop;
  shop.owner = world.person();
  shop.buyer = world.person();
  const identity::NewMerchant given{from_text<Line<1, 100>>("Bo's Bowls"), from_text<Country>("US"),
                                    from_text<Currency>("USD")};
  shop.merchant =
      world
          .transact([&](Tx& tx) {
            return identity::create_merchant(tx, shop.owner, given, plan, "sandbox", "US");
          })
          .id;
  world.activate(shop.merchant);
  shop.conversation =
      world.transact([&](Tx& tx) { return conversations::open(tx, shop.buyer, {shop.merchant}); })
          .conversation.id;
  return shop;
}

void change_fees(World& world, const Shop& shop, std::int64_t basis_points, std::int64_t fixed) {
  const auto who = world.staff();
  const auto plan = from_json<identity::NewFeePlan>(
      {{"basis_points", basis_points}, {"fixed", fixed}, {"reason", "a test"}});
  world.transact([&](Tx& tx) { identity::add_fee_plan(tx, who, shop.merchant, plan); });
}

TEST_F(Dues, AreTheWholeTotalWithoutAFee) {
  const auto shop = shop_with(*world_, {0, 0});
  const auto payout = world_->ship(shop, world_->sell(shop, 4'000)).payout.value();
  EXPECT_EQ(payout.amount.amount, 4'000);
  EXPECT_EQ(payout.fee, 0);
  world_->advance(6 * 24h);
  world_->run_jobs();
  EXPECT_EQ(now(shop, payout).state, State::paid);
  for (const auto& row : world_->transact(
           [&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop.merchant)); }))
    EXPECT_EQ(row.debits, row.credits) << text_of(row.kind);
}

TEST_F(Dues, AreByThePlanOfTheDayOfTheSale) {
  const auto shop = shop_with(*world_, {100, 0});
  const auto order = world_->sell(shop, 4'000);
  change_fees(*world_, shop, 9'000, 0);
  EXPECT_EQ(world_->ship(shop, order).payout->fee, 40) << "what was sold stays sold at that fee";
}

TEST_F(Dues, AreNeverNothingEvenWhereThePlanRoseWhileTheBuyerPaid) {
  const auto shop = shop_with(*world_, {0, 0});
  const auto request = world_->ask(shop, 50);
  change_fees(*world_, shop, 0, 1'000);
  const auto payout = world_->ship(shop, world_->pay(shop, request).order.value()).payout.value();
  EXPECT_EQ(payout.amount.amount, 1);
  EXPECT_EQ(payout.fee, 49);
}

}  // namespace payouts_due_test
}  // namespace bottega::test
