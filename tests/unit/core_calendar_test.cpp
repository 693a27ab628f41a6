// Holidays as the Federal Reserve, TARGET and gov.uk have published them, and business days over
// weekends, ends of months and years, and leap days.
#include "bottega/core/calendar.hpp"

#include <gtest/gtest.h>

namespace bottega::test {
namespace core_calendar_test {

Date day(const std::string& text) { return parse_date(text).value(); }

struct Year {
  const char* country;
  int year;
  std::vector<std::string> holidays;
};
void PrintTo(const Year& row, std::ostream* out) { *out << row.country << row.year; }

class Published : public testing::TestWithParam<Year> {};
TEST_P(Published, HolidaysOfAYear) {
  std::vector<std::string> found;
  for (const auto& date :
       Calendars::built_in().of(GetParam().country).holidays(std::chrono::year(GetParam().year)))
    found.push_back(to_text(date).substr(5));
  EXPECT_EQ(found, GetParam().holidays);
}
INSTANTIATE_TEST_SUITE_P(
    Calendars, Published,
    testing::Values(
        // Saturdays are not kept on another day: Juneteenth 2027, Christmas 2027, New Year 2028.
        Year{"US",
             2026,
             {"01-01", "01-19", "02-16", "05-25", "06-19", "09-07", "10-12", "11-11", "11-26",
              "12-25"}},
        Year{"US",
             2027,
             {"01-01", "01-18", "02-15", "05-31", "07-05", "09-06", "10-11", "11-11", "11-25"}},
        Year{"US",
             2023,
             {"01-02", "01-16", "02-20", "05-29", "06-19", "07-04", "09-04", "10-09", "11-23",
              "12-25"}},
        Year{"US",
             2021,
             {"01-01", "01-18", "02-15", "05-31", "07-05", "09-06", "10-11", "11-11", "11-25"}},
        Year{"DE", 2026, {"01-01", "04-03", "04-06", "05-01", "12-25"}},
        Year{"FR", 2024, {"01-01", "03-29", "04-01", "05-01", "12-25", "12-26"}},
        Year{"GB", 2026, {"01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28"}},
        Year{"GB", 2021, {"01-01", "04-02", "04-05", "05-03", "05-31", "08-30", "12-27", "12-28"}},
        Year{"GB", 2028, {"01-03", "04-14", "04-17", "05-01", "05-29", "08-28", "12-25", "12-26"}},
        Year{"JP", 2026, {}}));

struct Step {
  const char* country;
  const char* from;
  int days;
  const char* to;
};
void PrintTo(const Step& row, std::ostream* out) { *out << row.country << ' ' << row.from; }

class BusinessDays : public testing::TestWithParam<Step> {};
TEST_P(BusinessDays, AreCountedOverHolidays) {
  const auto& calendar = Calendars::built_in().of(GetParam().country);
  const auto found = calendar.add_business_days(day(GetParam().from), GetParam().days);
  EXPECT_EQ(to_text(found), GetParam().to);
}
INSTANTIATE_TEST_SUITE_P(
    Calendars, BusinessDays,
    testing::Values(Step{"JP", "2026-11-18", 3, "2026-11-23"},
                    Step{"US", "2026-11-24", 3, "2026-11-30"},  // Thanksgiving, a weekend
                    Step{"DE", "2026-04-01", 3, "2026-04-08"},  // Easter
                    Step{"GB", "2026-12-23", 3, "2026-12-30"},  // Boxing Day on a Saturday
                    Step{"US", "2026-12-30", 3, "2027-01-05"},  // the end of a year
                    Step{"US", "2028-02-28", 2, "2028-03-01"},  // a leap day is a day
                    Step{"US", "2027-02-26", 1, "2027-03-01"},  // no leap day
                    Step{"US", "2026-01-30", 3, "2026-02-04"},  // the end of a month
                    Step{"DE", "2026-12-24", 1, "2026-12-28"},  // the 25th, and a weekend
                    Step{"DE", "2026-12-26", 1, "2026-12-28"},  // from a holiday
                    Step{"US", "2026-07-03", 5, "2026-07-10"},  // the 4th on a Saturday
                    Step{"US", "2021-07-02", 1, "2021-07-06"},  // the 4th on a Sunday
                    Step{"GB", "2026-05-01", 0, "2026-05-01"}));

// Dates of Easter as astronomers have tabled them, the earliest and the latest possible among them.
TEST(Easter, FallsWhereTheTablesSay) {
  for (const auto* text : {"1818-03-22", "1943-04-25", "2000-04-23", "2024-03-31", "2025-04-20",
                           "2026-04-05", "2027-03-28", "2028-04-16", "2038-04-25", "2285-03-22"})
    EXPECT_EQ(to_text(easter_sunday(std::chrono::year(std::stoi(text)))), text);
}

// Whatever the day, n business days later is a business day, with n - 1 others between.
TEST(BusinessDays, AreAsManyAsWereAsked) {
  for (const auto* country : {"US", "DE", "GB", "JP"}) {
    const auto& calendar = Calendars::built_in().of(country);
    for (auto from = day("2026-12-15"); from < day("2028-03-05"); from += std::chrono::days(1))
      for (int n = 3; n <= 5; n += 2) {
        const auto to = calendar.add_business_days(from, n);
        int between = 0;
        for (auto date = from; date < to;)
          between += calendar.is_business_day(date += std::chrono::days(1));
        ASSERT_EQ(between, n) << country << ' ' << to_text(from);
        ASSERT_TRUE(calendar.is_business_day(to)) << country << ' ' << to_text(from);
        ASSERT_LE((to - from).count(), n + 7) << country << ' ' << to_text(from);
      }
  }
}

struct Moment {
  const char* from;
  const char* to;
};
class BusinessTime : public testing::TestWithParam<Moment> {};
TEST_P(BusinessTime, IsThreeFullDays) {
  const auto& calendar = Calendars::built_in().of("US");
  EXPECT_EQ(to_text(calendar.add_business_days(parse_instant(GetParam().from).value(), 3)),
            GetParam().to);
}
INSTANTIATE_TEST_SUITE_P(
    Calendars, BusinessTime,
    testing::Values(Moment{"2026-11-25T10:00:00Z", "2026-12-01T10:00:00Z"},
                    Moment{"2026-11-26T10:00:00Z", "2026-12-02T05:00:00Z"},  // on a holiday
                    Moment{"2027-01-16T10:00:00Z", "2027-01-22T05:00:00Z"},  // before one
                    Moment{"2026-11-24T02:00:00Z", "2026-11-28T02:00:00Z"},  // Monday evening there
                    // The clocks go back on the 1st of November and forward on the 14th of March.
                    Moment{"2026-10-30T15:00:00Z", "2026-11-04T16:00:00Z"},
                    Moment{"2027-03-11T16:00:00Z", "2027-03-16T15:00:00Z"}));

bool is_business_day(Date date) {
  const auto index = std::chrono::weekday(date).c_encoding();
  return index >= 1 && index <= 5;
}

// ---- weekends alone ---------------------------------------------------------------------------

const Calendar& weekends() { return Calendars::built_in().of("JP"); }

class BusinessDayCount : public testing::TestWithParam<int> {};

TEST_P(BusinessDayCount, EndsOnAWeekdayWithExactlyThatManyPassed) {
  for (Date from = day("2024-12-15"); from < day("2029-01-15"); from += std::chrono::days(1)) {
    const auto due = weekends().add_business_days(from, GetParam());
    int passed = 0;
    for (Date date = from + std::chrono::days(1); date <= due; date += std::chrono::days(1))
      if (is_business_day(date)) ++passed;
    ASSERT_EQ(passed, GetParam()) << to_text(from);
    ASSERT_TRUE(GetParam() == 0 || is_business_day(due)) << to_text(from);
  }
}

TEST_P(BusinessDayCount, NeverComesEarlierThanFullWeekdaysOfTwentyFourHours) {
  using std::chrono::days, std::chrono::hours;
  for (Instant from = day("2027-12-20"); from < day("2028-03-05"); from += hours(7)) {
    const auto due = weekends().add_business_days(from, GetParam());
    auto weekday_time = hours(0);
    for (Instant at = std::chrono::ceil<hours>(from); at + hours(1) <= due; at += hours(1))
      if (is_business_day(std::chrono::floor<days>(at))) weekday_time += hours(1);
    ASSERT_EQ(weekday_time, hours(24) * GetParam()) << to_text(from);
    ASSERT_LE(due - from, hours(24) * (GetParam() + 2 * ((GetParam() + 4) / 5) + 2));
  }
}

INSTANTIATE_TEST_SUITE_P(Days, BusinessDayCount, testing::Values(0, 1, 2, 3, 4, 5, 10));

struct Due {
  const char* from;
  int days;
  const char* due;
};
void PrintTo(const Due& row, std::ostream* out) { *out << row.from << " +" << row.days; }
class BusinessDayTable : public testing::TestWithParam<Due> {};
TEST_P(BusinessDayTable, CountsAWeekendsStartFromMonday) {
  const auto from = parse_instant(GetParam().from);
  ASSERT_TRUE(from);
  EXPECT_EQ(to_text(weekends().add_business_days(*from, GetParam().days)), GetParam().due);
}
INSTANTIATE_TEST_SUITE_P(
    Week, BusinessDayTable,
    testing::Values(Due{"2026-11-16T10:00:00Z", 3, "2026-11-19T10:00:00Z"},  // Monday
                    Due{"2026-11-18T10:00:00Z", 3, "2026-11-23T10:00:00Z"},
                    Due{"2026-11-20T10:00:00Z", 3, "2026-11-25T10:00:00Z"},
                    Due{"2026-11-21T00:00:00Z", 3, "2026-11-26T00:00:00Z"},  // Saturday
                    Due{"2026-11-22T23:59:59.999999Z", 3, "2026-11-26T00:00:00Z"},
                    Due{"2026-11-20T23:59:59.999999Z", 1, "2026-11-23T23:59:59.999999Z"},
                    Due{"2026-12-30T08:00:00Z", 3, "2027-01-04T08:00:00Z"},
                    Due{"2028-02-28T08:00:00Z", 2, "2028-03-01T08:00:00Z"},
                    Due{"2026-11-20T10:00:00Z", 5, "2026-11-27T10:00:00Z"},
                    Due{"2026-11-18T10:00:00Z", 0, "2026-11-18T10:00:00Z"}));

TEST(BusinessDay, FallsOverTheEndsOfMonthsAndYears) {
  EXPECT_EQ(to_text(weekends().add_business_days(day("2027-12-31"), 1)), "2028-01-03");
  EXPECT_EQ(to_text(weekends().add_business_days(day("2028-02-28"), 1)), "2028-02-29");
  EXPECT_EQ(to_text(weekends().add_business_days(day("2027-02-26"), 1)), "2027-03-01");
  EXPECT_EQ(to_text(weekends().add_business_days(day("2026-10-30"), 3)), "2026-11-04");
}

std::string in_zone(const std::string& zone) {
  return R"({"calendars":{"weekends":{"about":"x","zone":")" + zone +
         R"(","weekend":[],"holidays":[]}},"countries":{}})";
}

