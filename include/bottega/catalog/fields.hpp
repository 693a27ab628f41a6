#pragma once
// The forms of what a product is described by.
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include "bottega/core/describe.hpp"
#include "bottega/core/id.hpp"
#include "bottega/core/money.hpp"

namespace bottega::catalog {

// The words are those of product feeds; `new` is none that C++ leaves to us.
enum class Condition : std::uint8_t { brand_new, refurbished, used };
inline constexpr std::string_view kConditionWords[] = {"new", "refurbished", "used"};

enum class Availability : std::uint8_t { in_stock, out_of_stock, preorder, backorder };
BOOST_DESCRIBE_ENUM(Availability, in_stock, out_of_stock, preorder, backorder)

// The same ids as in `attachments`.
using AttachmentId = Id<"att">;

// A GTIN-8, -12, -13 or -14 with its check digit (GS1); not one of the prefixes 02, 04 and 2, which
// each shop uses as it likes.
bool is_gtin(std::string_view text);
struct Gtin {
  std::string value;
  operator const std::string&() const { return value; }
};

// What a shop calls a product or variant: 1 to Most characters on one line, capitals matter.
using Sku = Line<1, 50>;
using Handle = Line<1, 100>;
using Weight = Count<0, 10'000'000>;

// By which taxes tell goods apart: 1 to 30 letters, digits, "-", "_", "." and ":"; capitals do not
// matter, and are kept small.
struct TaxClass {
  std::string value;
  operator const std::string&() const { return value; }
};

// A path of at most 10 names, with " > " between them: "Food > Drinks > Tea"; nothing where the
// text is none.
std::optional<std::string> category_path(std::string_view text);
struct Category {
  std::string value;
  operator const std::string&() const { return value; }
};

// An absolute https URL of at most 2,000 characters, without a name or password in it.
bool is_web_url(std::string_view text);
struct WebUrl {
  std::string value;
  operator const std::string&() const { return value; }
};

}  // namespace bottega::catalog

namespace bottega {

template <>
struct Form<catalog::Condition> {
  static std::string text(const catalog::Condition& value) {
    return std::string(catalog::kConditionWords[static_cast<std::size_t>(value)]);
  }
  static std::optional<catalog::Condition> parse(std::string_view text);
  static std::string expected() { return "one of new, refurbished, used"; }
  static Json schema() { return {{"type", "string"}, {"enum", Json(catalog::kConditionWords)}}; }
  template <class F>
  static void each(F&& visit) {
    for (const auto& word : catalog::kConditionWords) visit(word.data());
  }
};

template <>
struct Form<catalog::Gtin> {
  static std::string text(const catalog::Gtin& value) { return value.value; }
  static std::optional<catalog::Gtin> parse(std::string_view text) {
    if (!catalog::is_gtin(text)) return std::nullopt;
    return catalog::Gtin{std::string(text)};
  }
  static std::string expected() {
    return "a GTIN of 8, 12, 13 or 14 digits with its check digit, none of a restricted prefix";
  }
  static Json schema() { return schemas::text_like("^([0-9]{8}|[0-9]{12,14})$"); }
};

template <>
struct Form<catalog::TaxClass> {
  static std::string text(const catalog::TaxClass& value) { return value.value; }
  static std::optional<catalog::TaxClass> parse(std::string_view text);
  static std::string expected() { return "1 to 30 letters, digits and -_.:"; }
  static Json schema() { return schemas::text_like("^[A-Za-z0-9_.:-]{1,30}$"); }
};

template <>
struct Form<catalog::Category> {
  static std::string text(const catalog::Category& value) { return value.value; }
  static std::optional<catalog::Category> parse(std::string_view text) {
    auto path = catalog::category_path(text);
    if (!path) return std::nullopt;
    return catalog::Category{*std::move(path)};
  }
  static std::string expected() {
    return "a path such as Food > Drinks > Tea, of at most 10 names and 750 characters";
  }
  static Json schema() { return schemas::text(1, 750); }
};

template <>
struct Form<catalog::WebUrl> {
  static std::string text(const catalog::WebUrl& value) { return value.value; }
  static std::optional<catalog::WebUrl> parse(std::string_view text) {
    if (!catalog::is_web_url(text)) return std::nullopt;
    return catalog::WebUrl{std::string(text)};
  }
  static std::string expected() { return "an absolute https URL of at most 2000 characters"; }
  static Json schema() {
    return {{"type", "string"}, {"format", "uri"}, {"pattern", "^https://"}, {"maxLength", 2000}};
  }
};

}  // namespace bottega

namespace bottega::catalog {

// One of the two.
struct Image {
  std::optional<WebUrl> url;
  std::optional<AttachmentId> attachment_id;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(Image, (), (url, attachment_id))

// A lower price, from a time on, up to another (which is not in it).
struct SalePrice {
  Count<0, kAmountMax> amount;
  std::optional<Instant> starts_at, ends_at;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(SalePrice, (), (amount, starts_at, ends_at))

// A price in one currency. `compare_at` is what it cost, or costs elsewhere, and is more.
struct VariantPrice {
  Currency currency;
  Count<0, kAmountMax> amount;
  std::optional<Count<0, kAmountMax>> compare_at;
  std::optional<SalePrice> sale;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(VariantPrice, (), (currency, amount, compare_at, sale))
using Prices = List<VariantPrice, 0, 10>;

// What it costs now, and what is struck through beside it.
struct PriceNow {
  std::int64_t amount = 0;
  std::optional<std::int64_t> compare_at;
  friend bool operator==(const PriceNow&, const PriceNow&) = default;
};
std::optional<PriceNow> price_now(const Prices& prices, Currency currency, Instant now);
// Adds a fault for each currency that is named twice.
void check_prices(const Prices& prices, Faults& faults, const std::string& pointer);

}  // namespace bottega::catalog
