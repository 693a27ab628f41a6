#include "feed_file.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <random>
#include <stdexcept>

namespace bottega::bench {

const std::vector<std::string> kStyles = {"Nordic", "Rustic", "Modern", "Folding", "Heavy", "Light",
                                          "Tall",   "Round",  "Woven",  "Painted", "Plain", "Gilt"};
const std::vector<std::string> kThings = {"lamp",   "chair", "table", "vase",  "kettle",
                                          "basket", "clock", "shelf", "rug",   "mirror",
                                          "stool",  "tray",  "bench", "candle"};
const std::vector<std::string> kCategories = {"Home > Lighting > Lamps",
                                              "Home > Lighting > Candles",
                                              "Home > Furniture > Chairs",
                                              "Home > Furniture > Tables",
                                              "Home > Furniture > Shelves",
                                              "Home > Decoration > Vases",
                                              "Home > Decoration > Clocks",
                                              "Kitchen > Cooking > Kettles",
                                              "Kitchen > Serving > Trays",
                                              "Garden > Seating > Benches",
                                              "Garden > Light"};

namespace {

const std::vector<std::string> kColumns = {"id",
                                           "item_group_id",
                                           "title",
                                           "description",
                                           "availability",
                                           "condition",
                                           "price",
                                           "sale_price",
                                           "link",
                                           "image_link",
                                           "brand",
                                           "gtin",
                                           "mpn",
                                           "product_type",
                                           "color",
                                           "size",
                                           "quantity",
                                           "shipping_weight",
                                           "availability_date"};
enum Column : std::uint8_t {
  kId,
  kGroup,
  kTitle,
  kDescription,
  kAvailability,
  kCondition,
  kPrice,
  kSalePrice,
  kLink,
  kImage,
  kBrand,
  kGtin,
  kMpn,
  kType,
  kColor,
  kSize,
  kQuantity,
  kWeight,
  kAvailableAt,
  kCount
};
using Row = std::array<std::string, kCount>;

const char* const kColors[] = {"red", "blue", "oak", "white", "black", "grey"};
const char* const kSizes[] = {"S", "M", "L", "XL"};
const char* const kWords[] = {"made",   "by",       "hand", "of",    "solid", "oak",   "and",
                              "brass,", "with",     "a",    "soft",  "glow",  "for",   "long",
                              "winter", "evenings", "it",   "lasts", "for",   "years", "grün"};

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t count) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(count));
}

std::string text_of_price(std::int64_t cents) {
  const auto part = std::to_string(100 + cents % 100).substr(1);
  return std::to_string(cents / 100) + '.' + part + " USD";
}

// A GTIN-13 with its check digit.
std::string gtin_of(std::int64_t number) {
  auto digits = "400" + std::to_string(1'000'000'000 + number % 1'000'000'000).substr(1);
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) sum += (digits[i] - '0') * (i % 2 == 0 ? 1 : 3);
  return digits + static_cast<char>('0' + (10 - sum % 10) % 10);
}

std::string description_of(Random& random, const std::string& format) {
  std::string text;
  const auto words = 20 + pick(random, 30);
  for (std::int64_t i = 0; i < words; ++i)
    text += (i > 0 ? " " : "") + std::string(kWords[pick(random, std::size(kWords))]);
  if (pick(random, 20) == 0) text += ", called \"the good one\" & more";
  // A line of the file is then no row.
  if (format != "tsv" && pick(random, 50) == 0) text += "\nSecond line";
  return text;
}

// What all rows of a product have.
struct Product {
  std::int64_t number = 0;
  int variants = 1;
  Row common;
};

Product product_of(Random& random, std::int64_t number, const FeedPlan& plan) {
  Product product{number, number % 2 == 0 ? 1 : plan.variants, {}};
  auto& row = product.common;
  const auto handle = plan.name + '-' + std::to_string(number);
  const auto part = [&](const auto& from) {
    return from[static_cast<std::size_t>(pick(random, std::ssize(from)))];
  };
  const bool is_classic = pick(random, 10) < 3;
  row[kTitle] = (is_classic ? "Classic " : "") + part(kStyles) + ' ' + part(kThings) + ' ' +
                rare_word(number);
  if (product.variants > 1) row[kGroup] = handle;
  row[kId] = handle;
  row[kDescription] = description_of(random, plan.format);
  const auto condition = pick(random, 20);
  row[kCondition] = condition == 0 ? "used" : condition == 1 ? "refurbished" : "new";
  row[kLink] = "https://shop.example/p/" + handle;
  // Few brands have many products.
  const auto brand = std::min(pick(random, kBrands), pick(random, kBrands));
  row[kBrand] = brand_of(brand);
  row[kType] = part(kCategories);
  return product;
}

