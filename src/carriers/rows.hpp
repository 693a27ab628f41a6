#pragma once
// The tables that the recognition reads.
#include <cstdint>
#include <span>
#include <string_view>

namespace bottega::carriers {

// How a check digit comes about. Of the sums modulo 10 the name says which digits count more,
// counted from the first one as even; w137 weighs 1, 3, 7 from the last one on.
enum class Sum : std::uint8_t { none, even3, odd2, odd3, luhn, w137, mod7, mod37, s10 };

// What a kind of number looks like. In a pattern '#' is a digit, '@' a letter, '*' either, [A-C]
// one of these, {n} or {n,m} says how often, '|' separates whole patterns, and anything else is
// itself. The check digit stands `tail` characters before the end, behind `length` characters that
// it is about (all of them where that is 0), which `before` precedes where they do not begin with
// it.
struct Shape {
  std::string_view format, carrier, pattern;
  Sum sum = Sum::none;
  std::size_t length = 0, tail = 0;
  std::string_view before = {};
  bool is_routed = false;  // may follow "420" and the recipient's ZIP code
};
std::span<const Shape> shapes();

struct Carrier {
  std::string_view code, name;
  std::string_view url;  // with %s for the number; empty where there is none to link to
};
std::span<const Carrier> carriers();

// The post of a country, by whose code numbers of the postal union (UPU S10) end.
struct Post {
  std::string_view country, name;
};
std::span<const Post> posts();

bool fits(std::string_view pattern, std::string_view text);
// Whether the digit is what the characters come to.
bool is_right(Sum sum, std::string_view characters, char digit);

}  // namespace bottega::carriers
