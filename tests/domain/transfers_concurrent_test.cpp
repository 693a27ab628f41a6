// Many transfers at once among a few wallets: nothing is lost, nobody goes below zero, no limit is
// passed, and nobody is refused but for a reason.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <random>
#include <thread>

#include "support/world.hpp"

namespace bottega::test {
namespace transfers_concurrent_test {

using namespace std::chrono_literals;
using wallet::Transfer;

constexpr std::size_t kPeople = 8, kThreads = 8;
constexpr std::int64_t kEach = 10'000;

class TransfersConcurrently : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < kPeople; ++i) {
      people_.push_back(world_.person());
      world_.top_up(people_.back(), kEach);
    }
  }
  // Runs the work on every thread at the same moment; answers what was neither done nor refused.
  template <class Work>
  int unexpected(const Work& work) {
    std::atomic<int> broken{0};
    std::barrier start(static_cast<std::ptrdiff_t>(kThreads));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i)
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        try {
          work(i);
        } catch (const std::exception& error) {
          ADD_FAILURE() << error.what();
          ++broken;
        }
      });
    threads.clear();
    return broken;
  }
  std::int64_t total() {
    std::int64_t sum = 0;
    for (const auto& who : people_) {
      const auto one = world_.balance(who);
      EXPECT_GE(one.available, 0);
      sum += one.balance;
    }
    return sum;
  }

  World world_;
  std::vector<identity::Who> people_;
};

TEST_F(TransfersConcurrently, KeepTheTotal) {
  std::atomic<int> done{0}, refused{0};
  const int broken = unexpected([&](std::size_t thread) {
    std::mt19937 random(static_cast<unsigned>(thread));
    for (int i = 0; i < 24; ++i) {
      const auto from = random() % kPeople;
      const auto to = (from + 1 + random() % (kPeople - 1)) % kPeople;
      const auto amount = static_cast<std::int64_t>(1 + random() % 4'000);
      try {
        const auto sent = world_.send(people_[from], people_[to], amount);
        const auto end = random() % 4;
        const auto& who = end == 0 ? people_[from] : people_[to];
        world_.transact([&](Tx& tx) {
          if (end == 0) return wallet::cancel(tx, who.account, sent.id);
          if (end == 1) return wallet::decline(tx, who.account, sent.id);
          return wallet::accept(tx, who.account, sent.id);
        });
        ++done;
      } catch (const Error& error) {
        if (error.code() != Code::conflict) throw;
        ++refused;
      }
    }
  });
  EXPECT_EQ(broken, 0);
  EXPECT_GT(done, 0);
  EXPECT_EQ(done + refused, 24 * static_cast<int>(kThreads));
  EXPECT_EQ(total(), kEach * static_cast<std::int64_t>(kPeople));
  EXPECT_EQ(world_.db.load().retries, 0u) << "nobody waited in a circle";
  const auto books = world_.trial_balance();
  EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
}

TEST_F(TransfersConcurrently, SpendABalanceOnce) {
  std::atomic<int> done{0};
  const int broken = unexpected([&](std::size_t thread) {
    const auto& to = people_[1 + thread % (kPeople - 1)];
    const auto refusal = code_of([&] { world_.send(people_[0], to, kEach / 2); });
    if (!refusal)
      ++done;
    else
      EXPECT_EQ(*refusal, Code::conflict);
  });
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(done, 2);
  EXPECT_EQ(world_.balance(people_[0]).available, 0);
}

TEST_F(TransfersConcurrently, KeepTheLimitsOfBoth) {
  world_.wallet_rules.received_day_max = 3'000;
  std::atomic<int> done{0};
  const int broken = unexpected([&](std::size_t thread) {
    if (thread == 0) return;
    const auto refusal = code_of([&] { world_.send(people_[thread], people_[0], 1'000); });
    if (!refusal)
      ++done;
    else
      EXPECT_EQ(*refusal, Code::conflict);
  });
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(done, 3);
  EXPECT_EQ(world_.balance(people_[0]).pending_in, 3'000);
}

TEST_F(TransfersConcurrently, EndOnceHoweverManyEndThem) {
  const auto sent = world_.send(people_[0], people_[1], 1'000);
  std::atomic<int> done{0};
  const int broken = unexpected([&](std::size_t thread) {
    const auto refusal = code_of([&] {
      world_.transact([&](Tx& tx) {
        if (thread % 3 == 0) return wallet::cancel(tx, people_[0].account, sent.id);
        if (thread % 3 == 1) return wallet::decline(tx, people_[1].account, sent.id);
        return wallet::accept(tx, people_[1].account, sent.id);
      });
    });
    if (!refusal)
      ++done;
    else
      EXPECT_EQ(*refusal, Code::conflict);
  });
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(done, 1);
  EXPECT_EQ(total(), kEach * static_cast<std::int64_t>(kPeople));
}

}  // namespace transfers_concurrent_test
}  // namespace bottega::test
