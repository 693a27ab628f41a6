// RSS 2.0 and Atom with the fields of Google's namespace, read by expat as the bytes come. There
// are no entities but XML's own: a document type is refused, and with it everything that expands or
// leads outside. Whatever expat must keep in memory, such as a tag, is bounded.
#include <expat.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <type_traits>

#include "catalog/feed_reader.hpp"
#include "bottega/core/error.hpp"

namespace bottega::catalog {
namespace {

constexpr std::size_t kChunk = 16'384, kSilenceMax = 1'048'576;
constexpr int kDepthMax = 32;

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using Parser = std::unique_ptr<std::remove_pointer_t<XML_Parser>, FreeParser>;

std::string_view local_name(std::string_view name) {
  return name.substr(name.rfind(':') + 1);  // npos + 1 is 0
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

class XmlReader final : public FeedReader {
 public:
  XmlReader() : parser_(XML_ParserCreate(nullptr)) {
    if (!parser_) throw std::bad_alloc();
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), on_start, on_end);
    XML_SetCharacterDataHandler(parser_.get(), on_text);
    XML_SetStartDoctypeDeclHandler(parser_.get(), on_doctype);
    XML_SetDefaultHandler(parser_.get(), on_rest);
  }

  bool has_head() const override { return false; }

  void feed(std::string_view bytes, const Take& take) override {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(kChunk, bytes.size())))
      parse(bytes.substr(0, kChunk), XML_FALSE, take);
  }
  void finish(const Take& take) override { parse({}, XML_TRUE, take); }

 private:
  void parse(std::string_view bytes, XML_Bool is_last, const Take& take) {
    const auto status =
        XML_Parse(parser_.get(), bytes.data(), static_cast<int>(bytes.size()), is_last);
    silence_ = std::exchange(heard_, false) ? 0 : silence_ + bytes.size();
    for (std::size_t i = 0; i < ready_; ++i) take(rows_[i]);
    // The row that is begun goes on in the next bytes.
    if (ready_ > 0 && row_depth_ > 0) std::swap(rows_[0], rows_[ready_]);
    ready_ = 0;
    if (status == XML_STATUS_ERROR) fail();
    if (silence_ <= kSilenceMax) return;
    stop("a tag or a comment is longer than 1 MiB");
    fail();
  }

  [[noreturn]] void fail() {
    const auto line = std::to_string(XML_GetCurrentLineNumber(parser_.get()));
    const std::string words =
        refusal_ != nullptr ? refusal_ : XML_ErrorString(XML_GetErrorCode(parser_.get()));
    throw Error(Code::invalid, "the XML cannot be read from line " + line + " on: " + words);
  }

  // The rest of the file is not looked at.
  void stop(const char* why) {
    if (refusal_ == nullptr) refusal_ = why;
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  // ---- what expat calls: nothing is thrown through it -------------------------------------------

  template <class Work>
  static void guarded(void* self, Work work) {
    auto& reader = *static_cast<XmlReader*>(self);
    reader.heard_ = true;
    if (reader.refusal_ != nullptr) return;  // expat may still end what it has begun
    try {
      work(reader);
    } catch (const std::exception&) {
      reader.stop("there is no memory left");
    }
  }
  static void on_start(void* self, const XML_Char* name, const XML_Char** attributes) {
    guarded(self, [&](XmlReader& reader) { reader.start(name, attributes); });
  }
  static void on_end(void* self, const XML_Char*) {
    guarded(self, [](XmlReader& reader) { reader.end(); });
  }
  static void on_text(void* self, const XML_Char* text, int size) {
    guarded(self, [&](XmlReader& reader) {
      reader.append({text, static_cast<std::size_t>(size)});
    });
  }
  static void on_doctype(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    guarded(self, [](XmlReader& reader) { reader.stop("a document type is not taken"); });
  }
  static void on_rest(void* self, const XML_Char*, int) {
    guarded(self, [](XmlReader&) {});
  }

  // ---- rows -------------------------------------------------------------------------------------

  void start(std::string_view name, const XML_Char** attributes) {
    if (++depth_ > kDepthMax) return stop("it nests deeper than 32 levels");
    const auto local = local_name(name);
    if (row_depth_ == 0) {
      if (local == "item" || local == "entry") begin_row();
      return;
    }
    end_field();
    ends_.push_back(path_.size());
    if (depth_ == row_depth_ + 1) is_plain_ = local.size() == name.size();
    if (!path_.empty()) path_ += '_';
    path_ += feed_name(local);
    if (path_.size() > kFeedFieldMax) return stop("the name of a field is too long");
    if (path_ == "link") take_address(attributes);
  }

  // Atom says it in an attribute.
  void take_address(const XML_Char** attributes) {
    const char* address = nullptr;
    bool is_other = false;
    for (; attributes[0] != nullptr; attributes += 2) {
      if (std::strcmp(attributes[0], "href") == 0) address = attributes[1];
      if (std::strcmp(attributes[0], "rel") == 0)
        is_other = std::strcmp(attributes[1], "alternate") != 0;
    }
    if (address != nullptr && !is_other) append(address);
  }

  void end() {
    if (row_depth_ > 0) {
      end_field();
      if (depth_ == row_depth_) {
        end_row();
      } else {
        path_.resize(ends_.back());
        ends_.pop_back();
      }
    }
    --depth_;
  }

  void begin_row() {
    row_depth_ = depth_;
    if (ready_ == rows_.size()) rows_.emplace_back();
    row().clear();
    row().line = static_cast<std::int64_t>(XML_GetCurrentLineNumber(parser_.get()));
    begin_ = 0;
  }

  void append(std::string_view text) {
    if (row_depth_ == 0 || path_.empty() || !row().fault.empty()) return;
    if (row().text.size() - begin_ + text.size() > kFeedFieldMax)
      row().fault = "a field is longer than 64 KiB";
    else if (row().text.size() + text.size() > kFeedRowMax)
      row().fault = "the row is longer than 256 KiB";
    else
      row().text += text;
  }

  void end_field() {
    auto& to = row();
    const auto size = to.text.size() - begin_;
    if (path_.empty() || !to.fault.empty() || is_blank(std::string_view(to.text).substr(begin_))) {
      to.text.resize(begin_);
      return;
    }
    const auto column = column_of(path_);
    if (to.cells.size() >= kFeedColumnsMax || !column)
      to.fault = "the row has more than 200 fields, or the file more than 200 kinds of them";
    else
      to.cells.push_back(
          {*column, static_cast<std::uint32_t>(begin_), static_cast<std::uint32_t>(size)});
    begin_ = to.text.size();
  }

  void end_row() {
    auto& done = row();
    // What has Google's prefix counts where both are there.
    std::erase_if(done.cells, [&](const FeedRow::Cell& cell) {
      return is_plain(cell) && std::ranges::any_of(done.cells, [&](const FeedRow::Cell& other) {
               return !is_plain(other) && columns_[other.column] == columns_[cell.column];
             });
    });
    if (!done.fault.empty()) done.cells.clear();
    row_depth_ = 0;
    ++ready_;
  }

  bool is_plain(const FeedRow::Cell& cell) const { return plain_[cell.column]; }

  std::optional<std::uint32_t> column_of(const std::string& path) {
    const auto known = known_.find({path, is_plain_});
    if (known != known_.end()) return known->second;
    if (columns_.size() >= kFeedColumnsMax) return std::nullopt;
    const auto column = static_cast<std::uint32_t>(columns_.size());
    known_.emplace(std::pair{path, is_plain_}, column);
    columns_.push_back(path);
    plain_.push_back(is_plain_);
    return column;
  }

  FeedRow& row() { return rows_[ready_]; }

  Parser parser_;
  const char* refusal_ = nullptr;
  bool heard_ = false;
  std::size_t silence_ = 0;  // bytes since expat has last told us something
  int depth_ = 0, row_depth_ = 0;
  std::string path_;               // of the field, below the row
  std::vector<std::size_t> ends_;  // of the paths above it
  bool is_plain_ = false;          // whether the field's name has no prefix
  std::map<std::pair<std::string, bool>, std::uint32_t> known_;
  std::vector<bool> plain_;
  std::vector<FeedRow> rows_;  // the first `ready_` are whole, one more is begun
  std::size_t ready_ = 0, begin_ = 0;
};

}  // namespace

std::unique_ptr<FeedReader> make_xml_reader() { return std::make_unique<XmlReader>(); }

}  // namespace bottega::catalog
