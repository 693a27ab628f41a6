// Copies, erasure and retention as clients and the staff see them.
#include "http/attachments.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace privacy_test {

class PrivacyOverHttp : public testing::Test {
 protected:
  static const Server& server() { return Server::shared(); }
  static Json exports_of(Client who, const std::string& path = "/v1/accounts/me/exports") {
    return who.get(path).json()["data"];
  }
  // The link of the only export, once it is there.
  static std::string link(const Client& who, const std::string& path = "/v1/accounts/me/exports") {
    Json url;
    EXPECT_TRUE(soon([&] {
      const auto all = exports_of(who, path);
      if (!all.empty()) url = all[0]["url"];
      return url.is_string();
    }));
    return url.is_string() ? path_of_link(url) : "";
  }
  static Json password() { return {{"password", kPassword}}; }
};

TEST_F(PrivacyOverHttp, ACopyIsFetchedByALinkThatNeedsNoToken) {
  auto who = person(server(), "Ximena").api;
  const auto asked = who.post("/v1/accounts/me/exports", password());
  EXPECT_EQ(asked.status, 202);
  EXPECT_EQ(asked.json()["url"], nullptr);
  const auto path = link(who);
  Client anyone(server().port());
  const auto got = anyone.get(path);
  ASSERT_EQ(got.status, 200);
  EXPECT_EQ(got.header("content-type"), "application/json");
  EXPECT_EQ(got.header("cache-control"), "no-store");
  EXPECT_EQ(got.json()["account"][0]["name"], "Ximena");
  EXPECT_EQ(got.json()["sessions"].size(), 1u);
  EXPECT_TRUE(is_problem(anyone.get(path.substr(0, path.size() - 1)), 404, "not_found"));
  EXPECT_TRUE(is_problem(anyone.get(path.substr(0, path.find('?'))), 404, "not_found"));
  const auto again = who.post("/v1/accounts/me/exports", password());
  EXPECT_TRUE(is_problem(again, 429, "rate_limited"));
  EXPECT_FALSE(again.header("retry-after").empty());
}

TEST_F(PrivacyOverHttp, BothAskForThePasswordAgain) {
  auto who = person(server()).api;
  for (const auto* what : {"exports", "erasure"}) {
    const auto path = std::string("/v1/accounts/me/") + what;
    const auto wrong = who.post(path, {{"password", "not the password"}});
    EXPECT_TRUE(is_problem(wrong, 422, "invalid"));
    EXPECT_TRUE(points_at(wrong.json(), "/password"));
    EXPECT_TRUE(points_at(who.post(path, Json::object()).json(), "/password"));
  }
  EXPECT_EQ(who.get("/v1/accounts/me").status, 200);
  EXPECT_TRUE(exports_of(who).empty());
}

TEST_F(PrivacyOverHttp, WhoeverIsErasedIsGoneAtOnce) {
  const auto shop = chat(server());
  send_text(shop, shop.buyer.api, "My name is Bea");
  Socket phone(server().port(), shop.buyer.api.token());
  Socket till(server().port(), shop.owner.api.token());
  listen(phone);
  listen(till);
  auto buyer = shop.buyer.api, owner = shop.owner.api;
  EXPECT_EQ(buyer.post("/v1/accounts/me/erasure", password()).status, 204);
  EXPECT_GE(phone.close_code(), 3000);
  EXPECT_TRUE(is_problem(buyer.get("/v1/accounts/me"), 401, "unauthenticated"));
  EXPECT_THROW(log_in(server(), shop.buyer.email), std::exception);
  const auto trace = till.event("message.deleted");
  EXPECT_EQ(trace["data"]["message_seq"], 1);
  EXPECT_EQ(owner.get(shop.path()).json()["buyer_name"], "Deleted account");
  EXPECT_TRUE(owner.get(shop.path("/messages")).json()["data"][0]["data"].contains("deleted_at"));
  EXPECT_TRUE(is_problem(send_text(shop, owner, "Hello?"), 403, "forbidden"));
}

