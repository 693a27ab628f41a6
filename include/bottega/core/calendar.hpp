#pragma once
// On which days banks work: weekends and holidays per country, as data (config/calendars.json), by
// the clocks of that place.
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bottega/core/describe.hpp"
#include "bottega/core/instant.hpp"
#include "bottega/core/text.hpp"

namespace bottega {

// Easter Sunday of a year of the Gregorian calendar (the anonymous algorithm, Meeus 1991).
Date easter_sunday(std::chrono::year year);

enum class Weekday : std::uint8_t { mon = 1, tue, wed, thu, fri, sat, sun };  // as ISO 8601 counts
BOOST_DESCRIBE_ENUM(Weekday, mon, tue, wed, thu, fri, sat, sun)

// Where a holiday is kept that falls on a day on which nobody works anyway.
enum class Moved : std::uint8_t { no, sunday_to_monday, next_free_day };
BOOST_DESCRIBE_ENUM(Moved, no, sunday_to_monday, next_free_day)

// A day of every year: a date ("12-25"), or the n-th weekday of a month (-1: the last), or so many
// days after Easter Sunday.
struct Holiday {
  Line<1, 100> name;
  std::optional<Text<5, 5>> date;
  std::optional<Count<1, 12>> month;
  std::optional<Weekday> weekday;
  std::optional<Count<-1, 5>> nth;
  std::optional<Count<-100, 100>> easter;
  std::optional<Moved> moved;
  std::optional<Count<1900, 9999>> since, until;  // years
};
BOOST_DESCRIBE_STRUCT(Holiday, (), (name, date, month, weekday, nth, easter, moved, since, until))

class Calendar {
 public:
  struct Given {
    Line<1, 200> about;
    std::optional<Line<1, 64>> zone;  // IANA time zone in which days begin; UTC where there is none
    List<Weekday, 0, 6> weekend;
    List<Holiday, 0, 100> holidays;
  };
  // Throws Error(invalid) that names a holiday of which nobody can say when it is, or a zone that
  // the system's time zone database has not.
  explicit Calendar(Given given);

  bool is_business_day(Date date) const;
  // The n-th business day after the date.
  Date add_business_days(Date date, int days) const;
  // n full business days later, at the same time of day by the zone's clocks: an hour more or less
  // than n times 24 where they are changed between. What begins on a day without business counts
  // from the beginning of the next one that has it.
  Instant add_business_days(Instant instant, int days) const;
  // The date that the zone's clocks show.
  Date date_at(Instant instant) const;
  // The first moment of a date by the zone's clocks.
  Instant begin_of(Date date) const;
  // The IANA name of the zone.
  std::string zone_name() const;
  // The first moment, not before this one, of a business day at this time of day.
  Instant next_at(Instant from, std::chrono::minutes time_of_day) const;
  // The holidays of a year, in their order; moved ones where they are kept.
  std::vector<Date> holidays(std::chrono::year year) const;

 private:
  struct Zone;
  bool is_weekend(Date date) const;

  Given given_;
  std::shared_ptr<const Zone> zone_;
};
BOOST_DESCRIBE_STRUCT(Calendar::Given, (), (about, zone, weekend, holidays))

class Calendars {
 public:
  // The form of config/calendars.json. Throws Error(invalid).
  static Calendars parse(std::string_view json);
  // Those of this program.
  static const Calendars& built_in();
  // The calendar of a country (ISO 3166-1 alpha-2); weekends only where none is known.
  const Calendar& of(std::string_view country) const;

 private:
  std::map<std::string, Calendar, std::less<>> calendars_;
  std::map<std::string, std::string, std::less<>> countries_;
};

}  // namespace bottega
