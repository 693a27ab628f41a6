#pragma once
// A row of a feed in our model, and what is to be said about it: every fault at once, and apart
// from them what was tolerated.
#include <array>

#include "catalog/feed_reader.hpp"
#include "catalog/feed_seen.hpp"
#include "catalog/feed_values.hpp"

namespace bottega::catalog {

// What feeds have no words for. Our own files have it in a column of its own, as JSON, so that what
// goes out comes back the same.
struct FeedExtra {
  std::optional<State> state;
  std::optional<Line<1, 150>> title;
  std::optional<Text<0, 9'999>> description;
  std::optional<Line<1, 70>> brand, mpn;
  std::optional<Category> category;
  std::optional<Line<1, 100>> google_category;
  std::optional<Sku> sku;
  std::optional<Handle> handle;
  std::optional<Images> images;
  std::optional<OptionNames> option_names;
  std::optional<OptionValues> options;
  std::optional<Prices> prices;  // all of them
  std::optional<bool> own_image;
  std::optional<Image> image;  // of the variant, where `own_image` is given
  std::optional<TaxClass> tax_class;
  std::optional<bool> needs_shipping;
};
BOOST_DESCRIBE_STRUCT(FeedExtra, (),
                      (state, title, description, brand, mpn, category, google_category, sku,
                       handle, images, option_names, options, prices, own_image, image, tax_class,
                       needs_shipping))
inline constexpr std::string_view kExtraColumn = "bottega_extra";

// What is none stays as it is in the catalogue, what is empty is taken away. The views are into the
// row, or into the item's own `extra`.
struct FeedItem {
  using View = std::optional<std::string_view>;
  std::string_view sku, handle, title;
  bool is_first = true;  // of its product, in this file
  std::int64_t position = 0;
  View description, brand, category, google_category, url, gtin, mpn;
  std::optional<Condition> condition;
  std::optional<std::string> images, option_names, options;  // JSON
  std::string prices;                                        // JSON
  bool has_all_prices = false;                               // else the other currencies stay
  bool is_priced = false;                                    // in a currency that the shop takes
  std::optional<std::string> image;                          // JSON; the variant's own
  bool is_exact_image = false;  // else it is none where the product's first is the same
  Availability availability{};
  std::optional<Instant> available_at;
  // Whether the file has anything to say of the sale, its dates, and of the day.
  bool says_sale = false, says_dates = false, says_date = false;
  bool keeps_home = false;  // where it names no group it stays in the product that has its SKU
  std::optional<std::int64_t> weight_g, on_hand;
  std::optional<State> state;
  FeedExtra extra;
};

struct RowRemark {
  Severity severity{};
  std::string_view field;  // empty: the row
  std::string detail;
};

class FeedMapper {
 public:
  // `taken` are the currencies in which the shop sells.
  FeedMapper(const FeedReader& reader, std::vector<Currency> taken)
      : reader_(reader), taken_(std::move(taken)) {}

  // None where the row is at fault; remarks() say why. Valid until the next call. Every row of the
  // file must be given, in order.
  const FeedItem* judge(const FeedRow& row);
  const std::vector<RowRemark>& remarks() const { return remarks_; }
  // Of the last row, also of a bad one, where it can be told.
  std::string_view sku() const { return item_.sku; }
  std::string_view handle() const { return item_.handle; }
  // Whether it can be told of which variant the last row is, and that no other row is within it.
  bool is_identified() const { return is_whole_ && !item_.sku.empty(); }
  // Columns that nobody knows, by their names.
  const std::vector<std::string>& unknown() const { return unknown_; }
  // Throws Error(invalid) where rows of this file cannot have what each must have.
  void check_head() const;

 private:
  enum class Field : std::uint8_t {
    id,
    title,
    description,
    availability,
    availability_date,
    condition,
    price,
    sale_price,
    sale_dates,
    link,
    image_link,
    more_images,
    brand,
    gtin,
    mpn,
    group,
    color,
    size,
    material,
    pattern,
    product_type,
    google_category,
    quantity,
    status,
    weight,
    extra,
    ignored,
    unknown
  };
  static constexpr std::size_t kFields = static_cast<std::size_t>(Field::unknown);
  struct Name {
    std::string_view name;
    Field field;
  };
  static const Name kNames[];
  static Field field_of(std::string_view name);
  static std::string_view name_of(Field field);

  void learn();
  void collect(const FeedRow& row);
  void read_names();
  void read_product();
  void read_price();
  void read_all_prices(const Prices& prices);
  void read_variant();
  void read_images();
  void read_options();
  void read_extra();
  void apply_extra();
  void apply_extra_options();
  void find_place();

  std::string_view given(Field field) const { return values_[static_cast<std::size_t>(field)]; }
  bool is_there(Field field) const { return there_[static_cast<std::size_t>(field)]; }
  void fault(Field field, std::string detail);
  void warn(Field field, std::string detail);
  // The text of a field that has these bounds; where it has not, it is at fault, or left out.
  enum class Else : std::uint8_t { fault, leave_out };
  FeedItem::View text(Field field, std::size_t most, Lines lines, Else otherwise);
  template <class T>
  std::optional<T> take(Field field, Read<T> read);
  bool is_for_sale() const;
  bool is_taken(Currency currency) const;

  const FeedReader& reader_;
  std::vector<Currency> taken_;
  std::vector<Field> fields_;  // of the reader's columns
  std::vector<std::string> unknown_;
  std::array<std::string_view, kFields> values_{};
  std::array<bool, kFields> there_{};  // in the file, where it has a head; else in the row
  std::vector<std::string_view> links_;
  std::string category_;  // what the item's view is of
  FeedItem item_;
  std::vector<RowRemark> remarks_;
  std::size_t faults_ = 0;
  bool is_whole_ = false;
  FeedSeen seen_;
};

}  // namespace bottega::catalog
