#pragma once
// Currencies by ISO 4217. The number of decimals comes from the standard's table, never from a
// locale library: those differ from it for a dozen currencies.
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bottega {

struct CurrencyRow {
  std::string_view code;
  std::uint16_t number;
  std::int8_t decimals;  // of the minor unit; -1 where there is none
  std::string_view name;
};
// Every active currency, sorted by code.
std::span<const CurrencyRow> currencies();

class Currency {
 public:
  // XXX, the code for no currency; only find() makes one that can be paid in.
  constexpr Currency() = default;
  // An active currency with a minor unit, by its upper-case code.
  static std::optional<Currency> find(std::string_view code);

  std::string_view code() const { return {letters_.data(), letters_.size()}; }
  unsigned decimals() const { return static_cast<unsigned>(row().decimals); }
  std::uint16_t number() const { return row().number; }
  std::string_view name() const { return row().name; }
  friend auto operator<=>(const Currency&, const Currency&) = default;

 private:
  const CurrencyRow& row() const;

  std::array<char, 3> letters_{'X', 'X', 'X'};
};

std::string to_text(Currency currency);
// Throws Error(invalid) for what is not an active currency.
Currency parse_currency(std::string_view code);

}  // namespace bottega
