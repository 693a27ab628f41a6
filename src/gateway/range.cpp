#include "gateway/range.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace bottega::gateway {
namespace {

constexpr std::string_view kUnit = "bytes=";

// 1*DIGIT; what is larger than any file is the largest number there is.
std::optional<std::uint64_t> number_in(std::string_view text) {
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc{} ? value : UINT64_MAX;
}

bool has_unit(std::string_view text) {
  return text.size() >= kUnit.size() &&
         std::ranges::equal(text.substr(0, kUnit.size()), kUnit, [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

}  // namespace

Ranged read_range(std::string_view range, std::string_view if_range, std::string_view etag,
                  std::uint64_t size) {
  if (!has_unit(range) || size == 0) return {};
  if (!if_range.empty() && if_range != etag) return {};
  range.remove_prefix(kUnit.size());
  const auto dash = range.find('-');
  if (dash == range.npos || range.find(',') != range.npos) return {};
  const auto from = range.substr(0, dash), to = range.substr(dash + 1);
  const auto first = number_in(from), last = number_in(to);
  if (from.empty()) {  // the last so many bytes
    if (!last) return {};
    if (*last == 0) return {RangeKind::unsatisfiable, {}};
    return {RangeKind::part, {size - std::min(*last, size), size - 1}};
  }
  if (!first || (!to.empty() && !last) || (last && *last < *first)) return {};
  if (*first >= size) return {RangeKind::unsatisfiable, {}};
  return {RangeKind::part, {*first, std::min(last.value_or(size - 1), size - 1)}};
}

}  // namespace bottega::gateway
