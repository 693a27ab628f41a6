// Collections of products, in the order that the shop gives them.
#include "gateway/routes/routes.hpp"
#include "bottega/catalog/browse.hpp"

namespace bottega::gateway {
namespace {

using namespace catalog;

Reply versioned(Reply reply, const Collection& collection) {
  return with_version(std::move(reply), collection.version);
}

asio::awaitable<Reply> list(Call& call) {
  const auto shop = call.parameter_as<MerchantId>("merchant_id");
  if (!shop) throw Error(Code::invalid, "whose collections?", {{"merchant_id", "is required"}});
  const auto all = co_await call.app.db.read([&](Tx& tx) {
    identity::fetch_merchant(tx, *shop);
    return list_collections(tx, call.who(), *shop);
  });
  co_return call.page(all, kCollectionsMax, id_of<Collection>);
}

asio::awaitable<Reply> post(Call& call) {
  const auto given = call.body<NewCollection>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto collection = create_collection(tx, call.who(), given);
    return versioned(created(collection), collection);
  });
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<CollectionId>(0);
  co_return co_await call.read([&](Tx& tx) {
    const auto collection = fetch_collection(tx, call.who(), id);
    return versioned(ok(collection), collection);
  });
}

asio::awaitable<Reply> patch(Call& call) {
  const auto id = call.at<CollectionId>(0);
  const auto version = call.version();
  const auto given = call.body<ChangedCollection>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto collection = change_collection(tx, call.who(), id, version, given);
    return versioned(ok(collection), collection);
  });
}

asio::awaitable<Reply> drop(Call& call) {
  const auto id = call.at<CollectionId>(0);
  const auto version = call.version();
  co_return co_await call.transact([&](Tx& tx) {
    remove_collection(tx, call.who(), id, version);
    return no_content();
  });
}

// "prod_… 7": the product and its place.
std::optional<InCollection> place_of(const Call& call) {
  const auto text = call.cursor();
  if (!text) return std::nullopt;
  const auto space = std::min(text->find(' '), text->size() - 1);
  const std::string_view whole = *text;
  return InCollection{from_text<ProductId>(whole.substr(0, space), Code::bad_cursor),
                      from_text<std::int64_t>(whole.substr(space + 1), Code::bad_cursor)};
}

struct Listed {
  std::vector<Card> cards;
  std::optional<std::string> next;
};

Listed products_of(Tx& tx, const identity::Who& who, CollectionId id,
                   const std::optional<InCollection>& after, std::int64_t limit) {
  const auto collection = fetch_collection(tx, who, id);
  const auto shop = identity::fetch_merchant(tx, collection.merchant_id);
  auto found = products_of_collection(tx, shop.id, id, after, limit + 1);
  Listed out;
  if (static_cast<std::int64_t>(found.size()) > limit) {
    found.resize(static_cast<std::size_t>(limit));
    const auto& last = found.back();
    out.next = text_of(last.product_id) + ' ' + std::to_string(last.position);
  }
  std::vector<ProductId> ids;
  for (const auto& row : found) ids.push_back(row.product_id);
  out.cards = cards(tx, shop.id, ids, shop.currency);
  return out;
}

asio::awaitable<Reply> list_products(Call& call) {
  const auto id = call.at<CollectionId>(0);
  const auto after = place_of(call);
  const auto limit = call.limit();
  const auto page = co_await call.app.db.read(
      [&](Tx& tx) { return products_of(tx, call.who(), id, after, limit); });
  co_return call.page_of(to_json(page.cards), page.next);
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/collections",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listCollections",
     .summary = "All collections of a shop in their order",
     .gives = kGivesPage<Collection>,
     .parameters = "merchant_id"},
    {.verb = Verb::post,
     .path = "/v1/collections",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post,
     .name = "createCollection",
     .summary = "Make a collection, with its products in their order",
     .takes = kTakes<NewCollection>,
     .status = 201,
     .gives = kGives<Collection>,
     .versions = Versions::tagged},
    {.verb = Verb::get,
     .path = "/v1/collections/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getCollection",
     .summary = "One collection",
     .gives = kGives<Collection>,
     .versions = Versions::tagged},
    {.verb = Verb::patch,
     .path = "/v1/collections/{id}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = patch,
     .name = "changeCollection",
     .summary = "Change what the body names; the products are the whole list in its order",
     .takes = kTakes<ChangedCollection>,
     .gives = kGives<Collection>,
     .versions = Versions::required},
    {.verb = Verb::del,
     .path = "/v1/collections/{id}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = drop,
     .name = "removeCollection",
     .summary = "Remove a collection; its products stay",
     .status = 204,
     .versions = Versions::required},
    {.verb = Verb::get,
     .path = "/v1/collections/{id}/products",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_products,
     .name = "listCollectionProducts",
     .summary = "The published products of a collection in its order",
     .gives = kGivesPage<Card>,
     .parameters = "limit cursor"},
};

}  // namespace

std::span<const Route> collection_routes() { return kRoutes; }

}  // namespace bottega::gateway
