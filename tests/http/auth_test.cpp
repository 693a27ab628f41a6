// Signing in and out, sessions, refresh tokens, API keys, suspension, and guessing passwords.
#include <future>

#include "http/story.hpp"

namespace bottega::test {
namespace auth_test {

const Server& server() { return Server::shared(); }

Answer sign_in(const std::string& email, const std::string& password,
               const Server& where = server()) {
  return Client(where.port()).post("/v1/sessions", {{"email", email}, {"password", password}});
}
Answer refresh(const std::string& token) {
  return Client(server().port()).post("/v1/sessions/refresh", {{"refresh_token", token}});
}
int status_of(const std::string& token) {
  return Client(server().port(), token).get("/v1/accounts/me").status;
}

TEST(Auth, RegistersAPersonOnce) {
  const Json given = {
      {"email", "Twice-" + new_key() + "@People.example"}, {"password", kPassword}, {"name", "Tw"}};
  Client nobody(server().port());
  const auto first = nobody.post("/v1/accounts", given);
  EXPECT_EQ(first.status, 201) << first.body;
  EXPECT_TRUE(first.json()["staff_role"].is_null());
  EXPECT_FALSE(first.json().contains("password_hash"));
  EXPECT_TRUE(is_problem(nobody.post("/v1/accounts", given), 409, "conflict"));
}

TEST(Auth, TakesAPasswordOfTenCharactersOrMore) {
  Client nobody(server().port());
  const auto given = [](const std::string& password) {
    return Json{{"email", new_key() + "@people.example"}, {"password", password}, {"name", "P"}};
  };
  const auto refused = nobody.post("/v1/accounts", given("ninechars"));
  EXPECT_TRUE(is_problem(refused, 422, "invalid"));
  EXPECT_TRUE(points_at(refused.json(), "/password"));
  EXPECT_EQ(refused.body.find("ninechars"), std::string::npos);
  EXPECT_EQ(nobody.post("/v1/accounts", given("ten chars!")).status, 201);
}

TEST(Auth, DoesNotSayWhetherTheAddressOrThePasswordWasWrong) {
  const auto who = person(server());
  auto wrong = sign_in(who.email, "not the password").json();
  auto unknown = sign_in("nobody-" + new_key() + "@people.example", "not the password").json();
  EXPECT_EQ(wrong["status"], 401);
  wrong.erase("instance");
  unknown.erase("instance");
  EXPECT_EQ(wrong, unknown);
}

TEST(Auth, EndsASessionAndItsTokensAtOnce) {
  const auto who = person(server());
  EXPECT_EQ(status_of(who.api.token()), 200);
  auto api = who.api;
  EXPECT_EQ(api.remove("/v1/sessions/" + who.session).status, 204);
  EXPECT_EQ(status_of(who.api.token()), 401);
  EXPECT_TRUE(is_problem(refresh(who.refresh), 401, "unauthenticated"));
}

TEST(Auth, EndsAllSessionsOfAPerson) {
  const auto who = person(server());
  const auto other = log_in(server(), who.email);
  auto api = who.api;
  EXPECT_EQ(api.remove("/v1/sessions").status, 204);
  EXPECT_EQ(status_of(who.api.token()), 401);
  EXPECT_EQ(status_of(other.api.token()), 401);
}

TEST(Auth, ListsWhereOneIsLoggedIn) {
  const auto who = person(server());
  Client phone(server().port());
  const auto tokens = phone.post("/v1/sessions", {{"email", who.email}, {"password", kPassword}},
                                 {{"User-Agent", "A phone"}});
  auto api = who.api;
  const auto list = api.get("/v1/sessions").json()["data"];
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0]["id"], tokens.json()["session_id"]);
  EXPECT_EQ(list[0]["user_agent"], "A phone");
  EXPECT_EQ(list[0]["address"], "127.0.0.1");
  EXPECT_EQ(list[1]["id"], who.session);
  EXPECT_EQ(list.dump().find("bat_"), std::string::npos);
}

