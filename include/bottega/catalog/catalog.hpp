#pragma once
// What a shop sells: products with their variants, as whoever edits them and whoever buys them sees
// them. Every edit raises the product's version.
#include "bottega/catalog/fields.hpp"
#include "bottega/core/machine.hpp"
#include "bottega/identity/merchants.hpp"

namespace bottega::catalog {

using identity::MerchantId, identity::Who;
using ProductId = Id<"prod">;
using VariantId = Id<"var">;

enum class State : std::uint8_t { draft, published, archived };
BOOST_DESCRIBE_ENUM(State, draft, published, archived)
enum class Event : std::uint8_t { publish, archive, restore };
BOOST_DESCRIBE_ENUM(Event, publish, archive, restore)

inline constexpr Machine kLifecycle{std::to_array<Edge<State, Event>>({
    {State::draft, Event::publish, State::published},
    {State::published, Event::archive, State::archived},
    {State::archived, Event::restore, State::draft},
})};
static_assert(kLifecycle.deterministic());

inline constexpr std::size_t kVariantsMax = 100, kImagesMax = 20, kOptionsMax = 3;

using Images = List<Image, 0, kImagesMax>;
using OptionNames = List<Line<1, 50>, 0, kOptionsMax>;
using OptionValues = List<Line<1, 100>, 0, kOptionsMax>;

struct Variant {
  VariantId id;
  ProductId product_id;
  std::int64_t position = 0;
  std::string sku;
  OptionValues options;  // as many as the product's option_names
  std::optional<std::string> gtin, mpn;
  Prices prices;
  std::optional<std::int64_t> weight_g;
  Availability availability{};
  std::optional<Instant> available_at;
  std::optional<Image> image;
};
BOOST_DESCRIBE_STRUCT(Variant, (),
                      (id, product_id, position, sku, options, gtin, mpn, prices, weight_g,
                       availability, available_at, image))

struct Product {
  ProductId id;
  MerchantId merchant_id;
  std::string handle;
  std::int64_t version = 0;
  State state{};
  std::string title, description;
  std::optional<std::string> brand;
  Condition condition{};
  std::optional<std::string> category, google_category, url;
  Images images;
  OptionNames option_names;
  std::string tax_class;
  bool needs_shipping = true;
  std::vector<Variant> variants;
  Instant created_at{}, updated_at{};
  std::optional<Instant> published_at;
};
BOOST_DESCRIBE_STRUCT(Product, (),
                      (id, merchant_id, handle, version, state, title, description, brand,
                       condition, category, google_category, url, images, option_names, tax_class,
                       needs_shipping, variants, created_at, updated_at, published_at))

struct NewVariant {
  Sku sku;
  std::optional<OptionValues> options;
  std::optional<Gtin> gtin;
  std::optional<Line<1, 70>> mpn;
  std::optional<Prices> prices;
  std::optional<Weight> weight_g;
  std::optional<Availability> availability;  // in_stock where it is not said
  std::optional<Instant> available_at;
  std::optional<Image> image;
  // One price per currency; a preorder says when.
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewVariant, (),
                      (sku, options, gtin, mpn, prices, weight_g, availability, available_at,
                       image))
using NewVariants = List<NewVariant, 0, kVariantsMax>;

struct NewProduct {
  MerchantId merchant_id;
  std::optional<Handle> handle;  // the SKU of the first variant, or its id, where it is not said
  Line<1, 150> title;
  std::optional<Text<0, 9'999>> description;
  std::optional<Line<1, 70>> brand;
  std::optional<Condition> condition;  // new where it is not said
  std::optional<Category> category;
  std::optional<Line<1, 100>> google_category;
  std::optional<WebUrl> url;
  std::optional<Images> images;
  std::optional<OptionNames> option_names;
  std::optional<TaxClass> tax_class;   // standard where it is not said
  std::optional<bool> needs_shipping;  // true where it is not said
  std::optional<NewVariants> variants;
  // Options fit their names, no combination and no SKU is there twice.
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewProduct, (),
                      (merchant_id, handle, title, description, brand, condition, category,
                       google_category, url, images, option_names, tax_class, needs_shipping,
                       variants))

// What an edit may name: a member that is not there stays, null takes away what need not be there
// (RFC 7396). The edit is merged with what there is, and that is read as a NewProduct.
struct ChangedProduct {
  std::optional<Handle> handle;
  std::optional<Line<1, 150>> title;
  std::optional<Text<0, 9'999>> description;
  std::optional<Line<1, 70>> brand;
  std::optional<Condition> condition;
  std::optional<Category> category;
  std::optional<Line<1, 100>> google_category;
  std::optional<WebUrl> url;
  std::optional<Images> images;
  std::optional<OptionNames> option_names;
  std::optional<TaxClass> tax_class;
  std::optional<bool> needs_shipping;
};
BOOST_DESCRIBE_STRUCT(ChangedProduct, (),
                      (handle, title, description, brand, condition, category, google_category, url,
                       images, option_names, tax_class, needs_shipping))

struct ChangedVariant {
  std::optional<Count<0, 999>> position;
  std::optional<Sku> sku;
  std::optional<OptionValues> options;
  std::optional<Gtin> gtin;
  std::optional<Line<1, 70>> mpn;
  std::optional<Prices> prices;
  std::optional<Weight> weight_g;
  std::optional<Availability> availability;
  std::optional<Instant> available_at;
  std::optional<Image> image;
};
BOOST_DESCRIBE_STRUCT(ChangedVariant, (),
                      (position, sku, options, gtin, mpn, prices, weight_g, availability,
                       available_at, image))

// Editing takes a manager or an API key with the scope `catalog`; these throw Error(not_found),
// (forbidden), (precondition_failed) where `version` is not the product's, (invalid) with every bad
// field, (conflict) in the wrong state. All answer the product as it is then.
Product create(Tx& tx, const Who& who, const NewProduct& given);
Product change(Tx& tx, const Who& who, ProductId id, std::int64_t version, const Json& edit);
Product move(Tx& tx, const Who& who, ProductId id, std::int64_t version, Event on);
// Only a draft that was never published; whatever was published is archived.
void remove(Tx& tx, const Who& who, ProductId id, std::int64_t version);
Product add_variant(Tx& tx, const Who& who, ProductId id, std::int64_t version,
                    const NewVariant& given);
Product change_variant(Tx& tx, const Who& who, VariantId id, std::int64_t version,
                       const Json& edit);
Product remove_variant(Tx& tx, const Who& who, VariantId id, std::int64_t version);

// Anybody who is signed in sees what is published; the rest is seen by members and keys of the shop
// (scope `read` or `catalog`). Throws Error(not_found).
Product fetch(Tx& tx, const Who& who, ProductId id);
Product fetch_of_variant(Tx& tx, const Who& who, VariantId id);
// Whether they see more of the shop than what is published.
bool sees_all(Tx& tx, const Who& who, MerchantId merchant);
// Throws Error(not_found) or (forbidden) unless they may edit.
void require_editor(Tx& tx, const Who& who, MerchantId merchant);

// Whether a picture of the shop's own may be seen by everybody: a published product shows it.
bool is_shown(Tx& tx, MerchantId merchant, AttachmentId id);

// ---- what is offered, and what is bought --------------------------------------------------------

// A variant as it can be bought now, with what a basket's price needs to know of it.
struct Offer {
  MerchantId merchant_id;
  VariantId variant_id;
  ProductId product_id;
  State state{};
  std::int64_t version = 0;
  std::string title, sku;
  std::optional<Image> image;  // the variant's, or the product's first
  OptionNames option_names;
  OptionValues options;
  Prices prices;
  Availability availability{};
  std::optional<Instant> available_at;
  std::int64_t weight_g = 0;
  std::string tax_class;
  bool needs_shipping = true;
  std::optional<std::int64_t> left;  // nothing where it is not counted

