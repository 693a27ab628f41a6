// Passing events as clients see them: who is there and who types, and neither of those who do not
// show it.
#include "http/push_house.hpp"

namespace bottega::test {
namespace presence_test {

class PresenceOverSockets : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house = new House({"presence.write_ms=50", "presence.grace_s=0", "presence.every_s=0",
                       "chat.typing_every_s=60"});
  }
  static void TearDownTestSuite() {
    delete house;
    house = nullptr;
  }
  static Server& server() { return house->server; }
  Json presence_seen_by(const Client& who) {
    auto api = who;
    return api.get(shop.path("/presence")).json();
  }
  int type(Client api) {
    return api.post(shop.path("/typing"), nullptr, {{"Idempotency-Key", ""}}).status;
  }
  Answer prefer(Client api, bool presence, bool typing) {
    return api.put(
        "/v1/accounts/me/preferences",
        {{"show_presence", presence}, {"show_typing", typing}, {"push_content", "full"}});
  }

  static House* house;
  Storefront shop = chat(server());
};
House* PresenceOverSockets::house = nullptr;

TEST_F(PresenceOverSockets, IsToldToTheOtherSide) {
  Socket till(server().port(), shop.owner.api.token());
  listen(till);
  ASSERT_TRUE(
      soon([&] { return presence_seen_by(shop.buyer.api)["merchant"]["state"] == "online"; }));
  {
    Socket phone(server().port(), shop.buyer.api.token());
    listen(phone);
    const auto came = till.event("presence.changed");
    EXPECT_EQ(came["conversation"], shop.conversation);
    EXPECT_EQ(came["data"]["account_id"], shop.buyer.id);
    EXPECT_EQ(came["data"]["side"], "buyer");
    EXPECT_EQ(came["data"]["state"], "online");
    EXPECT_FALSE(came.contains("seq"));
    phone.close();
  }
  const auto went = till.event("presence.changed");
  EXPECT_EQ(went["data"]["state"], "offline");
  EXPECT_TRUE(went["data"]["last_seen_at"].is_string());
  EXPECT_EQ(presence_seen_by(shop.owner.api)["buyer"]["state"], "offline");
}

TEST_F(PresenceOverSockets, IsForMembersOfTheConversation) {
  auto stranger = person(server());
  EXPECT_TRUE(is_problem(stranger.api.get(shop.path("/presence")), 404, "not_found"));
}

TEST_F(PresenceOverSockets, IsHiddenByWhoeverWantsIt) {
  EXPECT_EQ(prefer(shop.buyer.api, false, true).status, 200);
  Socket phone(server().port(), shop.buyer.api.token());
  listen(phone);
  EXPECT_EQ(presence_seen_by(shop.owner.api)["buyer"],
            (Json{{"state", "unknown"}, {"last_seen_at", nullptr}}));
}

TEST_F(PresenceOverSockets, PreferencesAreKeptAndChecked) {
  const Json all = {{"show_presence", true}, {"show_typing", true}, {"push_content", "full"}};
  EXPECT_EQ(shop.buyer.api.get("/v1/accounts/me/preferences").json(), all) << "at first";
  const Json less = {{"show_presence", false}, {"show_typing", false}, {"push_content", "none"}};
  EXPECT_EQ(shop.buyer.api.put("/v1/accounts/me/preferences", less).json(), less);
  EXPECT_EQ(shop.buyer.api.get("/v1/accounts/me/preferences").json(), less);
  EXPECT_EQ(shop.owner.api.get("/v1/accounts/me/preferences").json(), all);
  const auto bad = shop.buyer.api.put("/v1/accounts/me/preferences",
                                      {{"show_presence", "yes"}, {"push_content", "some"}});
  EXPECT_TRUE(is_problem(bad, 422, "invalid"));
  for (const auto* pointer : {"/show_presence", "/show_typing", "/push_content"})
    EXPECT_TRUE(points_at(bad.json(), pointer)) << pointer;
}

TEST_F(PresenceOverSockets, TypingIsToldOnceInAWhile) {
  Socket till(server().port(), shop.owner.api.token());
  listen(till);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(type(shop.buyer.api), 204);
  send_text(shop, shop.buyer.api, "Written");
  EXPECT_EQ(till.event("typing.started")["data"]["account_id"], shop.buyer.id);
  EXPECT_EQ(type(shop.owner.api), 204) << "the other side has a count of its own";
  EXPECT_EQ(till.event("typing.started")["data"]["account_id"], shop.owner.id)
      << "the next that is told is the owner's";
}

TEST_F(PresenceOverSockets, TypingIsNotToldOfWhoeverDoesNotShowIt) {
  Socket till(server().port(), shop.owner.api.token());
  listen(till);
  EXPECT_EQ(prefer(shop.buyer.api, true, false).status, 200);
  EXPECT_EQ(type(shop.buyer.api), 204);
  EXPECT_EQ(type(shop.owner.api), 204);
  EXPECT_EQ(till.event("typing.started")["data"]["account_id"], shop.owner.id);
}

TEST_F(PresenceOverSockets, TypingOfAStrangerIsNoneHoweverOften) {
  const auto stranger = person(server());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(type(stranger.api), 404);
}

}  // namespace presence_test
}  // namespace bottega::test
