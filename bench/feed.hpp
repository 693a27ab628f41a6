#pragma once
// scripts/bench feed: a product feed in, its report, and out again into another shop.
#include <filesystem>
#include <string>
#include <vector>

#include "feed_file.hpp"
#include "process.hpp"
#include "bottega/core/json.hpp"

namespace bottega::bench {

// What an import came to, from its first byte until it was over.
struct Imported {
  Json answer;
  double seconds = 0, upload_s = 0, check_s = 0, write_s = 0;
};
// Throws unless it is done.
Imported import_feed(const Server& server, const std::string& token, const std::string& shop,
                     const std::filesystem::path& file, const std::string& format);

struct FeedBench {
  std::string binary, scripts, format;
  std::int64_t rows = 0;
};
// Throws where a line was reported that was good, or was not that was bad, or where the catalogue
// that was read back is another.
void measure_feed(const FeedBench& bench);

}  // namespace bottega::bench
