// The catalogue: what a shop's members edit, and what anybody who is signed in may look through.
#include "gateway/routes/routes.hpp"
#include "bottega/catalog/browse.hpp"

namespace bottega::gateway {
namespace {

using namespace catalog;

// ---- browsing -----------------------------------------------------------------------------------

MerchantId shop_of(const Call& call) {
  const auto shop = call.parameter_as<MerchantId>("merchant_id");
  if (shop) return *shop;
  throw Error(Code::invalid, "whose products?", {{"merchant_id", "is required"}});
}

std::optional<std::int64_t> price_of(const Call& call, std::string_view name) {
  const auto given = call.parameter_as<Count<0, kAmountMax>>(name);
  if (!given) return std::nullopt;
  return given->value;
}

Browse browse_of(const Call& call) {
  Browse query;
  query.merchant = shop_of(call);
  query.state = call.parameter_as<catalog::State>("state").value_or(catalog::State::published);
  query.words = call.parameter_as<Line<1, 200>>("q");
  query.collection = call.parameter_as<CollectionId>("collection_id");
  query.brand = call.parameter_as<Line<1, 70>>("brand");
  query.category = call.parameter_as<Category>("category");
  query.condition = call.parameter_as<Condition>("condition");
  query.in_stock = call.parameter_as<bool>("in_stock").value_or(false);
  query.price_from = price_of(call, "price_from");
  query.price_to = price_of(call, "price_to");
  query.sort = call.parameter_as<Sort>("sort").value_or(Sort::newest);
  return query;
}

// "prod_… 1250": where the next page begins, and the price there, if there is one.
std::string text_of_position(const Browsed& last) {
  return text_of(last.product_id) + (last.low ? ' ' + std::to_string(*last.low) : "");
}

std::optional<BrowsePosition> position_of(const Call& call) {
  const auto text = call.cursor();
  if (!text) return std::nullopt;
  const auto space = std::min(text->find(' '), text->size());
  BrowsePosition out;
  out.id = from_text<ProductId>(std::string_view(*text).substr(0, space), Code::bad_cursor);
  if (space < text->size())
    out.low = from_text<std::int64_t>(std::string_view(*text).substr(space + 1), Code::bad_cursor);
  return out;
}

struct Listed {
  std::vector<Card> cards;
  std::optional<std::string> next;
};

Listed look_through(Tx& tx, const identity::Who& who, const Browse& query,
                    const std::optional<BrowsePosition>& after, std::int64_t limit) {
  const auto shop = identity::fetch_merchant(tx, query.merchant);
  auto found = browse(tx, who, query, after, limit + 1);
  Listed out;
  if (static_cast<std::int64_t>(found.size()) > limit) {
    found.resize(static_cast<std::size_t>(limit));
    out.next = text_of_position(found.back());
  }
  std::vector<ProductId> ids;
  for (const auto& row : found) ids.push_back(row.product_id);
  out.cards = cards(tx, shop.id, ids, shop.currency, query.state);
  return out;
}

asio::awaitable<Reply> list(Call& call) {
  const auto query = browse_of(call);
  const auto after = position_of(call);
  const auto limit = call.limit();
  const auto page = co_await call.app.db.read(
      [&](Tx& tx) { return look_through(tx, call.who(), query, after, limit); });
  co_return call.page_of(to_json(page.cards), page.next);
}

// ---- products -----------------------------------------------------------------------------------

Reply versioned(Reply reply, const Product& product) {
  return with_version(std::move(reply), product.version);
}

asio::awaitable<Reply> post(Call& call) {
  const auto given = call.body<NewProduct>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto product = create(tx, call.who(), given);
    return versioned(created(product), product);
  });
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<ProductId>(0);
  co_return co_await call.read([&](Tx& tx) {
    const auto product = fetch(tx, call.who(), id);
    return versioned(ok(product), product);
  });
}

asio::awaitable<Reply> patch(Call& call) {
  const auto id = call.at<ProductId>(0);
  const auto version = call.version();
  const auto edit = call.document();
  co_return co_await call.transact([&](Tx& tx) {
    const auto product = change(tx, call.who(), id, version, edit);
    return versioned(ok(product), product);
  });
}

asio::awaitable<Reply> drop(Call& call) {
  const auto id = call.at<ProductId>(0);
  const auto version = call.version();
  co_return co_await call.transact([&](Tx& tx) {
    catalog::remove(tx, call.who(), id, version);
    return no_content();
  });
}

template <catalog::Event on>
asio::awaitable<Reply> moved(Call& call) {
  const auto id = call.at<ProductId>(0);
  const auto version = call.version();
  co_return co_await call.transact([&](Tx& tx) {
    const auto product = catalog::move(tx, call.who(), id, version, on);
    return versioned(ok(product), product);
  });
}

