// CSV as RFC 4180 has it, and the same with tabs. What is not quite right is forgiven where its
// meaning is plain: any line end, quotes within a field, empty lines, lines of # before the head.
// A quote that is never closed takes its own line with it and no other: what is behind that line is
// read a second time, as rows of their own.
#include <algorithm>

#include "catalog/feed_reader.hpp"
#include "bottega/core/error.hpp"

namespace bottega::catalog {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

[[noreturn]] void unreadable(const std::string& words) { throw Error(Code::invalid, words); }

// So many times in a file, each at most a row's length.
constexpr int kSecondReadingsMax = 1'000;

bool is_line_end(char c) { return c == '\n' || c == '\r'; }

class TextReader final : public FeedReader {
 public:
  explicit TextReader(char separator) : separator_(separator) { row_.line = 1; }

  bool has_head() const override { return true; }

  void feed(std::string_view bytes, const Take& take) override {
    if (has_begun_) return scan(bytes, take);
    beginning_ += bytes;
    if (beginning_.size() >= kByteOrderMark.size()) begin(take);
  }

  void finish(const Take& take) override {
    if (!has_begun_) begin(take);
    while (at_ == At::quoted) {
      open_quote();
      if (!is_torn_) break;
      const auto again = tear(take);
      scan(again, take);
    }
    if (at_ != At::start || fields_ > 0) end_row(take);
    if (!has_columns_) unreadable("there is no head: the first line names the columns");
  }

 private:
  // Where the next byte stands.
  enum class At : std::uint8_t { start, plain, quoted, closed, lost };

  void begin(const Take& take) {
    has_begun_ = true;
    const std::string_view all = beginning_;
    if (all.starts_with("\xFF\xFE") || all.starts_with("\xFE\xFF"))
      unreadable("the file is in UTF-16; it must be in UTF-8");
    scan(all.starts_with(kByteOrderMark) ? all.substr(kByteOrderMark.size()) : all, take);
    beginning_ = std::string();
  }

  void scan(std::string_view bytes, const Take& take) {
    std::string again;
    while (!bytes.empty()) {
      const auto taken = step(bytes, take);
      hold(bytes.substr(0, taken));
      bytes.remove_prefix(taken);
      if (!is_torn_) continue;
      auto rest = tear(take);
      rest += bytes;
      again = std::move(rest);
      bytes = again;
    }
  }

  // Keeps what is behind the first line of a row, while it may have to be read again.
  void hold(std::string_view bytes) {
    if (line_ == row_.line || readings_left_ == 0) return;
    if (!is_held_) bytes.remove_prefix(bytes.find('\n') + 1);
    is_held_ = true;
    held_ += bytes;
    if (at_ == At::quoted && held_.size() > 2 * kFeedRowMax) open_quote();
  }

  // The row, which has been spoilt, ends with its first line; answers what is to be read again.
  std::string tear(const Take& take) {
    --readings_left_;
    auto again = std::exchange(held_, {});
    line_ = row_.line;
    end_row(take);
    row_.line = ++line_;
    return again;
  }

  void open_quote() {
    spoil("a quote is never closed");
    is_torn_ = line_ > row_.line && readings_left_ > 0;
    at_ = At::lost;
  }

  // Takes some bytes, one at least; answers how many.
  std::size_t step(std::string_view bytes, const Take& take) {
    const bool after_return = std::exchange(after_return_, false);
    if (after_return && bytes.front() == '\n') return 1;
    switch (at_) {
      case At::start:
        if (bytes.front() == '"') {
          at_ = At::quoted;
          return 1;
        }
        at_ = At::plain;
        [[fallthrough]];
      case At::plain:
        return plain(bytes, take);
      case At::quoted:
        return quoted(bytes);
      case At::closed:
        return closed(bytes, take);
      case At::lost:
        break;
    }
    const auto end = std::ranges::find_if(bytes, is_line_end) - bytes.begin();
    if (end == std::ssize(bytes)) return bytes.size();
    end_line(bytes[static_cast<std::size_t>(end)], take);
    return static_cast<std::size_t>(end) + 1;
  }

  std::size_t plain(std::string_view bytes, const Take& take) {
    const auto end = static_cast<std::size_t>(
        std::ranges::find_if(bytes, [&](char c) { return c == separator_ || is_line_end(c); }) -
        bytes.begin());
    append(bytes.substr(0, end));
    if (end == bytes.size() || at_ == At::lost) return end;
    if (bytes[end] == separator_)
      end_field();
    else
      end_line(bytes[end], take);
    return end + 1;
  }

  std::size_t quoted(std::string_view bytes) {
    const auto end = std::min(bytes.find('"'), bytes.size());
    const auto piece = bytes.substr(0, std::min(end, room() + 1));
    line_ += std::ranges::count(piece, '\n');
    append(piece);
    if (piece.size() == bytes.size() || at_ == At::lost || piece.size() < end) return piece.size();
    at_ = At::closed;
    return end + 1;
  }

  std::size_t closed(std::string_view bytes, const Take& take) {
    const char c = bytes.front();
    if (c == '"') {
      at_ = At::quoted;
      append("\"");
    } else if (c == separator_) {
      end_field();
    } else if (is_line_end(c)) {
      end_line(c, take);
    } else if (line_ > row_.line) {
      open_quote();
    } else if (separator_ == '\t') {
      unquote();
      return plain(bytes, take);
    } else {
      spoil("there is text behind a closing quote");
      at_ = At::lost;
    }
    return 1;
  }

