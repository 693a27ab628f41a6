// A merchant's currencies through the front door: who sets them, what is refused, and amounts of
// 0, 2 and 3 decimals in what is handed out.
#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace currencies_test {

class CurrencyRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house_ = new House({"payouts.minimums=JPY:1000"});
    shop_ = new Storefront(shop(house_->server));
  }
  static void TearDownTestSuite() {
    delete shop_;
    delete house_;
  }
  void SetUp() override { ASSERT_EQ(set({"USD", "JPY", "KWD"}).status, 200); }

  static std::string mine(const std::string& below = "") {
    return "/v1/merchants/" + shop_->merchant + below;
  }
  static Answer patch(Client who, const Json& body) { return who.patch(mine(), body); }
  static Answer set(const std::vector<std::string>& currencies) {
    return patch(shop_->owner.api, {{"currencies", currencies}});
  }
  static Answer ask(const Json& currency, std::int64_t amount) {
    auto body = new_request(*shop_, amount);
    body["currency"] = currency;
    auto owner = shop_->owner.api;
    return owner.post("/v1/payment_requests", body);
  }
  static Client member(const std::string& role) {
    auto who = person(house_->server).api, owner = shop_->owner.api;
    const auto invited = owner.post(mine("/invitations"), {{"name", "Ann"}, {"role", role}});
    EXPECT_EQ(who.post("/v1/invitations/accept", {{"code", invited.json()["code"]}}).status / 100,
              2);
    return who;
  }
  static Client key_with(const std::string& scope) {
    auto owner = shop_->owner.api;
    const Json key = {{"name", "Till"}, {"scopes", Json::array({scope})}};
    const std::string secret = owner.post(mine("/api_keys"), key).json()["secret"];
    return Client(house_->server.port(), secret);
  }

  static inline House* house_ = nullptr;
  static inline Storefront* shop_ = nullptr;
};

TEST_F(CurrencyRoutes, SetAllOfThemWithTheDefaultFirst) {
  const auto changed = set({"KWD", "USD"});
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.json()["currency"], "KWD");
  EXPECT_EQ(changed.json()["currencies"], Json({"KWD", "USD"}));
  auto owner = shop_->owner.api;
  EXPECT_EQ(owner.get(mine()).json(), changed.json());
  EXPECT_EQ(owner.get("/v1/merchants").json()["data"][0], changed.json());
  const auto fresh = chat(house_->server);
  auto other = fresh.owner.api;
  EXPECT_EQ(other.get("/v1/merchants/" + fresh.merchant).json()["currencies"],
            Json::array({"USD"}));
}

TEST_F(CurrencyRoutes, AreForManagersAndKeysOfPayments) {
  const Json body = {{"currencies", {"USD", "JPY", "KWD"}}};
  EXPECT_EQ(patch(member("manager"), body).status, 200);
  EXPECT_EQ(patch(key_with("payments"), body).status, 200);
  EXPECT_TRUE(is_problem(patch(member("agent"), body), 403, "forbidden"));
  EXPECT_TRUE(is_problem(patch(key_with("read"), body), 403, "forbidden"));
  EXPECT_TRUE(is_problem(patch(shop_->buyer.api, body), 404, "not_found"));
  EXPECT_TRUE(is_problem(patch(person(house_->server).api, body), 404, "not_found"));
  EXPECT_TRUE(is_problem(patch(staff(house_->server), body), 404, "not_found"));
}

