// Orders that many place and send at the same moment: each is sent once, every card is where it
// says, and nobody waits in a circle.
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "domain/together.hpp"
#include "support/at_once.hpp"

namespace bottega::test {
namespace orders_concurrent_test {

constexpr std::size_t kPeople = 4;
constexpr int kThreads = 6;

class OrdersConcurrently : public ::testing::Test {
 protected:
  void SetUp() override {
    shops_.push_back(world_.shop());
    while (shops_.size() < kPeople) shops_.push_back(beside(world_, shops_.front()));
    shops_.push_back(world_.shop());
  }
  void TearDown() override { EXPECT_EQ(world_.db.load().retries, 0u) << "nobody began again"; }

  std::vector<orders::Order> place_in_all() {
    std::vector<orders::Sale> sales;
    for (const auto& shop : shops_)
      for (int i = 0; i < 2; ++i) sales.push_back(sale_of(shop));
    return place(world_, sales);
  }
  std::vector<conversations::Event> log_of(const Shop& shop) {
    auto events = world_.transact([&](Tx& tx) {
      return conversations::log_of(tx, shop.merchant, shop.conversation, 0, 1'000);
    });
    for (std::size_t i = 0; i < events.size(); ++i)
      EXPECT_EQ(events[i].seq, static_cast<std::int64_t>(i + 1));
    return events;
  }

  World world_;
  std::vector<Shop> shops_;
};

TEST_F(OrdersConcurrently, ArePlacedWhereTheirCardsAre) {
  constexpr int kRounds = 5;
  Acts acts;
  for (unsigned i = 0; i < kThreads; ++i)
    acts.push_back([this, i] {
      std::minstd_rand random(i + 1);
      for (int round = 0; round < kRounds; ++round) {
        std::vector<orders::Sale> sales;
        for (const auto& shop : shops_)
          for (int k = 0; k < 2; ++k) sales.push_back(sale_of(shop));
        std::ranges::shuffle(sales, random);
        place(world_, sales);
      }
    });
  EXPECT_EQ(all_at_once(acts, {}), 0);
  for (const auto& shop : shops_) {
    const auto events = log_of(shop);
    EXPECT_EQ(events.size(), static_cast<std::size_t>(kThreads * kRounds * 2));
    for (const auto& event : events) {
      const auto id = from_text<orders::OrderId>(event.data["order"]["id"].get<std::string>());
      const auto kept =
          world_.transact([&](Tx& tx) { return orders::lock(tx, shop.merchant, id); });
      EXPECT_EQ(kept.card_seq, event.seq);
      EXPECT_EQ(to_json(kept.card_seq), event.data["order"]["card_seq"]);
    }
  }
}

TEST_F(OrdersConcurrently, AreSentOnce) {
  const auto placed = place_in_all();
  std::atomic<int> sent = 0, refused = 0;
  Acts acts;
  for (unsigned i = 0; i < kThreads; ++i)
    acts.push_back([&, i] {
      std::minstd_rand random(i + 1);
      std::vector<payouts::Sending> asked;
      for (std::size_t k = 0; k < placed.size(); ++k)
        asked.push_back(sending(shops_[k / 2].owner, placed[k].id));
      std::ranges::shuffle(asked, random);
      asked.resize(asked.size() / 2 + 1);
      for (const auto& outcome : ship(world_, asked))
        ++(said(outcome) == "shipped all" ? sent : refused);
    });
  // Whoever writes to them, and whoever sends them by themselves, is in nobody's way.
  acts.push_back([&] {
    for (const auto& shop : shops_)
      world_.transact([&](Tx& tx) {
        conversations::send(tx, shop.buyer, shop.conversation,
                            from_json<conversations::NewMessage>({{"text", "Where is it?"}}));
      });
  });
  for (std::size_t k = 0; k < placed.size(); ++k)
    acts.push_back([&, k] {
      const auto outcomes = ship(world_, {sending(shops_[k / 2].owner, placed[k].id)});
      ++(said(outcomes.front()) == "shipped all" ? sent : refused);
    });
  EXPECT_EQ(all_at_once(acts, {}), 0);
  EXPECT_EQ(sent, std::ssize(placed));
  EXPECT_GT(refused, 0);
  for (std::size_t k = 0; k < placed.size(); ++k) {
    EXPECT_EQ(count_of(world_, "payouts", placed[k]), "1");
    EXPECT_EQ(count_of(world_, "shipments", placed[k]), "1");
    EXPECT_EQ(told(world_, shops_[k / 2], placed[k]),
              (std::vector<std::string>{"order.created", "order.shipped"}));
  }
  for (const auto& shop : shops_) EXPECT_EQ(log_of(shop).size(), 5u);
}

TEST_F(OrdersConcurrently, TakeTheLimitsInOneOrder) {
  risk::Rules rules;
  rules.merchant_week_max = 50;
  std::atomic<int> counted = 0;
  Acts acts;
  for (unsigned i = 0; i < kThreads; ++i)
    acts.push_back([&, i] {
      std::minstd_rand random(i + 1);
      std::vector<risk::Try> tries;
      for (const auto& shop : shops_)
        tries.push_back({shop.merchant, shop.buyer.account, {500, *Currency::find("USD")}, {}});
      for (int round = 0; round < 4; ++round) {
        std::ranges::shuffle(tries, random);
        const auto refusals =
            world_.transact([&](Tx& tx) { return risk::count(tx, tries, rules); });
        counted += static_cast<int>(std::ranges::count(
            refusals, false, [](const auto& refusal) { return refusal.has_value(); }));
        for (const auto& one : tries)
          world_.transact([&](Tx& tx) {
            risk::release(tx, {one.merchant, one.buyer, {0, one.amount.currency}, tx.now()});
          });
      }
    });
  EXPECT_EQ(all_at_once(acts, {}), 0);
  EXPECT_EQ(counted, 2 * 10) << "two merchants, of whom each may take ten times as much";
}

}  // namespace orders_concurrent_test
}  // namespace bottega::test
