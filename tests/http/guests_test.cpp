// Guests through the front door: what they may do, and that it is nothing else.
#include "gateway/guests.hpp"

#include "http/prices.hpp"
#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace guests_test {

struct Visitor {
  Client api;
  Json tokens;
};

class GuestRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() { shop_ = new Storefront(shop(Server::shared())); }
  static void TearDownTestSuite() {
    delete shop_;
    shop_ = nullptr;
  }
  static std::string code() {
    static const std::string made = [] {
      auto owner = shop_->owner.api;
      const Json link = owner.post("/v1/payment_links", lamp_link(shop_->merchant)).json();
      return link["code"].get<std::string>();
    }();
    return made;
  }
  static Answer enter(const Json& body) {
    return Client(Server::shared().port()).post("/v1/pay/" + code() + "/guests", body);
  }
  static Visitor visit(const std::string& email = "gus@people.example") {
    const auto in = enter({{"name", "Gus Guest"}, {"email", email}});
    EXPECT_EQ(in.status, 201) << in.body;
    return {Client(Server::shared().port(), in.json()["access_token"]), in.json()};
  }
  static std::string talk(const Visitor& guest, const std::string& below = "") {
    return "/v1/conversations/" + guest.tokens["conversation_id"].get<std::string>() + below;
  }
  static std::string new_email() { return "g" + new_key() + "@people.example"; }

  static inline Storefront* shop_ = nullptr;
};

TEST_F(GuestRoutes, LetAnybodyInWhoSaysANameAndAnAddress) {
  auto guest = visit();
  EXPECT_EQ(guest.api.get("/v1/accounts/me").json()["is_guest"], true);
  EXPECT_EQ(guest.api.get("/v1/accounts/me").json()["name"], "Guest");
  EXPECT_EQ(guest.api.get(talk(guest)).json()["merchant_id"], shop_->merchant);
  const auto bad = enter({{"name", ""}, {"email", "nobody"}});
  EXPECT_TRUE(is_problem(bad, 422, "invalid"));
  EXPECT_TRUE(points_at(bad.json(), "/name"));
  EXPECT_TRUE(points_at(bad.json(), "/email"));
}

TEST_F(GuestRoutes, NeitherTellNorGiveAwayWhoHasAnAddress) {
  auto guest = visit(shop_->buyer.email);
  const auto other = visit(new_email());
  EXPECT_NE(guest.tokens["account_id"], shop_->buyer.id);
  EXPECT_EQ(guest.tokens.size(), other.tokens.size());
  EXPECT_NE(guest.api.get("/v1/accounts/me").json()["email"], shop_->buyer.email);
  EXPECT_EQ(log_in(Server::shared(), shop_->buyer.email).id, shop_->buyer.id);
}

TEST_F(GuestRoutes, DoNotTellTheShopWhoItIsBeforeTheyPay) {
  const auto guest = visit("secret.gus@people.example");
  auto owner = shop_->owner.api;
  const auto seen = owner.get(talk(guest));
  EXPECT_EQ(seen.json()["buyer_name"], "Guest");
  EXPECT_EQ(seen.body.find("secret.gus"), std::string::npos);
}

TEST_F(GuestRoutes, LetThemAskTheShop) {
  auto guest = visit();
  EXPECT_EQ(guest.api.post(talk(guest, "/messages"), {{"text", "Is it brass?"}}).status, 201);
  auto owner = shop_->owner.api;
  EXPECT_EQ(owner.post(talk(guest, "/messages"), {{"text", "It is"}}).status, 201);
  const auto log =
      guest.api.get(talk(guest, "/messages?limit=20&before=9007199254740991")).json()["data"];
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0]["data"]["text"], "It is");
}

TEST_F(GuestRoutes, LetThemPayWhatTheyAreAskedFor) {
  auto guest = visit();
  auto owner = shop_->owner.api;
  auto body = new_request(*shop_);
  body["conversation_id"] = guest.tokens["conversation_id"];
  const auto request = owner.post("/v1/payment_requests", body);
  ASSERT_EQ(request.status, 201) << request.body;
  const auto path = "/v1/payment_requests/" + request.json()["id"].get<std::string>();
  const auto paid = guest.api.post(path + "/accept", pay_with("tok_approved"));
  ASSERT_EQ(paid.status, 200) << paid.body;
  const auto order = guest.api.get("/v1/orders").json()["data"][0];
  EXPECT_EQ(order["payment_id"], paid.json()["payment"]["id"]);
  const auto help = guest.api.post(
      "/v1/support_cases", {{"order_id", order["id"]}, {"subject", "damaged"}, {"text", "Help"}});
  ASSERT_EQ(help.status, 201) << help.body;
  const auto one = "/v1/support_cases/" + help.json()["id"].get<std::string>();
  EXPECT_EQ(guest.api.post(one + "/hand_over").status, 409) << "the shop has its days to answer";
  EXPECT_EQ(guest.api.post(one + "/solve").json()["state"], "solved");
}

