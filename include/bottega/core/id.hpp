#pragma once
// Ids are TypeIDs (https://github.com/jetify-com/typeid, 0.3.0): a prefix that is part of the C++
// type and a UUIDv7 in 26 base-32 characters. PostgreSQL stores the bare uuid.
#include <algorithm>
#include <compare>
#include <string>
#include <string_view>

#include "bottega/core/scalar.hpp"
#include "bottega/core/typeid.hpp"

namespace bottega {

// A string that can be a template argument.
template <std::size_t N>
struct Literal {
  char text[N]{};
  consteval Literal(const char (&given)[N]) { std::copy_n(given, N, text); }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

template <Literal Prefix>
struct Id {
  static constexpr std::string_view kPrefix = Prefix.view();

  Uuid uuid{};

  static Id make() { return Id{make_uuid_v7()}; }
  // What sorts after every id there can be: a list from the newest on begins before nothing.
  static constexpr Id newest() {
    Id id;
    id.uuid.bytes.fill(0xff);
    return id;
  }
  // What sorts before every id that is made from this instant on, by the machine's time.
  static Id least_of(Instant at) { return Id{least_uuid_v7(at)}; }
  bool is_nil() const { return uuid == Uuid{}; }
  friend auto operator<=>(const Id&, const Id&) = default;
};

template <Literal Prefix>
struct Form<Id<Prefix>> {
  using T = Id<Prefix>;
  static std::string text(const T& id) {
    return std::string(T::kPrefix) + '_' + typeid_suffix(id.uuid);
  }
  static std::optional<T> parse(std::string_view text) {
    if (text.size() != T::kPrefix.size() + 27 || !text.starts_with(T::kPrefix)) return std::nullopt;
    if (text[T::kPrefix.size()] != '_') return std::nullopt;
    const auto uuid = parse_typeid_suffix(text.substr(T::kPrefix.size() + 1));
    if (!uuid) return std::nullopt;
    return T{*uuid};
  }
  static std::string expected() { return "an id like " + std::string(T::kPrefix) + "_…"; }
  static Json schema() {
    return schemas::text_like("^" + std::string(T::kPrefix) + "_[0-7][0-9a-hjkmnp-tv-z]{25}$");
  }
};

}  // namespace bottega
