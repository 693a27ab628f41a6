// The catalogue: what a shop's members edit, and what anybody who is signed in may look through.
#include "gateway/routes/browsing.hpp"
#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using namespace catalog;

asio::awaitable<Reply> list(Call& call) {
  const auto shop = call.parameter_as<MerchantId>("merchant_id");
  if (!shop) throw Error(Code::invalid, "whose products?", {{"merchant_id", "is required"}});
  co_return co_await browse_shop(call, [&](Tx&) { return *shop; });
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
