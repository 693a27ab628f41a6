#pragma once
// A processor that does not notice when a key is repeated and says what a test wants it to say, and
// the people around it, for the tests of calls that may move money.
#include <gtest/gtest.h>

#include <fstream>

#include "support/relay.hpp"
#include "support/world.hpp"
#include "bottega/core/log.hpp"

namespace bottega::test {

// It moves money each time that it is told to, and says what the test wants it to say.
class Careless final : public Relay {
 public:
  using Relay::Relay;
  asio::awaitable<Outcome> pay_out(const processors::Payout& call) override {
    moved.push_back(call);
    if (on_move) on_move();
    co_return says;
  }
  asio::awaitable<Outcome> refund(const processors::Refund& call) override {
    refunded.push_back(call);
    co_return says;
  }
  asio::awaitable<Outcome> charge(const processors::Charge& call) override {
    charged.push_back(call);
    co_return says;
  }
  asio::awaitable<Outcome> look_up(processors::Operation, const std::string&) override {
    ++asked;
    if (on_ask) on_ask();
    co_return knows;
  }
  asio::awaitable<Outcome> cancel(const std::string&) override {
    ++cancelled;
    co_return knows;
  }

  Outcome says, knows{processors::Verdict::succeeded, "spo_1", "", ""};
  std::function<void()> on_move, on_ask;
  std::vector<processors::Payout> moved;
  std::vector<processors::Refund> refunded;
  std::vector<processors::Charge> charged;
  int asked = 0, cancelled = 0;
};

// What is logged as an error while it lives.
class Errors {
 public:
  Errors() { log::open(log::Level::error, path()); }
  ~Errors() { log::open(log::Level::error, ""); }
  int about(const std::string& event) const {
    log::open(log::Level::error, "");
    std::ifstream file(path());
    int count = 0;
    for (std::string line; std::getline(file, line);)
      if (line.find('"' + event + '"') != std::string::npos) ++count;
    return count;
  }

 private:
  std::string path() const { return (folder_.path() / "log").string(); }
  TempDir folder_;
};

class AttemptsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    world_->payout_rules.call_timeout = std::chrono::milliseconds(10'000);
    auto made = std::make_unique<Careless>(world_->registry.get("sandbox"));
    bank_ = made.get();
    registry_.add(std::move(made));
    shop_ = world_->shop();
  }
  void TearDown() override {
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  // A payout that is due, and its batch, which is committed and not sent.
  payouts::Payout due() {
    const auto payout = world_->ship(shop_, world_->sell(shop_, 10'000)).payout.value();
    world_->advance(std::chrono::days(6));
    const auto batch = world_->transact([&](Tx& tx) {
      return payouts::collect(tx, payout.merchant_id, payout.id, world_->payout_rules);
    });
    batch_ = batch.value().id;
    return payout;
  }
  void send() {
    run(payouts::send(world_->db, registry_, shop_.merchant, batch_, world_->payout_rules));
  }
  payouts::Payout now(const payouts::Payout& payout) {
    return world_->transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, payout.id); });
  }
  std::vector<payouts::Batch> batches() {
    return world_->transact(
        [&](Tx& tx) { return payouts::list_batches(tx, shop_.merchant, std::nullopt, 100); });
  }
  static void as_superuser(const std::string& statement) {
    execute(world_->urls.superuser, statement);
  }

  static inline std::unique_ptr<World> world_;
  processors::Registry registry_;
  Careless* bank_ = nullptr;
  Shop shop_;
  payouts::BatchId batch_;
};

}  // namespace bottega::test
