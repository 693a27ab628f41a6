// The catalogue through the front door: versions and their headers, who sees what, pages and
// pictures.
#include "http/attachments.hpp"
#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace catalog_test {

class CatalogRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house_ = new House;
    shop_ = new Storefront(shop(house_->server));
  }
  static void TearDownTestSuite() {
    delete shop_;
    delete house_;
  }
  static Json tea(const std::string& sku, std::int64_t amount = 1'250) {
    return {
        {"merchant_id", shop_->merchant},
        {"title", "Green tea"},
        {"variants", {{{"sku", sku}, {"prices", {{{"currency", "USD"}, {"amount", amount}}}}}}}};
  }
  static std::string path_of(const Json& product) {
    return "/v1/products/" + product["id"].get<std::string>();
  }
  static Json make(const Json& body) {
    auto owner = shop_->owner.api;
    const auto made = owner.post("/v1/products", body);
    EXPECT_EQ(made.status, 201) << made.body;
    return made.json();
  }
  // An edit of the version that this is.
  static Answer edit(const Client& who, const std::string& method, const std::string& path,
                     const Json& version, const Json& body = nullptr) {
    HeaderList headers = {{"If-Match", '"' + version.dump() + '"'}};
    if (!body.is_null()) headers["Content-Type"] = "application/json";
    auto client = who;
    return client.send(method, path, body.is_null() ? "" : body.dump(), headers);
  }
  static Json moved(const Json& product, const std::string& verb) {
    const auto answer =
        edit(shop_->owner.api, "POST", path_of(product) + '/' + verb, product["version"]);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json();
  }
  static std::vector<std::string> titles(const Answer& page) {
    std::vector<std::string> out;
    const auto body = page.json();
    for (const auto& card : body["data"]) out.push_back(card["title"]);
    return out;
  }

  static inline House* house_ = nullptr;
  static inline Storefront* shop_ = nullptr;
};

TEST_F(CatalogRoutes, GiveAndAskForTheVersion) {
  const auto product = make(tea("V-1"));
  const auto path = path_of(product);
  auto owner = shop_->owner.api;
  const auto read = owner.get(path);
  EXPECT_EQ(read.header("etag"), "\"1\"");
  EXPECT_EQ(owner.get(path, {{"If-None-Match", "\"1\""}}).status, 304);
  const Json title = {{"title", "Black tea"}};
  EXPECT_TRUE(is_problem(owner.patch(path, title), 428, "precondition_required"));
  for (const auto* tag : {"\"2\"", "W/\"1\"", "\"x\"", "1", "\"1\", \"2\""})
    EXPECT_TRUE(is_problem(owner.send("PATCH", path, title.dump(),
                                      {{"If-Match", tag}, {"Content-Type", "application/json"}}),
                           412, "precondition_failed"))
        << tag;
  EXPECT_TRUE(is_problem(owner.send("PATCH", path, title.dump(),
                                    {{"If-Match", "*"}, {"Content-Type", "application/json"}}),
                         428, "precondition_required"));
  EXPECT_EQ(owner.get(path).json(), read.json()) << "nothing has changed";
  const auto changed = edit(owner, "PATCH", path, 1, title);
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.header("etag"), "\"2\"");
  EXPECT_EQ(owner.get(path, {{"If-None-Match", "\"1\""}}).status, 200);
  const auto variant = "/v1/variants/" + product["variants"][0]["id"].get<std::string>();
  EXPECT_EQ(owner.get(variant).header("etag"), "\"2\"") << "the version is the product's";
}

TEST_F(CatalogRoutes, AskForTheVersionInTheContractToo) {
  const auto contract = Client(house_->server.port()).get("/openapi.json").json();
  const auto& patch = contract["paths"]["/v1/products/{id}"]["patch"];
  const auto names = [&](const std::string& name) {
    for (const auto& parameter : patch["parameters"])
      if (parameter["name"] == name) return parameter["required"] == true;
    return false;
  };
  EXPECT_TRUE(names("If-Match"));
  for (const auto* status : {"412", "428"}) EXPECT_TRUE(patch["responses"].contains(status));
  EXPECT_TRUE(patch["responses"]["200"]["headers"].contains("ETag"));
}

TEST_F(CatalogRoutes, NameEveryBadFieldAtOnce) {
  auto owner = shop_->owner.api;
  Json bad = tea("");
  bad["title"] = "";
  bad["url"] = "/p/1";
  bad["images"] = Json::array({{{"url", "http://shop.example/1.jpg"}}});
  bad["condition"] = "maybe";
  bad["variants"][0]["gtin"] = "4006381333932";
  bad["variants"][0]["prices"][0]["amount"] = "12.50";
  bad["variants"][0]["availability"] = "maybe";
  bad["variants"][0]["sku"] = std::string(51, 'x');
  const auto answer = owner.post("/v1/products", bad);
  EXPECT_TRUE(is_problem(answer, 422, "invalid"));
  for (const auto* pointer :
       {"/title", "/url", "/images/0/url", "/condition", "/variants/0/gtin", "/variants/0/sku",
        "/variants/0/prices/0/amount", "/variants/0/availability"})
    EXPECT_TRUE(points_at(answer.json(), pointer)) << pointer << ' ' << answer.body;
}

