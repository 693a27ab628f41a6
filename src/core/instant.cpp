#include "bottega/core/instant.hpp"

#include <charconv>
#include <cstdio>

namespace bottega {
namespace {

using namespace std::chrono;

// Reads exactly `digits` decimal digits from the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Date> take_date(std::string_view& text) {
  const auto y = take_number(text, 4);
  if (!y || *y == 0 || !take(text, '-')) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m || !take(text, '-')) return std::nullopt;
  const auto d = take_number(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)),
                            day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

// Up to nine digits of a fraction, in microseconds.
std::optional<microseconds> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return microseconds(0);
  std::int64_t value = 0;
  int digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (++digits > 9) return std::nullopt;
    if (digits <= 6) value = value * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (int i = digits; i < 6; ++i) value *= 10;
  return microseconds(value);
}

std::optional<microseconds> take_time(std::string_view& text) {
  const auto h = take_number(text, 2);
  if (!h || *h > 23 || !take(text, ':')) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m || *m > 59 || !take(text, ':')) return std::nullopt;
  const auto s = take_number(text, 2);
  if (!s || *s > 59) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  return hours(*h) + minutes(*m) + seconds(*s) + *fraction;
}

enum class Dialect { rfc3339, sql };

std::optional<minutes> take_offset(std::string_view& text, Dialect dialect) {
  if (take(text, 'Z') || (dialect == Dialect::rfc3339 && take(text, 'z'))) return minutes(0);
  const bool minus = !text.empty() && text.front() == '-';
  if (!minus && (text.empty() || text.front() != '+')) return std::nullopt;
  text.remove_prefix(1);
  const auto h = take_number(text, 2);
  if (!h || *h > 23) return std::nullopt;
  int m = 0;
  if (dialect == Dialect::rfc3339 || !text.empty()) {
    if (!take(text, ':')) return std::nullopt;
    const auto given = take_number(text, 2);
    if (!given || *given > 59) return std::nullopt;
    m = *given;
  }
  const minutes offset = hours(*h) + minutes(m);
  return minus ? -offset : offset;
}

std::optional<Instant> parse(std::string_view text, Dialect dialect) {
  const auto date = take_date(text);
  if (!date) return std::nullopt;
  const bool separated = take(text, 'T') || (dialect == Dialect::rfc3339 && take(text, 't')) ||
                         (dialect == Dialect::sql && take(text, ' '));
  if (!separated) return std::nullopt;
  const auto time = take_time(text);
  if (!time) return std::nullopt;
  const auto offset = take_offset(text, dialect);
  if (!offset || !text.empty()) return std::nullopt;
  const Instant instant = Instant(*date) + *time - *offset;
  const Instant first = sys_days(year(1) / January / 1), end = sys_days(year(10'000) / January / 1);
  if (instant < first || instant >= end) return std::nullopt;
  return instant;
}

}  // namespace

std::string to_text(Instant instant) {
  const auto date = floor<days>(instant);
  const hh_mm_ss time(floor<seconds>(instant) - date);
  const auto fraction = (instant - floor<seconds>(instant)).count();
  char out[48];
  std::snprintf(out, sizeof out, "%sT%02d:%02d:%02d", to_text(Date(date)).c_str(),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  std::string text = out;
  if (fraction != 0) {
    const bool milli = fraction % 1000 == 0;
    std::snprintf(out, sizeof out, milli ? ".%03lld" : ".%06lld",
                  static_cast<long long>(milli ? fraction / 1000 : fraction));
    text += out;
  }
  return text + 'Z';
}

std::optional<Instant> parse_instant(std::string_view text) {
  return parse(text, Dialect::rfc3339);
}

std::optional<Instant> parse_sql_instant(std::string_view text) {
  return parse(text, Dialect::sql);
}

std::string to_text(Date date) {
  const year_month_day parts(date);
  char out[24];
  std::snprintf(out, sizeof out, "%04d-%02u-%02u", static_cast<int>(parts.year()),
                static_cast<unsigned>(parts.month()), static_cast<unsigned>(parts.day()));
  return out;
}

std::optional<Date> parse_date(std::string_view text) {
  const auto date = take_date(text);
  return text.empty() ? date : std::nullopt;
}

}  // namespace bottega
