// What clients give must be, as far as that can be told without the database.
#include "bottega/conversations/inbox.hpp"

namespace bottega::conversations {

void OfficeHours::check(Faults& faults, const std::string& pointer) const {
  if (to <= from) faults.push_back({pointer + "/to", "must be after from"});
}

}  // namespace bottega::conversations

namespace bottega {

using conversations::ClockTime;

std::string Form<ClockTime>::text(const ClockTime& value) {
  const auto two = [](int number) {
    return std::string(number < 10 ? "0" : "") + std::to_string(number);
  };
  return two(value.minutes / 60) + ':' + two(value.minutes % 60);
}

std::optional<ClockTime> Form<ClockTime>::parse(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const auto i : {0u, 1u, 3u, 4u})
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  const auto two = [&](std::size_t i) { return (text[i] - '0') * 10 + (text[i + 1] - '0'); };
  const int minutes = two(0) * 60 + two(3);
  if (two(3) > 59 || minutes > 24 * 60) return std::nullopt;
  return ClockTime{minutes};
}

}  // namespace bottega
