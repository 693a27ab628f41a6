// Product feeds: however the bytes come, the rows are the same, and what is judged to be good is
// written and read back as good. The first byte says the format and the pieces.
#include "catalog/feed_item.hpp"
#include "catalog/feed_writer.hpp"
#include "fuzz/fuzz.hpp"

namespace bottega::fuzz {
namespace {

using namespace catalog;

struct Seen {
  std::string text;
  std::size_t rows = 0, good = 0;
  friend bool operator==(const Seen&, const Seen&) = default;
};

std::optional<Seen> read(FeedFormat format, std::string_view bytes, std::size_t piece) {
  return answer_of([&] {
    const auto reader = make_feed_reader(format);
    FeedMapper mapper(*reader, {parse_currency("EUR"), parse_currency("USD")});
    Seen seen;
    const auto take = [&](const FeedRow& row) {
      check(row.text.size() <= kFeedRowMax && row.cells.size() <= kFeedColumnsMax, "it is bounded");
      check(!row.fault.empty() || is_utf8(row.text), "a good row is UTF-8");
      const auto* item = mapper.judge(row);
      ++seen.rows;
      seen.good += item == nullptr ? 0u : 1u;
      for (const auto& cell : row.cells)
        (seen.text += reader->columns()[cell.column]).append(row.at(cell)) += '\n';
      seen.text += std::to_string(row.line) + row.fault;
      bool is_at_fault = false;
      for (const auto& remark : mapper.remarks()) {
        is_at_fault = is_at_fault || remark.severity == Severity::error;
        check(is_utf8(remark.detail), "a remark is UTF-8");
        seen.text += remark.detail;
      }
      check(is_at_fault == (item == nullptr), "a bad row has its reason");
    };
    for (auto left = bytes; !left.empty(); left.remove_prefix(std::min(piece, left.size())))
      reader->feed(left.substr(0, piece), take);
    reader->finish(take);
    return seen;
  });
}

void check_there_and_back(FeedFormat format, std::string_view text) {
  if (!is_utf8(text) || !is_clean(text, Lines::many) || !is_visible(text)) return;
  FeedLine line;
  line.handle = line.sku = "A";
  line.title = "Tea";
  line.description = text.substr(0, 1'000);
  if (!is_utf8(line.description)) return;
  line.tax_class = "standard";
  line.prices.items.push_back({parse_currency("EUR"), {100}, std::nullopt, std::nullopt});
  const FeedWriter writer(format, {parse_currency("EUR")});
  const auto bytes =
      writer.head("Shop") + writer.line(line, FeedWriter::Place::first) + writer.foot();
  const auto reader = make_feed_reader(format);
  FeedMapper mapper(*reader, {parse_currency("EUR")});
  std::size_t rows = 0;
  const auto take = [&](const FeedRow& row) {
    const auto* item = mapper.judge(row);
    check(item != nullptr && item->description == line.description, "it comes back the same");
    ++rows;
  };
  reader->feed(bytes, take);
  reader->finish(take);
  check(rows == 1, "one row is one row");
}

}  // namespace

void run(std::string_view input) {
  Input in(input);
  const auto choice = in.number();
  const auto bytes = in.rest();
  const auto format = static_cast<FeedFormat>(choice % 3);
  const auto whole = read(format, bytes, bytes.size() + 1);
  check(read(format, bytes, choice / 3 + 1) == whole && read(format, bytes, 1) == whole,
        "pieces do not matter");
  check_there_and_back(format, bytes);
  read_feed_dates(bytes);
  read_feed_weight(bytes);
}

}  // namespace bottega::fuzz
