// Checkouts that come at the same moment begin and end together: each once, each with its own
// answer.
#include <barrier>
#include <set>
#include <thread>

#include "http/story.hpp"

namespace bottega::test {
namespace checkouts_together_test {

constexpr std::size_t kBuyers = 4, kEach = 4;

class CheckedOutTogether : public testing::Test {
 protected:
  static void SetUpTestSuite() { house_ = new House({"log.level=warning"}); }
  static void TearDownTestSuite() { delete house_; }
  void SetUp() override {
    for (std::size_t i = 0; i < kBuyers; ++i) {
      auto buyer = person(house_->server);
      const auto opened = buyer.api.post("/v1/conversations", {{"merchant_id", shop_.merchant}});
      ASSERT_LT(opened.status, 300) << opened.body;
      paths_.push_back("/v1/conversations/" + opened.json()["id"].get<std::string>() +
                       "/checkouts");
      buyers_.push_back(std::move(buyer));
    }
  }

  // All of them at the same moment, each on a connection of its own.
  using Ask = std::function<Answer(std::size_t)>;
  static std::vector<Answer> at_once(std::size_t count, const Ask& ask) {
    std::vector<Answer> answers(count);
    std::barrier start(static_cast<std::ptrdiff_t>(count));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i)
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        answers[i] = ask(i);
      });
    threads.clear();
    return answers;
  }
  Answer buy(std::size_t buyer, const Json& body, const std::string& key = new_key()) const {
    auto api = buyers_[buyer].api;
    return api.post(paths_[buyer], body, {{"Idempotency-Key", key}});
  }
  void count(const std::string& id, std::int64_t on_hand) const {
    auto owner = shop_.owner.api;
    const auto counted =
        owner.send("PUT", "/v1/variants/" + id + "/stock", Json{{"on_hand", on_hand}}.dump(),
                   {{"Content-Type", "application/json"}});
    ASSERT_EQ(counted.status, 200) << counted.body;
  }
  // A published variant with so many pieces.
  std::string variant(std::int64_t on_hand) const {
    auto owner = shop_.owner.api;
    const auto made = owner.post(
        "/v1/products",
        {{"merchant_id", shop_.merchant},
         {"title", "Green tea"},
         {"variants",
          {{{"sku", "TEA-1"}, {"prices", {{{"currency", "USD"}, {"amount", 1'000}}}}}}}});
    EXPECT_EQ(made.status, 201) << made.body;
    const auto product = made.json()["id"].get<std::string>();
    const HeaderList version = {{"If-Match", '"' + made.json()["version"].dump() + '"'}};
    EXPECT_EQ(owner.send("POST", "/v1/products/" + product + "/publish", "", version).status, 200);
    const std::string id = made.json()["variants"][0]["id"];
    count(id, on_hand);
    return id;
  }
  static Json want(const std::string& id, const std::string& token = "tok_approved") {
    return {{"lines", {{{"variant_id", id}, {"quantity", 1}}}},
            {"ship_to",
             {{"name", "Pat"},
              {"street", "1 Way"},
              {"city", "Springfield"},
              {"postal_code", "12345"},
              {"country", "US"}}},
            {"total", 1'000},
            {"payment_method", {{"token", token}}}};
  }
  Json stock(const std::string& id) const {
    auto owner = shop_.owner.api;
    return owner.get("/v1/variants/" + id + "/stock").json();
  }
  std::size_t orders() const {
    auto owner = shop_.owner.api;
    return owner.get("/v1/orders?limit=100&merchant_id=" + shop_.merchant).json()["data"].size();
  }

  static inline House* house_ = nullptr;
  Storefront shop_ = shop(house_->server);
  std::vector<Person> buyers_;
  std::vector<std::string> paths_;
};

TEST_F(CheckedOutTogether, ConcurrentCheckoutsSellEachPieceOnce) {
  const auto id = variant(10);
  const auto answers =
      at_once(kBuyers * kEach, [&](std::size_t i) { return buy(i % kBuyers, want(id)); });
  std::set<std::string> sold;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto body = answers[i].json();
    if (answers[i].status != 200) {
      EXPECT_TRUE(is_problem(answers[i], 409, "conflict")) << answers[i].body;
      EXPECT_EQ(body["reason"], "out_of_stock");
      continue;
    }
    EXPECT_TRUE(sold.insert(body["order"]["id"]).second);
    EXPECT_EQ(body["order"]["buyer_id"], buyers_[i % kBuyers].id);
    EXPECT_EQ(body["payment"]["state"], "captured");
    EXPECT_EQ(body["payment_request"]["state"], "paid");
  }
  EXPECT_EQ(sold.size(), 10u);
  EXPECT_EQ(orders(), 10u);
  EXPECT_EQ(stock(id)["on_hand"], 0);
  EXPECT_EQ(stock(id)["reserved"], 0);
}

TEST_F(CheckedOutTogether, ConcurrentRepeatsWithOneKeyAreOneSale) {
  const auto id = variant(10);
  const auto key = new_key();
  const auto answers = at_once(kBuyers * kEach, [&](std::size_t) { return buy(0, want(id), key); });
  std::set<std::string> bodies;
  int fresh = 0;
  for (const auto& answer : answers) {
    if (answer.status != 200) {
      EXPECT_TRUE(is_problem(answer, 409, "in_flight")) << answer.body;
      continue;
    }
    bodies.insert(answer.body);
    if (answer.header("idempotent-replayed").empty()) ++fresh;
  }
  EXPECT_EQ(bodies.size(), 1u);
  EXPECT_EQ(fresh, 1);
  const auto again = buy(0, want(id), key);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  EXPECT_TRUE(bodies.contains(again.body));
  EXPECT_EQ(stock(id)["on_hand"], 9);
  auto other = want(id);
  other["total"] = 1'001;
  EXPECT_TRUE(is_problem(buy(0, other, key), 422, "idempotency_key_reused"));
}

TEST_F(CheckedOutTogether, ConcurrentRefusalsLeaveTheOthersAlone) {
  const auto id = variant(50);
  auto dear = want(id), homeless = want(id);
  dear["total"] = 999;
  homeless.erase("ship_to");
  const auto answers = at_once(kBuyers * 5, [&](std::size_t i) {
    const auto buyer = i % kBuyers;
    switch (i / kBuyers) {
      case 0:
        return buy(buyer, dear);
      case 1:
        return buy(buyer, homeless);
      case 2:
        return buy(buyer, want(id, "tok_declined"));
      case 3: {
        auto stranger = buyers_[buyer].api;
        return stranger.post(paths_[(buyer + 1) % kBuyers], want(id),
                             {{"Idempotency-Key", new_key()}});
      }
      default:
        return buy(buyer, want(id));
    }
  });
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& answer = answers[i];
    switch (i / kBuyers) {
      case 0:
        EXPECT_TRUE(is_problem(answer, 409, "conflict")) << answer.body;
        break;
      case 1:
        EXPECT_TRUE(is_problem(answer, 422, "invalid")) << answer.body;
        break;
      case 2:
        EXPECT_TRUE(is_problem(answer, 402, "declined")) << answer.body;
        break;
      case 3:
        EXPECT_TRUE(is_problem(answer, 404, "not_found")) << answer.body;
        break;
      default:
        EXPECT_EQ(answer.status, 200) << answer.body;
    }
  }
  EXPECT_EQ(orders(), kBuyers);
  EXPECT_EQ(stock(id)["on_hand"], 50 - static_cast<std::int64_t>(kBuyers));
  EXPECT_EQ(stock(id)["reserved"], 0);
}

TEST_F(CheckedOutTogether, ConcurrentDevicesPayARequestOnce) {
  std::vector<Json> asked;
  for (std::size_t i = 0; i < kEach; ++i) asked.push_back(ask(shop_, 1'000));
  const auto answers = at_once(kEach * 3, [&](std::size_t i) {
    const auto path =
        "/v1/payment_requests/" + asked[i % kEach]["id"].get<std::string>() + "/accept";
    auto api = shop_.buyer.api;
    return api.post(path, pay_with("tok_approved"), {{"Idempotency-Key", new_key()}});
  });
  std::vector<std::size_t> paid(kEach, 0);
  for (std::size_t i = 0; i < answers.size(); ++i)
    if (answers[i].status == 200)
      ++paid[i % kEach];
    else
      EXPECT_TRUE(is_problem(answers[i], 409, "conflict")) << answers[i].body;
  EXPECT_EQ(paid, std::vector<std::size_t>(kEach, 1));
  EXPECT_EQ(orders(), kEach);
}

TEST_F(CheckedOutTogether, ARefusalLeavesItsKeyFree) {
  const auto id = variant(0);
  const auto key = new_key();
  EXPECT_TRUE(is_problem(buy(0, want(id), key), 409, "conflict"));
  count(id, 1);
  const auto bought = buy(0, want(id), key);
  EXPECT_EQ(bought.status, 200) << bought.body;
  const auto again = buy(0, want(id), key);
  EXPECT_EQ(again.body, bought.body);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
}

TEST_F(CheckedOutTogether, ADeclineIsKeptAsAnOutcome) {
  const auto id = variant(1);
  const auto key = new_key();
  const auto declined = buy(0, want(id, "tok_declined"), key);
  EXPECT_TRUE(is_problem(declined, 402, "declined"));
  const auto again = buy(0, want(id, "tok_declined"), key);
  EXPECT_EQ(again.status, 402);
  EXPECT_EQ(again.body, declined.body);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  EXPECT_EQ(buy(0, want(id)).status, 200);
}

}  // namespace checkouts_together_test
}  // namespace bottega::test
