#include "catalog/feed_values.hpp"

#include <algorithm>
#include <charconv>

namespace bottega::catalog {
namespace {

using std::chrono::days, std::chrono::hours, std::chrono::minutes;

constexpr std::string_view kBlank = " \t\r\n";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

// "In Stock", "in-stock" and "in_stock" as one.
std::string word_of(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == ' ' || c == '-') c = '_';
  }
  return out;
}

// Digits with at most one point as a count of the unit's so many decimals; more digits than that
// only where they are zero.
enum class Digits : std::uint8_t { fit, none, too_many, too_long };
struct Counted {
  Digits digits = Digits::none;
  std::int64_t value = 0;
  bool had_zeros = false;
};
Counted count_of(std::string_view text, unsigned decimals) {
  Counted out;
  if (text.size() > 20) return {Digits::too_long, 0, false};
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = text.substr(0, point);
  auto rest = text.substr(std::min(point + 1, text.size()));
  if (whole.empty() || (point < text.size() && rest.empty())) return out;
  if (!std::ranges::all_of(whole, is_digit) || !std::ranges::all_of(rest, is_digit)) return out;
  while (rest.size() > decimals) {
    if (rest.back() != '0') return {Digits::too_many, 0, false};
    rest.remove_suffix(1);
    out.had_zeros = true;
  }
  auto digits = std::string(whole) + std::string(rest);
  digits.append(decimals - rest.size(), '0');
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out.value);
  out.digits = failed == std::errc{} ? Digits::fit : Digits::too_long;
  return out;
}

// One or two digits at a place; moves on behind them.
std::optional<int> number(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t size = 0;
  while (size < most && size < text.size() && is_digit(text[size])) ++size;
  if (size < least) return std::nullopt;
  int value = 0;
  std::from_chars(text.data(), text.data() + size, value);
  text.remove_prefix(size);
  return value;
}

bool skip(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

enum class Edge : std::uint8_t { begin, end };

// What is behind the T: "0:00", "00:00:00.5". Answers what is left of the text.
std::optional<std::chrono::microseconds> time_of_day(std::string_view& text) {
  const auto hour = number(text, 1, 2);
  if (!hour || !skip(text, ':')) return std::nullopt;
  const auto minute = number(text, 2, 2);
  if (!minute) return std::nullopt;
  int second = 0;
  std::int64_t fraction = 0;
  if (skip(text, ':')) {
    const auto given = number(text, 2, 2);
    if (!given) return std::nullopt;
    second = *given;
    if (skip(text, '.')) {
      std::int64_t unit = 100'000;
      if (text.empty() || !is_digit(text.front())) return std::nullopt;
      for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), unit /= 10)
        fraction += (text.front() - '0') * unit;
    }
  }
  if (*hour > 23 || *minute > 59 || second > 59) return std::nullopt;
  return hours(*hour) + minutes(*minute) + std::chrono::seconds(second) +
         std::chrono::microseconds(fraction);
}

// "Z", "+0100", "+01:00" or nothing, which is UTC; none where it is something else.
std::optional<minutes> offset_of(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return minutes(0);
  const int sign = text.front() == '-' ? -1 : 1;
  if (!skip(text, '+') && !skip(text, '-')) return std::nullopt;
  const auto hour = number(text, 2, 2);
  skip(text, ':');
  const auto minute = text.empty() ? std::optional(0) : number(text, 2, 2);
  if (!hour || !minute || !text.empty() || *hour > 14 || *minute > 59) return std::nullopt;
  return sign * (hours(*hour) + minutes(*minute));
}

std::optional<Instant> instant_of(std::string_view text, Edge edge) {
  const auto date = parse_date(text.substr(0, 10));
  if (!date) return std::nullopt;
  text.remove_prefix(10);
  const Instant day = *date;
  if (text.empty()) return edge == Edge::begin ? day : day + days(1);
  if (!skip(text, 'T') && !skip(text, ' ')) return std::nullopt;
  const auto time = time_of_day(text);
  if (!time) return std::nullopt;
  // Meta's span of a day: no offset is as large as that.
  if (text == "-23:59" && *time == std::chrono::microseconds(0))
    return edge == Edge::begin ? day : day + days(1);
  const auto offset = offset_of(text);
  if (!offset) return std::nullopt;
  return day + *time - *offset;
}

