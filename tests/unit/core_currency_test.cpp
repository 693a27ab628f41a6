// Currencies row by row: every active code of ISO 4217, every withdrawn one, and those without a
// minor unit.
#include "bottega/core/currency.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support/shared.hpp"
#include "bottega/core/describe.hpp"
#include "bottega/core/money.hpp"

namespace bottega::test {
namespace core_currency_test {

struct ActiveRow {
  std::string code, name;
  int number;
  int decimals;  // -1: no minor unit
};
void PrintTo(const ActiveRow& row, std::ostream* out) { *out << row.code; }

std::vector<ActiveRow> active_rows() {
  std::vector<ActiveRow> rows;
  const auto path = shared("vectors/iso4217/iso4217-active.json");
  if (!path) return rows;
  const auto table = Json::parse(read_file(*path));
  for (const auto& [code, row] : table.items()) {
    const auto& unit = row.at("minor_unit");
    rows.push_back({code, row.at("name").get<std::string>(),
                    std::stoi(row.at("numeric").get<std::string>()),
                    unit.is_null() ? -1 : unit.get<int>()});
  }
  return rows;
}

std::vector<ActiveRow> rows_with_unit(bool wanted) {
  auto rows = active_rows();
  std::erase_if(rows, [&](const ActiveRow& row) { return (row.decimals >= 0) != wanted; });
  return rows;
}

// The codes that the standard has withdrawn and that no active currency has taken over.
std::vector<std::string> withdrawn_codes() {
  std::set<std::string> active, withdrawn;
  for (const auto& row : active_rows()) active.insert(row.code);
  const auto path = shared("vectors/iso4217/codes-all.csv");
  if (!path) return {};
  std::istringstream file(read_file(*path));
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    if (line.ends_with(',') || cells.size() < 6) continue;  // No date of withdrawal.
    const auto code = cells[cells.size() - 4];
    if (code.size() == 3 && !active.contains(code)) withdrawn.insert(code);
  }
  return {withdrawn.begin(), withdrawn.end()};
}

std::string code_of_row(const testing::TestParamInfo<ActiveRow>& test) { return test.param.code; }

class PayableCurrency : public testing::TestWithParam<ActiveRow> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PayableCurrency);

TEST_P(PayableCurrency, HasTheNumberTheDecimalsAndTheNameOfTheStandard) {
  const auto& row = GetParam();
  const auto found = Currency::find(row.code);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code(), row.code);
  EXPECT_EQ(found->number(), row.number);
  EXPECT_EQ(found->decimals(), static_cast<unsigned>(row.decimals));
  EXPECT_EQ(found->name(), row.name);
  EXPECT_EQ(to_text(*found), row.code);
}

TEST_P(PayableCurrency, WritesOneMajorUnitWithItsDecimalsAndComesThroughJson) {
  const auto& row = GetParam();
  Money one{1, parse_currency(row.code)};
  std::string wanted = "1";
  if (row.decimals > 0) wanted += '.' + std::string(static_cast<std::size_t>(row.decimals), '0');
  for (int i = 0; i < row.decimals; ++i) one = one * 10;
  EXPECT_EQ(display(one), wanted + ' ' + row.code);
  EXPECT_EQ(from_json<Money>(to_json(one)), one);
  EXPECT_EQ(to_json(one).at("currency"), row.code);
}

INSTANTIATE_TEST_SUITE_P(Iso4217, PayableCurrency, testing::ValuesIn(rows_with_unit(true)),
                         code_of_row);

class UnitlessCurrency : public testing::TestWithParam<ActiveRow> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(UnitlessCurrency);

TEST_P(UnitlessCurrency, IsInTheTableAndCannotBePaidIn) {
  const auto& row = GetParam();
  EXPECT_EQ(std::ranges::count(currencies(), row.code, &CurrencyRow::code), 1);
  EXPECT_FALSE(Currency::find(row.code));
  EXPECT_THROW(parse_currency(row.code), Error);
}

INSTANTIATE_TEST_SUITE_P(Iso4217, UnitlessCurrency, testing::ValuesIn(rows_with_unit(false)),
                         code_of_row);

class WithdrawnCurrency : public testing::TestWithParam<std::string> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(WithdrawnCurrency);

TEST_P(WithdrawnCurrency, IsUnknown) {
  EXPECT_FALSE(Currency::find(GetParam()));
  EXPECT_EQ(std::ranges::count(currencies(), GetParam(), &CurrencyRow::code), 0);
}

INSTANTIATE_TEST_SUITE_P(Iso4217, WithdrawnCurrency, testing::ValuesIn(withdrawn_codes()),
                         [](const auto& test) { return test.param; });

TEST(CurrencyVectors, AreAllThere) {
  BOTTEGA_NEEDS_SHARED(active, "vectors/iso4217/iso4217-active.json");
  BOTTEGA_NEEDS_SHARED(all, "vectors/iso4217/codes-all.csv");
  EXPECT_EQ(rows_with_unit(true).size(), 165u) << active;
  EXPECT_EQ(rows_with_unit(false).size(), 13u) << active;
  EXPECT_GT(withdrawn_codes().size(), 100u) << all;
}

TEST(CurrencyTable, HasNoNumberTwice) {
  std::set<std::uint16_t> numbers;
  for (const auto& row : currencies()) EXPECT_TRUE(numbers.insert(row.number).second) << row.code;
}

TEST(CurrencyTable, HasCodesOfThreeCapitalsAndNoMoreThanFourDecimals) {
  for (const auto& row : currencies()) {
    EXPECT_EQ(row.code.size(), 3u);
    for (const char c : row.code) EXPECT_TRUE(c >= 'A' && c <= 'Z') << row.code;
    EXPECT_GE(row.decimals, -1) << row.code;
    EXPECT_LE(row.decimals, 4) << row.code;
    EXPECT_FALSE(row.name.empty()) << row.code;
  }
}

TEST(CurrencyValue, IsTheCodeForNoCurrencyUntilOneIsFound) {
  const Currency none;
  EXPECT_EQ(none.code(), "XXX");
  EXPECT_EQ(none.decimals(), 0u);
  EXPECT_EQ(none.number(), 999);
  EXPECT_FALSE(Form<Currency>::parse(text_of(none))) << "it cannot come back from outside";
}

TEST(CurrencyValue, ComparesByItsCode) {
  EXPECT_EQ(parse_currency("EUR"), *Currency::find("EUR"));
  EXPECT_NE(parse_currency("EUR"), parse_currency("USD"));
  EXPECT_LT(parse_currency("AED"), parse_currency("ZWG"));
}

TEST(CurrencyValue, IsRefusedWithoutQuotingWhatWasGiven) {
  try {
    parse_currency("hunter2");
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    EXPECT_EQ(std::string(error.what()), "expected an active ISO 4217 code such as USD");
  }
}

TEST(CurrencyValue, IsNotFoundByATextThatOnlyBeginsOrEndsLikeACode) {
  for (const std::string_view bad :
       {std::string_view("USD\0", 4), std::string_view("US\0", 3), std::string_view("\0USD", 4),
        std::string_view(" USD"), std::string_view("USD "), std::string_view("Usd"),
        std::string_view("840"), std::string_view("$")})
    EXPECT_FALSE(Currency::find(bad)) << bad;
}

}  // namespace core_currency_test
}  // namespace bottega::test
