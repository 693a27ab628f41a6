// Readers of feeds: the same rows however the bytes come, and bad rows that cost no others.
#include <gtest/gtest.h>

#include "catalog/feed_reader.hpp"
#include "support/errors.hpp"
#include "support/shared.hpp"

namespace bottega::test {
namespace catalog_feed_readers_test {

using namespace catalog;

// "2: id=SKU-1|title=Tea", or "2! why".
using Rows = std::vector<std::string>;

Rows rows_in_pieces(FeedFormat format, std::string_view bytes, std::size_t piece) {
  const auto reader = make_feed_reader(format);
  Rows rows;
  const auto take = [&](const FeedRow& row) {
    auto text = std::to_string(row.line);
    if (!row.fault.empty()) {
      rows.push_back(text + "! " + row.fault);
      return;
    }
    text += ':';
    for (const auto& cell : row.cells)
      text += (text.ends_with(':') ? " " : "|") + reader->columns()[cell.column] + '=' +
              std::string(row.at(cell));
    rows.push_back(text);
  };
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    reader->feed(bytes.substr(0, piece), take);
  reader->finish(take);
  return rows;
}

Rows rows_of(FeedFormat format, std::string_view bytes) {
  auto rows = rows_in_pieces(format, bytes, bytes.size() + 1);
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 64u})
    EXPECT_EQ(rows_in_pieces(format, bytes, piece), rows) << "in pieces of " << piece;
  return rows;
}

