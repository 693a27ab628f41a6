#pragma once
// Product feeds as rows of named fields: bytes go in as they come, in pieces of any size, and rows
// come out. Nothing here knows what a field means.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bottega/catalog/feeds.hpp"

namespace bottega::catalog {

inline constexpr std::size_t kFeedFieldMax = 65'536, kFeedRowMax = 262'144, kFeedColumnsMax = 200;

// A row with its fields in one piece of text, which is valid UTF-8 unless `fault` says otherwise.
struct FeedRow {
  struct Cell {
    std::uint32_t column = 0, begin = 0, size = 0;
  };
  std::int64_t line = 0;  // where it begins, from 1
  std::string text;
  std::vector<Cell> cells;  // those that have something in them
  std::string fault;        // why it cannot be read, where it cannot

  std::string_view at(const Cell& cell) const {
    return std::string_view(text).substr(cell.begin, cell.size);
  }
  void clear() {
    text.clear();
    cells.clear();
    fault.clear();
  }
};

class FeedReader {
 public:
  using Take = std::function<void(const FeedRow&)>;
  virtual ~FeedReader() = default;

  // Both throw Error(invalid) where nothing behind this place can be read.
  virtual void feed(std::string_view bytes, const Take& take) = 0;
  virtual void finish(const Take& take) = 0;

  // The names of the fields that have been seen so far, as feed_name() has them. Two may be alike.
  const std::vector<std::string>& columns() const { return columns_; }
  // Whether all rows have the same fields, so that one without text is an empty one.
  virtual bool has_head() const = 0;

 protected:
  std::vector<std::string> columns_;
};

std::unique_ptr<FeedReader> make_feed_reader(FeedFormat format);
std::unique_ptr<FeedReader> make_text_reader(char separator);
std::unique_ptr<FeedReader> make_xml_reader();

// "g:Image Link" as "image_link", "image[0].url" as "image_url": at most 100 bytes.
std::string feed_name(std::string_view given);
// RFC 3629.
bool is_utf8(std::string_view text);

}  // namespace bottega::catalog
