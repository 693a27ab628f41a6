// Patterns and check digits, without allocation: a number is read while somebody waits.
#include <array>
#include <optional>

#include "carriers/rows.hpp"

namespace bottega::carriers {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

// One element of a pattern: which characters, and how many of them.
struct Piece {
  std::string_view set;
  std::size_t least = 1, most = 1;

  bool takes(char c) const {
    if (set == "#") return is_digit(c);
    if (set == "@") return is_capital(c);
    if (set == "*") return is_digit(c) || is_capital(c);
    if (set.front() != '[') return c == set.front();
    for (std::size_t i = 1; i + 1 < set.size(); ++i) {
      const bool is_span = set[i + 1] == '-';
      if (c >= set[i] && c <= (is_span ? set[i + 2] : set[i])) return true;
      if (is_span) i += 2;
    }
    return false;
  }
};

std::size_t take_number(std::string_view& text) {
  std::size_t number = 0;
  for (; is_digit(text.front()); text.remove_prefix(1))
    number = number * 10 + static_cast<std::size_t>(text.front() - '0');
  return number;
}

Piece take_piece(std::string_view& pattern) {
  Piece piece;
  const auto size = pattern.front() == '[' ? pattern.find(']') + 1 : 1;
  piece.set = pattern.substr(0, size);
  pattern.remove_prefix(size);
  if (!pattern.starts_with('{')) return piece;
  pattern.remove_prefix(1);
  piece.least = piece.most = take_number(pattern);
  if (pattern.starts_with(',')) {
    pattern.remove_prefix(1);
    piece.most = take_number(pattern);
  }
  pattern.remove_prefix(1);
  return piece;
}

bool fits_one(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  const auto piece = take_piece(pattern);
  std::size_t there = 0;
  while (there < piece.most && there < text.size() && piece.takes(text[there])) ++there;
  for (auto count = there + 1; count-- > piece.least;)
    if (fits_one(pattern, text.substr(count))) return true;
  return false;
}

int digit_of(char c) { return c - '0'; }
// The digit that brings a sum to the next ten.
int to_ten(int sum) { return (10 - sum % 10) % 10; }

// Letters count as their place in ASCII less 3, modulo 10 (UPS).
int weighted(std::string_view text, int even, int odd) {
  int sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = is_digit(text[i]) ? digit_of(text[i]) : (text[i] - 3) % 10;
    sum += value * (i % 2 == 0 ? even : odd);
  }
  return to_ten(sum);
}

int luhn(std::string_view text) {
  int sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = digit_of(text[text.size() - 1 - i]) * (i % 2 == 0 ? 2 : 1);
    sum += value / 10 + value % 10;
  }
  return to_ten(sum);
}

int weighted_137(std::string_view text) {
  constexpr std::array<int, 3> kWeights = {1, 3, 7};
  int sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    sum += digit_of(text[text.size() - 1 - i]) * kWeights[i % kWeights.size()];
  return sum % 11 % 10;
}

int remainder_of_7(std::string_view text) {
  int rest = 0;
  for (const char c : text) rest = (rest * 10 + digit_of(c)) % 7;
  return rest;
}

int value_of_36(char c) { return is_digit(c) ? digit_of(c) : c - 'A' + 10; }

// ISO 7064, MOD 37,36.
int mod_37_36(std::string_view text) {
  int check = 36;
  for (const char c : text) {
    check += value_of_36(c);
    if (check > 36) check -= 36;
    check = check * 2 % 37;
  }
  return (37 - check) % 36;
}

int s10(std::string_view text) {
  constexpr std::array<int, 8> kWeights = {8, 6, 4, 2, 3, 5, 9, 7};
  int sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) sum += digit_of(text[i]) * kWeights[i % 8];
  const int check = 11 - sum % 11;
  if (check == 10) return 0;
  return check == 11 ? 5 : check;
}

int check_of(Sum sum, std::string_view text) {
  switch (sum) {
    case Sum::even3:
      return weighted(text, 3, 1);
    case Sum::odd2:
      return weighted(text, 1, 2);
    case Sum::odd3:
      return weighted(text, 1, 3);
    case Sum::luhn:
      return luhn(text);
    case Sum::w137:
      return weighted_137(text);
    case Sum::mod7:
      return remainder_of_7(text);
    case Sum::mod37:
      return mod_37_36(text);
    case Sum::s10:
      return s10(text);
    case Sum::none:
      break;
  }
  return -1;
}

}  // namespace

bool fits(std::string_view pattern, std::string_view text) {
  for (;;) {
    const auto end = pattern.find('|');
    if (fits_one(pattern.substr(0, end), text)) return true;
    if (end == pattern.npos) return false;
    pattern.remove_prefix(end + 1);
  }
}

bool is_right(Sum sum, std::string_view characters, char digit) {
  return check_of(sum, characters) == value_of_36(digit);
}

}  // namespace bottega::carriers
