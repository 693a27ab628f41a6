// Limits and reviews through the front door: what a buyer is told, what the staff sees, and what a
// decision does.
#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace reviews_test {

constexpr const char* kReviews = "/v1/admin/reviews";

class ReviewRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house_ = new House(
        {"risk.review_amount=100", "risk.request_max=1000", "risk.buyer_count_hour_max=3"});
    finance_ = new Client(staff(house_->server, "finance"));
  }
  static void TearDownTestSuite() {
    delete finance_;
    delete house_;
  }
  static Client finance() { return *finance_; }
  static Storefront shop() { return test::shop(house_->server); }
  // The open review of what this shop has sold last.
  static Json open_one(const Storefront& shop) {
    auto ops = finance();
    const auto found =
        ops.get(std::string(kReviews) + "?state=open&merchant_id=" + shop.merchant).json();
    return found["data"].empty() ? Json() : found["data"][0];
  }
  static std::string path_of(const Json& review) {
    return std::string(kReviews) + '/' + review["id"].get<std::string>();
  }
  static std::string limits_of(const Storefront& shop) {
    return "/v1/admin/merchants/" + shop.merchant + "/limits";
  }
  static Json log_of(const std::string& subject) {
    return staff(house_->server).get("/v1/admin/audit_log?subject=" + subject).json()["data"];
  }
  static std::vector<std::string> actions_of(const std::string& subject) {
    std::vector<std::string> actions;
    for (const auto& line : log_of(subject)) actions.push_back(line["action"]);
    return actions;
  }

  static inline House* house_ = nullptr;
  static inline Client* finance_ = nullptr;
};