TEST(Auth, ExchangesARefreshTokenForTheNextPair) {
  const auto who = person(server());
  const auto next = refresh(who.refresh);
  ASSERT_EQ(next.status, 201) << next.body;
  EXPECT_EQ(next.json()["session_id"], who.session);
  EXPECT_NE(next.json()["access_token"], who.api.token());
  EXPECT_NE(next.json()["refresh_token"], who.refresh);
  EXPECT_EQ(status_of(next.json()["access_token"]), 200);
}

TEST(Auth, EndsTheSessionWhereARefreshTokenComesTwice) {
  const auto who = person(server());
  const auto next = refresh(who.refresh).json();
  const auto stolen = refresh(who.refresh);
  EXPECT_TRUE(is_problem(stolen, 401, "unauthenticated"));
  EXPECT_EQ(status_of(who.api.token()), 401);
  EXPECT_EQ(status_of(next["access_token"]), 401);
  EXPECT_TRUE(is_problem(refresh(next["refresh_token"]), 401, "unauthenticated"));
}

TEST(Auth, TakesNoTokenForAnotherKind) {
  const auto who = person(server());
  EXPECT_EQ(status_of(who.refresh), 401);
  EXPECT_TRUE(is_problem(refresh(who.api.token()), 401, "unauthenticated"));
}

TEST(Auth, SuspendsAnAccountAtOnceAndReinstatesIt) {
  const auto who = person(server());
  auto admin = staff(server());
  const auto path = "/v1/admin/accounts/" + who.id;
  Socket socket(server().port(), who.api.token());
  const auto suspended = admin.post(path + "/suspend", {{"reason", "Fraud"}});
  ASSERT_EQ(suspended.status, 200) << suspended.body;
  EXPECT_EQ(suspended.json()["state"], "suspended");
  EXPECT_EQ(status_of(who.api.token()), 401);
  EXPECT_TRUE(is_problem(sign_in(who.email, kPassword), 401, "unauthenticated"));
  EXPECT_TRUE(is_problem(refresh(who.refresh), 401, "unauthenticated"));
  EXPECT_EQ(socket.close_code(), 3500);
  const auto self =
      "/v1/admin/accounts/" + admin.get("/v1/accounts/me").json()["id"].get<std::string>();
  EXPECT_TRUE(is_problem(admin.post(self + "/suspend", {{"reason", "Holiday"}}), 409, "conflict"))
      << "nobody locks themselves out";
  EXPECT_EQ(admin.post(path + "/reinstate", {{"reason", "No fraud"}}).json()["state"], "active");
  EXPECT_EQ(sign_in(who.email, kPassword).status, 201);
}

// ---- API keys -----------------------------------------------------------------------------------

struct Key {
  std::string id, secret;
  Client api;
};
Key key_of(const Storefront& shop, const Json& scopes) {
  auto owner = shop.owner.api;
  const auto made = owner
                        .post("/v1/merchants/" + shop.merchant + "/api_keys",
                              {{"name", "Till"}, {"scopes", scopes}})
                        .json();
  return {made["api_key"]["id"], made["secret"], Client(server().port(), made["secret"])};
}

TEST(ApiKeys, ActForTheMerchantWithinTheirScopes) {
  const auto shop = test::shop(server());
  auto reads = key_of(shop, {"read"}), chats = key_of(shop, {"read", "chat"}),
       asks = key_of(shop, {"payments"});
  EXPECT_EQ(reads.api.get(shop.path("/messages")).status, 200);
  EXPECT_TRUE(is_problem(send_text(shop, reads.api, "No"), 403, "forbidden"));
  const auto sent = send_text(shop, chats.api, "Yes");
  EXPECT_EQ(sent.status, 201) << sent.body;
  EXPECT_EQ(sent.json()["data"]["author"], "merchant");
  EXPECT_TRUE(
      is_problem(chats.api.post("/v1/payment_requests", new_request(shop)), 403, "forbidden"));
  EXPECT_EQ(asks.api.post("/v1/payment_requests", new_request(shop)).status, 201);
  EXPECT_TRUE(is_problem(send_text(shop, asks.api, "No"), 403, "forbidden"));
  EXPECT_TRUE(is_problem(asks.api.get(shop.path()), 403, "forbidden"));
}

