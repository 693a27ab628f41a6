// Which days a report is about, and its files.
#include "bottega/reports/reports.hpp"

#include <gtest/gtest.h>

namespace bottega::test {
namespace reports_test {

using namespace reports;
using namespace std::chrono_literals;

Date day(const std::string& text) { return parse_date(text).value(); }
Instant at(const std::string& text) { return parse_instant(text).value(); }

identity::Merchant merchant_in(const std::string& country) {
  identity::Merchant merchant;
  merchant.id = MerchantId::make();
  merchant.country = from_text<Country>(country);
  return merchant;
}

// ---- days ---------------------------------------------------------------------------------------

TEST(DaysOfAReport, AreThoseOfTheCountry) {
  const auto days = days_of(merchant_in("US"), day("2026-03-07"), day("2026-03-08"),
                            at("2026-06-01T00:00:00Z"), 0us);
  EXPECT_EQ(days.time_zone, "America/New_York");
  EXPECT_EQ(to_text(days.begin), "2026-03-07T05:00:00Z");
  EXPECT_EQ(to_text(days.end), "2026-03-09T04:00:00Z") << "the clocks were changed";
  EXPECT_EQ(
      days_of(merchant_in("JP"), day("2026-03-07"), {}, at("2026-03-08T00:00:00Z"), 0us).begin,
      Instant(day("2026-03-07")));
}

TEST(DaysOfAReport, AreTheMonthThatHasPassedWhereNoneAreNamed) {
  // In New York the first of June has not begun.
  const auto days = days_of(merchant_in("US"), {}, {}, at("2026-06-01T03:59:59Z"), 0us);
  EXPECT_EQ(to_text(days.from), "2026-05-01");
  EXPECT_EQ(to_text(days.to), "2026-05-31");
}

TEST(DaysOfAReport, AreFoundByIdsAroundThem) {
  const auto now = at("2026-06-01T00:00:00Z");
  const auto days = days_of(merchant_in("AQ"), day("2026-05-01"), day("2026-05-02"), now, 0us);
  EXPECT_EQ(days.first.uuid, least_uuid_v7(at("2026-04-30T23:50:00Z")));
  EXPECT_EQ(days.last.uuid, least_uuid_v7(at("2026-05-03T00:10:00Z")));
  const auto moved = days_of(merchant_in("AQ"), day("2026-05-01"), day("2026-05-02"), now, 48h);
  EXPECT_EQ(moved.first.uuid, least_uuid_v7(at("2026-04-28T23:50:00Z")))
      << "what was made before the test clock was moved has an older id than its time";
  EXPECT_EQ(moved.last, days.last);
}

struct Wrong {
  const char *from, *to;
};
class WrongDays : public testing::TestWithParam<Wrong> {};
TEST_P(WrongDays, AreRefused) {
  EXPECT_THROW(days_of(merchant_in("US"), day(GetParam().from), day(GetParam().to),
                       at("2026-06-01T00:00:00Z"), 0us),
               Error);
}
INSTANTIATE_TEST_SUITE_P(Reports, WrongDays,
                         testing::Values(Wrong{"2026-05-02", "2026-05-01"},
                                         Wrong{"2025-05-01", "2026-05-02"},
                                         Wrong{"0001-01-01", "0001-01-02"},
                                         Wrong{"1970-01-01", "1970-01-02"},
                                         Wrong{"9999-12-30", "9999-12-31"}));

TEST(DaysOfAReport, AreAYearAtMost) {
  const auto days = days_of(merchant_in("US"), day("2025-05-01"), day("2026-05-01"),
                            at("2026-06-01T00:00:00Z"), 0us);
  EXPECT_EQ((days.to - days.from).count() + 1, 366);
}

// ---- files --------------------------------------------------------------------------------------

const Date kDay = day("2026-03-01");

TEST(ReportFiles, AreInTheDecimalsOfEachCurrency) {
  SalesReport report{kDay, kDay, "UTC", {}, {}};
  report.data = {{kDay, parse_currency("USD"), 2, 10'000, 2'500, 240, 7'260},
                 {kDay, parse_currency("JPY"), 1, 500, 0, 44, 456},
                 {kDay, parse_currency("KWD"), 1, 12'345, 12'345, 0, 0}};
  report.totals = {{std::nullopt, parse_currency("USD"), 9, 9, 9, 9, 9}};
  EXPECT_EQ(csv_of(report),
            "day,currency,orders,gross,refunds,fees,net\r\n"
            "2026-03-01,USD,2,100.00,25.00,2.40,72.60\r\n"
            "2026-03-01,JPY,1,500,0,44,456\r\n"
            "2026-03-01,KWD,1,12.345,12.345,0.000,0.000\r\n");
}

TEST(ReportFiles, OfRefunds) {
  RefundsReport report{kDay, kDay, "UTC", {}, {}};
  report.data = {{kDay, parse_currency("USD"), 4, 2, 1, 300, 100, 50}};
  EXPECT_EQ(csv_of(report),
            "day,currency,refunds,succeeded,failed,amount,by_platform,under_way\r\n"
            "2026-03-01,USD,4,2,1,3.00,1.00,0.50\r\n");
}

TEST(ReportFiles, LetNoNameBeAFormula) {
  ProductsReport report{kDay, kDay, "UTC", {}, {}};
  const auto usd = parse_currency("USD");
  report.data = {{kDay, usd, "=HYPERLINK(\"x\")", 1, 100},
                 {kDay, usd, "@sum", 1, 100},
                 {kDay, usd, "Lamp, brass", 2, 100}};
  EXPECT_EQ(csv_of(report),
            "day,currency,name,pieces,gross\r\n"
            "2026-03-01,USD,\"'=HYPERLINK(\"\"x\"\")\",1,1.00\r\n"
            "2026-03-01,USD,'@sum,1,1.00\r\n"
            "2026-03-01,USD,\"Lamp, brass\",2,1.00\r\n");
}

TEST(ReportFiles, OfConversations) {
  ConversionReport report{kDay, kDay, "UTC", {{kDay, 1, 4, 3, 2}}, {}};
  EXPECT_EQ(csv_of(report),
            "day,begun,conversations,requested,paid\r\n"
            "2026-03-01,1,4,3,2\r\n");
}

}  // namespace reports_test
}  // namespace bottega::test
