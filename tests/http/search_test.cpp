// Search as clients see it: a message is found soon after it was written.
#include "http/story.hpp"

namespace bottega::test {
namespace search_test {

class SearchOverHttp : public testing::Test {
 protected:
  static Server& server() { return Server::shared(); }
  static Json found(Client who, const std::string& query) {
    const auto answer = who.get("/v1/search/messages?" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json()["data"];
  }
  bool finds(const Client& who, const std::string& query, std::size_t count) const {
    return soon([&] { return found(who, query).size() == count; });
  }
  std::string here() const { return "&conversation_id=" + shop.conversation; }

  const Storefront shop = chat(server());
};

TEST_F(SearchOverHttp, FindsAMessageSoon) {
  send_text(shop, shop.buyer.api, "Have you a lamp & a shade?");
  ASSERT_TRUE(finds(shop.owner.api, "q=lamp", 1));
  const auto hit = found(shop.buyer.api, "q=lamp")[0];
  EXPECT_EQ(hit["conversation_id"], shop.conversation);
  EXPECT_EQ(hit["merchant_id"], shop.merchant);
  EXPECT_EQ(hit["author_id"], shop.buyer.id);
  EXPECT_EQ(hit["snippet"], "Have you a lamp & a shade?");
  EXPECT_EQ(hit["highlights"], Json::parse(R"([{"start":11,"length":4}])"));
  EXPECT_EQ(found(person(server()).api, "q=lamp").size(), 0u);
}

TEST_F(SearchOverHttp, GoesThroughPages) {
  for (int i = 0; i < 3; ++i) send_text(shop, shop.buyer.api, "An urn");
  ASSERT_TRUE(finds(shop.buyer.api, "q=urn", 3));
  auto api = shop.buyer.api;
  const auto first = api.get("/v1/search/messages?q=urn&limit=2").json();
  ASSERT_EQ(first["data"].size(), 2u);
  EXPECT_EQ(first["data"][0]["seq"], 3);
  const auto cursor = "&limit=2&cursor=" + first["next_cursor"].get<std::string>();
  const auto second = api.get("/v1/search/messages?q=urn" + cursor).json();
  ASSERT_EQ(second["data"].size(), 1u);
  EXPECT_EQ(second["data"][0]["seq"], 1);
  EXPECT_FALSE(second["has_more"]);
  EXPECT_TRUE(is_problem(api.get("/v1/search/messages?q=vase" + cursor), 400, "bad_cursor"));
}

TEST_F(SearchOverHttp, NamesEveryBadParameter) {
  auto api = shop.buyer.api;
  const auto answer = api.get(
      "/v1/search/messages?q=&language=klingon&merchant_id=x&conversation_id=y&author=system"
      "&sent_before=noon");
  EXPECT_TRUE(is_problem(answer, 422, "invalid"));
  EXPECT_EQ(pointers(answer.json()),
            (std::vector<std::string>{"q", "language", "merchant_id", "conversation_id", "author",
                                      "sent_before"}));
  EXPECT_TRUE(points_at(api.get("/v1/search/messages").json(), "q"));
  EXPECT_TRUE(points_at(api.get("/v1/search/messages?q=" + std::string(201, 'x')).json(), "q"));
  const auto common = api.get("/v1/search/messages?q=the+and&language=english");
  EXPECT_TRUE(is_problem(common, 422, "invalid"));
  EXPECT_TRUE(points_at(common.json(), "q"));
}

TEST_F(SearchOverHttp, SpeaksTheShopsLanguage) {
  auto owner = shop.owner.api;
  const auto settings = "/v1/merchants/" + shop.merchant + "/search_settings";
  EXPECT_EQ(owner.get(settings).json()["language"], "simple");
  EXPECT_EQ(owner.put(settings, {{"language", "english"}}).status, 200);
  EXPECT_EQ(owner.get(settings).json()["language"], "english");
  EXPECT_TRUE(is_problem(owner.put(settings, {{"language", "klingon"}}), 422, "invalid"));
  send_text(shop, shop.buyer.api, "I was running");
  EXPECT_TRUE(finds(owner, "q=runs" + here(), 1));
  EXPECT_EQ(found(owner, "q=runs&language=simple" + here()).size(), 0u);
  auto buyer = shop.buyer.api;
  EXPECT_TRUE(is_problem(buyer.get(settings), 404, "not_found"));
}

}  // namespace search_test
}  // namespace bottega::test
