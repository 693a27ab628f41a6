#include "bottega/core/csv.hpp"

#include <algorithm>
#include <string_view>

namespace bottega {
namespace {

// As decimal() writes it: "-12.34".
bool is_number(std::string_view cell) {
  if (cell.starts_with('-')) cell.remove_prefix(1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !cell.empty() && is_digit(cell.front()) && is_digit(cell.back()) &&
         std::ranges::count(cell, '.') <= 1 &&
         std::ranges::all_of(cell, [&](char c) { return is_digit(c) || c == '.'; });
}

bool is_formula(std::string_view cell) {
  constexpr std::string_view kBeginnings = "=+-@\t\r\n";
  return !cell.empty() && kBeginnings.find(cell.front()) != kBeginnings.npos && !is_number(cell);
}

std::string cell_of(const std::string& given) {
  const auto cell = is_formula(given) ? '\'' + given : given;
  if (cell.find_first_of(",\"\r\n") == cell.npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

}  // namespace

std::string csv_line(std::initializer_list<std::string> cells) {
  std::string line;
  for (const auto& cell : cells) {
    if (&cell != cells.begin()) line += ',';
    line += cell_of(cell);
  }
  return line + "\r\n";
}

}  // namespace bottega
