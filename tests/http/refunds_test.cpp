// Refunds through the front door: what may be asked for, by whom, and what it comes to.
#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace refunds_test {

class RefundRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house_ = new House;
    shop_ = new Storefront(shop(house_->server));
  }
  static void TearDownTestSuite() {
    delete shop_;
    delete house_;
  }
  static std::string refunds_of(const Json& order) {
    return "/v1/payments/" + order["payment_id"].get<std::string>() + "/refunds";
  }
  static bool becomes(Client& who, const std::string& path, const std::string& state) {
    return soon([&] { return who.get(path).json()["state"] == state; });
  }

  static inline House* house_ = nullptr;
  static inline Storefront* shop_ = nullptr;
};

TEST_F(RefundRoutes, GiveBackAPartOnceHoweverOftenItIsAsked) {
  const auto order = sell(*shop_, 5'000);
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  const Json part = {{"amount", 1'200}, {"reason", "A scratch"}};
  const auto key = new_key();
  const auto first = owner.post(refunds_of(order), part, {{"Idempotency-Key", key}});
  ASSERT_EQ(first.status, 201) << first.body;
  EXPECT_EQ(first.json()["state"], "pending");
  EXPECT_EQ(first.json()["amount"], (Json{{"amount", 1'200}, {"currency", "USD"}}));
  const auto again = owner.post(refunds_of(order), part, {{"Idempotency-Key", key}});
  EXPECT_EQ(again.body, first.body);
  const auto path = "/v1/refunds/" + std::string(first.json()["id"]);
  EXPECT_TRUE(becomes(buyer, path, "succeeded"));
  EXPECT_EQ(buyer.get(refunds_of(order)).json()["data"].size(), 1u);
  const auto payment = buyer.get("/v1/payments/" + std::string(order["payment_id"])).json();
  EXPECT_EQ(payment["refunded"], 1'200);
  EXPECT_EQ(payment["state"], "partially_refunded");
}

TEST_F(RefundRoutes, NameWhatIsWrongWithWhatIsAskedFor) {
  const auto order = sell(*shop_, 5'000);
  auto owner = shop_->owner.api;
  const std::vector<std::pair<Json, std::string>> rows = {
      {{{"amount", 0}, {"reason", "x"}}, "/amount"},
      {{{"amount", -5}, {"reason", "x"}}, "/amount"},
      {{{"amount", 1.5}, {"reason", "x"}}, "/amount"},
      {{{"amount", "5"}, {"reason", "x"}}, "/amount"},
      {{{"amount", 5'001}, {"reason", "x"}}, "/amount"},
      {{{"amount", 5}}, "/reason"},
      {{{"amount", 5}, {"reason", ""}}, "/reason"},
      {{{"amount", 5}, {"reason", std::string(256, 'x')}}, "/reason"},
      {{{"amount", 5}, {"reason", "x"}, {"funded_by", "platform"}}, "/funded_by"},
  };
  for (const auto& [body, pointer] : rows) {
    const auto answer = owner.post(refunds_of(order), body);
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << body;
    EXPECT_TRUE(points_at(answer.json(), pointer)) << body << answer.body;
  }
  EXPECT_TRUE(owner.get(refunds_of(order)).json()["data"].empty());
  EXPECT_EQ(owner.get("/v1/payments/" + std::string(order["payment_id"])).json()["refunding"], 0);
}

TEST_F(RefundRoutes, AreForThoseWhoMayAskAndAreNotThereForOthers) {
  const auto order = sell(*shop_, 5'000);
  const Json part = {{"amount", 100}, {"reason", "A scratch"}};
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  auto stranger = person(house_->server).api;
  EXPECT_TRUE(is_problem(stranger.post(refunds_of(order), part), 404, "not_found"));
  EXPECT_TRUE(is_problem(buyer.post(refunds_of(order), part), 404, "not_found"));
  const auto made = owner.post(refunds_of(order), part).json();
  const auto path = "/v1/refunds/" + std::string(made["id"]);
  EXPECT_EQ(buyer.get(path).status, 200);
  EXPECT_TRUE(is_problem(stranger.get(path), 404, "not_found"));
  EXPECT_TRUE(
      is_problem(owner.get("/v1/refunds/rfnd_01h455vb4pex5vsknk084sn02q"), 404, "not_found"));
}

TEST_F(RefundRoutes, OfTheStaffAreForFinanceAndWrittenDown) {
  const auto order = sell(*shop_, 5'000);
  const auto path = "/v1/admin" + refunds_of(order).substr(3);
  const Json goodwill = {{"amount", 300}, {"reason", "It was late"}, {"funded_by", "platform"}};
  auto support = staff(house_->server, "support"), ops = staff(house_->server, "finance");
  EXPECT_EQ(support.post(path, goodwill).status, 403);
  const auto made = ops.post(path, goodwill);
  ASSERT_EQ(made.status, 201) << made.body;
  auto buyer = shop_->buyer.api;
  EXPECT_TRUE(becomes(buyer, "/v1/refunds/" + std::string(made.json()["id"]), "succeeded"));
  const auto log = staff(house_->server)
                       .get("/v1/admin/audit_log?subject=" + std::string(order["payment_id"]))
                       .json()["data"];
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0]["action"], "payment.refund");
  EXPECT_EQ(log[0]["reason"], "It was late");
  EXPECT_EQ(log[0]["details"]["funded_by"], "platform");
  auto broken = goodwill;
  broken["funded_by"] = "nobody";
  EXPECT_TRUE(points_at(ops.post(path, broken).json(), "/funded_by"));
  broken.erase("funded_by");
  EXPECT_TRUE(points_at(ops.post(path, broken).json(), "/funded_by"));
}

}  // namespace refunds_test
}  // namespace bottega::test