TEST(ApiKeys, ShipWithTheScopeOfOrdersOnly) {
  const auto shop = test::shop(server());
  const auto path = "/v1/orders/" + sell(shop)["id"].get<std::string>() + "/ship";
  const Json parcel = {{"carrier", "USPS"}, {"tracking_number", "1"}};
  EXPECT_TRUE(is_problem(key_of(shop, {"read", "chat", "payments"}).api.post(path, parcel), 403,
                         "forbidden"));
  EXPECT_EQ(key_of(shop, {"orders"}).api.post(path, parcel).status, 200);
}

TEST(ApiKeys, SeeNothingOfOtherMerchants) {
  const auto mine = chat(server()), other = chat(server());
  auto key = key_of(mine, {"read", "chat", "payments", "orders"});
  EXPECT_TRUE(is_problem(key.api.get("/v1/merchants/" + other.merchant), 404, "not_found"));
  EXPECT_TRUE(is_problem(key.api.get(other.path("/messages")), 404, "not_found"));
  EXPECT_TRUE(
      is_problem(key.api.get("/v1/orders?merchant_id=" + other.merchant), 404, "not_found"));
  const auto merchants = key.api.get("/v1/merchants").json()["data"];
  ASSERT_EQ(merchants.size(), 1u);
  EXPECT_EQ(merchants[0]["id"], mine.merchant);
}

TEST(ApiKeys, MayNotDoWhatTakesAPerson) {
  auto key = key_of(chat(server()), {"read", "chat", "payments", "orders"});
  for (const auto* path : {"/v1/accounts/me", "/v1/sessions"})
    EXPECT_TRUE(is_problem(key.api.get(path), 403, "forbidden")) << path;
  EXPECT_TRUE(is_problem(key.api.get("/v1/admin/accounts"), 404, "not_found"));
}

TEST(ApiKeys, AreShownOnceAndListedWithoutTheirSecret) {
  const auto shop = chat(server());
  const auto key = key_of(shop, {"read"});
  EXPECT_TRUE(key.secret.starts_with("sk_"));
  auto owner = shop.owner.api;
  const auto list = owner.get("/v1/merchants/" + shop.merchant + "/api_keys");
  ASSERT_EQ(list.json()["data"].size(), 1u);
  EXPECT_EQ(list.json()["data"][0]["last_four"], key.secret.substr(key.secret.size() - 4));
  EXPECT_EQ(list.body.find(key.secret), std::string::npos);
}

TEST(ApiKeys, AreDeadAsSoonAsTheyAreRevoked) {
  const auto shop = chat(server());
  auto key = key_of(shop, {"read", "chat"});
  EXPECT_EQ(key.api.get(shop.path()).status, 200);
  Socket socket(server().port(), key.secret);
  listen(socket);
  auto owner = shop.owner.api;
  EXPECT_EQ(owner.remove("/v1/merchants/" + shop.merchant + "/api_keys/" + key.id).status, 204);
  EXPECT_TRUE(is_problem(key.api.get(shop.path()), 401, "unauthenticated"));
  EXPECT_EQ(socket.close_code(), 3500) << "and so are their sockets";
}

TEST(ApiKeys, SeeTheirMerchantWithTheScopeToReadOnly) {
  const auto shop = chat(server());
  const auto chats = key_of(shop, {"chat"}), reads = key_of(shop, {"read"});
  for (const auto& path : {std::string("/v1/merchants"), "/v1/merchants/" + shop.merchant}) {
    EXPECT_TRUE(is_problem(Client(chats.api).get(path), 403, "forbidden")) << path;
    EXPECT_EQ(Client(reads.api).get(path).status, 200) << path;
  }
}

// ---- passwords ----------------------------------------------------------------------------------

TEST(Passwords, AreChangedByWhoKnowsTheOldOne) {
  const auto who = person(server());
  auto api = who.api;
  const auto elsewhere = sign_in(who.email, kPassword, server()).json();
  const std::string path = "/v1/accounts/me/password", fresh = "another long password";
  const auto wrong =
      api.put(path, {{"current_password", "not the password"}, {"new_password", fresh}});
  ASSERT_TRUE(is_problem(wrong, 422, "invalid"));
  EXPECT_EQ(wrong.json()["errors"][0]["pointer"], "/current_password");
  EXPECT_TRUE(is_problem(
      api.put(path, {{"current_password", kPassword}, {"new_password", "short"}}), 422, "invalid"));
  EXPECT_EQ(status_of(elsewhere["access_token"]), 200);
  EXPECT_EQ(api.put(path, {{"current_password", kPassword}, {"new_password", fresh}}).status, 204);
  EXPECT_EQ(status_of(api.token()), 200) << "the one who changed it stays";
  EXPECT_EQ(status_of(elsewhere["access_token"]), 401) << "all others are signed out";
  EXPECT_EQ(sign_in(who.email, kPassword, server()).status, 401);
  EXPECT_EQ(sign_in(who.email, fresh, server()).status, 201);
}