  // The quote was none that encloses: many write tabs between fields that have quotes in them.
  void unquote() {
    std::string raw = "\"";
    for (const char c : std::string_view(row_.text).substr(begin_)) raw.append(c == '"' ? 2 : 1, c);
    row_.text.resize(begin_);
    at_ = At::plain;
    append(raw + '"');
  }

  void spoil(const std::string& words) {
    if (row_.fault.empty()) row_.fault = words;
    row_.text.resize(begin_);
  }

  // Of the field.
  std::size_t room() const {
    return std::min(kFeedFieldMax - (row_.text.size() - begin_), kFeedRowMax - row_.text.size());
  }

  // A field that does not end may be one whose quote is not closed: what is behind the line is read
  // as if it were.
  void append(std::string_view piece) {
    if (!row_.fault.empty()) return;
    if (row_.text.size() - begin_ + piece.size() > kFeedFieldMax)
      spoil("a field is longer than 64 KiB");
    else if (row_.text.size() + piece.size() > kFeedRowMax)
      spoil("the row is longer than 256 KiB");
    else
      row_.text += piece;
    if (row_.fault.empty()) return;
    is_torn_ = at_ == At::quoted && line_ > row_.line && readings_left_ > 0;
    at_ = At::lost;
  }

  void end_field() {
    const auto size = row_.text.size() - begin_;
    if (!has_columns_) {
      if (fields_ >= kFeedColumnsMax) unreadable("the head has more than 200 columns");
      names_.emplace_back(row_.text.substr(begin_));
    } else if (fields_ >= columns_.size()) {
      if (size > 0) spoil("the row has more fields than the head");
    } else if (size > 0 && row_.fault.empty()) {
      row_.cells.push_back({static_cast<std::uint32_t>(fields_), static_cast<std::uint32_t>(begin_),
                            static_cast<std::uint32_t>(size)});
    }
    ++fields_;
    begin_ = row_.text.size();
    at_ = At::start;
  }

  void end_line(char c, const Take& take) {
    after_return_ = c == '\r';
    end_row(take);
    row_.line = ++line_;
  }

  void end_row(const Take& take) {
    const bool is_blank = fields_ == 0 && at_ != At::closed && row_.text.empty();
    end_field();
    if (!is_blank || !row_.fault.empty()) {
      if (!has_columns_)
        take_head();
      else
        give(take);
    }
    row_.clear();
    names_.clear();
    held_.clear();
    is_held_ = is_torn_ = false;
    fields_ = begin_ = 0;
    at_ = At::start;
  }

  void take_head() {
    if (!row_.fault.empty()) unreadable("the head cannot be read: " + row_.fault);
    if (!is_utf8(row_.text)) unreadable("the head is not UTF-8");
    if (row_.text.starts_with('#')) return;
    for (const auto& name : names_) columns_.push_back(feed_name(name));
    has_columns_ = true;
  }

  void give(const Take& take) {
    if (row_.fault.empty() && !is_utf8(row_.text)) row_.fault = "the row is not UTF-8";
    if (!row_.fault.empty()) row_.cells.clear();
    take(row_);
  }

  char separator_;
  At at_ = At::start;
  bool has_begun_ = false, has_columns_ = false, after_return_ = false;
  std::string beginning_;  // until there is enough to see a byte order mark
  std::vector<std::string> names_;
  FeedRow row_;
  std::size_t fields_ = 0, begin_ = 0;
  std::int64_t line_ = 1;
  std::string held_;
  bool is_held_ = false, is_torn_ = false;
  int readings_left_ = kSecondReadingsMax;
};

}  // namespace

std::unique_ptr<FeedReader> make_text_reader(char separator) {
  return std::make_unique<TextReader>(separator);
}

std::unique_ptr<FeedReader> make_feed_reader(FeedFormat format) {
  if (format == FeedFormat::xml) return make_xml_reader();
  return make_text_reader(format == FeedFormat::tsv ? '\t' : ',');
}

std::string feed_name(std::string_view given) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = given.find_first_not_of(kBlank);
  if (first == given.npos) return {};
  given = given.substr(first, given.find_last_not_of(kBlank) - first + 1);
  if (given.starts_with("g:") || given.starts_with("c:")) given.remove_prefix(2);
  std::string name;
  bool in_brackets = false;
  for (const char c : given.substr(0, 100)) {
    in_brackets = c == '[' || (in_brackets && c != ']');
    if (in_brackets || c == ']') continue;
    if (c >= 'A' && c <= 'Z')
      name += static_cast<char>(c - 'A' + 'a');
    else
      name += c == ' ' || c == '.' ? '_' : c;
  }
  while (!is_utf8(name)) name.pop_back();  // cut within a character
  return name;
}

bool is_utf8(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = at(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (lead < 0xc2 || lead > 0xf4 || i + more >= text.size()) return false;
    for (std::size_t k = 1; k <= more; ++k)
      if ((at(i + k) & 0xc0) != 0x80) return false;
    const auto next = at(i + 1);
    if ((lead == 0xe0 && next < 0xa0) || (lead == 0xed && next > 0x9f) ||
        (lead == 0xf0 && next < 0x90) || (lead == 0xf4 && next > 0x8f))
      return false;
    i += more + 1;
  }
  return true;
}

}  // namespace bottega::catalog
