#pragma once
// Field types that carry their own bounds, so that a body's type is its whole validation and its
// whole schema. Lengths count Unicode code points, as JSON Schema does.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bottega/core/scalar.hpp"

namespace bottega {

enum class Lines : std::uint8_t { one, many };

// The number of code points in valid UTF-8.
std::size_t code_points(std::string_view utf8);
// Whether a text may be stored: no NUL or other control characters, tab and line ends only in
// `many`; nothing that shows it in another order than it was written in.
bool is_clean(std::string_view utf8, Lines lines);
// Whether there is anything to see in it.
bool is_visible(std::string_view utf8);

// Whether it is one emoji or a short sequence of them (UTS #51): pictures, and no letters.
bool is_emoji(std::string_view utf8);

template <std::size_t Least, std::size_t Most, Lines Kind>
struct BoundedText {
  std::string value;
  operator const std::string&() const { return value; }
  friend auto operator<=>(const BoundedText&, const BoundedText&) = default;
};
// Free text of several lines.
template <std::size_t Least, std::size_t Most>
using Text = BoundedText<Least, Most, Lines::many>;
// A name or title: one line.
template <std::size_t Least, std::size_t Most>
using Line = BoundedText<Least, Most, Lines::one>;

template <std::size_t Least, std::size_t Most, Lines Kind>
struct Form<BoundedText<Least, Most, Kind>> {
  using T = BoundedText<Least, Most, Kind>;
  static std::string text(const T& value) { return value.value; }
  static std::optional<T> parse(std::string_view text) {
    if (!is_clean(text, Kind)) return std::nullopt;
    const auto length = code_points(text);
    if (length < Least || length > Most) return std::nullopt;
    if (Least > 0 && !is_visible(text)) return std::nullopt;
    return T{std::string(text)};
  }
  static std::string expected() {
    return "text of " + std::to_string(Least) + " to " + std::to_string(Most) +
           " characters without control characters" + (Least > 0 ? ", not blank" : "") +
           (Kind == Lines::one ? ", on one line" : "");
  }
  static Json schema() { return schemas::text(Least, Most); }
};

// What somebody reacts with: at most 16 code points, for a family with its colours is one picture.
struct Emoji {
  std::string value;
  friend auto operator<=>(const Emoji&, const Emoji&) = default;
};
template <>
struct Form<Emoji> {
  static constexpr std::size_t kMost = 16;
  static std::string text(const Emoji& value) { return value.value; }
  static std::optional<Emoji> parse(std::string_view text) {
    if (!is_emoji(text) || code_points(text) > kMost) return std::nullopt;
    return Emoji{std::string(text)};
  }
  static std::string expected() { return "an emoji"; }
  static Json schema() { return schemas::text(1, kMost); }
};

// A text as it stands in HTML, between tags or in a quoted attribute.
std::string escape_html(std::string_view text);

// An integer within bounds.
template <std::int64_t Least, std::int64_t Most>
struct Count {
  std::int64_t value = Least;
  operator std::int64_t() const { return value; }
};

template <std::int64_t Least, std::int64_t Most>
struct Form<Count<Least, Most>> {
  using T = Count<Least, Most>;
  static std::string text(const T& value) { return std::to_string(value.value); }
  static std::optional<T> parse(std::string_view text) {
    const auto value = Form<std::int64_t>::parse(text);
    if (!value || *value < Least || *value > Most) return std::nullopt;
    return T{*value};
  }
  static std::string expected() {
    return "an integer from " + std::to_string(Least) + " to " + std::to_string(Most);
  }
  static Json schema() { return schemas::integer(Least, Most); }
};

// A JSON array with a bound on its length.
template <class T, std::size_t Least, std::size_t Most>
struct List {
  using value_type = T;
  static constexpr std::size_t kLeast = Least, kMost = Most;
  std::vector<T> items;
  auto begin() const { return items.begin(); }
  auto end() const { return items.end(); }
  std::size_t size() const { return items.size(); }
};

// A mail address, kept in lower case: one @, no spaces, at most 254 characters (RFC
// 5321, 4.5.3.1.3).
struct Email {
  std::string value;
  operator const std::string&() const { return value; }
  friend auto operator<=>(const Email&, const Email&) = default;
};
template <>
struct Form<Email> {
  static std::string text(const Email& value) { return value.value; }
  static std::optional<Email> parse(std::string_view text);
  static std::string expected() { return "a mail address"; }
  static Json schema() { return schemas::text_of_format("email", 254); }
};

// An ISO 3166-1 alpha-2 country code.
struct Country {
  std::string value;
  operator const std::string&() const { return value; }
  friend auto operator<=>(const Country&, const Country&) = default;
};
template <>
struct Form<Country> {
  static std::string text(const Country& value) { return value.value; }
  static std::optional<Country> parse(std::string_view text);
  static std::string expected() { return "an ISO 3166 country code such as US"; }
  static Json schema() { return schemas::text_like("^[A-Z]{2}$"); }
};

// An opaque name made of letters, digits, '_', '-', '.', ':' (a processor's token, a client's own
// id).
template <std::size_t Most>
struct Opaque {
  std::string value;
  operator const std::string&() const { return value; }
  friend auto operator<=>(const Opaque&, const Opaque&) = default;
};
bool is_opaque(std::string_view text);
template <std::size_t Most>
struct Form<Opaque<Most>> {
  using T = Opaque<Most>;
  static std::string text(const T& value) { return value.value; }
  static std::optional<T> parse(std::string_view text) {
    if (text.empty() || text.size() > Most || !is_opaque(text)) return std::nullopt;
    return T{std::string(text)};
  }
  static std::string expected() {
    return "1 to " + std::to_string(Most) + " letters, digits or any of _ - . :";
  }
  static Json schema() { return schemas::text_like("^[A-Za-z0-9_.:-]+$", 1, Most); }
};

// Whether a comma separated list has exactly this item; spaces around the commas do not matter.
bool list_has(std::string_view list, std::string_view item);

// A value that must never be printed: it has no textual form, so no log, JSON answer or SQL
// parameter can take it by accident. reveal() is the one way out, and easy to search for.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

// A secret in a request body, of at least so many characters and at most so many bytes.
template <std::size_t Least, std::size_t Most>
struct SecretText {
  Secret value;
};

}  // namespace bottega