TEST_F(CatalogRoutes, ShowOthersWhatIsPublished) {
  auto product = make(tea("S-1"));
  auto buyer = shop_->buyer.api;
  EXPECT_TRUE(is_problem(buyer.get(path_of(product)), 404, "not_found"));
  EXPECT_TRUE(is_problem(edit(buyer, "POST", path_of(product) + "/publish", 1), 404, "not_found"));
  product = moved(product, "publish");
  EXPECT_EQ(buyer.get(path_of(product)).status, 200);
  EXPECT_TRUE(
      is_problem(edit(buyer, "PATCH", path_of(product), 2, {{"title", "x"}}), 404, "not_found"));
  const auto stock = "/v1/variants/" + product["variants"][0]["id"].get<std::string>() + "/stock";
  EXPECT_TRUE(is_problem(buyer.get(stock), 404, "not_found"));
  moved(product, "archive");
  EXPECT_TRUE(is_problem(buyer.get(path_of(product)), 404, "not_found"));
}

TEST_F(CatalogRoutes, GoFromStateToStateOrAreAConflict) {
  auto product = make(tea("M-1"));
  const std::vector<std::pair<std::string, std::vector<std::string>>> rows = {
      {"publish", {"archive", "restore"}},
      {"archive", {"publish", "restore"}},
      {"restore", {"publish", "archive"}}};
  for (const auto& [legal, illegal] : rows) {
    for (const auto& verb : illegal) {
      const auto answer =
          edit(shop_->owner.api, "POST", path_of(product) + '/' + verb, product["version"]);
      EXPECT_TRUE(is_problem(answer, 409, "conflict")) << verb;
    }
    product = moved(product, legal);
  }
  EXPECT_TRUE(is_problem(edit(shop_->owner.api, "DELETE", path_of(product), product["version"]),
                         409, "conflict"));
  const auto draft = make(tea("M-2"));
  EXPECT_EQ(edit(shop_->owner.api, "DELETE", path_of(draft), 1).status, 204);
}

TEST_F(CatalogRoutes, ListAShopInPages) {
  const auto other = shop(house_->server);
  auto owner = other.owner.api;
  for (int i = 1; i <= 5; ++i) {
    auto body = tea("P-" + std::to_string(i), 100 * i);
    body["merchant_id"] = other.merchant;
    body["title"] = "Tea " + std::to_string(i);
    const auto made = owner.post("/v1/products", body).json();
    ASSERT_EQ(edit(owner, "POST", path_of(made) + "/publish", 1).status, 200);
  }
  auto buyer = other.buyer.api;
  const auto base = "/v1/products?merchant_id=" + other.merchant;
  const auto first = buyer.get(base + "&limit=2&sort=price_up");
  EXPECT_EQ(titles(first), (std::vector<std::string>{"Tea 1", "Tea 2"}));
  const auto cursor = "&cursor=" + first.json()["next_cursor"].get<std::string>();
  EXPECT_EQ(titles(buyer.get(base + "&limit=2&sort=price_up" + cursor)),
            (std::vector<std::string>{"Tea 3", "Tea 4"}));
  EXPECT_TRUE(is_problem(buyer.get(base + "&sort=price_down" + cursor), 400, "bad_cursor"));
  EXPECT_EQ(titles(buyer.get(base + "&q=tea%204")), std::vector<std::string>{"Tea 4"});
  EXPECT_EQ(titles(buyer.get(base + "&price_from=400&price_to=400")),
            std::vector<std::string>{"Tea 4"});
  EXPECT_EQ(titles(buyer.get(base)).size(), 5u);
  EXPECT_TRUE(is_problem(buyer.get("/v1/products"), 422, "invalid"));
  EXPECT_TRUE(is_problem(buyer.get(base + "&state=draft"), 404, "not_found"));
  EXPECT_TRUE(is_problem(buyer.get(base + "&sort=cheap"), 422, "invalid"));
  EXPECT_TRUE(is_problem(buyer.get(base + "&price_from=2&price_to=1"), 422, "invalid"));
}

