// Lines of CSV: quoted where they must be, and no formulas.
#include "bottega/core/csv.hpp"

#include <gtest/gtest.h>

namespace bottega::test {
namespace core_csv_test {

TEST(CsvLine, SeparatesItsCellsAndEndsTheLine) {
  EXPECT_EQ(csv_line({"day", "", "19.99", ""}), "day,,19.99,\r\n");
  EXPECT_EQ(csv_line({"", ""}), ",\r\n");
}

struct Cell {
  const char *name, *given, *written;
};
class CsvCell : public testing::TestWithParam<Cell> {};
TEST_P(CsvCell, IsWritten) {
  EXPECT_EQ(csv_line({GetParam().given}), std::string(GetParam().written) + "\r\n");
}
INSTANTIATE_TEST_SUITE_P(
    Cells, CsvCell,
    testing::Values(Cell{"Plain", "Sale of 3", "Sale of 3"}, Cell{"Comma", "a,b", "\"a,b\""},
                    Cell{"Quote", "3\" nail", "\"3\"\" nail\""},
                    Cell{"LineEnd", "a\r\nb", "\"a\r\nb\""}, Cell{"BelowZero", "-12.34", "-12.34"},
                    Cell{"BelowZeroWhole", "-7", "-7"}, Cell{"Equals", "=1+1", "'=1+1"},
                    Cell{"Plus", "+1", "'+1"}, Cell{"At", "@SUM(A1)", "'@SUM(A1)"},
                    Cell{"MinusOfAFormula", "-1+A1", "'-1+A1"}, Cell{"MinusAlone", "-", "'-"},
                    Cell{"TwoPoints", "-1.2.3", "'-1.2.3"}, Cell{"PointAtTheEnd", "-1.", "'-1."},
                    Cell{"Tab", "\t=1", "'\t=1"}, Cell{"CarriageReturn", "\r=1", "\"'\r=1\""},
                    Cell{"QuotedFormula", "=A1,\"x\"", "\"'=A1,\"\"x\"\"\""}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace core_csv_test
}  // namespace bottega::test
