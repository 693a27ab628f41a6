#include "bottega/catalog/fields.hpp"

#include <algorithm>

#include "bottega/outbound/http.hpp"

namespace bottega::catalog {
namespace {

constexpr std::size_t kUrlMax = 2'000, kPathMax = 750, kNamesMax = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The last digit makes the sum a multiple of ten: from the right 1, 3, 1, 3 … times each.
bool adds_up(std::string_view digits) {
  int sum = 0, weight = 1;
  for (std::size_t i = digits.size(); i-- > 0; weight = 4 - weight)
    sum += (digits[i] - '0') * weight;
  return sum % 10 == 0;
}

// The number as 13 digits, by which prefixes are given out: 12 have a zero before them, and of 14
// the first says how many are packed together. Eight have prefixes of their own.
std::string prefixed(std::string_view digits) {
  if (digits.size() == 12) return '0' + std::string(digits);
  return std::string(digits.substr(digits.size() == 14 ? 1 : 0));
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

bool is_on(const SalePrice& sale, Instant now) {
  return (!sale.starts_at || *sale.starts_at <= now) && (!sale.ends_at || now < *sale.ends_at);
}

}  // namespace

bool is_gtin(std::string_view text) {
  const auto size = text.size();
  if (size != 8 && size != 12 && size != 13 && size != 14) return false;
  if (!std::ranges::all_of(text, is_digit) || !adds_up(text)) return false;
  if (text.find_first_not_of('0') == text.npos) return false;
  const auto number = prefixed(text);
  return !number.starts_with('2') && !number.starts_with("02") && !number.starts_with("04");
}

std::optional<std::string> category_path(std::string_view text) {
  if (!is_clean(text, Lines::one)) return std::nullopt;
  std::string path;
  for (std::size_t names = 1;; ++names) {
    const auto end = std::min(text.find('>'), text.size());
    const auto name = trimmed(text.substr(0, end));
    if (names > kNamesMax || !is_visible(name)) return std::nullopt;
    path += (path.empty() ? "" : " > ") + std::string(name);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  if (code_points(path) > kPathMax) return std::nullopt;
  return path;
}

bool is_web_url(std::string_view text) {
  if (text.size() > kUrlMax || !text.starts_with("https://")) return false;
  const auto hash = std::min(text.find('#'), text.size());
  const auto fragment = text.substr(hash);
  const auto visible = [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '<'; };
  return outbound::parse_url(text.substr(0, hash)).has_value() &&
         std::ranges::all_of(fragment, visible);
}

void Image::check(Faults& faults, const std::string& pointer) const {
  if (url.has_value() == attachment_id.has_value())
    faults.push_back({pointer, "has either a url or an attachment_id"});
}

void SalePrice::check(Faults& faults, const std::string& pointer) const {
  if (starts_at && ends_at && *ends_at <= *starts_at)
    faults.push_back({pointer + "/ends_at", "must be after starts_at"});
}

void VariantPrice::check(Faults& faults, const std::string& pointer) const {
  if (compare_at && compare_at->value <= amount.value)
    faults.push_back({pointer + "/compare_at", "must be more than the amount"});
  if (sale && sale->amount.value >= amount.value)
    faults.push_back({pointer + "/sale/amount", "must be less than the amount"});
}

std::optional<PriceNow> price_now(const Prices& prices, Currency currency, Instant now) {
  const auto price = std::ranges::find(prices.items, currency, &VariantPrice::currency);
  if (price == prices.items.end()) return std::nullopt;
  PriceNow out{price->amount, std::nullopt};
  if (price->compare_at) out.compare_at = price->compare_at->value;
  if (!price->sale || !is_on(*price->sale, now)) return out;
  // What it costs without the sale is what it is compared with, unless that was less already.
  if (!out.compare_at) out.compare_at = price->amount.value;
  out.amount = price->sale->amount;
  return out;
}

void check_prices(const Prices& prices, Faults& faults, const std::string& pointer) {
  const auto& items = prices.items;
  for (auto one = items.begin(); one != items.end(); ++one)
    if (std::ranges::find(items.begin(), one, one->currency, &VariantPrice::currency) != one)
      faults.push_back({pointer + '/' + std::to_string(one - items.begin()) + "/currency",
                        "has a price already"});
}

}  // namespace bottega::catalog

namespace bottega {

std::optional<catalog::Condition> Form<catalog::Condition>::parse(std::string_view text) {
  const auto& words = catalog::kConditionWords;
  const auto found = std::ranges::find(words, text);
  if (found == std::end(words)) return std::nullopt;
  return static_cast<catalog::Condition>(found - std::begin(words));
}

std::optional<catalog::TaxClass> Form<catalog::TaxClass>::parse(std::string_view text) {
  if (text.empty() || text.size() > 30) return std::nullopt;
  catalog::TaxClass out{std::string(text)};
  for (auto& c : out.value) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!is_letter && std::string_view("-_.:").find(c) == std::string_view::npos)
      return std::nullopt;
  }
  return out;
}

}  // namespace bottega
