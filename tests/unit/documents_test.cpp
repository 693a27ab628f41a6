// Papers: the page has every text, escaped; the PDF has its pages and its text, and is the same
// whenever it is made.
#include "bottega/documents/paper.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "support/cluster.hpp"
#include "bottega/core/error.hpp"

namespace bottega::test {
namespace documents_test {

using namespace documents;

Paper a_paper(std::size_t rows) {
  Paper paper;
  paper.title = "Receipt";
  paper.facts = {{"Order", "1001"}, {"Paid by", "Ольга"}};
  paper.parties = {{"Sold by", {"Lamps & Sons", "US"}}, {"Ship to", {"Bea", "1 Main St"}}};
  paper.columns = {{"Item", Align::start, 6}, {"Amount", Align::right, 2}};
  for (std::size_t i = 0; i < rows; ++i)
    paper.rows.push_back({"Lamp number " + std::to_string(i), std::to_string(100 + i) + ".00"});
  paper.sums = {{"Total", "5000.00 USD", Weight::strong}};
  paper.notes = {"Thank you"};
  paper.footer = "Lamps & Sons, order 1001";
  paper.made_at = parse_instant("2026-03-01T10:00:00.123456Z").value();
  return paper;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// Each page is an object of its own, and all of them together are another.
std::size_t pages_of(const std::string& pdf) {
  return count(pdf, "/Type /Page") - count(pdf, "/Type /Pages");
}

// ---- pages --------------------------------------------------------------------------------------

TEST(PaperPage, HasEveryTextEscaped) {
  auto paper = a_paper(1);
  const std::string bad = "<script>alert(\"1\")</script>";
  paper.title = paper.footer = bad;
  paper.facts = {{bad, bad}};
  paper.parties = {{bad, {bad}}};
  paper.columns = {{bad, Align::start, 1}, {bad, Align::right, 1}};
  paper.rows = {{bad, bad}};
  paper.sums = {{bad, bad, Weight::normal}};
  paper.notes = {bad};
  const auto page = html_of(paper);
  EXPECT_FALSE(has(page, "<script"));
  EXPECT_EQ(count(page, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"), 14u);
  for (const auto* part : {"src=", "href=", "url(", "@import", "onload", "<img", "<link"})
    EXPECT_FALSE(has(page, part)) << part;
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_TRUE(page.ends_with("</html>"));
}

TEST(PaperPage, RepeatsTheHeadOfTheTableAndBreaksNoRow) {
  const auto page = html_of(a_paper(100));
  EXPECT_TRUE(has(page, "thead{display:table-header-group}tr{break-inside:avoid}"));
  EXPECT_TRUE(has(page, "@media print"));
  EXPECT_TRUE(has(page, "<td dir=\"auto\">Lamp number 99</td><td class=\"n\">199.00</td>"));
  EXPECT_TRUE(has(page, "<tr class=\"s\"><td class=\"n\" colspan=\"1\">Total</td>"));
}

TEST(PaperPage, OfNothingButATitleIsOne) {
  Paper paper;
  paper.title = "Empty";
  const auto page = html_of(paper);
  EXPECT_TRUE(has(page, "<h1 dir=\"auto\">Empty</h1></body>"));
  EXPECT_FALSE(has(page, "<table"));
}

// ---- PDF ----------------------------------------------------------------------------------------

TEST(PaperFile, IsAPdfOfAsManyPagesAsItNeeds) {
  const auto one = pdf_of(a_paper(3)), more = pdf_of(a_paper(100));
  EXPECT_TRUE(one.starts_with("%PDF-"));
  EXPECT_TRUE(has(one, "%%EOF"));
  EXPECT_EQ(pages_of(one), 1u);
  EXPECT_GT(pages_of(more), 1u);
  EXPECT_LE(pages_of(more), 10u);
}

TEST(PaperFile, IsTheSameWheneverItIsMade) {
  EXPECT_EQ(pdf_of(a_paper(40)), pdf_of(a_paper(40)));
  EXPECT_TRUE(has(pdf_of(a_paper(1)), "20260301100000"));
}

TEST(PaperFile, IsOnTheSheetThatIsAskedFor) {
  auto paper = a_paper(1);
  EXPECT_FALSE(has(pdf_of(paper), "612 792"));
  paper.sheet = Sheet::letter;
  EXPECT_TRUE(has(pdf_of(paper), "612 792"));
}

TEST(PaperFile, IsRefusedWhereItIsTooLong) {
  EXPECT_THROW(pdf_of(a_paper(kRowsMax + 1)), Error);
  auto paper = a_paper(1);
  for (int i = 0; i < 10'000; ++i) paper.notes.push_back("one more line");
  EXPECT_THROW(pdf_of(paper), Error);
}

TEST(PaperFile, TakesTextOfAnyKindAndLength) {
  auto paper = a_paper(2);
  paper.rows[0][0] = std::string(4'000, 'W');
  paper.rows[1][0] = "نور و ظل abc 日本 👨‍👩‍👧";
  paper.parties[1].lines = {std::string(300, 'x'), "", "שלום"};
  paper.notes = {"", "\n\n", "two\nlines"};
  paper.facts.push_back({"", ""});
  EXPECT_TRUE(pdf_of(paper).starts_with("%PDF-"));
  Paper empty;
  EXPECT_EQ(pages_of(pdf_of(empty)), 1u);
}

// What Poppler reads in it.
std::string text_of_pdf(const std::string& pdf) {
  const TempDir folder;
  const auto file = (folder.path() / "paper.pdf").string();
  std::ofstream(file, std::ios::binary) << pdf;
  const auto command = "pdftotext -layout '" + file + "' - 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "re"), pclose);
  std::string text;
  std::array<char, 4096> buffer{};
  while (fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) text += buffer.data();
  return text;
}

bool has_poppler() { return std::system("command -v pdftotext > /dev/null 2>&1") == 0; }

TEST(PaperFile, HasItsTextToBeFound) {
  if (!has_poppler()) GTEST_SKIP() << "skipped: there is no pdftotext";
  const auto text = text_of_pdf(pdf_of(a_paper(100)));
  for (const auto* part : {"Receipt", "1001", "Ольга", "Lamps & Sons", "Ship to", "1 Main St",
                           "Lamp number 0", "Lamp number 99", "199.00", "5000.00 USD", "Thank you"})
    EXPECT_TRUE(has(text, part)) << part;
}

TEST(PaperFile, HasTheHeadOfTheTableAndANumberOnEachPage) {
  if (!has_poppler()) GTEST_SKIP() << "skipped: there is no pdftotext";
  const auto pdf = pdf_of(a_paper(100));
  const auto text = text_of_pdf(pdf);
  const auto pages = pages_of(pdf);
  for (std::size_t page = 1; page <= pages; ++page)
    EXPECT_TRUE(has(text, "Page " + std::to_string(page) + " of " + std::to_string(pages)));
  EXPECT_GE(count(text, "Item"), pages - 1) << "the last page may have no more than the sums";
  EXPECT_EQ(count(text, "Lamps & Sons, order 1001"), pages);
}

// ---- sheets -------------------------------------------------------------------------------------

TEST(Sheets, AreThoseOfTheCountry) {
  for (const auto* country : {"US", "CA", "MX", "PH", "BZ", "VE"})
    EXPECT_EQ(sheet_of(country), Sheet::letter) << country;
  for (const auto* country : {"DE", "GB", "JP", "IN", "BR", "", "A", "Z C"})
    EXPECT_EQ(sheet_of(country), Sheet::a4) << country;
}

}  // namespace documents_test
}  // namespace bottega::test
