// Help through the front door: who may do what, what both sides are told, and what the audit log
// has of the staff.
#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace support_test {

class SupportRoutes : public testing::Test {
 protected:
  // A server of its own: its clock is moved.
  static void SetUpTestSuite() {
    house_ = new House;
    shop_ = new Storefront(shop(house_->server));
  }
  static void TearDownTestSuite() {
    delete shop_;
    delete house_;
  }
  static Json opened(const Json& order) {
    auto buyer = shop_->buyer.api;
    const auto answer =
        buyer.post("/v1/support_cases",
                   {{"subject", "damaged"}, {"text", "It is broken"}, {"order_id", order["id"]}});
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.json();
  }
  static std::string path_of(const Json& made, const std::string& below = "") {
    return "/v1/support_cases/" + made["id"].get<std::string>() + below;
  }
  static std::string at_ops(const Json& made, const std::string& below = "") {
    return "/v1/admin/support_cases/" + made["id"].get<std::string>() + below;
  }
  static std::vector<std::string> acts_on(const Json& made) {
    auto admin = staff(house_->server);
    std::vector<std::string> actions;
    const auto path = "/v1/admin/audit_log?limit=100&subject=" + made["id"].get<std::string>();
    const auto body = admin.get(path).json();
    for (const auto& act : body["data"]) actions.push_back(act["action"]);
    return actions;
  }

  static inline House* house_ = nullptr;
  static inline Storefront* shop_ = nullptr;
};

TEST_F(SupportRoutes, ACaseGoesFromTheBuyerToTheShopAndBack) {
  const auto made = opened(sell(*shop_));
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  EXPECT_EQ(made["state"], "open");
  EXPECT_TRUE(made["work"].is_null());
  EXPECT_EQ(owner.get(path_of(made)).json()["work"]["priority"], "normal");
  const auto answered = owner.post(path_of(made, "/reply"), {{"text", "A photo, please"}});
  EXPECT_EQ(answered.json()["state"], "pending") << answered.body;
  const auto log = buyer.get(shop_->path("/messages?before=1000000&limit=2")).json()["data"];
  EXPECT_EQ(log[0]["data"]["text"], "A photo, please");
  EXPECT_EQ(log[1]["event"], "support_case.replied");
  EXPECT_EQ(log[1]["data"]["support_case"]["state"], "pending");
  EXPECT_EQ(buyer.post(path_of(made, "/reply"), {{"text", "Here"}}).json()["state"], "open");
  EXPECT_EQ(owner.post(path_of(made, "/solve")).json()["state"], "solved");
  EXPECT_EQ(buyer.post(path_of(made, "/rate"), {{"rating", 5}}).json()["rating"], 5);
  EXPECT_TRUE(is_problem(buyer.post(path_of(made, "/rate"), {{"rating", 5}}), 409, "conflict"));
}

