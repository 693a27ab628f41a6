#pragma once
// Tables for spreadsheets, as RFC 4180 has them.
#include <initializer_list>
#include <string>

namespace bottega {

// One line with its end. Cells are quoted where they must be; what is no number and begins as a
// formula does is led by an apostrophe, so that no spreadsheet reckons with it (OWASP, CSV
// injection).
std::string csv_line(std::initializer_list<std::string> cells);

}  // namespace bottega
