// The number of an order as people read it to each other.
#include "bottega/orders/orders.hpp"

namespace bottega::orders {
namespace {

// Crockford's: without the letters that look like digits, and without U.
constexpr std::string_view kLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kDigits = 7, kGroup = 4;
constexpr int kBase = 32;
using Digits = std::array<int, kDigits>;

// The first digit from the right counts twice, then every other one.
int check_of(const Digits& digits) {
  int sum = 0;
  for (std::size_t i = 0; i < kDigits; ++i) {
    const int value = digits[kDigits - 1 - i] * (i % 2 == 0 ? 2 : 1);
    sum += value / kBase + value % kBase;
  }
  return (kBase - sum % kBase) % kBase;
}

std::string text_of_digits(const Digits& digits) {
  std::string text;
  for (const int digit : digits) {
    if (text.size() == kGroup) text += '-';
    text += kLetters[static_cast<std::size_t>(digit)];
  }
  return text + kLetters[static_cast<std::size_t>(check_of(digits))];
}

// What is meant by a character that somebody has read or heard.
std::optional<int> digit_of(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'O') c = '0';
  if (c == 'I' || c == 'L') c = '1';
  const auto at = kLetters.find(c);
  return at == kLetters.npos ? std::nullopt : std::optional(static_cast<int>(at));
}

}  // namespace

std::string number_of(OrderId id) {
  std::uint64_t bits = 0;
  for (std::size_t i = 11; i < id.uuid.bytes.size(); ++i) bits = bits << 8 | id.uuid.bytes[i];
  Digits digits{};
  for (std::size_t i = kDigits; i-- > 0; bits >>= 5) digits[i] = static_cast<int>(bits % kBase);
  return text_of_digits(digits);
}

std::optional<std::string> parse_number(std::string_view text) {
  Digits digits{};
  std::size_t there = 0;
  int check = -1;
  for (const char c : text) {
    if (c == '-' || c == ' ') continue;
    const auto digit = digit_of(c);
    if (!digit || there > kDigits) return std::nullopt;
    if (there < kDigits)
      digits[there] = *digit;
    else
      check = *digit;
    ++there;
  }
  if (check != check_of(digits)) return std::nullopt;
  return text_of_digits(digits);
}

}  // namespace bottega::orders