// ---- variants -----------------------------------------------------------------------------------

asio::awaitable<Reply> post_variant(Call& call) {
  const auto id = call.at<ProductId>(0);
  const auto version = call.version();
  const auto given = call.body<NewVariant>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto product = add_variant(tx, call.who(), id, version, given);
    return versioned(created(product), product);
  });
}

asio::awaitable<Reply> show_variant(Call& call) {
  const auto id = call.at<VariantId>(0);
  co_return co_await call.read([&](Tx& tx) {
    const auto product = fetch_of_variant(tx, call.who(), id);
    const auto variant = std::ranges::find(product.variants, id, &Variant::id);
    return versioned(ok(*variant), product);
  });
}

asio::awaitable<Reply> patch_variant(Call& call) {
  const auto id = call.at<VariantId>(0);
  const auto version = call.version();
  const auto edit = call.document();
  co_return co_await call.transact([&](Tx& tx) {
    const auto product = change_variant(tx, call.who(), id, version, edit);
    return versioned(ok(product), product);
  });
}

asio::awaitable<Reply> drop_variant(Call& call) {
  const auto id = call.at<VariantId>(0);
  const auto version = call.version();
  co_return co_await call.transact([&](Tx& tx) {
    const auto product = remove_variant(tx, call.who(), id, version);
    return versioned(ok(product), product);
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/products",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listProducts",
     .summary = "What a shop sells, by words, filters and order",
     .gives = kGivesPage<Card>,
     .parameters = "limit cursor merchant_id q state collection_id brand category condition "
                   "in_stock price_from price_to sort"},
    {.verb = Verb::post,
     .path = "/v1/products",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post,
     .name = "createProduct",
     .summary = "Make a product with its variants, as a draft",
     .takes = kTakes<NewProduct>,
     .status = 201,
     .gives = kGives<Product>,
     .versions = Versions::tagged},
    {.verb = Verb::get,
     .path = "/v1/products/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getProduct",
     .summary = "One product with its variants",
     .gives = kGives<Product>,
     .versions = Versions::tagged},
    {.verb = Verb::patch,
     .path = "/v1/products/{id}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = patch,
     .name = "changeProduct",
     .summary = "Change what the body names; null takes away (RFC 7396)",
     .takes = kTakes<ChangedProduct>,
     .gives = kGives<Product>,
     .versions = Versions::required},
    {.verb = Verb::del,
     .path = "/v1/products/{id}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = drop,
     .name = "removeProduct",
     .summary = "Remove a draft that was never published",
     .status = 204,
     .versions = Versions::required},
    {.verb = Verb::post,
     .path = "/v1/products/{id}/publish",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = moved<catalog::Event::publish>,
     .name = "publishProduct",
     .summary = "Show a draft to everybody",
     .gives = kGives<Product>,
     .versions = Versions::required},
    {.verb = Verb::post,
     .path = "/v1/products/{id}/archive",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = moved<catalog::Event::archive>,
     .name = "archiveProduct",
     .summary = "Take what is published out of the shop",
     .gives = kGives<Product>,
     .versions = Versions::required},
    {.verb = Verb::post,
     .path = "/v1/products/{id}/restore",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = moved<catalog::Event::restore>,
     .name = "restoreProduct",
     .summary = "Make a draft of what was archived",
     .gives = kGives<Product>,
     .versions = Versions::required},
    {.verb = Verb::post,
     .path = "/v1/products/{id}/variants",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post_variant,
     .name = "addVariant",
     .summary = "Add a variant; answers the product",
     .takes = kTakes<NewVariant>,
     .status = 201,
     .gives = kGives<Product>,
     .versions = Versions::required},
    {.verb = Verb::get,
     .path = "/v1/variants/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_variant,
     .name = "getVariant",
     .summary = "One variant; its version is the product's",
     .gives = kGives<Variant>,
     .versions = Versions::tagged},
    {.verb = Verb::patch,
     .path = "/v1/variants/{id}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = patch_variant,
     .name = "changeVariant",
     .summary = "Change what the body names; null takes away; answers the product",
     .takes = kTakes<ChangedVariant>,
     .gives = kGives<Product>,
     .versions = Versions::required},
    {.verb = Verb::del,
     .path = "/v1/variants/{id}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = drop_variant,
     .name = "removeVariant",
     .summary = "Remove a variant; answers the product",
     .gives = kGives<Product>,
     .versions = Versions::required},
};

}  // namespace

std::span<const Route> product_routes() { return kRoutes; }

}  // namespace bottega::gateway