TEST_F(GuestRoutes, CloseWhateverIsNotForGuests) {
  auto guest = visit();
  int closed = 0;
  for (const auto& route : gateway::all_routes()) {
    if (route.access != gateway::Access::person && route.access != gateway::Access::member)
      continue;
    if (gateway::is_for_guests(route)) continue;
    const auto answer = guest.api.send(method_of(route), somewhere(route), "", {});
    EXPECT_TRUE(is_problem(answer, 403, "forbidden")) << route.name;
    EXPECT_EQ(answer.json()["reason"], "guest") << route.name;
    ++closed;
  }
  EXPECT_GT(closed, 80);
  for (const auto* name : {"createMerchant", "acceptInvitation", "createTransfer", "createTopUp",
                           "changePassword", "addPaymentMethod", "setPin"}) {
    const auto route =
        routes_where([](const gateway::Route& row) { return !gateway::is_for_guests(row); });
    EXPECT_EQ(std::ranges::count(route, name, &gateway::Route::name), 1) << name;
  }
}

TEST_F(GuestRoutes, ThatAreListedAreThere) {
  for (const auto& row : gateway::routes_for_guests()) {
    const auto is_it = [&](const gateway::Route& route) {
      return route.verb == row.verb && route.path == row.path;
    };
    EXPECT_EQ(std::ranges::count_if(gateway::all_routes(), is_it), 1) << row.path;
  }
}

TEST_F(GuestRoutes, HoldOverTheSocketAsWell) {
  const auto guest = visit();
  Socket socket(Server::shared().port(), guest.api.token());
  const auto refused = socket.call("POST", "/v1/merchants",
                                   {{"name", "Mine"}, {"country", "US"}, {"currency", "USD"}});
  EXPECT_TRUE(is_problem(refused, 403, "forbidden"));
  EXPECT_EQ(socket.call("POST", talk(guest, "/messages"), {{"text", "Hello"}})["status"], 201);
}

TEST_F(GuestRoutes, NobodyLogsInByThem) {
  auto guest = visit();
  const std::string made_up = guest.api.get("/v1/accounts/me").json()["email"];
  Client nobody(Server::shared().port());
  for (const auto* password : {"a", "a long enough password"})
    EXPECT_TRUE(
        is_problem(nobody.post("/v1/sessions", {{"email", made_up}, {"password", password}}), 401,
                   "unauthenticated"));
}

TEST_F(GuestRoutes, MakeAnAccountOfAGuest) {
  auto guest = visit();
  guest.api.post(talk(guest, "/messages"), {{"text", "Hello"}});
  const auto email = new_email();
  const Json body = {{"email", email}, {"password", kPassword}};
  auto taken = body;
  taken["email"] = shop_->buyer.email;
  EXPECT_TRUE(is_problem(guest.api.post("/v1/guests/upgrade", taken), 409, "conflict"));
  const auto done = guest.api.post("/v1/guests/upgrade", body);
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.json()["is_guest"], false);
  EXPECT_EQ(done.json()["name"], "Gus Guest");
  auto again = log_in(Server::shared(), email);
  EXPECT_EQ(again.id, guest.tokens["account_id"]);
  EXPECT_EQ(again.api.get(talk(guest)).json()["last_seq"], 1);
  EXPECT_EQ(guest.api.get("/v1/wallet").status, 200) << "the session goes on, as an account's";
  EXPECT_TRUE(is_problem(guest.api.post("/v1/guests/upgrade", body), 409, "conflict"));
}

TEST_F(GuestRoutes, GiveACopyAndEraseWithoutAPassword) {
  auto guest = visit();
  EXPECT_EQ(guest.api.post("/v1/accounts/me/exports", Json::object()).status, 202);
  EXPECT_EQ(guest.api.post("/v1/accounts/me/erasure", Json::object()).status, 204);
  EXPECT_TRUE(is_problem(guest.api.get("/v1/accounts/me"), 401, "unauthenticated"));
}

TEST(GuestLimits, AreKeptPerAddress) {
  House house({"limits.guests_per_minute=2"});
  const auto shop = test::shop(house.server);
  auto owner = shop.owner.api;
  const auto link = owner.post("/v1/payment_links", lamp_link(shop.merchant));
  Client nobody(house.server.port());
  const auto path = "/v1/pay/" + link.json()["code"].get<std::string>() + "/guests";
  const Json body = {{"name", "Gus"}, {"email", "gus@people.example"}};
  for (int i = 0; i < 2; ++i) EXPECT_EQ(nobody.post(path, body).status, 201);
  const auto refused = nobody.post(path, body);
  EXPECT_TRUE(is_problem(refused, 429, "rate_limited"));
  EXPECT_FALSE(refused.header("retry-after").empty());
}

}  // namespace guests_test
}  // namespace bottega::test