  // Whether so many can be bought now.
  bool has(std::int64_t quantity) const;
  // "Green tea, 100 g": the title with the options. Where that is longer than so many characters,
  // what is shortened is the title, and the options only where they are too long by themselves.
  std::string name(std::size_t most = SIZE_MAX) const;
};
BOOST_DESCRIBE_STRUCT(Offer, (),
                      (merchant_id, variant_id, product_id, state, version, title, sku, image,
                       option_names, options, prices, availability, available_at, weight_g,
                       tax_class, needs_shipping, left))
// One statement; in the order of the ids, without those that the shop has not published.
std::vector<Offer> offer(Tx& tx, MerchantId merchant, const std::vector<VariantId>& ids);
// The same of several shops, each with what is asked of it.
std::vector<Offer> offer(Tx& tx, const std::set<std::pair<MerchantId, VariantId>>& wanted);

// A product as a card shows it. The price is the lowest now, in this currency, of the variants that
// are there, or of all where none is.
struct Card {
  ProductId product_id;
  State state{};
  std::int64_t version = 0;
  std::string handle, title;
  std::optional<std::string> brand;
  std::optional<Image> image;
  std::optional<VariantId> variant_id;  // the one that costs this
  std::optional<std::string> sku;
  Currency currency;
  std::optional<std::int64_t> amount, compare_at;
  std::optional<std::int64_t> highest;  // what the dearest variant costs
  std::int64_t variants = 0;
  bool is_available = false;
  std::optional<std::int64_t> left;  // of all variants; nothing where one is not counted
};
BOOST_DESCRIBE_STRUCT(Card, (),
                      (product_id, state, version, handle, title, brand, image, variant_id, sku,
                       currency, amount, compare_at, highest, variants, is_available, left))
// One statement; in the order of the ids, without those that are in another state.
std::vector<Card> cards(Tx& tx, MerchantId merchant, const std::vector<ProductId>& ids,
                        Currency currency, State state = State::published);

// ---- what the browsing reads --------------------------------------------------------------------

// Writes the index rows of these products anew, in two statements however many they are. Whoever
// writes products, variants or collections without the operations above calls it in the same
// transaction.
void index(Tx& tx, MerchantId merchant, const std::vector<ProductId>& ids);

}  // namespace bottega::catalog
