// Orders that are marked as sent at the same moment are written together: each once, each with its
// own answer.
#include <barrier>
#include <set>
#include <thread>

#include "http/story.hpp"

namespace bottega::test {
namespace shipments_together_test {

constexpr std::size_t kOrders = 8, kEach = 3;

class ShippedTogether : public testing::Test {
 protected:
  static void SetUpTestSuite() { house_ = new House({"log.level=warning"}); }
  static void TearDownTestSuite() { delete house_; }

  // All of them at the same moment, each on a connection of its own.
  using Ask = std::function<Answer(std::size_t, Client&)>;
  std::vector<Answer> at_once(std::size_t count, const Ask& ask) {
    std::vector<Answer> answers(count);
    std::barrier start(static_cast<std::ptrdiff_t>(count));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i)
      threads.emplace_back([&, i, api = shop_.owner.api]() mutable {
        start.arrive_and_wait();
        answers[i] = ask(i, api);
      });
    threads.clear();
    return answers;
  }
  static std::string path_of(const Json& order) {
    return "/v1/orders/" + order["id"].get<std::string>() + "/ship";
  }
  std::size_t payouts() {
    auto api = shop_.owner.api;
    return api.get("/v1/payouts?limit=100&merchant_id=" + shop_.merchant).json()["data"].size();
  }

  static inline House* house_ = nullptr;
  Storefront shop_ = shop(house_->server);
  const Json other_ = {{"carrier", "other"}};
};

TEST_F(ShippedTogether, ConcurrentRequestsSendEachOrderOnce) {
  std::vector<Json> sold;
  for (std::size_t i = 0; i < kOrders; ++i) sold.push_back(sell(shop_));
  const auto answers = at_once(kOrders * kEach, [&](std::size_t i, Client& api) {
    return api.post(path_of(sold[i % kOrders]), other_);
  });
  std::vector<std::size_t> sent(kOrders, 0);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].status != 200) {
      EXPECT_TRUE(is_problem(answers[i], 409, "conflict")) << answers[i].body;
      continue;
    }
    ++sent[i % kOrders];
    const auto body = answers[i].json();
    EXPECT_EQ(body["order"]["id"], sold[i % kOrders]["id"]);
    EXPECT_EQ(body["order"]["state"], "shipped");
    EXPECT_EQ(body["payout"]["order_id"], sold[i % kOrders]["id"]);
  }
  EXPECT_EQ(sent, std::vector<std::size_t>(kOrders, 1));
  EXPECT_EQ(payouts(), kOrders);
}

TEST_F(ShippedTogether, ConcurrentRequestsWithOneKeyAreOneShipment) {
  const auto order = sell(shop_);
  const auto key = new_key();
  const auto answers = at_once(kOrders, [&](std::size_t, Client& api) {
    return api.post(path_of(order), other_, {{"Idempotency-Key", key}});
  });
  std::set<std::string> bodies;
  int fresh = 0;
  for (const auto& answer : answers) {
    ASSERT_EQ(answer.status, 200) << answer.body;
    bodies.insert(answer.json()["shipment"]["id"].get<std::string>());
    if (answer.header("idempotent-replayed").empty()) ++fresh;
  }
  EXPECT_EQ(bodies.size(), 1u);
  EXPECT_EQ(fresh, 1);
  EXPECT_EQ(payouts(), 1u);
}

TEST_F(ShippedTogether, ConcurrentRefusalsLeaveTheOthersAlone) {
  std::vector<Json> sold;
  for (std::size_t i = 0; i < kOrders; ++i) sold.push_back(sell(shop_));
  const auto stranger = person(house_->server);
  const Json too_many = {{"carrier", "other"}, {"lines", {{{"line", 0}, {"quantity", 7}}}}};
  const auto answers = at_once(kOrders, [&](std::size_t i, Client& api) {
    if (i % 4 == 1) return Client(stranger.api).post(path_of(sold[i]), other_);
    return api.post(path_of(sold[i]), i % 4 == 2 ? too_many : other_);
  });
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (i % 4 == 1)
      EXPECT_TRUE(is_problem(answers[i], 404, "not_found")) << answers[i].body;
    else if (i % 4 == 2)
      EXPECT_TRUE(is_problem(answers[i], 422, "invalid")) << answers[i].body;
    else
      EXPECT_EQ(answers[i].status, 200) << answers[i].body;
  }
  EXPECT_EQ(payouts(), kOrders / 2);
}

TEST_F(ShippedTogether, ARefusalLeavesItsKeyFree) {
  const auto order = sell(shop_);
  const auto key = new_key();
  const Json too_many = {{"carrier", "other"}, {"lines", {{{"line", 0}, {"quantity", 7}}}}};
  auto api = shop_.owner.api;
  EXPECT_TRUE(
      is_problem(api.post(path_of(order), too_many, {{"Idempotency-Key", key}}), 422, "invalid"));
  const auto sent = api.post(path_of(order), other_, {{"Idempotency-Key", key}});
  EXPECT_EQ(sent.status, 200) << sent.body;
  const auto again = api.post(path_of(order), other_, {{"Idempotency-Key", key}});
  EXPECT_EQ(again.body, sent.body);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
}

}  // namespace shipments_together_test
}  // namespace bottega::test