TEST_F(PrivacyOverHttp, WhatIsInTheWayIsNamed) {
  const auto shop = test::shop(server());
  const auto order = sell(shop);
  for (auto api : {shop.buyer.api, shop.owner.api}) {
    const auto answer = api.post("/v1/accounts/me/erasure", password());
    EXPECT_TRUE(is_problem(answer, 409, "conflict"));
    EXPECT_EQ(api.get("/v1/accounts/me").status, 200);
  }
  auto buyer = shop.buyer.api, owner = shop.owner.api;
  EXPECT_TRUE(points_at(buyer.post("/v1/accounts/me/erasure", password()).json(), order["id"]));
  EXPECT_TRUE(points_at(owner.post("/v1/accounts/me/erasure", password()).json(), shop.merchant));
}

TEST_F(PrivacyOverHttp, AnAdminDoesBothForSomebody) {
  const auto who = person(server(), "Yolanda");
  auto admin = staff(server());
  const auto path = "/v1/admin/accounts/" + who.id;
  EXPECT_EQ(admin.post(path + "/exports", {{"reason", "They asked"}}).status, 202);
  EXPECT_EQ(Client(server().port()).get(link(admin, path + "/exports")).json()["account"][0]["id"],
            who.id);
  EXPECT_TRUE(points_at(admin.post(path + "/erase", Json::object()).json(), "/reason"));
  EXPECT_EQ(admin.post(path + "/erase", {{"reason", "They asked"}}).status, 204);
  EXPECT_TRUE(exports_of(admin, path + "/exports").empty());
  EXPECT_TRUE(is_problem(admin.post(path + "/reinstate", {{"reason", "Back"}}), 404, "not_found"));
  // Each look at what has become of the copy is an act too: there may be many pages of them.
  std::vector<std::string> actions;
  std::string cursor;
  for (bool has_more = true; has_more;) {
    const auto page = admin.get("/v1/admin/audit_log?limit=100&subject=" + who.id + cursor).json();
    for (const auto& act : page["data"]) actions.push_back(act["action"]);
    has_more = page["has_more"];
    if (has_more) cursor = "&cursor=" + page["next_cursor"].get<std::string>();
  }
  EXPECT_EQ(std::ranges::count(actions, "account.export"), 1);
  EXPECT_EQ(std::ranges::count(actions, "account.erase"), 1);
  EXPECT_GE(std::ranges::count(actions, "account.exports"), 1);
}

TEST_F(PrivacyOverHttp, NobodyOfTheStaffErasesThemselves) {
  auto admin = staff(server());
  const auto me = admin.get("/v1/accounts/me").json()["id"].get<std::string>();
  const auto answer =
      admin.post("/v1/admin/accounts/" + me + "/erase", {{"reason", "Enough of this"}});
  EXPECT_TRUE(is_problem(answer, 409, "conflict"));
}

TEST(RetentionOverSockets, WhoeverMissedWhatIsGoneIsToldSo) {
  const House house({"retention.chats_days=30", "retention.every_s=1"});
  const auto shop = chat(house.server);
  for (int i = 0; i < 3; ++i) send_text(shop, shop.buyer.api, "Long ago");
  auto admin = staff(house.server);
  ASSERT_EQ(admin.post("/v1/admin/clock/advance", {{"advance_s", 31 * 86'400}}).status, 200);
  auto owner = log_in(house.server, shop.owner.email).api;
  send_text(shop, owner, "Today");
  ASSERT_TRUE(soon([&] { return owner.get(shop.path()).json()["forgotten_seq"] == 3; }));
  Socket till(house.server.port(), owner.token());
  const auto resumed = [&](std::int64_t position) {
    till.send({{"id", "r"}, {"method", "RESUME"}, {"positions", {{shop.conversation, position}}}});
    return till.event("resumed")["data"]["conversations"][0];
  };
  const auto behind = resumed(1);
  EXPECT_EQ(behind["recovered"], false);
  EXPECT_EQ(behind["position"], 4);
  const auto log = owner.get(shop.path("/messages?after=1")).json()["data"];
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0]["seq"], 4);
  Socket fresh(house.server.port(), owner.token());
  fresh.send({{"id", "r"}, {"method", "RESUME"}, {"positions", {{shop.conversation, 3}}}});
  EXPECT_EQ(fresh.event()["seq"], 4);
  EXPECT_EQ(fresh.event("resumed")["data"]["conversations"][0]["recovered"], true);
}

}  // namespace privacy_test
}  // namespace bottega::test
