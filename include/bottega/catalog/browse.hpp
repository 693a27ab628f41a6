#pragma once
// Looking through a shop: words, filters, sorts. And the collections that a shop makes.
#include "bottega/catalog/catalog.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::catalog {

using CollectionId = Id<"coll">;

inline constexpr std::size_t kCollectionsMax = 250, kInCollectionMax = 1'000;

enum class Sort : std::uint8_t { newest, price_up, price_down };
BOOST_DESCRIBE_ENUM(Sort, newest, price_up, price_down)

struct Browse {
  MerchantId merchant;
  State state = State::published;
  std::optional<Line<1, 200>> words;
  std::optional<CollectionId> collection;
  std::optional<Line<1, 70>> brand;
  std::optional<Category> category;  // with all that is below it
  std::optional<Condition> condition;
  bool in_stock = false;
  std::optional<std::int64_t> price_from, price_to;  // in the shop's default currency
  Sort sort = Sort::newest;
};

// Where a page ends: the id, and the price where that is the order.
struct BrowsePosition {
  std::optional<std::int64_t> low;
  ProductId id;
};

struct Browsed {
  ProductId product_id;
  std::optional<std::int64_t> low;
};
BOOST_DESCRIBE_STRUCT(Browsed, (), (product_id, low))

// Throws Error(not_found) where the state is not for them to see.
std::vector<Browsed> browse(Tx& tx, const Who& who, const Browse& query,
                            std::optional<BrowsePosition> after, std::int64_t limit);

// Brings up to date what is due by now: sales that began or ended, last pieces that went. Answers
// how many.
std::int64_t reindex_due(Tx& tx, std::int64_t most);
// The loop that does so: a server at rest writes nothing.
asio::awaitable<void> keep_index(Database& db);
// The same for a page of a whole shop, whose default currency has changed: from after this product
// on; answers the last one, or nothing at the end.
std::optional<ProductId> reindex_shop(Tx& tx, MerchantId merchant, ProductId after);
inline constexpr std::string_view kReindexJob = "catalog.reindex_shop";
void reindex_later(Tx& tx, MerchantId merchant);
asio::awaitable<void> reindex_all(Database& db, MerchantId merchant);

struct Collection {
  CollectionId id;
  MerchantId merchant_id;
  std::string handle;
  std::int64_t version = 0;
  std::string title;
  std::int64_t position = 0, products = 0;
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(Collection, (),
                      (id, merchant_id, handle, version, title, position, products, created_at,
                       updated_at))

struct NewCollection {
  MerchantId merchant_id;
  std::optional<Handle> handle;  // the id where it is not said
  Line<1, 100> title;
  std::optional<Count<0, 9'999>> position;  // the last where it is not said
  std::optional<List<ProductId, 0, kInCollectionMax>> products;
};
BOOST_DESCRIBE_STRUCT(NewCollection, (), (merchant_id, handle, title, position, products))

// `products` is the whole list in its order, where it is given.
struct ChangedCollection {
  std::optional<Handle> handle;
  std::optional<Line<1, 100>> title;
  std::optional<Count<0, 9'999>> position;
  std::optional<List<ProductId, 0, kInCollectionMax>> products;
};
BOOST_DESCRIBE_STRUCT(ChangedCollection, (), (handle, title, position, products))

// The same rules as for products.
Collection create_collection(Tx& tx, const Who& who, const NewCollection& given);
Collection change_collection(Tx& tx, const Who& who, CollectionId id, std::int64_t version,
                             const ChangedCollection& given);
void remove_collection(Tx& tx, const Who& who, CollectionId id, std::int64_t version);
// A collection without a published product is there for members alone. Throws Error(not_found).
Collection fetch_collection(Tx& tx, const Who& who, CollectionId id);
// All of a shop that they may see, in their order.
std::vector<Collection> list_collections(Tx& tx, const Who& who, MerchantId merchant);

// The published products of a collection in its order.
struct InCollection {
  ProductId product_id;
  std::int64_t position = 0;
};
BOOST_DESCRIBE_STRUCT(InCollection, (), (product_id, position))
std::vector<InCollection> products_of_collection(Tx& tx, MerchantId merchant, CollectionId id,
                                                 std::optional<InCollection> after,
                                                 std::int64_t limit);

}  // namespace bottega::catalog
