#pragma once
// Product feeds of any size, of which it is known what is in them: the same plan gives the same
// file.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bottega::bench {

struct FeedPlan {
  std::int64_t rows = 0;
  std::string format = "csv";  // or tsv, xml
  // Rows of every other product: those have colours and sizes. 1: each row is a product.
  int variants = 4;
  double bad = 0.01;           // the share of rows that must be refused
  std::string name = "P";      // what SKUs begin with
  std::optional<int> on_hand;  // of each variant, where it is the same for all
};

struct FeedFile {
  std::int64_t bytes = 0, good = 0;
  std::vector<std::int64_t> bad_lines;  // in their order
};
FeedFile write_feed(const std::filesystem::path& path, const FeedPlan& plan);
std::string media_type_of_feed(const std::string& format);

// What titles, brands and categories are made of, for whoever looks for them. A word that many
// titles have, ones that some have, and one that a dozen products have.
inline const std::string kFrequentWord = "classic";
extern const std::vector<std::string> kStyles, kThings, kCategories;
std::string rare_word(std::int64_t product);
std::string brand_of(std::int64_t number);
inline constexpr std::int64_t kBrands = 200, kProductsPerRareWord = 12;

}  // namespace bottega::bench