struct Unit {
  std::string_view name;
  std::int64_t nanograms;
};
constexpr Unit kUnits[] = {{"mg", 1'000'000},         {"g", 1'000'000'000},
                           {"kg", 1'000'000'000'000}, {"oz", 28'349'523'125},
                           {"lb", 453'592'370'000},   {"lbs", 453'592'370'000}};

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

Read<FeedPrice> read_feed_price(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  const bool code_first = !text.empty() && is_letter(text.front());
  const auto size = std::min<std::size_t>(3, text.size());
  const auto code = code_first ? text.substr(0, size) : text.substr(text.size() - size);
  if (size < 3 || !std::ranges::all_of(code, is_letter))
    return {std::nullopt, "needs a currency behind the number, as in 12.50 EUR"};
  const auto currency = Currency::find(upper(code));
  if (!currency) return {std::nullopt, "has a currency that is no active one of ISO 4217"};
  const auto digits = trimmed(code_first ? text.substr(3) : text.substr(0, text.size() - 3));
  const auto counted = count_of(digits, currency->decimals());
  if (counted.digits == Digits::none)
    return {std::nullopt, "must be a number with a point before its decimals, as in 12.50 EUR"};
  if (counted.digits == Digits::too_many)
    return {std::nullopt, "has more decimals than the currency"};
  if (counted.digits == Digits::too_long || counted.value > kAmountMax)
    return {std::nullopt, "is more than a price may be"};
  std::string words;
  if (counted.had_zeros) words = "has more decimals than the currency; they are zero";
  if (code != currency->code()) words = "has its currency in small letters";
  if (code_first) words = "has its currency before the number";
  return {FeedPrice{counted.value, *currency}, words};
}

Read<FeedDates> read_feed_dates(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos)
    return {std::nullopt, "must be a beginning and an end with a slash between them"};
  const auto from = trimmed(text.substr(0, slash)), until = trimmed(text.substr(slash + 1));
  FeedDates dates;
  if (!from.empty()) dates.from = instant_of(from, Edge::begin);
  if (!until.empty()) dates.until = instant_of(until, Edge::end);
  if (dates.from.has_value() == from.empty() || dates.until.has_value() == until.empty())
    return {std::nullopt, "has a time that is none of ISO 8601"};
  if (!dates.from && !dates.until) return {std::nullopt, "says neither beginning nor end"};
  if (dates.from && dates.until && *dates.until <= *dates.from)
    return {std::nullopt, "ends before it begins"};
  return {dates, {}};
}

Read<Instant> read_feed_instant(std::string_view text) {
  const auto found = instant_of(text, Edge::begin);
  if (!found) return {std::nullopt, "must be a time of ISO 8601, as in 2026-12-24T13:00-0800"};
  return {found, {}};
}

Read<std::int64_t> read_feed_weight(std::string_view text) {
  const auto size =
      std::ranges::find_if_not(text, [](char c) { return is_digit(c) || c == '.'; }) - text.begin();
  const auto unit_name = word_of(trimmed(text.substr(static_cast<std::size_t>(size))));
  const auto* unit = std::ranges::find(kUnits, unit_name, &Unit::name);
  if (unit == std::end(kUnits))
    return {std::nullopt, "needs a unit behind the number: mg, g, kg, oz or lb"};
  auto digits = text.substr(0, static_cast<std::size_t>(size));
  if (const auto point = digits.find('.'); point != digits.npos)
    digits = digits.substr(0, point + 5);  // a tenth of a gram is in the fourth decimal of a kilo
  const auto counted = count_of(digits, 4);
  if (counted.digits == Digits::none) return {std::nullopt, "must be a number with its unit"};
  constexpr std::int64_t kMost = 10'000'000, kScale = 10'000, kGram = 1'000'000'000;
  const auto whole = counted.value / kScale, part = counted.value % kScale;
  if (counted.digits != Digits::fit || whole > kMost * kGram / unit->nanograms)
    return {std::nullopt, "is more than ten tonnes"};
  const auto nanograms = whole * unit->nanograms + part * unit->nanograms / kScale;
  const auto grams = (nanograms + kGram / 2) / kGram;
  if (grams > kMost) return {std::nullopt, "is more than ten tonnes"};
  return {grams, {}};
}

Read<std::int64_t> read_feed_count(std::string_view text) {
  const auto counted = count_of(text, 0);
  if (counted.digits != Digits::fit || counted.value > 1'000'000'000)
    return {std::nullopt, "must be a whole number from 0 to 1000000000"};
  return {counted.value, {}};
}

Read<Availability> read_feed_availability(std::string_view text) {
  const auto word = word_of(text);
  if (const auto known = Form<Availability>::parse(word)) return {known, {}};
  if (word == "available_for_order") return {Availability::backorder, {}};
  if (word == "pre_order") return {Availability::preorder, "is taken as preorder"};
  if (word == "back_order") return {Availability::backorder, "is taken as backorder"};
  if (word == "discontinued") return {Availability::out_of_stock, "is taken as out_of_stock"};
  return {std::nullopt, "must be one of in_stock, out_of_stock, preorder, backorder"};
}

Read<Condition> read_feed_condition(std::string_view text) {
  const auto word = word_of(text);
  if (const auto known = Form<Condition>::parse(word)) return {known, {}};
  if (word.starts_with("used_")) return {Condition::used, "is taken as used"};
  return {std::nullopt, "must be one of new, refurbished, used"};
}

Read<bool> read_feed_status(std::string_view text) {
  const auto word = word_of(text);
  if (word == "active") return {true, {}};
  if (word == "archived") return {false, {}};
  return {std::nullopt, "must be active or archived"};
}

void split_feed_links(std::string_view text, std::vector<std::string_view>& out) {
  while (!text.empty()) {
    std::size_t end = text.find(',');
    while (end != text.npos && !trimmed(text.substr(end + 1)).starts_with("http"))
      end = text.find(',', end + 1);
    auto link = trimmed(text.substr(0, end));
    while (link.ends_with(',')) link = trimmed(link.substr(0, link.size() - 1));
    if (!link.empty()) out.push_back(link);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

}  // namespace bottega::catalog
