// Products, cards and carts of a conversation through the front door, over REST and the socket.
#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace shopping_test {

class ShoppingRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house_ = new House;
    shop_ = new Storefront(shop(house_->server));
  }
  static void TearDownTestSuite() {
    delete shop_;
    delete house_;
  }
  static Answer edit(const std::string& method, const std::string& path, const Json& version,
                     const Json& body = nullptr) {
    HeaderList headers = {{"If-Match", '"' + version.dump() + '"'}};
    if (!body.is_null()) headers["Content-Type"] = "application/json";
    auto owner = shop_->owner.api;
    return owner.send(method, path, body.is_null() ? "" : body.dump(), headers);
  }
  // A published product with one variant.
  static Json tea(const std::string& sku, std::int64_t amount = 999) {
    auto owner = shop_->owner.api;
    const auto made = owner.post(
        "/v1/products",
        {{"merchant_id", shop_->merchant},
         {"title", "Green tea"},
         {"variants", {{{"sku", sku}, {"prices", {{{"currency", "USD"}, {"amount", amount}}}}}}}});
    EXPECT_EQ(made.status, 201) << made.body;
    const auto path = "/v1/products/" + made.json()["id"].get<std::string>();
    const auto shown = edit("POST", path + "/publish", made.json()["version"]);
    EXPECT_EQ(shown.status, 200) << shown.body;
    return shown.json();
  }
  static std::string variant(const Json& product) { return product["variants"][0]["id"]; }
  static Json reprice(const Json& product, std::int64_t amount) {
    const auto answer = edit("PATCH", "/v1/variants/" + variant(product), product["version"],
                             {{"prices", {{{"currency", "USD"}, {"amount", amount}}}}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json();
  }
  static std::string talk(const std::string& below) { return shop_->path(below); }

  static inline House* house_ = nullptr;
  static inline Storefront* shop_ = nullptr;
};

TEST_F(ShoppingRoutes, ACardKeepsItsPriceWhateverBecomesOfTheProduct) {
  auto product = tea("REST-1");
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  const Json card = {{"product", {{"variant_id", variant(product)}}}};
  const auto sent = owner.post(talk("/messages"), card);
  ASSERT_EQ(sent.status, 201) << sent.body;
  EXPECT_EQ(sent.json()["data"]["product"]["price"]["amount"], 999);
  EXPECT_EQ(sent.json()["data"]["fallback"], "Green tea, 9.99 USD");
  product = reprice(product, 1'999);
  const auto before = std::to_string(sent.json()["seq"].get<std::int64_t>() + 1);
  const auto read = buyer.get(talk("/messages?limit=1&before=" + before)).json()["data"][0];
  EXPECT_EQ(read, sent.json());
  EXPECT_EQ(owner.post(talk("/messages"), card).json()["data"]["product"]["price"]["amount"],
            1'999);
}

TEST_F(ShoppingRoutes, OverASocketItIsTheSameAndInTheOrderSent) {
  const auto product = tea("SOCKET-1");
  Socket owner(house_->server.port(), shop_->owner.api.token());
  Socket buyer(house_->server.port(), shop_->buyer.api.token());
  listen(buyer);
  const auto path = talk("/messages");
  const Json bodies[] = {{{"text", "Look"}},
                         {{"product", {{"product_id", product["id"]}}}},
                         {{"text", "Nice?"}},
                         {{"catalogue", true}},
                         {{"text", "Take your time"}}};
  int id = 0;
  for (const auto& body : bodies)
    owner.send(
        {{"id", "m" + std::to_string(id++)}, {"method", "POST"}, {"path", path}, {"body", body}});
  std::int64_t last = 0;
  for (int i = 0; i < id; ++i) {
    const auto reply = owner.reply("m" + std::to_string(i));
    ASSERT_EQ(reply["status"], 201) << reply.dump();
    EXPECT_TRUE(i == 0 || reply["body"]["seq"] == last + 1) << reply.dump();
    last = reply["body"]["seq"];
    EXPECT_EQ(buyer.event("message.created"), reply["body"]);
  }
  const auto asked =
      buyer.call("POST", path, {{"text", "Fresh?"}, {"about", {{"variant_id", variant(product)}}}});
  EXPECT_EQ(asked["status"], 201) << asked.dump();
  EXPECT_EQ(asked["body"]["data"]["about"]["sku"], "SOCKET-1");
  const auto refused = buyer.call("POST", path, {{"product", {{"variant_id", variant(product)}}}});
  EXPECT_TRUE(is_problem(refused, 403, "forbidden"));
}

TEST_F(ShoppingRoutes, NameEveryProductThatIsNotThere) {
  const auto product = tea("FAULTS-1");
  auto owner = shop_->owner.api;
  const std::string nobody = "prod_01h2xcejqtf2nbrexx3vqjhp41";
  const Json section = {{"title", "Teas"}, {"product_ids", {product["id"], nobody}}};
  const Json list = {{"header", "Teas"}, {"sections", Json::array({section})}};
  const auto answer = owner.post(talk("/messages"), {{"products", list}});
  EXPECT_TRUE(is_problem(answer, 422, "invalid"));
  EXPECT_EQ(pointers(answer.json()),
            std::vector<std::string>{"/products/sections/0/product_ids/1"});
}

TEST_F(ShoppingRoutes, ARepeatGetsTheFirstAnswer) {
  const auto product = tea("KEY-1");
  auto owner = shop_->owner.api;
  const Json card = {{"client_id", "key-1"}, {"product", {{"product_id", product["id"]}}}};
  const auto key = new_key();
  const auto first = owner.post(talk("/messages"), card, {{"Idempotency-Key", key}});
  ASSERT_EQ(first.status, 201) << first.body;
  reprice(product, 5'000);
  const auto again = owner.post(talk("/messages"), card, {{"Idempotency-Key", key}});
  EXPECT_EQ(again.json(), first.json());
  EXPECT_EQ(owner.post(talk("/messages"), card).json(), first.json()) << "by its client_id too";
}

TEST_F(ShoppingRoutes, TheShopIsLookedThroughWithoutLeavingTheConversation) {
  const auto product = tea("BROWSE-1");
  auto buyer = shop_->buyer.api, owner = shop_->owner.api;
  for (const std::string query : {"limit=2", "q=browse", "limit=1&sort=price_up"}) {
    const auto here = buyer.get(talk("/products?" + query)).json();
    const auto there =
        buyer.get("/v1/products?merchant_id=" + shop_->merchant + '&' + query).json();
    EXPECT_FALSE(here["data"].empty()) << query;
    EXPECT_EQ(here["data"], there["data"]) << query;
  }
  const auto first = buyer.get(talk("/products?limit=1")).json();
  if (first["has_more"] == true) {
    const auto next = "&cursor=" + first["next_cursor"].get<std::string>();
    EXPECT_EQ(buyer.get(talk("/products?limit=1" + next)).status, 200);
  }
  EXPECT_TRUE(is_problem(buyer.get(talk("/products?state=draft")), 404, "not_found"));
  EXPECT_EQ(owner.get(talk("/products?state=draft")).status, 200);
  auto stranger = person(house_->server).api;
  EXPECT_TRUE(is_problem(stranger.get(talk("/products")), 404, "not_found"));
}

TEST_F(ShoppingRoutes, ACartBelongsToTheConversation) {
  const auto product = tea("CART-1");
  auto buyer = shop_->buyer.api, owner = shop_->owner.api;
  Socket listening(house_->server.port(), shop_->owner.api.token());
  listen(listening);
  const auto version = buyer.get(talk("/cart")).json()["version"];
  const Json lines = Json::array({{{"variant_id", variant(product)}, {"quantity", 3}}});
  const auto put = buyer.put(talk("/cart"), {{"version", version}, {"lines", lines}});
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(put.json()["subtotal"], (Json{{"amount", 2'997}, {"currency", "USD"}}));
  EXPECT_EQ(listening.event("cart.updated")["data"]["cart"], put.json());
  EXPECT_EQ(owner.get(talk("/cart")).json(), put.json());
  EXPECT_TRUE(is_problem(buyer.put(talk("/cart"), {{"version", version}, {"lines", lines}}), 409,
                         "conflict"));
  const auto mine = put.json()["version"];
  EXPECT_TRUE(is_problem(owner.put(talk("/cart"), {{"version", mine}, {"lines", lines}}), 403,
                         "forbidden"));
  const auto tag = buyer.get(talk("/cart")).header("etag");
  EXPECT_EQ(buyer.get(talk("/cart"), {{"If-None-Match", tag}}).status, 304);
  reprice(product, 1'500);
  const auto dearer = buyer.get(talk("/cart"), {{"If-None-Match", tag}});
  ASSERT_EQ(dearer.status, 200) << "it costs something else now";
  EXPECT_EQ(dearer.json()["lines"][0]["problems"], Json::array({"price_changed"}));
  EXPECT_EQ(dearer.json()["version"], mine);
  EXPECT_EQ(buyer.remove(talk("/cart")).status, 204);
  EXPECT_EQ(buyer.get(talk("/cart")).json()["lines"], Json::array());
  const auto proposed = owner.post(talk("/cart/propose"), {{"lines", lines}});
  ASSERT_EQ(proposed.status, 201) << proposed.body;
  EXPECT_EQ(proposed.json()["event"], "cart.proposed");
  EXPECT_EQ(proposed.json()["data"]["cart"]["subtotal"]["amount"], 4'500);
  EXPECT_TRUE(is_problem(buyer.post(talk("/cart/propose"), {{"lines", lines}}), 403, "forbidden"));
}

}  // namespace shopping_test
}  // namespace bottega::test
