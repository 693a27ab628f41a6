#pragma once
// Instants are microseconds in UTC, what timestamptz holds; their text is RFC 3339.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bottega {

using Instant = std::chrono::sys_time<std::chrono::microseconds>;
using Date = std::chrono::sys_days;

// "2026-11-21T04:11:20.149288Z", the fraction only as long as it needs to be: 0, 3 or 6 digits.
std::string to_text(Instant instant);
// RFC 3339 with Z or an offset, years 0001 to 9999, a real date, no leap second; a fraction of up
// to 9 digits is cut to microseconds.
std::optional<Instant> parse_instant(std::string_view text);
// PostgreSQL's form as well: "2026-11-21 04:11:20.149288+00".
std::optional<Instant> parse_sql_instant(std::string_view text);

std::string to_text(Date date);
std::optional<Date> parse_date(std::string_view text);

}  // namespace bottega