TEST_F(ReviewRoutes, ShowWhatIsToBeLookedAtAndWhy) {
  const auto shop = this->shop();
  sell(shop, 10'000);
  EXPECT_TRUE(open_one(shop).is_null()) << "it is not above";
  const auto order = sell(shop, 10'001);
  const auto review = open_one(shop);
  ASSERT_FALSE(review.is_null());
  EXPECT_EQ(review["order_id"], order["id"]);
  EXPECT_EQ(review["payment_id"], order["payment_id"]);
  EXPECT_EQ(review["reasons"], Json({"amount"}));
  EXPECT_EQ(review["amount"], (Json{{"amount", 10'001}, {"currency", "USD"}}));
  EXPECT_EQ(review["state"], "open");
  auto ops = finance();
  EXPECT_EQ(ops.get(path_of(review)).json(), review);
  EXPECT_EQ(actions_of(review["id"]), std::vector<std::string>{"review.show"});
}

TEST_F(ReviewRoutes, AreListedPageByPage) {
  const auto shop = this->shop();
  const auto first = sell(shop, 10'001), second = sell(shop, 10'002);
  auto ops = finance();
  const auto path = std::string(kReviews) + "?limit=1&merchant_id=" + shop.merchant;
  const auto page = ops.get(path).json();
  ASSERT_EQ(page["data"].size(), 1u);
  EXPECT_EQ(page["data"][0]["order_id"], second["id"]) << "newest first";
  ASSERT_TRUE(page["has_more"]);
  const auto rest = ops.get(path + "&cursor=" + page["next_cursor"].get<std::string>()).json();
  ASSERT_EQ(rest["data"].size(), 1u);
  EXPECT_EQ(rest["data"][0]["order_id"], first["id"]);
  EXPECT_FALSE(rest["has_more"]);
  EXPECT_TRUE(ops.get(path + "&state=rejected").json()["data"].empty());
  EXPECT_EQ(ops.get(path + "&state=odd").status, 422);
  EXPECT_TRUE(is_problem(ops.get(path + "&cursor=nonsense"), 400, "bad_cursor"));
}

TEST_F(ReviewRoutes, LetTheMerchantBePaidWhereTheyAreApproved) {
  const auto shop = this->shop();
  const auto payout = ship(shop, sell(shop, 10'001)).json()["payout"];
  EXPECT_EQ(payout["state"], "held");
  const auto review = open_one(shop);
  auto ops = finance();
  EXPECT_TRUE(points_at(ops.post(path_of(review) + "/approve", Json::object()).json(), "/reason"));
  const Json reason = {{"reason", "asked the buyer"}};
  const auto key = new_key();
  const auto done = ops.post(path_of(review) + "/approve", reason, {{"Idempotency-Key", key}});
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.json()["state"], "approved");
  EXPECT_EQ(done.json()["decision"], "asked the buyer");
  EXPECT_EQ(ops.post(path_of(review) + "/approve", reason, {{"Idempotency-Key", key}}).body,
            done.body);
  for (const auto* verb : {"/approve", "/reject"})
    EXPECT_TRUE(is_problem(ops.post(path_of(review) + verb, reason), 409, "conflict"));
  auto owner = shop.owner.api;
  EXPECT_EQ(owner.get("/v1/payouts/" + std::string(payout["id"])).json()["state"], "scheduled");
  const auto log = log_of(review["id"]);
  ASSERT_EQ(log.size(), 1u) << "a decision that was refused has not happened";
  EXPECT_EQ(log[0]["action"], "review.approve");
  EXPECT_EQ(log[0]["reason"], "asked the buyer");
}

TEST_F(ReviewRoutes, GiveTheBuyerAllBackWhereTheyAreRejected) {
  const auto shop = this->shop();
  const auto order = sell(shop, 10'001);
  auto ops = finance();
  const auto review = open_one(shop);
  const auto done = ops.post(path_of(review) + "/reject", {{"reason", "a stolen card"}});
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.json()["state"], "rejected");
  auto buyer = shop.buyer.api;
  const auto payment = "/v1/payments/" + std::string(order["payment_id"]);
  EXPECT_TRUE(soon([&] { return buyer.get(payment).json()["state"] == "refunded"; }));
  EXPECT_EQ(buyer.get("/v1/orders/" + std::string(order["id"])).json()["state"], "cancelled");
  const auto told = buyer.get(shop.path("/messages?limit=100")).body;
  EXPECT_EQ(told.find("stolen"), std::string::npos) << "the reason is the staff's";
  const auto log = log_of(review["id"]);
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0]["action"], "review.reject");
  EXPECT_TRUE(log[0]["details"].contains("refund"));
}

TEST_F(ReviewRoutes, AreForFinance) {
  const auto shop = this->shop();
  sell(shop, 10'001);
  const auto path = path_of(open_one(shop));
  auto support = staff(house_->server, "support");
  auto owner = shop.owner.api;
  const Json reason = {{"reason", "why not"}};
  EXPECT_EQ(support.get(kReviews).status, 403);
  EXPECT_EQ(support.get(path).status, 403);
  EXPECT_EQ(support.post(path + "/approve", reason).status, 403);
  EXPECT_EQ(support.get(limits_of(shop)).status, 403);
  for (const auto* verb : {"/approve", "/reject"})
    EXPECT_TRUE(is_problem(owner.post(path + verb, reason), 404, "not_found"));
  EXPECT_EQ(open_one(shop)["state"], "open");
}

TEST_F(ReviewRoutes, ComeBesideLimitsOfARequest) {
  const auto shop = this->shop();
  auto owner = shop.owner.api;
  EXPECT_EQ(owner.post("/v1/payment_requests", new_request(shop, 100'000)).status, 201);
  const auto refused = owner.post("/v1/payment_requests", new_request(shop, 100'001));
  EXPECT_TRUE(is_problem(refused, 422, "invalid"));
  EXPECT_TRUE(points_at(refused.json(), "/lines")) << refused.body;
}

TEST_F(ReviewRoutes, ComeBesideLimitsOfAMerchant) {
  const auto shop = this->shop();
  auto ops = finance();
  const auto set = ops.post(limits_of(shop), {{"week_max", 100}, {"reason", "new here"}});
  ASSERT_EQ(set.status, 200) << set.body;
  EXPECT_EQ(set.json()["week_max"], 100);
  EXPECT_EQ(set.json()["request_max"], 1000);
  sell(shop, 9'000);
  EXPECT_EQ(ops.get(limits_of(shop)).json()["taken"],
            (Json{{"amount", 9'000}, {"currency", "USD"}}));
  const auto request = ask(shop, 1'001);
  const auto path = "/v1/payment_requests/" + request["id"].get<std::string>();
  auto buyer = shop.buyer.api;
  const HeaderList key = {{"Idempotency-Key", new_key()}};
  const auto refused = buyer.post(path + "/accept", pay_with("tok_approved"), key);
  EXPECT_TRUE(is_problem(refused, 409, "conflict"));
  EXPECT_EQ(refused.json()["reason"], "not_possible_now");
  EXPECT_EQ(refused.json()["detail"].get<std::string>().find_first_of("0123456789"),
            std::string::npos);
  EXPECT_EQ(buyer.get(path).json()["state"], "open");
  ops.post(limits_of(shop), {{"reason", "well known"}});
  EXPECT_EQ(buyer.post(path + "/accept", pay_with("tok_approved"), key).status, 200)
      << "the same key pays, since nothing had happened";
  EXPECT_EQ(actions_of(shop.merchant),
            (std::vector<std::string>{"limits.set", "limits.show", "limits.set"}));
}

TEST_F(ReviewRoutes, RefuseLimitsThatAreNone) {
  const auto shop = this->shop();
  auto ops = finance();
  const std::vector<std::pair<Json, std::string>> rows = {
      {{{"week_max", -1}, {"reason", "x"}}, "/week_max"},
      {{{"week_max", 1'000'000'001}, {"reason", "x"}}, "/week_max"},
      {{{"request_max", 1.5}, {"reason", "x"}}, "/request_max"},
      {{{"request_max", 5}}, "/reason"},
      {{{"most", 5}, {"reason", "x"}}, "/most"},
  };
  for (const auto& [body, pointer] : rows) {
    const auto answer = ops.post(limits_of(shop), body);
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << body;
    EXPECT_TRUE(points_at(answer.json(), pointer)) << body << answer.body;
  }
  EXPECT_EQ(ops.get(limits_of(shop)).json()["set_by"], nullptr);
}

TEST_F(ReviewRoutes, ComeBesideLimitsOfABuyer) {
  const auto shop = this->shop();
  for (int i = 0; i < 3; ++i) sell(shop);
  const auto refused = accept(shop, ask(shop));
  EXPECT_TRUE(is_problem(refused, 429, "rate_limited"));
  EXPECT_EQ(refused.json()["reason"], "buyer_count_hour_limit");
  const auto wait = std::stoi(refused.header("retry-after"));
  EXPECT_GT(wait, 0);
  EXPECT_LE(wait, 600);
}

}  // namespace reviews_test
}  // namespace bottega::test
