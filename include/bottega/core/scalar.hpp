#pragma once
// One textual form per scalar: ids, enums, instants, numbers and bounded texts look the same in a
// URL, in JSON, in the configuration and in the log. Form<T> is that form; everything else is built
// on it.
#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bottega/core/currency.hpp"
#include "bottega/core/error.hpp"
#include "bottega/core/instant.hpp"
#include "bottega/core/json.hpp"

namespace bottega {

// Specialised for each scalar: text() writes it, parse() reads it or refuses, expected() says in
// words what parse() takes, schema() says it in JSON Schema (OpenAPI 3.1).
template <class T>
struct Form;

// The schemas of scalars are put together in scalar.cpp: a braced list of Json is much code, and
// would be compiled again for every type in every file.
namespace schemas {
Json text();
Json text(std::size_t least, std::size_t most);
Json text_like(const std::string& pattern);
Json text_like(const std::string& pattern, std::size_t least, std::size_t most);
Json text_of_format(const char* format);
Json text_of_format(const char* format, std::size_t most);
Json one_of(const std::vector<std::string>& words);
Json integer();
Json integer(std::int64_t least, std::int64_t most);
}  // namespace schemas

template <class T>
concept Scalar = requires(const T& value, std::string_view text) {
  { Form<T>::text(value) } -> std::convertible_to<std::string>;
  { Form<T>::parse(text) } -> std::same_as<std::optional<T>>;
  { Form<T>::expected() } -> std::convertible_to<std::string>;
  { Form<T>::schema() } -> std::same_as<Json>;
};

template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <>
struct Form<std::string> {
  static std::string text(const std::string& value) { return value; }
  static std::optional<std::string> parse(std::string_view text) { return std::string(text); }
  static std::string expected() { return "a string"; }
  static Json schema() { return schemas::text(); }
};

template <std::integral T>
struct Form<T> {
  static std::string text(const T& value) { return std::to_string(value); }
  static std::optional<T> parse(std::string_view text) {
    T value{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  }
  static std::string expected() { return "an integer"; }
  static Json schema() { return schemas::integer(); }
};

template <>
struct Form<bool> {
  static std::string text(const bool& value) { return value ? "true" : "false"; }
  static std::optional<bool> parse(std::string_view text) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
  }
  static std::string expected() { return "true or false"; }
  static Json schema() { return {{"type", "boolean"}}; }
};

template <DescribedEnum E>
struct Form<E> {
  static std::string text(const E& value) { return boost::describe::enum_to_string(value, "?"); }
  static std::optional<E> parse(std::string_view text) {
    E value{};
    if (!boost::describe::enum_from_string(std::string(text).c_str(), value)) return std::nullopt;
    return value;
  }
  static std::string expected() {
    std::string names;
    each(
        [&](const char* name) { names += (names.empty() ? "one of " : ", ") + std::string(name); });
    return names;
  }
  static Json schema() {
    std::vector<std::string> names;
    each([&](const char* name) { names.emplace_back(name); });
    return schemas::one_of(names);
  }
  template <class F>
  static void each(F&& visit) {
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>(
        [&](auto row) { visit(row.name); });
  }
};

template <>
struct Form<Instant> {
  static std::string text(const Instant& value) { return to_text(value); }
  static std::optional<Instant> parse(std::string_view text) { return parse_instant(text); }
  static std::string expected() { return "an RFC 3339 time such as 2026-03-01T12:00:00Z"; }
  static Json schema() { return schemas::text_of_format("date-time"); }
};

template <>
struct Form<Date> {
  static std::string text(const Date& value) { return to_text(value); }
  static std::optional<Date> parse(std::string_view text) { return parse_date(text); }
  static std::string expected() { return "a date such as 2026-03-01"; }
  static Json schema() { return schemas::text_of_format("date"); }
};

template <>
struct Form<Currency> {
  static std::string text(const Currency& value) { return std::string(value.code()); }
  static std::optional<Currency> parse(std::string_view text) { return Currency::find(text); }
  static std::string expected() { return "an active ISO 4217 code such as USD"; }
  static Json schema() { return schemas::text_like("^[A-Z]{3}$"); }
};

// The textual form of any scalar.
template <Scalar T>
std::string text_of(const T& value) {
  return Form<T>::text(value);
}

// Reads a scalar; throws Error(invalid) that names what was expected, never what was given.
template <Scalar T>
T from_text(std::string_view text, Code code = Code::invalid) {
  if (auto value = Form<T>::parse(text)) return *std::move(value);
  throw Error(code, "expected " + Form<T>::expected());
}

}  // namespace bottega
