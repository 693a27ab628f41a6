#include "bottega/core/calendar.hpp"

#include <date/tz.h>

#include <algorithm>
#include <set>

namespace bottega {

// Generated from config/calendars.json.
std::string_view calendars_json();

namespace {

using std::chrono::days, std::chrono::last, std::chrono::month, std::chrono::month_day;
using std::chrono::weekday, std::chrono::year, std::chrono::year_month_day;

constexpr std::string_view kOther = "weekends";

Weekday weekday_of(Date date) { return static_cast<Weekday>(weekday(date).iso_encoding()); }

std::optional<month_day> parse_month_day(std::string_view text) {
  const auto in_leap_year = parse_date("2000-" + std::string(text));
  if (!in_leap_year) return std::nullopt;
  const year_month_day parts(*in_leap_year);
  return month_day(parts.month(), parts.day());
}

bool can_be_dated(const Holiday& rule) {
  const bool in_month = rule.month && rule.weekday && rule.nth;
  const bool any_of_month = rule.month || rule.weekday || rule.nth;
  if (rule.date && !parse_month_day(rule.date->value)) return false;
  if (rule.nth && rule.nth->value == 0) return false;
  if (any_of_month != in_month) return false;
  return rule.date.has_value() + in_month + rule.easter.has_value() == 1;
}

// Where the calendar has it, moved or not; the 29th of February and a fifth Monday are not there in
// every year.
std::optional<Date> date_of(const Holiday& rule, year in) {
  const int number = static_cast<int>(in);
  if ((rule.since && number < rule.since->value) || (rule.until && number > rule.until->value))
    return std::nullopt;
  if (rule.easter) return easter_sunday(in) + days(rule.easter->value);
  year_month_day date;
  if (rule.date) {
    const auto at = *parse_month_day(rule.date->value);
    date = year_month_day(in, at.month(), at.day());
  } else {
    const month of(static_cast<unsigned>(rule.month->value));
    const weekday on(static_cast<unsigned>(*rule.weekday));
    if (rule.nth->value < 0) return Date(in / of / on[last]);
    const auto nth = in / of / on[static_cast<unsigned>(rule.nth->value)];
    if (!nth.ok()) return std::nullopt;
    date = Date(nth);
  }
  if (!date.ok()) return std::nullopt;
  return Date(date);
}

const Json& object_of(const Json& json, const char* name) {
  if (!json.is_object() || !json.contains(name) || !json[name].is_object())
    throw Error(Code::invalid, std::string("the calendars need an object called ") + name);
  return json[name];
}

}  // namespace

Date easter_sunday(year in) {
  const int y = static_cast<int>(in);
  const int a = y % 19, b = y / 100, c = y % 100, d = b / 4, e = b % 4, f = (b + 8) / 25;
  const int g = (b - f + 1) / 3, h = (19 * a + b - d - g + 15) % 30, i = c / 4, k = c % 4;
  const int l = (32 + 2 * e + 2 * i - h - k) % 7, m = (a + 11 * h + 22 * l) / 451;
  const int n = h + l - 7 * m + 114;
  return Date(in / month(static_cast<unsigned>(n / 31)) /
              std::chrono::day(static_cast<unsigned>(n % 31 + 1)));
}

// Times as the zone's clocks show them are counted from 1970 as well, but are no instants.
struct Calendar::Zone {
  using Shown = date::local_time<std::chrono::microseconds>;

  Shown shown(Instant instant) const { return zone->to_local(instant); }
  // A time that is shown twice is the later one; one that is left out is when the clocks jump.
  Instant instant(Shown shown) const { return zone->to_sys(shown, date::choose::latest); }
  // A time that is shown twice is the earlier one.
  Instant first_instant(Shown shown) const { return zone->to_sys(shown, date::choose::earliest); }