std::string refusal_of(FeedFormat format, std::string_view bytes) {
  try {
    rows_of(format, bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    return error.what();
  }
  return "";
}

struct TextCase {
  const char* name;
  FeedFormat format;
  std::string bytes;
  Rows rows;
};
void PrintTo(const TextCase& row, std::ostream* out) { *out << row.name; }

std::vector<TextCase> text_cases() {
  const auto csv = FeedFormat::csv;
  return {
      {"Plain", csv, "id,title\nA,Tea\nB,Cup\n", {"2: id=A|title=Tea", "3: id=B|title=Cup"}},
      {"NoEndOfLastLine", csv, "id,title\nA,Tea", {"2: id=A|title=Tea"}},
      {"CarriageReturns",
       csv,
       "id,title\r\nA,Tea\r\nB,Cup\r\n",
       {"2: id=A|title=Tea", "3: id=B|title=Cup"}},
      {"OnlyCarriageReturns", csv, "id\rA\rB", {"2: id=A", "3: id=B"}},
      {"ByteOrderMark", csv, "\xEF\xBB\xBFid\nA\n", {"2: id=A"}},
      {"EmptyLines", csv, "\n\nid\n\nA\n\n\nB\n\n", {"5: id=A", "8: id=B"}},
      {"CommentsBeforeTheHead",
       csv,
       "# Required,# Optional\nid,title\n#1,Tea\n",
       {"3: id=#1|title=Tea"}},
      {"EmptyCellsAreNone", csv, "id,title,brand\nA,,B\n,,\n", {"2: id=A|brand=B", "3:"}},
      {"FewerFieldsThanTheHead", csv, "id,title\nA\n", {"2: id=A"}},
      {"MoreFieldsThanTheHead",
       csv,
       "id\nA,B\nC\nD,\n",
       {"2! the row has more fields than the head", "3: id=C", "4: id=D"}},
      {"Quotes", csv, "id,title\n\"A\",\"Tea, \"\"green\"\"\"\n", {"2: id=A|title=Tea, \"green\""}},
      {"LineEndsInQuotes",
       csv,
       "id,title\nA,\"Line 1\nLine 2\r\n3\"\nB,Cup\n",
       {"2: id=A|title=Line 1\nLine 2\r\n3", "5: id=B|title=Cup"}},
      {"EmptyQuotes", csv, "id,title\n\"\",\"\"\n", {"2:"}},
      {"QuotesWithinAField", csv, "id,title\nA,3\" nail\n", {"2: id=A|title=3\" nail"}},
      {"TextBehindAQuote",
       csv,
       "id,title\n\"A\"B,Tea\nC,Cup\n",
       {"2! there is text behind a closing quote", "3: id=C|title=Cup"}},
      {"QuoteNeverClosed",
       csv,
       "id,title\nA,\"Tea\nB,Cup\nC,\"Pot\n",
       {"2! a quote is never closed", "3: id=B|title=Cup", "4! a quote is never closed"}},
      {"QuoteClosedByAnother",
       csv,
       "id,title\r\nA,\"Tea\r\nB,\"Cup\"\r\nC,\"Pot\"\r\n",
       {"2! a quote is never closed", "3: id=B|title=Cup", "4: id=C|title=Pot"}},
      {"QuoteNeverClosedBehindTooManyFields",
       csv,
       "id\nA,B,\"C\nD\n",
       {"2! the row has more fields than the head", "3: id=D"}},
      {"NotUtf8",
       csv,
       "id\n\xff\nB\n\xed\xa0\x80\n",
       {"2! the row is not UTF-8", "3: id=B", "4! the row is not UTF-8"}},
      {"NamesAsVendorsWriteThem",
       csv,
       "g:ID, Image Link ,image[0].url\nA,B,C\n",
       {"2: id=A|image_link=B|image_url=C"}},
  };
}

std::vector<TextCase> tab_cases() {
  const auto tsv = FeedFormat::tsv;
  return {
      {"TabsWithAQuoteNeverClosed",
       tsv,
       "id\ttitle\nA\t\"Tea\nB\t\"Cup\" x\n",
       {"2! a quote is never closed", "3: id=B|title=\"Cup\" x"}},
      {"Tabs", tsv, "id\ttitle\nA\tTea, green\n", {"2: id=A|title=Tea, green"}},
      {"TabsWithQuotesInAField",
       tsv,
       "id\ttitle\nA\tLoose, \"first\"\n",
       {"2: id=A|title=Loose, \"first\""}},
      {"TabsWithQuotesThatEnclose",
       tsv,
       "id\ttitle\nA\t\"a\tb\nc\"\nB\tCup\n",
       {"2: id=A|title=a\tb\nc", "4: id=B|title=Cup"}},
      {"TabsWithQuotesThatDoNot",
       tsv,
       "id\ttitle\nA\t\"First\" flush \"2\"\nB\tCup\n",
       {"2: id=A|title=\"First\" flush \"2\"", "3: id=B|title=Cup"}},
  };
}

class Texts : public testing::TestWithParam<TextCase> {};
TEST_P(Texts, AreRead) { EXPECT_EQ(rows_of(GetParam().format, GetParam().bytes), GetParam().rows); }
INSTANTIATE_TEST_SUITE_P(Feeds, Texts, testing::ValuesIn(text_cases()),
                         [](const auto& row) { return std::string(row.param.name); });
INSTANTIATE_TEST_SUITE_P(TabFeeds, Texts, testing::ValuesIn(tab_cases()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(FeedText, IsBounded) {
  const std::string head = "id,title,brand,a,b,c\n";
  const auto row = [&](std::size_t a, std::size_t b = 1) {
    return "A," + std::string(a, 'x') + ',' + std::string(b, 'y') + '\n';
  };
  EXPECT_EQ(rows_of(FeedFormat::csv, head + row(kFeedFieldMax))[0].front(), '2');
  const Rows rest = {"2! a field is longer than 64 KiB", "3: id=B"};
  EXPECT_EQ(rows_of(FeedFormat::csv, head + row(kFeedFieldMax + 1) + "B\n"), rest);
  const auto most = std::string(kFeedFieldMax, 'x');
  const auto all = most + ',' + most + ',' + most + ',' + most + ",1\nB\n";
  EXPECT_EQ(rows_of(FeedFormat::csv, head + all),
            (Rows{"2! the row is longer than 256 KiB", "3: id=B"}));
  const auto open = "A,\"" + std::string(kFeedFieldMax + 1, 'x') + "\nB\n";
  EXPECT_EQ(rows_of(FeedFormat::csv, head + open), rest) << "a quote that is never closed";
}

// Some lines of a file whose first has a quote that is never closed.
std::string open_lines(std::size_t lines) {
  std::string bytes = "id,title\nA,\"Tea\n";
  for (std::size_t i = 0; i < lines; ++i) bytes += "B,Cup\n";
  return bytes;
}

TEST(FeedText, LosesNoRowsBehindAQuoteThatIsNeverClosed) {
  for (const std::size_t lines : {10u, 20'000u}) {
    const auto rows = rows_in_pieces(FeedFormat::csv, open_lines(lines), 16'384);
    ASSERT_EQ(rows.size(), lines + 1);
    EXPECT_EQ(rows[0].substr(0, 3), "2! ");
    EXPECT_EQ(rows[1], "3: id=B|title=Cup");
    EXPECT_EQ(rows[lines], std::to_string(lines + 2) + ": id=B|title=Cup");
  }
}

TEST(FeedText, IsReadASecondTimeOnlySoOften) {
  std::string bytes = "id,title\n";
  for (int i = 0; i < 1'100; ++i) bytes += "A,\"Tea\nB,\"Cup\" x\n";
  const auto rows = rows_in_pieces(FeedFormat::csv, bytes, 4'096);
  EXPECT_EQ(rows[1'999], "2001! there is text behind a closing quote");
  EXPECT_EQ(rows.size(), 2'100u) << "then two lines are one row";
}

TEST(FeedText, NeedsAHead) {
  for (const auto* bytes : {"", "\n\n", "\xEF\xBB\xBF", "# a comment\n"})
    EXPECT_EQ(refusal_of(FeedFormat::csv, bytes),
              "there is no head: the first line names the columns");
  EXPECT_EQ(refusal_of(FeedFormat::csv, "id\xff\nA\n"), "the head is not UTF-8");
  EXPECT_EQ(refusal_of(FeedFormat::tsv, std::string("\xFF\xFEi\0d\0", 6)),
            "the file is in UTF-16; it must be in UTF-8");
  std::string many = "a";
  for (std::size_t i = 1; i < kFeedColumnsMax; ++i) many += ",a";
  EXPECT_EQ(refusal_of(FeedFormat::csv, many + "\n"), "");
  EXPECT_EQ(refusal_of(FeedFormat::csv, many + ",a\n"), "the head has more than 200 columns");
}

// ---- XML ----------------------------------------------------------------------------------------

std::string rss(const std::string& items) {
  return "<?xml version=\"1.0\"?>\n<rss xmlns:g=\"http://base.google.com/ns/1.0\"><channel>"
         "<title>Shop</title>" +
         items + "</channel></rss>\n";
}

Rows xml_rows(const std::string& items) { return rows_of(FeedFormat::xml, rss(items)); }

TEST(FeedXml, HasRowsOfItems) {
  EXPECT_EQ(xml_rows("<item><g:id>A</g:id><g:title>Tea &amp; milk</g:title></item>\n"
                     "<item><g:id>B</g:id><g:title><![CDATA[<b>Cup</b>]]></g:title></item>"),
            (Rows{"2: id=A|title=Tea & milk", "3: id=B|title=<b>Cup</b>"}));
}

TEST(FeedXml, HasRowsOfEntries) {
  EXPECT_EQ(rows_of(FeedFormat::xml,
                    "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:g=\"x\"><title>S</title>"
                    "<entry><title>Tea</title><link rel=\"self\" href=\"https://no\"/>"
                    "<link href=\"https://a.example/\"/><id>urn:1</id><g:id>A</g:id>"
                    "<summary>Green</summary></entry></feed>"),
            Rows{"1: title=Tea|link=https://a.example/|id=A|summary=Green"})
      << "what has the prefix counts";
}

TEST(FeedXml, RepeatsAndNestsFields) {
  EXPECT_EQ(xml_rows("<item><g:id> A </g:id><g:additional_image_link>x</g:additional_image_link>"
                     "<g:additional_image_link>y</g:additional_image_link><g:brand/>"
                     "<g:shipping> <g:country>DE</g:country> </g:shipping></item>"),
            Rows{"2: id= A |additional_image_link=x|additional_image_link=y|shipping_country=DE"});
}

TEST(FeedXml, GivesTheRowsBeforeWhatCannotBeRead) {
  const auto reader = make_xml_reader();
  Rows ids;
  const auto take = [&](const FeedRow& row) { ids.emplace_back(row.at(row.cells.at(0))); };
  const auto text = rss("<item><id>A</id></item>\n<item><id>B</id></itm>");
  EXPECT_EQ(code_of([&] { reader->feed(text, take); }), Code::invalid);
  EXPECT_EQ(ids, Rows{"A"});
  EXPECT_EQ(refusal_of(FeedFormat::xml, text),
            "the XML cannot be read from line 3 on: mismatched tag");
}

TEST(FeedXml, TakesNoDocumentType) {
  const std::string words = "the XML cannot be read from line 1 on: a document type is not taken";
  EXPECT_EQ(refusal_of(FeedFormat::xml,
                       "<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>"
                       "<r><item><id>&b;</id></item></r>"),
            words);
  EXPECT_EQ(refusal_of(FeedFormat::xml, "<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r><item/></r>"),
            words);
  EXPECT_NE(refusal_of(FeedFormat::xml, rss("<item><id>&unknown;</id></item>")), "");
}

TEST(FeedXml, IsBounded) {
  const auto field = [](std::size_t size) {
    return "<item><id>" + std::string(size, 'x') + "</id></item>";
  };
  const auto rows = xml_rows(field(kFeedFieldMax + 1) + field(3));
  EXPECT_EQ(rows, (Rows{"2! a field is longer than 64 KiB", "2: id=xxx"}));
  std::string deep, wide = "<item>";
  for (int i = 0; i < 40; ++i) deep += "<a>";
  EXPECT_NE(refusal_of(FeedFormat::xml, deep).find("deeper than 32"), std::string::npos);
  for (int i = 0; i < 201; ++i) {
    const auto name = "f" + std::to_string(i);
    wide += '<' + name + ">x</" + name + '>';
  }
  EXPECT_NE(xml_rows(wide + "</item>")[0].find("more than 200"), std::string::npos);
}

TEST(FeedXml, KeepsNoTagOfAnySize) {
  const auto reader = make_xml_reader();
  const auto take = [](const FeedRow&) {};
  reader->feed("<r><!--", take);
  const std::string piece(100'000, 'x');
  const auto fill = [&] {
    for (int i = 0; i < 100; ++i) reader->feed(piece, take);
  };
  EXPECT_EQ(code_of(fill), Code::invalid);
}

TEST(FeedXml, IsWholeOrNot) {
  EXPECT_NE(refusal_of(FeedFormat::xml, ""), "");
  EXPECT_NE(refusal_of(FeedFormat::xml, "<rss><item>"), "");
  EXPECT_EQ(rows_of(FeedFormat::xml, "<rss/>"), Rows{});
}

TEST(FeedXml, IsReadInItsOwnEncoding) {
  const std::string latin = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>";
  EXPECT_EQ(rows_of(FeedFormat::xml, latin + "<r><item><id>\xe9</id></item></r>"),
            Rows{"1: id=\xC3\xA9"});
}

TEST(FeedFixtures, AreRead) {
  BOTTEGA_NEEDS_SHARED(folder, "vectors/product-feed");
  const auto of = [&](FeedFormat format, const char* name) {
    return rows_of(format, read_file(folder / name));
  };
  EXPECT_EQ(of(FeedFormat::tsv, "google.tsv").size(), 2u);
  EXPECT_EQ(of(FeedFormat::xml, "google.xml").size(), 1u);
  const auto meta = of(FeedFormat::csv, "meta.csv");
  ASSERT_EQ(meta.size(), 2u);
  EXPECT_NE(meta[0].find("title=Green tea, \"first flush\"|description=Line 1\nLine 2|"),
            std::string::npos);
}

}  // namespace catalog_feed_readers_test
}  // namespace bottega::test
