#pragma once
// A paper that people print: described once, and made into a page or into a PDF. All of it is text
// that is ready to be read; nothing here knows what an order or an amount is.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bottega/core/instant.hpp"

namespace bottega::documents {

enum class Sheet : std::uint8_t { a4, letter };
// What is printed on in a country (CLDR, supplementalData, paperSize).
Sheet sheet_of(std::string_view country);

// Where a column's texts begin: where lines of their script do, or so that they end at the right,
// as numbers do.
enum class Align : std::uint8_t { start, right };

struct Fact {
  std::string name, value;
};
// Somebody whom it is about, line by line.
struct Party {
  std::string title;
  std::vector<std::string> lines;
};
struct Column {
  std::string title;
  Align align{};
  int share = 1;  // of the width, beside the other columns'
};
enum class Weight : std::uint8_t { normal, strong };
struct Sum {
  std::string name, value;
  Weight weight{};
};

struct Paper {
  std::string title;
  std::vector<Fact> facts;
  std::vector<Party> parties;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // as many cells as there are columns
  std::vector<Sum> sums;
  std::vector<std::string> notes;
  std::string footer;
  Sheet sheet{};      // of the PDF; a page is printed on what the printer has
  Instant made_at{};  // what the file says of itself: the same paper is the same bytes
};

// A page without scripts, and with nothing from elsewhere, that prints well.
std::string html_of(const Paper& paper);

inline constexpr std::size_t kRowsMax = 100, kPagesMax = 50;

// A PDF with the fonts that it needs inside. Sets type for some milliseconds: call it on a thread
// of the workers. Throws Error(invalid) for more rows or pages than that.
std::string pdf_of(const Paper& paper);

}  // namespace bottega::documents