TEST_F(CatalogRoutes, CountTheStock) {
  const auto product = make(tea("C-1"));
  const auto path = "/v1/variants/" + product["variants"][0]["id"].get<std::string>() + "/stock";
  auto owner = shop_->owner.api;
  EXPECT_EQ(owner.get(path).json()["on_hand"], nullptr);
  EXPECT_EQ(owner.put(path, {{"on_hand", 5}}).json()["left"], 5);
  const auto key = new_key();
  const Json one = {{"delta", -2}, {"reason", "Broken"}};
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(owner.post(path + "/adjust", one, {{"Idempotency-Key", key}}).json()["on_hand"], 3);
  const auto rows = owner.get(path + "/changes").json()["data"];
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["reason"], "Broken");
  EXPECT_TRUE(
      is_problem(owner.post(path + "/adjust", {{"delta", -9}, {"reason", "x"}}), 409, "conflict"));
  EXPECT_EQ(owner.put(path, {{"on_hand", nullptr}}).json()["on_hand"], nullptr);
}

TEST_F(CatalogRoutes, KeepCollectionsInTheirOrder) {
  const auto a = moved(make(tea("K-1")), "publish"), b = moved(make(tea("K-2")), "publish");
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  const auto made = owner.post(
      "/v1/collections",
      {{"merchant_id", shop_->merchant}, {"title", "Teas"}, {"products", {b["id"], a["id"]}}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.header("etag"), "\"1\"");
  const auto path = "/v1/collections/" + made.json()["id"].get<std::string>();
  const auto page = buyer.get(path + "/products?limit=1");
  EXPECT_EQ(page.json()["data"][0]["product_id"], b["id"]);
  const auto next =
      buyer.get(path + "/products?limit=1&cursor=" + page.json()["next_cursor"].get<std::string>());
  EXPECT_EQ(next.json()["data"][0]["product_id"], a["id"]);
  EXPECT_TRUE(is_problem(owner.patch(path, {{"title", "Tea"}}), 428, "precondition_required"));
  const auto changed = edit(owner, "PATCH", path, 1, {{"title", "Tea"}});
  EXPECT_EQ(changed.json()["version"], 2);
  EXPECT_EQ(buyer.get("/v1/collections?merchant_id=" + shop_->merchant).json()["data"].size(), 1u);
  EXPECT_TRUE(is_problem(edit(buyer, "DELETE", path, 2), 404, "not_found"));
  EXPECT_EQ(edit(owner, "DELETE", path, 2).status, 204);
}

TEST_F(CatalogRoutes, ShowPicturesOfTheShopsOwn) {
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  const auto up = "/v1/merchants/" + shop_->merchant + "/attachments?name=tea.png";
  const HeaderList png = {{"Content-Type", "image/png"}};
  EXPECT_TRUE(is_problem(buyer.send("POST", up, a_png(64, 48), png), 404, "not_found"));
  const auto sent = owner.send("POST", up, a_png(64, 48), png);
  ASSERT_EQ(sent.status, 201) << sent.body;
  EXPECT_EQ(sent.json()["conversation_id"], nullptr);
  const auto id = sent.json()["id"].get<std::string>();
  const auto shown = "/v1/product_pictures/" + id;
  Client anyone(house_->server.port());
  EXPECT_TRUE(is_problem(anyone.get(shown), 404, "not_found")) << "no product shows it";
  auto body = tea("I-1");
  body["images"] = Json::array({{{"attachment_id", id}}});
  auto product = moved(make(body), "publish");
  const auto got = anyone.get(shown);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.header("content-type"), "image/png");
  EXPECT_EQ(anyone.get(shown + "?variant=thumbnail").status, 200);
  EXPECT_TRUE(is_problem(buyer.get("/v1/attachments/" + id), 404, "not_found"));
  const auto bare =
      edit(owner, "PATCH", path_of(product), product["version"], {{"images", Json::array()}});
  ASSERT_EQ(bare.status, 200) << bare.body;
  EXPECT_TRUE(is_problem(anyone.get(shown), 404, "not_found")) << "and it is gone";
  EXPECT_TRUE(is_problem(owner.get("/v1/attachments/" + id), 404, "not_found"));
}

TEST_F(CatalogRoutes, LetAKeyEditWithinItsScope) {
  auto owner = shop_->owner.api;
  const auto key = [&](const std::string& scope) {
    const auto made = owner.post("/v1/merchants/" + shop_->merchant + "/api_keys",
                                 {{"name", scope}, {"scopes", {scope}}});
    return Client(house_->server.port(), made.json()["secret"]);
  };
  auto editor = key("catalog"), reader = key("read");
  EXPECT_EQ(editor.post("/v1/products", tea("A-1")).status, 201);
  EXPECT_TRUE(is_problem(reader.post("/v1/products", tea("A-2")), 403, "forbidden"));
  const auto drafts = "/v1/products?state=draft&merchant_id=" + shop_->merchant;
  EXPECT_EQ(reader.get(drafts).status, 200);
  EXPECT_EQ(editor.get(drafts).status, 200);
}

}  // namespace catalog_test
}  // namespace bottega::test