  const date::time_zone* zone;
};

Calendar::Calendar(Given given) : given_(std::move(given)) {
  const auto name = zone_name();
  try {
    zone_ = std::make_shared<const Zone>(Zone{date::locate_zone(name)});
  } catch (const std::exception&) {
    throw Error(Code::invalid, "there is no such time zone: " + name);
  }
  for (const auto& rule : given_.holidays)
    if (!can_be_dated(rule))
      throw Error(Code::invalid, "a holiday needs a date, or month, weekday and nth, or easter: " +
                                     rule.name.value);
}

bool Calendar::is_weekend(Date date) const {
  return std::ranges::count(given_.weekend, weekday_of(date)) > 0;
}

std::vector<Date> Calendar::holidays(year in) const {
  std::set<Date> kept;
  for (const auto& rule : given_.holidays)
    if (const auto date = date_of(rule, in); date && !is_weekend(*date)) kept.insert(*date);
  for (const auto& rule : given_.holidays) {
    auto date = date_of(rule, in);
    if (!date || !is_weekend(*date)) continue;
    const auto moved = rule.moved.value_or(Moved::no);
    if (moved == Moved::sunday_to_monday && weekday_of(*date) == Weekday::sun)
      *date += days(1);
    else if (moved == Moved::next_free_day)
      while (is_weekend(*date) || kept.contains(*date)) *date += days(1);
    if (!is_weekend(*date)) kept.insert(*date);
  }
  return {kept.begin(), kept.end()};
}

// What was moved beyond the end of a year is a holiday of the next.
bool Calendar::is_business_day(Date date) const {
  if (is_weekend(date)) return false;
  const auto in = year_month_day(date).year();
  for (const auto of : {in, in - std::chrono::years(1)})
    if (std::ranges::count(holidays(of), date) > 0) return false;
  return true;
}

Date Calendar::add_business_days(Date date, int count) const {
  for (int left = count; left > 0;) {
    date += days(1);
    if (is_business_day(date)) --left;
  }
  return date;
}

Instant Calendar::add_business_days(Instant instant, int count) const {
  const auto shown = zone_->shown(instant).time_since_epoch();
  Date date{std::chrono::floor<days>(shown)};
  auto time = shown - date.time_since_epoch();
  while (!is_business_day(date)) {
    date += days(1);
    time = std::chrono::microseconds(0);
  }
  return zone_->instant(Zone::Shown(add_business_days(date, count).time_since_epoch() + time));
}

Date Calendar::date_at(Instant instant) const {
  return Date{std::chrono::floor<days>(zone_->shown(instant).time_since_epoch())};
}

Instant Calendar::begin_of(Date date) const {
  return zone_->first_instant(Zone::Shown(date.time_since_epoch()));
}

std::string Calendar::zone_name() const { return given_.zone ? given_.zone->value : "UTC"; }

Instant Calendar::next_at(Instant from, std::chrono::minutes time_of_day) const {
  for (auto date = date_at(from);; date += days(1)) {
    const auto at = zone_->instant(Zone::Shown(date.time_since_epoch() + time_of_day));
    if (at >= from && is_business_day(date)) return at;
  }
}

Calendars Calendars::parse(std::string_view json) {
  const auto given = parse_json(std::string(json));
  const Json &calendars = object_of(given, "calendars"), &countries = object_of(given, "countries");
  Calendars out;
  for (const auto& [name, row] : calendars.items())
    out.calendars_.emplace(name, Calendar(from_json<Calendar::Given>(row)));
  for (const auto& [country, name] : countries.items()) {
    if (!name.is_string() || !out.calendars_.contains(name.get<std::string>()))
      throw Error(Code::invalid, "there is no such calendar for " + country);
    out.countries_[country] = name.get<std::string>();
  }
  if (!out.calendars_.contains(kOther))
    throw Error(Code::invalid, "the calendar of every other country is missing: weekends");
  return out;
}

const Calendars& Calendars::built_in() {
  static const Calendars all = parse(calendars_json());
  return all;
}

const Calendar& Calendars::of(std::string_view country) const {
  const auto found = countries_.find(country);
  const std::string_view name =
      found == countries_.end() ? kOther : std::string_view(found->second);
  return calendars_.find(name)->second;
}

}  // namespace bottega