// ---- clocks that are changed ------------------------------------------------------------------

// Whatever the hour, three to five business days later the zone's clocks show the same time of a
// business day; where it began on none, midnight.
class ClockChanges : public testing::TestWithParam<const char*> {};
TEST_P(ClockChanges, KeepTheTimeOfDay) {
  const auto& calendar = Calendars::built_in().of(GetParam());
  const auto begin = parse_instant("2026-03-01T00:30:00Z").value();
  for (int hour = 0; hour < 24 * 300; ++hour) {
    const auto from = begin + std::chrono::hours(hour);
    for (const int n : {3, 5}) {
      const auto due = calendar.add_business_days(from, n);
      int between = 0;
      const auto last = calendar.date_at(due);
      for (auto date = calendar.date_at(from); date < last;)
        between += calendar.is_business_day(date += std::chrono::days(1));
      const bool counts = calendar.is_business_day(calendar.date_at(from));
      ASSERT_EQ(between, counts ? n : n + 1) << to_text(from);
      const auto drift = (due - from) % std::chrono::hours(24);
      if (counts) {
        ASSERT_TRUE(drift == std::chrono::hours(0) || drift == std::chrono::hours(1) ||
                    drift == std::chrono::hours(23))
            << to_text(from) << ' ' << to_text(due);
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Zones, ClockChanges, testing::Values("US", "DE", "GB", "JP"));

TEST(NextTime, IsOnABusinessDayAndNeverBefore) {
  const auto next = [](const char* country, const char* from, int minutes) {
    return to_text(Calendars::built_in().of(country).next_at(parse_instant(from).value(),
                                                             std::chrono::minutes(minutes)));
  };
  EXPECT_EQ(next("US", "2026-11-23T10:00:00Z", 9 * 60), "2026-11-23T14:00:00Z");
  EXPECT_EQ(next("US", "2026-11-23T14:00:00Z", 9 * 60), "2026-11-23T14:00:00Z");
  EXPECT_EQ(next("US", "2026-11-25T14:00:01Z", 9 * 60), "2026-11-27T14:00:00Z") << "Thanksgiving";
  EXPECT_EQ(next("US", "2027-03-12T16:00:00Z", 9 * 60), "2027-03-15T13:00:00Z") << "summer time";
  EXPECT_EQ(next("JP", "2026-11-21T10:00:00Z", 0), "2026-11-23T00:00:00Z");
}

TEST(ClockChanges, ThatLeaveATimeOutOrShowItTwiceMoveItToTheLaterOne) {
  const auto all = Calendars::parse(in_zone("America/New_York"));
  const auto& every_day = all.of("XX");
  const auto after = [&](const char* from) {
    return to_text(every_day.add_business_days(parse_instant(from).value(), 1));
  };
  EXPECT_EQ(after("2027-03-13T07:30:00Z"), "2027-03-14T07:00:00Z") << "02:30 is left out";
  EXPECT_EQ(after("2026-10-31T05:30:00Z"), "2026-11-01T06:30:00Z") << "01:30 comes twice";
}

TEST(Days, BeginWhenTheZonesClocksShowMidnight) {
  const auto begins = [](const std::string& zone, const char* date) {
    const auto all = Calendars::parse(in_zone(zone));
    return to_text(all.of("XX").begin_of(day(date)));
  };
  EXPECT_EQ(begins("UTC", "2026-11-21"), "2026-11-21T00:00:00Z");
  EXPECT_EQ(begins("America/New_York", "2026-11-21"), "2026-11-21T05:00:00Z");
  EXPECT_EQ(begins("America/New_York", "2026-07-01"), "2026-07-01T04:00:00Z");
  EXPECT_EQ(begins("Asia/Kolkata", "2026-07-01"), "2026-06-30T18:30:00Z");
  EXPECT_EQ(begins("America/Havana", "2024-11-03"), "2024-11-03T04:00:00Z") << "midnight, twice";
  EXPECT_EQ(begins("America/Havana", "2024-03-10"), "2024-03-10T05:00:00Z") << "no midnight";
}

TEST(Days, AreThoseOfTheirInstants) {
  const auto& calendar = Calendars::built_in().of("US");
  EXPECT_EQ(calendar.zone_name(), "America/New_York");
  EXPECT_EQ(Calendars::built_in().of("XX").zone_name(), "UTC");
  for (auto date = day("2026-01-01"); date < day("2027-01-01"); date += std::chrono::days(1)) {
    const auto begin = calendar.begin_of(date);
    EXPECT_EQ(calendar.date_at(begin), date);
    EXPECT_EQ(calendar.date_at(begin - std::chrono::microseconds(1)), date - std::chrono::days(1));
  }
}

TEST(CalendarFile, NamesAZoneThatThereIs) {
  EXPECT_THROW(Calendars::parse(in_zone("Atlantis/Main")), Error);
}

std::string with(const std::string& holiday) {
  return R"({"calendars":{"weekends":{"about":"x","weekend":["fri","sat"],"holidays":[)" + holiday +
         R"(]}},"countries":{}})";
}

TEST(CalendarFile, MayHaveAnotherWeekendAndDaysOfSomeYears) {
  const auto all = Calendars::parse(
      with(R"({"name":"Once","date":"06-03","since":2022,"until":2022},)"
           R"({"name":"Leap","date":"02-29"},{"name":"Fifth","month":1,"weekday":"mon","nth":5})"));
  const auto& calendar = all.of("XX");
  EXPECT_FALSE(calendar.is_business_day(day("2026-11-20")));
  EXPECT_FALSE(calendar.is_business_day(day("2026-11-21")));
  EXPECT_TRUE(calendar.is_business_day(day("2026-11-22")));
  EXPECT_EQ(calendar.holidays(std::chrono::year(2021)).size(), 0u);
  EXPECT_EQ(calendar.holidays(std::chrono::year(2024)),
            (std::vector{day("2024-01-29"), day("2024-02-29")}));
}

class BadCalendar : public testing::TestWithParam<const char*> {};
TEST_P(BadCalendar, IsRefused) { EXPECT_THROW(Calendars::parse(with(GetParam())), Error); }
INSTANTIATE_TEST_SUITE_P(Holidays, BadCalendar,
                         testing::Values(R"({"name":"No day"})", R"({"name":"x","date":"13-01"})",
                                         R"({"name":"x","date":"2-1"})",
                                         R"({"name":"x","month":2})",
                                         R"({"name":"x","month":2,"weekday":"mon"})",
                                         R"({"name":"x","month":2,"weekday":"mon","nth":0})",
                                         R"({"name":"x","month":2,"weekday":"monday","nth":1})",
                                         R"({"name":"x","month":2,"weekday":"mon","nth":6})",
                                         R"({"name":"x","date":"02-01","easter":1})",
                                         R"({"name":"x","date":"02-01","moved":"somewhere"})",
                                         R"({"date":"02-01"})",
                                         R"({"name":"x","date":"02-01","typo":1})", "7"));

TEST(CalendarFile, MustNameCalendarsThatAreThere) {
  EXPECT_THROW(Calendars::parse(R"({"calendars":{},"countries":{}})"), Error);
  EXPECT_THROW(Calendars::parse(R"({"calendars":{},"countries":{"DE":"EUR"}})"), Error);
  EXPECT_THROW(Calendars::parse("[]"), Error);
  EXPECT_THROW(Calendars::parse(R"({"calendars":7,"countries":{}})"), Error);
}

}  // namespace core_calendar_test
}  // namespace bottega::test
