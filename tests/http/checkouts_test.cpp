// Buy now over HTTP: one call that quotes agree with, whatever happens to it on its way.
#include <future>

#include "http/story.hpp"

namespace bottega::test {
namespace checkouts_test {

class Checkouts : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house_ = new House({"checkout.answer_s=2"});
    shop_ = new Storefront(shop(house_->server));
  }
  static void TearDownTestSuite() {
    delete shop_;
    delete house_;
  }
  void TearDown() override { ask_before("accept", false); }

  // A published variant with so many pieces.
  static std::string variant(std::int64_t on_hand, std::int64_t amount = 1'000) {
    static int number = 0;
    auto owner = shop_->owner.api;
    const auto made =
        owner.post("/v1/products", {{"merchant_id", shop_->merchant},
                                    {"title", "Green tea"},
                                    {"variants",
                                     {{{"sku", "HTTP-" + std::to_string(++number)},
                                       {"prices", {{{"currency", "USD"}, {"amount", amount}}}}}}}});
    EXPECT_EQ(made.status, 201) << made.body;
    const auto product = made.json()["id"].get<std::string>();
    const HeaderList version = {{"If-Match", '"' + made.json()["version"].dump() + '"'}};
    EXPECT_EQ(owner.send("POST", "/v1/products/" + product + "/publish", "", version).status, 200);
    const std::string id = made.json()["variants"][0]["id"];
    const auto counted =
        owner.send("PUT", "/v1/variants/" + id + "/stock", Json{{"on_hand", on_hand}}.dump(),
                   {{"Content-Type", "application/json"}});
    EXPECT_EQ(counted.status, 200) << counted.body;
    return id;
  }
  static Json want(const std::string& id, std::int64_t total = 1'000,
                   const std::string& token = "tok_approved") {
    return {{"lines", {{{"variant_id", id}, {"quantity", 1}}}},
            {"ship_to",
             {{"name", "Pat"},
              {"street", "1 Way"},
              {"city", "Springfield"},
              {"postal_code", "12345"},
              {"country", "US"}}},
            {"total", total},
            {"payment_method", {{"token", token}}}};
  }
  static Answer buy(const Json& body, const std::string& key = new_key()) {
    auto buyer = shop_->buyer.api;
    return buyer.post(shop_->path("/checkouts"), body, {{"Idempotency-Key", key}});
  }
  static Json stock(const std::string& id) {
    auto owner = shop_->owner.api;
    return owner.get("/v1/variants/" + id + "/stock").json();
  }
  static void ask_before(const std::string& standing_answer, bool ask = true) {
    auto owner = shop_->owner.api;
    const auto path = "/v1/merchants/" + shop_->merchant + "/checkout_settings";
    const Json rules = {
        {"tax_mode", "none"},
        {"buyer",
         {{"address", "required"},
          {"email", "none"},
          {"phone", "none"},
          {"name", "none"},
          {"billing", "none"}}},
        {"tips", {{"allowed", false}, {"suggested_percent", Json::array()}, {"most_percent", 100}}},
        {"pre_checkout", {{"ask", ask}, {"standing_answer", standing_answer}}}};
    const auto answer =
        owner.send("PUT", path, rules.dump(), {{"Content-Type", "application/json"}});
    ASSERT_EQ(answer.status, 200) << answer.body;
  }
  // The request that the shop is asked about; it has asked for it until there was one.
  static std::string asked() {
    auto owner = shop_->owner.api;
    std::string id;
    EXPECT_TRUE(soon([&] {
      const auto open =
          owner.get("/v1/merchants/" + shop_->merchant + "/payment_questions").json()["data"];
      if (!open.empty()) id = open[0]["payment_request_id"];
      return !id.empty();
    }));
    return id;
  }

  static inline House* house_ = nullptr;
  static inline Storefront* shop_ = nullptr;
};