TEST(Passwords, GuessesFromAnOpenSessionAreCountedToo) {
  House house({"auth.tries_per_account=2"});
  const auto who = person(house.server);
  auto api = who.api;
  const Json guess = {{"current_password", "not the password"}, {"new_password", kPassword}};
  for (int i = 0; i < 2; ++i) EXPECT_EQ(api.put("/v1/accounts/me/password", guess).status, 422);
  EXPECT_TRUE(is_problem(api.put("/v1/accounts/me/password", guess), 429, "rate_limited"));
}

TEST(Passwords, TwoChangesAtOnceDoNotBothHold) {
  for (int round = 0; round < 3; ++round) {
    const auto who = person(server());
    const auto other = sign_in(who.email, kPassword, server()).json();
    const auto change = [&](Client api, const std::string& fresh) {
      return api
          .put("/v1/accounts/me/password",
               {{"current_password", kPassword}, {"new_password", fresh}})
          .status;
    };
    auto first = std::async(std::launch::async, change, who.api, "the first new password");
    const auto second =
        change(Client(server().port(), other["access_token"]), "the second new password");
    const bool one = first.get() == 204, two = second == 204;
    EXPECT_NE(one, two);
    EXPECT_EQ(sign_in(who.email, "the first new password").status, one ? 201 : 401);
    EXPECT_EQ(sign_in(who.email, "the second new password").status, two ? 201 : 401);
  }
}

// ---- guessing -----------------------------------------------------------------------------------

TEST(Guessing, IsStoppedPerAccountAlsoForTheRightPassword) {
  House house({"auth.tries_per_account=3", "auth.tries_window_s=300"});
  const auto who = person(house.server), other = person(house.server);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(sign_in(who.email, "not the password", house.server).status, 401);
  const auto limited = sign_in(who.email, "not the password", house.server);
  EXPECT_TRUE(is_problem(limited, 429, "rate_limited"));
  const auto wait = std::stol(limited.header("retry-after"));
  EXPECT_TRUE(wait >= 1 && wait <= 300) << wait;
  EXPECT_EQ(limited.json()["retry"], "later");
  EXPECT_TRUE(is_problem(sign_in(who.email, kPassword, house.server), 429, "rate_limited"));
  EXPECT_EQ(sign_in(other.email, kPassword, house.server).status, 201) << "others are not hurt";
}

TEST(Guessing, AtOnceIsNoWayAroundTheLimit) {
  House house({"auth.tries_per_account=3", "auth.tries_per_address=1000"});
  const auto who = person(house.server);
  std::vector<std::future<int>> tries;
  for (int i = 0; i < 12; ++i)
    tries.push_back(std::async(std::launch::async, [&] {
      return sign_in(who.email, "not the password", house.server).status;
    }));
  int refused = 0, limited = 0;
  for (auto& one : tries) {
    const auto status = one.get();
    refused += status == 401 ? 1 : 0;
    limited += status == 429 ? 1 : 0;
  }
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(limited, 9);
}

TEST(Guessing, WhoKnowsThePasswordUsesUpNoTries) {
  House house({"auth.tries_per_account=3"});
  const auto who = person(house.server);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(sign_in(who.email, kPassword, house.server).status, 201);
}

TEST(Guessing, IsStoppedPerAddress) {
  House house({"auth.tries_per_address=3"});
  const auto who = person(house.server);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(
        sign_in("nobody" + std::to_string(i) + "@people.example", "not the password", house.server)
            .status,
        401);
  EXPECT_TRUE(is_problem(sign_in(who.email, kPassword, house.server), 429, "rate_limited"));
}

}  // namespace auth_test
}  // namespace bottega::test