Row variant_of(Random& random, const Product& product, int place, std::int64_t number,
               const FeedPlan& plan) {
  auto row = product.common;
  if (product.variants > 1) {
    row[kId] += '-' + std::to_string(place);
    row[kColor] = kColors[static_cast<std::size_t>(place) % std::size(kColors)];
    row[kSize] = kSizes[static_cast<std::size_t>(place) / std::size(kColors) % std::size(kSizes)];
  }
  const auto cents = 500 + pick(random, 20'000);
  row[kPrice] = text_of_price(cents);
  if (pick(random, 10) == 0) row[kSalePrice] = text_of_price(cents * 8 / 10);
  row[kImage] = "https://shop.example/i/" + row[kId] + ".jpg";
  row[kGtin] = gtin_of(number);
  row[kMpn] = "M" + std::to_string(number);
  const auto there = pick(random, 100);
  row[kAvailability] = there < 3 ? "out_of_stock" : there < 5 ? "preorder" : "in_stock";
  if (there >= 3 && there < 5) row[kAvailableAt] = "2040-12-24T12:00Z";
  if (plan.on_hand) {
    row[kAvailability] = "in_stock";
    row[kAvailableAt].clear();
    row[kQuantity] = std::to_string(*plan.on_hand);
  } else if (pick(random, 3) > 0) {
    row[kQuantity] = std::to_string(pick(random, 10) == 0 ? 0 : pick(random, 500));
  }
  row[kWeight] = std::to_string(100 + pick(random, 9'000)) + " g";
  return row;
}

// In one of the ways in which a row can be none.
void spoil(Row& row, std::int64_t way) {
  switch (way % 8) {
    case 0:
      row[kPrice] = "12.50";
      return;
    case 1:
      row[kGtin].back() = row[kGtin].back() == '0' ? '1' : '0';
      return;
    case 2:
      row[kTitle].clear();
      return;
    case 3:
      row[kAvailability] = "perhaps";
      return;
    case 4:
      row[kCondition] = "broken";
      return;
    case 5:
      row[kPrice] = "-1.00 USD";
      return;
    case 6:
      row[kQuantity] = "many";
      return;
    default:
      row[kLink] = "ftp://shop.example/p";
  }
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

std::string cell_of(const std::string& text, const std::string& format) {
  if (format == "tsv" || text.find_first_of(",\"\n") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

std::string line_of(const Row& row, const std::string& format) {
  std::string out;
  if (format == "xml") {
    out = "<item>";
    for (std::size_t i = 0; i < kCount; ++i)
      if (!row[i].empty())
        out += "<g:" + kColumns[i] + '>' + escaped(row[i]) + "</g:" + kColumns[i] + '>';
    return out + "</item>\n";
  }
  for (std::size_t i = 0; i < kCount; ++i)
    out += (i == 0 ? "" : format == "csv" ? "," : "\t") + cell_of(row[i], format);
  return out + '\n';
}

std::string head_of(const std::string& format) {
  if (format != "xml") {
    Row names;
    std::ranges::copy(kColumns, names.begin());
    return line_of(names, format);
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\"><channel>\n"
         "<title>Shop</title><link>https://shop.example</link>\n";
}

// One line after the other, with its number.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& path) : file_(path, std::ios::binary) {}

  std::int64_t line() const { return line_; }
  void write(const std::string& text) {
    file_ << text;
    bytes_ += std::ssize(text);
    line_ += std::ranges::count(text, '\n');
  }
  std::int64_t close() {
    file_.close();
    if (!file_) throw std::runtime_error("cannot write the feed");
    return bytes_;
  }

 private:
  std::ofstream file_;
  std::int64_t line_ = 1, bytes_ = 0;
};

}  // namespace

FeedFile write_feed(const std::filesystem::path& path, const FeedPlan& plan) {
  FeedFile out;
  Random random(20'260'101);
  Writer file(path);
  file.write(head_of(plan.format));
  // One in so many is bad, at any place of it, so that their number is known.
  const auto every = plan.bad > 0 ? static_cast<std::int64_t>(1 / plan.bad) : plan.rows + 1;
  auto bad = pick(random, every);
  Product product;
  int place = 0;
  for (std::int64_t i = 0, number = 0; i < plan.rows; ++i, ++place) {
    if (i == 0 || place == product.variants) {
      product = product_of(random, number++, plan);
      place = 0;
    }
    auto row = variant_of(random, product, place, i, plan);
    if (i == bad) {
      spoil(row, std::ssize(out.bad_lines));
      out.bad_lines.push_back(file.line());
    }
    if (i % every == every - 1) bad = i + 1 + pick(random, every);
    file.write(line_of(row, plan.format));
  }
  if (plan.format == "xml") file.write("</channel></rss>\n");
  out.bytes = file.close();
  out.good = plan.rows - std::ssize(out.bad_lines);
  return out;
}

std::string media_type_of_feed(const std::string& format) {
  if (format == "xml") return "application/xml";
  return format == "csv" ? "text/csv" : "text/tab-separated-values";
}

// Syllables that stand for the digits of a number.
std::string rare_word(std::int64_t product) {
  static const char* const kSyllables[] = {"ba", "ke", "lo", "mi", "nu", "pa", "re", "so",
                                           "ti", "vu", "za", "de", "fo", "gi", "hu", "wa"};
  std::string word = "x";
  auto number = product / kProductsPerRareWord;
  for (int i = 0; i < 5; ++i, number /= 16) word += kSyllables[number % 16];
  return word;
}

std::string brand_of(std::int64_t number) { return "Brand " + std::to_string(number); }

}  // namespace bottega::bench