TEST_F(Checkouts, ACallBuysAndARepeatGetsTheSameAnswer) {
  const auto id = variant(2);
  const auto key = new_key();
  const auto bought = buy(want(id), key);
  ASSERT_EQ(bought.status, 200) << bought.body;
  EXPECT_EQ(bought.json()["order"]["total"]["amount"], 1'000);
  EXPECT_EQ(bought.json()["order"]["lines"][0]["variant_id"], id);
  const auto again = buy(want(id), key);
  EXPECT_EQ(again.body, bought.body);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  EXPECT_EQ(stock(id)["on_hand"], 1);
  EXPECT_EQ(stock(id)["reserved"], 0);
}

TEST_F(Checkouts, TheQuoteSaysWhatIsCharged) {
  const auto id = variant(2);
  auto buyer = shop_->buyer.api;
  auto body = want(id);
  const auto quoted = buyer.post(shop_->path("/quotes"), {{"lines", body["lines"]}});
  ASSERT_EQ(quoted.status, 200) << quoted.body;
  EXPECT_EQ(quoted.json()["total"], 1'000);
  EXPECT_EQ(quoted.json()["is_final"], false) << "an address is needed";
  body["total"] = 999;
  const auto refused = buy(body);
  EXPECT_TRUE(is_problem(refused, 409, "conflict"));
  EXPECT_EQ(refused.json()["reason"], "price_changed");
  EXPECT_EQ(stock(id)["reserved"], 0);
}

TEST_F(Checkouts, WhatIsSoldOutIsSaidSo) {
  const auto id = variant(1);
  ASSERT_EQ(buy(want(id)).status, 200);
  const auto late = buy(want(id));
  EXPECT_TRUE(is_problem(late, 409, "conflict"));
  EXPECT_EQ(late.json()["reason"], "out_of_stock");
  EXPECT_TRUE(points_at(late.json(), "/lines/0/quantity"));
}

TEST_F(Checkouts, ADeclineLeavesTheStock) {
  const auto id = variant(1);
  EXPECT_TRUE(is_problem(buy(want(id, 1'000, "tok_declined")), 402, "declined"));
  EXPECT_EQ(stock(id)["on_hand"], 1);
  EXPECT_EQ(stock(id)["reserved"], 0);
}

TEST_F(Checkouts, ManyAtOnceSellWhatIsThereConcurrently) {
  const auto id = variant(3);
  std::vector<std::future<Answer>> tries;
  for (int i = 0; i < 12; ++i)
    tries.push_back(std::async(std::launch::async, [&] { return buy(want(id)); }));
  int sold = 0, told = 0;
  for (auto& one : tries) {
    const auto answer = one.get();
    sold += answer.status == 200 ? 1 : 0;
    told += answer.status == 409 ? 1 : 0;
  }
  EXPECT_EQ(sold, 3);
  EXPECT_EQ(told, 9);
  EXPECT_EQ(stock(id)["on_hand"], 0);
  EXPECT_EQ(stock(id)["reserved"], 0);
}

TEST_F(Checkouts, TheShopIsAskedBeforeTheCharge) {
  ask_before("refuse");
  const auto id = variant(2);
  auto owner = shop_->owner.api;
  auto bought = std::async(std::launch::async, [&] { return buy(want(id)); });
  const auto request = asked();
  EXPECT_EQ(stock(id)["reserved"], 1);
  const auto path = "/v1/payment_requests/" + request;
  EXPECT_EQ(owner.post(path + "/answer", {{"answer", "accept"}}).status, 200);
  EXPECT_EQ(bought.get().status, 200);
  EXPECT_EQ(owner.get(path + "/question").json()["answer"], "accept");

  auto refused = std::async(std::launch::async, [&] { return buy(want(id)); });
  const auto second = asked();
  EXPECT_EQ(owner
                .post("/v1/payment_requests/" + second + "/answer",
                      {{"answer", "refuse"}, {"reason", "The last one broke"}})
                .status,
            200);
  const auto answer = refused.get();
  EXPECT_TRUE(is_problem(answer, 409, "conflict"));
  EXPECT_EQ(answer.json()["reason"], "refused_by_merchant");
  EXPECT_NE(answer.body.find("The last one broke"), std::string::npos);
  EXPECT_EQ(stock(id)["on_hand"], 1);
  EXPECT_EQ(stock(id)["reserved"], 0);
}

TEST_F(Checkouts, AShopThatSaysNothingHasItsStandingAnswer) {
  const auto id = variant(2);
  ask_before("accept");
  EXPECT_EQ(buy(want(id)).status, 200);
  ask_before("refuse");
  const auto refused = buy(want(id));
  EXPECT_TRUE(is_problem(refused, 409, "conflict"));
  EXPECT_EQ(refused.json()["reason"], "refused_by_merchant");
}

}  // namespace checkouts_test
}  // namespace bottega::test