TEST_F(CurrencyRoutes, NameEverythingThatIsWrongWithThem) {
  const std::string most = R"(["USD","EUR","JPY","KWD","BHD","GBP","CHF","SEK","NOK","DKK"])";
  auto too_many = Json::parse(most);
  too_many.push_back("PLN");
  const std::vector<std::pair<Json, std::vector<std::string>>> rows = {
      {Json::object(), {"/currencies"}},
      {{{"currencies", nullptr}}, {"/currencies"}},
      {{{"currencies", Json::array()}}, {"/currencies"}},
      {{{"currencies", "USD"}}, {"/currencies"}},
      {{{"currencies", too_many}}, {"/currencies"}},
      {{{"currencies", Json::array({"USD", "usd", "XXX", 5, ""})}},
       {"/currencies/1", "/currencies/2", "/currencies/3", "/currencies/4"}},
      {{{"currencies", Json::array({"USD", "JPY", "USD", "JPY"})}},
       {"/currencies/2", "/currencies/3"}},
      {{{"currencies", Json::array({"ZZZ"})}, {"currency", "USD"}}, {"/currencies/0", "/currency"}},
  };
  auto owner = shop_->owner.api;
  const auto before = owner.get(mine()).json();
  for (const auto& [body, expected] : rows) {
    const auto answer = patch(shop_->owner.api, body);
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << body;
    EXPECT_EQ(pointers(answer.json()), expected) << body << answer.body;
  }
  EXPECT_EQ(owner.get(mine()).json(), before);
  EXPECT_EQ(patch(shop_->owner.api, {{"currencies", Json::parse(most)}}).status, 200);
}

TEST_F(CurrencyRoutes, OfRequestsAreTheOnesThatAreTaken) {
  EXPECT_EQ(ask(nullptr, 500).json()["total"], (Json{{"amount", 500}, {"currency", "USD"}}));
  EXPECT_EQ(ask("KWD", 500).json()["total"], (Json{{"amount", 500}, {"currency", "KWD"}}));
  const auto open = ask("JPY", 1'980);
  ASSERT_EQ(open.status, 201) << open.body;
  ASSERT_EQ(set({"KWD", "USD"}).status, 200);
  const auto refused = ask("JPY", 1'980);
  EXPECT_TRUE(is_problem(refused, 422, "invalid"));
  EXPECT_EQ(pointers(refused.json()), std::vector<std::string>{"/currency"});
  EXPECT_EQ(refused.json()["errors"][0]["detail"], "must be one of: KWD, USD");
  const auto paid = accept(*shop_, open.json());
  ASSERT_EQ(paid.status / 100, 2) << paid.body;
  EXPECT_EQ(paid.json()["order"]["total"], (Json{{"amount", 1'980}, {"currency", "JPY"}}));
}

TEST_F(CurrencyRoutes, HandOutAmountsInTheirOwnDecimals) {
  const auto seller = shop(house_->server);
  auto owner = seller.owner.api;
  const auto path = "/v1/merchants/" + seller.merchant;
  const Json all = {{"currencies", {"USD", "JPY", "KWD"}}};
  ASSERT_EQ(owner.patch(path, all).status, 200);
  for (const auto* currency : {"USD", "JPY", "KWD"}) {
    auto body = new_request(seller, 12'345);
    body["currency"] = currency;
    const auto paid = accept(seller, owner.post("/v1/payment_requests", body).json());
    ASSERT_EQ(ship(seller, paid.json()["order"]).status, 200) << paid.body;
  }
  const auto balances = owner.get(path + "/balances").json()["data"];
  ASSERT_EQ(balances.size(), 3u);
  for (const auto& one : balances) EXPECT_EQ(one["held"], 12'345) << one;
  EXPECT_EQ(owner.get(path + "/coming_payouts").json()["data"].size(), 3u);
  for (const auto& [currency, zero] : std::vector<std::pair<std::string, std::string>>{
           {"USD", "0.00"}, {"JPY", "0"}, {"KWD", "0.000"}}) {
    const auto file = owner.get(path + "/statement.csv?currency=" + currency).body;
    EXPECT_NE(file.find("so far,,,,," + zero + ',' + currency), std::string::npos) << file;
  }
  EXPECT_EQ(owner.get(path + "/statement").json()["currency"], "USD") << "the default";
  auto finance = staff(house_->server, "finance");
  const auto report =
      finance.get("/v1/admin/revenue?format=csv&merchant_id=" + seller.merchant).body;
  for (const auto* captured : {",USD,123.45,1,", ",JPY,12345,1,", ",KWD,12.345,1,"})
    EXPECT_NE(report.find(captured), std::string::npos) << report;
}

}  // namespace currencies_test
}  // namespace bottega::test