TEST_F(SupportRoutes, NameWhatIsWrongWithAQuestion) {
  auto buyer = shop_->buyer.api;
  const auto none = buyer.post("/v1/support_cases", {{"subject", "damaged"}, {"text", "Help"}});
  EXPECT_TRUE(is_problem(none, 422, "invalid"));
  EXPECT_TRUE(points_at(none.json(), "/order_id"));
  const auto order = sell(*shop_)["id"];
  const auto chosen =
      buyer.post("/v1/support_cases",
                 {{"subject", "withdrawal"}, {"text", "I want out"}, {"order_id", order}});
  EXPECT_TRUE(points_at(chosen.json(), "/subject")) << chosen.body;
  const auto long_one =
      buyer.post("/v1/support_cases",
                 {{"subject", "other"}, {"text", std::string(4'097, 'x')}, {"order_id", order}});
  EXPECT_TRUE(points_at(long_one.json(), "/text")) << long_one.body;
  const auto made = opened(sell(*shop_));
  for (const auto rating : {0, 6})
    EXPECT_TRUE(
        points_at(buyer.post(path_of(made, "/rate"), {{"rating", rating}}).json(), "/rating"));
}

TEST_F(SupportRoutes, AQueueIsPagedAndFiltered) {
  auto owner = shop_->owner.api;
  const auto first = opened(sell(*shop_)), second = opened(sell(*shop_));
  owner.post(path_of(second, "/priority"), {{"priority", "urgent"}});
  const auto list = "/v1/support_cases?merchant_id=" + shop_->merchant;
  std::vector<std::string> seen;
  std::string cursor;
  for (bool more = true; more;) {
    const auto page =
        owner.get(list + "&limit=1&state=open" + (cursor.empty() ? "" : "&cursor=" + cursor));
    ASSERT_EQ(page.status, 200) << page.body;
    const auto body = page.json();
    for (const auto& one : body["data"]) seen.push_back(one["id"]);
    more = body["has_more"];
    if (more) cursor = body["next_cursor"];
  }
  ASSERT_GE(seen.size(), 2u);
  EXPECT_EQ(seen[0], second["id"]);
  EXPECT_EQ(std::ranges::count(seen, first["id"].get<std::string>()), 1);
  EXPECT_EQ(owner.get(list + "&priority=urgent").json()["data"].size(), 1u);
  const auto mine = owner.get(list + "&assignee=me").json();
  for (const auto& one : mine["data"]) EXPECT_NE(one["id"], first["id"]);
  EXPECT_TRUE(is_problem(owner.get(list + "&state=nonsense"), 422, "invalid"));
  EXPECT_TRUE(is_problem(owner.get("/v1/support_cases?state=open"), 422, "invalid"));
  auto stranger = person(house_->server).api;
  EXPECT_TRUE(is_problem(stranger.get(list), 404, "not_found"));
  EXPECT_EQ(stranger.get("/v1/support_cases").json()["data"].size(), 0u);
}

TEST_F(SupportRoutes, EveryLookOfTheStaffIsInTheAuditLog) {
  const auto made = opened(sell(*shop_));
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  auto support = staff(house_->server, "support");
  send_text(*shop_, buyer, "Please hurry");
  EXPECT_TRUE(is_problem(support.get(at_ops(made)), 404, "not_found"));
  EXPECT_TRUE(is_problem(support.get(at_ops(made, "/entries")), 404, "not_found"));
  EXPECT_TRUE(acts_on(made).empty()) << "what was refused was not seen";
  ASSERT_EQ(owner.post(path_of(made, "/hand_over"), {{"note", "A hard one"}}).status, 200);
  const auto entries = support.get(at_ops(made, "/entries?limit=1")).json();
  EXPECT_EQ(entries["data"][0]["event"], "support_case.created");
  const auto cursor = entries["next_cursor"].get<std::string>();
  const auto rest = support.get(at_ops(made, "/entries?limit=100&cursor=" + cursor)).json();
  EXPECT_EQ(rest["data"][0]["data"]["text"], "It is broken");
  EXPECT_EQ(support.get(at_ops(made, "/messages")).json()["data"][0]["text"], "A hard one");
  EXPECT_EQ(support.get(at_ops(made)).status, 200);
  EXPECT_EQ(support.post(at_ops(made, "/reply"), {{"text", "We look"}}).status, 200);
  EXPECT_EQ(support.post(at_ops(made, "/solve")).status, 200);
  const auto acts = acts_on(made);
  EXPECT_EQ(std::ranges::count(acts, "support_case.read"), 2);
  for (const auto* act :
       {"support_case.messages", "support_case.show", "support_case.answer", "support_case.solve"})
    EXPECT_EQ(std::ranges::count(acts, act), 1) << act;
  const auto log = buyer.get(shop_->path("/messages?before=1000000&limit=2")).json()["data"];
  EXPECT_EQ(log[1]["data"]["from"], "Help");
  EXPECT_TRUE(log[1]["data"]["author_id"].is_null());
}

TEST_F(SupportRoutes, BothSidesHearOfACaseAndOnlyTheShopOfItsWork) {
  const auto order = sell(*shop_);
  Socket till(house_->server.port(), shop_->owner.api.token());
  Socket phone(house_->server.port(), shop_->buyer.api.token());
  listen(till);
  listen(phone);
  const auto made = opened(order);
  EXPECT_EQ(till.event("support_case.updated")["data"]["support_case"]["work"]["priority"],
            "normal");
  const auto told = phone.event("support_case.created");
  EXPECT_EQ(told["data"]["support_case"]["id"], made["id"]);
  EXPECT_TRUE(told["data"]["support_case"]["work"].is_null());
}

TEST_F(SupportRoutes, WithdrawingIsAskedTwiceAndDeclaredOnce) {
  const auto order = sell(*shop_);
  auto buyer = shop_->buyer.api, owner = shop_->owner.api;
  const auto path = "/v1/orders/" + order["id"].get<std::string>() + "/withdraw";
  EXPECT_EQ(buyer.post(path, Json::object()).json()["is_declared"], false);
  const auto declared = buyer.post(path, {{"confirm", true}});
  ASSERT_EQ(declared.status, 200) << declared.body;
  EXPECT_EQ(declared.json()["refund"], order["total"]);
  EXPECT_EQ(buyer.post(path, {{"confirm", true}}).json(), declared.json());
  EXPECT_TRUE(is_problem(owner.post(path, {{"confirm", true}}), 404, "not_found"));
  const auto made = owner.get("/v1/support_cases/" + declared.json()["case_id"].get<std::string>());
  EXPECT_EQ(made.json()["subject"], "withdrawal");
}

TEST(SupportInTime, ClosesByItselfWhatWasSolvedDaysAgo) {
  const House house({"support.close_after_days=2"});
  const auto shop = chat(house.server);
  auto buyer = shop.buyer.api;
  const auto made = buyer.post(
      "/v1/support_cases",
      {{"subject", "other"}, {"text", "A question"}, {"conversation_id", shop.conversation}});
  ASSERT_EQ(made.status, 201) << made.body;
  const auto path = "/v1/support_cases/" + made.json()["id"].get<std::string>();
  ASSERT_EQ(buyer.post(path + "/solve").status, 200);
  auto admin = staff(house.server);
  ASSERT_EQ(admin.post("/v1/admin/clock/advance", {{"advance_s", 3 * 86'400}}).status, 200);
  auto again = log_in(house.server, shop.buyer.email).api;
  EXPECT_TRUE(soon([&] { return again.get(path).json()["state"] == "closed"; }));
  EXPECT_TRUE(is_problem(again.post(path + "/reply", {{"text", "Hello?"}}), 409, "conflict"));
}

}  // namespace support_test
}  // namespace bottega::test
