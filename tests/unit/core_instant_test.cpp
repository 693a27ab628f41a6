// Instants and dates by rule rather than by example: every day of many years, the edges of the
// calendar, PostgreSQL's spelling, and business days counted the slow way.
#include "bottega/core/instant.hpp"

#include <gtest/gtest.h>

#include <random>

#include "bottega/core/clock.hpp"
#include "bottega/core/scalar.hpp"

namespace bottega::test {
namespace core_instant_test {

using namespace std::chrono;

Date day(int y, unsigned m, unsigned d) {
  return sys_days(year_month_day{year(y), month(m), std::chrono::day(d)});
}

std::string pad(int value, std::size_t width) {
  auto text = std::to_string(value);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

std::string date_text(int y, int m, int d) { return pad(y, 4) + '-' + pad(m, 2) + '-' + pad(d, 2); }

struct MonthLength {
  int y, m, days;
};
void PrintTo(const MonthLength& row, std::ostream* out) { *out << row.y << '-' << row.m; }

class MonthEnd : public testing::TestWithParam<MonthLength> {};
TEST_P(MonthEnd, IsTheLastDateThatIsReal) {
  const auto [y, m, length] = GetParam();
  for (int d = 1; d <= length; ++d) {
    const auto text = date_text(y, m, d);
    const auto date = parse_date(text);
    ASSERT_TRUE(date) << text;
    EXPECT_EQ(*date, day(y, static_cast<unsigned>(m), static_cast<unsigned>(d)));
    EXPECT_EQ(to_text(*date), text);
    EXPECT_TRUE(parse_instant(text + "T23:59:59Z")) << text;
  }
  for (int d = length + 1; d <= 32; ++d) {
    EXPECT_FALSE(parse_date(date_text(y, m, d))) << date_text(y, m, d);
    EXPECT_FALSE(parse_instant(date_text(y, m, d) + "T00:00:00Z")) << date_text(y, m, d);
  }
  EXPECT_FALSE(parse_date(date_text(y, m, 0)));
}
INSTANTIATE_TEST_SUITE_P(
    Months, MonthEnd,
    testing::Values(MonthLength{2026, 1, 31}, MonthLength{2026, 2, 28}, MonthLength{2026, 3, 31},
                    MonthLength{2026, 4, 30}, MonthLength{2026, 5, 31}, MonthLength{2026, 6, 30},
                    MonthLength{2026, 7, 31}, MonthLength{2026, 8, 31}, MonthLength{2026, 9, 30},
                    MonthLength{2026, 10, 31}, MonthLength{2026, 11, 30}, MonthLength{2026, 12, 31},
                    MonthLength{2028, 2, 29}, MonthLength{2000, 2, 29}, MonthLength{1900, 2, 28},
                    MonthLength{2100, 2, 28}, MonthLength{2400, 2, 29}, MonthLength{1, 1, 31},
                    MonthLength{4, 2, 29}, MonthLength{9999, 12, 31}));

TEST(InstantText, ComesBackForAnyMicrosecondOfTenThousandYears) {
  std::mt19937_64 random(20'261'121);
  const Instant first = day(1, 1, 1), last = day(9999, 12, 31) + hours(23);
  std::uniform_int_distribution<std::int64_t> pick(first.time_since_epoch().count(),
                                                   last.time_since_epoch().count());
  for (int i = 0; i < 5'000; ++i) {
    const Instant instant{microseconds(pick(random))};
    const auto text = to_text(instant);
    ASSERT_EQ(parse_instant(text), instant) << text;
    ASSERT_EQ(parse_sql_instant(text), instant) << text;
  }
}

struct Written {
  std::int64_t microseconds_after_epoch;
  const char* text;
};
class WrittenInstant : public testing::TestWithParam<Written> {};
TEST_P(WrittenInstant, HasAFractionOnlyAsLongAsItNeeds) {
  const Instant instant{microseconds(GetParam().microseconds_after_epoch)};
  EXPECT_EQ(to_text(instant), GetParam().text);
}
INSTANTIATE_TEST_SUITE_P(Epoch, WrittenInstant,
                         testing::Values(Written{0, "1970-01-01T00:00:00Z"},
                                         Written{1, "1970-01-01T00:00:00.000001Z"},
                                         Written{1'000, "1970-01-01T00:00:00.001Z"},
                                         Written{999'999, "1970-01-01T00:00:00.999999Z"},
                                         Written{1'000'000, "1970-01-01T00:00:01Z"},
                                         Written{100'000, "1970-01-01T00:00:00.100Z"},
                                         Written{-1, "1969-12-31T23:59:59.999999Z"},
                                         Written{-1'000, "1969-12-31T23:59:59.999Z"},
                                         Written{-1'000'000, "1969-12-31T23:59:59Z"},
                                         Written{951'782'400'000'000, "2000-02-29T00:00:00Z"},
                                         Written{2'147'483'648'000'000, "2038-01-19T03:14:08Z"},
                                         Written{4'102'444'800'000'000, "2100-01-01T00:00:00Z"}));

struct Offset {
  const char *local, *utc;
};
class OffsetInstant : public testing::TestWithParam<Offset> {};
TEST_P(OffsetInstant, IsTheSameMomentInUtc) {
  ASSERT_TRUE(parse_instant(GetParam().local));
  EXPECT_EQ(to_text(*parse_instant(GetParam().local)), GetParam().utc);
}
INSTANTIATE_TEST_SUITE_P(
    Offsets, OffsetInstant,
    testing::Values(Offset{"2026-11-21T04:11:20Z", "2026-11-21T04:11:20Z"},
                    Offset{"2026-11-21t04:11:20z", "2026-11-21T04:11:20Z"},
                    Offset{"2026-11-21T04:11:20.5Z", "2026-11-21T04:11:20.500Z"},
                    Offset{"2026-11-21T04:11:20.149288999Z", "2026-11-21T04:11:20.149288Z"},
                    Offset{"2024-02-29T12:00:00-00:00", "2024-02-29T12:00:00Z"},
                    Offset{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
                    Offset{"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
                    Offset{"2028-02-28T23:30:00-01:00", "2028-02-29T00:30:00Z"},
                    Offset{"2028-03-01T00:30:00+01:00", "2028-02-29T23:30:00Z"},
                    Offset{"2026-03-01T00:00:00+00:01", "2026-02-28T23:59:00Z"},
                    Offset{"2026-12-31T23:59:59.999999-00:01", "2027-01-01T00:00:59.999999Z"},
                    Offset{"2026-06-15T05:45:00+05:45", "2026-06-15T00:00:00Z"},
                    Offset{"2026-06-15T00:00:00+23:59", "2026-06-14T00:01:00Z"},
                    Offset{"2026-06-15T00:00:00-23:59", "2026-06-15T23:59:00Z"},
                    Offset{"2026-06-15T00:00:00+00:00", "2026-06-15T00:00:00Z"}));

class UnrealInstant : public testing::TestWithParam<const char*> {};
TEST_P(UnrealInstant, IsRefused) { EXPECT_FALSE(parse_instant(GetParam())); }
INSTANTIATE_TEST_SUITE_P(
    Forms, UnrealInstant,
    testing::Values(
        "", "2026-11-21", "2026-11-21T04:11Z", "2026-11-21T04:11:20", "2026-13-01T00:00:00Z",
        "2026-00-10T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T23:60:00Z",
        "2026-11-21 04:11:20Z", "2026-11-21T04:11:20.Z", "2026-11-21T04:11:20.1234567890Z",
        "2026-11-21T04:11:20+2:00", "2026-11-21T04:11:20+24:00", "2026-11-21T04:11:20+02:60",
        "+2026-11-21T04:11:20Z", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
        "2026-11-21T04:11:20Z ", " 2026-11-21T04:11:20Z", "2026-1-21T04:11:20Z", "1e10",
        "2026-11-21T04:11:20ZZ", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        "2026-11-21T04:11:20,5Z", "2026-11-21T04:11:20.+5Z", "2026-11-21T04:11:20.-5Z",
        "2026-11-21T04:11:20.5", "2026-11-21T04:11:20+0200", "2026-11-21T04:11:20+02",
        "2026-11-21T04:11:20+02:0", "2026-11-21T04:11:20+02:000", "2026-11-21T04:11:20UTC",
        "2026-11-21T-4:11:20Z", "2026-11-21T04: 1:20Z", "2026-11-21T04:11:2Z",
        "2026/11/21T04:11:20Z", "26-11-21T04:11:20Z", "-026-11-21T04:11:20Z",
        "2026-W47-6T04:11:20Z", "20261121T041120Z", "now", "infinity",
        "\xd9\xa2"
        "026-11-21T04:11:20Z",
        "2026-11-21T04:11:60Z", "2016-12-31T23:59:60Z"));

TEST(InstantText, ANulByteAfterItIsRefused) {
  EXPECT_FALSE(parse_instant(std::string_view("2026-11-21T04:11:20Z\0", 21)));
  EXPECT_FALSE(parse_date(std::string_view("2026-11-21\0", 11)));
}

TEST(InstantText, OnlyThePostgresFormMayHaveASpaceOrAShortOffset) {
  for (const auto* text : {"2026-11-21 04:11:20Z", "2026-11-21 04:11:20+00",
                           "2026-11-21 04:11:20.5+05:30", "2026-11-21T04:11:20-03"}) {
    EXPECT_FALSE(parse_instant(text)) << text;
    EXPECT_TRUE(parse_sql_instant(text)) << text;
  }
  EXPECT_EQ(to_text(*parse_sql_instant("2026-11-21 04:11:20.5+05:30")), "2026-11-20T22:41:20.500Z");
  for (const auto* text : {"2026-11-21 04:11:20", "2026-11-21 04:11:20+5", "-infinity", "infinity",
                           "0044-03-15 12:00:00+00 BC", "2026-11-21  04:11:20+00"})
    EXPECT_FALSE(parse_sql_instant(text)) << text;
}

TEST(InstantForm, NamesWhatItExpectsAndSaysItsSchema) {
  EXPECT_EQ(Form<Instant>::schema().at("format"), "date-time");
  EXPECT_EQ(Form<Date>::schema().at("format"), "date");
  EXPECT_TRUE(parse_instant("2026-03-01T12:00:00Z")) << "the example that expected() gives";
  EXPECT_NE(Form<Instant>::expected().find("2026-03-01T12:00:00Z"), std::string::npos);
  EXPECT_NE(Form<Date>::expected().find("2026-03-01"), std::string::npos);
}

TEST(ClockOffset, RunsBehindAsWellAsAheadAndGoesBackToTheMachinesTime) {
  Clock clock;
  EXPECT_EQ(clock.offset(), microseconds(0));
  const auto machine = [] { return floor<microseconds>(system_clock::now()); };
  for (const auto offset : {microseconds(hours(-48)), microseconds(hours(24 * 365)),
                            microseconds(1), microseconds(0)}) {
    clock.set_offset(offset);
    EXPECT_EQ(clock.offset(), offset);
    const auto before = machine();
    const auto now = clock.now();
    const auto after = machine();
    EXPECT_GE(now, before + offset);
    EXPECT_LE(now, after + offset);
  }
}

}  // namespace core_instant_test
}  // namespace bottega::test
