#pragma once
// The catalogue as rows of a feed. What is written is read back the same: whatever the vendors have
// no field for, or would not keep as it is, stands in a field of ours beside theirs.
#include "catalog/feed_item.hpp"

namespace bottega::catalog {

// A variant with its product.
struct FeedLine {
  ProductId product_id;
  std::string handle;
  State state{};
  std::string title, description;
  std::optional<std::string> brand;
  Condition condition{};
  std::optional<std::string> category, google_category, url;
  Images images;
  OptionNames option_names;
  std::string tax_class;
  bool needs_shipping = true;
  VariantId variant_id;
  std::int64_t position = 0;
  std::string sku;
  OptionValues options;
  std::optional<std::string> gtin, mpn;
  Prices prices;
  std::optional<std::int64_t> weight_g;
  Availability availability{};
  std::optional<Instant> available_at;
  std::optional<Image> image;
  std::optional<std::int64_t> on_hand;
};
BOOST_DESCRIBE_STRUCT(FeedLine, (),
                      (product_id, handle, state, title, description, brand, condition, category,
                       google_category, url, images, option_names, tax_class, needs_shipping,
                       variant_id, position, sku, options, gtin, mpn, prices, weight_g,
                       availability, available_at, image, on_hand))

class FeedWriter {
 public:
  // `taken` are the currencies in which the shop sells: a reader asks for one of them.
  FeedWriter(FeedFormat format, std::vector<Currency> taken)
      : format_(format), taken_(std::move(taken)) {}

  std::string head(const std::string& shop) const;
  // `is_first` of its product.
  enum class Place : std::uint8_t { first, later };
  std::string line(const FeedLine& line, Place place) const;
  std::string foot() const;

 private:
  FeedFormat format_;
  std::vector<Currency> taken_;
};

}  // namespace bottega::catalog
