// Rate limits: fixed windows by an injected time, and memory that a flood cannot fill.
#include "gateway/limits.hpp"

#include <gtest/gtest.h>

#include <future>

namespace bottega::test {
namespace gateway_limits_test {

using namespace std::chrono_literals;
using gateway::Allowance, gateway::Limits;

const Limits::Clock::time_point kStart{1000h};

TEST(Limits, AQuotaIsCountedDownAndThenExceeded) {
  Limits limits;
  for (std::int64_t left : {2, 1, 0}) {
    const auto allowance = limits.take("a", 3, 60s, kStart);
    EXPECT_FALSE(allowance.exceeded);
    EXPECT_EQ(allowance.left, left);
    EXPECT_EQ(allowance.quota, 3);
    EXPECT_EQ(allowance.window, 60s);
  }
  const auto over = limits.take("a", 3, 60s, kStart);
  EXPECT_TRUE(over.exceeded);
  EXPECT_EQ(over.left, 0);
}

TEST(Limits, TheRestOfTheWindowIsToldInWholeSecondsRoundedUp) {
  Limits limits;
  EXPECT_EQ(limits.take("a", 3, 60s, kStart).resets_in, 60s);
  EXPECT_EQ(limits.take("a", 3, 60s, kStart + 1ms).resets_in, 60s);
  EXPECT_EQ(limits.take("a", 3, 60s, kStart + 59s).resets_in, 1s);
  EXPECT_EQ(limits.take("a", 3, 60s, kStart + 59'999ms).resets_in, 1s);
}

TEST(Limits, ANewWindowBeginsExactlyWhenTheOldOneEnds) {
  Limits limits;
  EXPECT_FALSE(limits.take("a", 1, 60s, kStart).exceeded);
  EXPECT_TRUE(limits.take("a", 1, 60s, kStart + 60s - 1ns).exceeded);
  const auto fresh = limits.take("a", 1, 60s, kStart + 60s);
  EXPECT_FALSE(fresh.exceeded);
  EXPECT_EQ(fresh.resets_in, 60s);
  EXPECT_TRUE(limits.take("a", 1, 60s, kStart + 60s).exceeded);
}

TEST(Limits, WhoeverIsRefusedIsNotCountedOn) {
  Limits limits;
  limits.take("a", 1, 60s, kStart);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limits.take("a", 1, 60s, kStart).exceeded);
  EXPECT_EQ(limits.take("a", 2, 60s, kStart).left, 0) << "one of two was used, not 101";
}

TEST(Limits, LookingLeavesNoTrace) {
  Limits limits;
  EXPECT_FALSE(limits.look("a", 1, 60s, kStart).exceeded);
  EXPECT_EQ(limits.size(), 0u);
  limits.take("a", 1, 60s, kStart);
  EXPECT_TRUE(limits.look("a", 1, 60s, kStart).exceeded);
  EXPECT_EQ(limits.look("a", 1, 60s, kStart + 10s).resets_in, 50s);
  EXPECT_FALSE(limits.look("a", 1, 60s, kStart + 60s).exceeded);
}

TEST(Limits, AFloodDoesNotForgetWhoHasGuessed) {
  Limits limits;
  limits.take("tries:pat", 1, 900s, kStart);
  for (int i = 0; i < 210'000; ++i) limits.take("address:" + std::to_string(i), 1, 60s, kStart);
  EXPECT_LE(limits.size(), 200'001u);
  EXPECT_TRUE(limits.take("tries:pat", 1, 900s, kStart).exceeded);
}

TEST(Limits, AnAddressStandsForWhoeverHasIt) {
  EXPECT_EQ(gateway::network_of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(gateway::network_of("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(gateway::network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(gateway::network_of("2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64");
  EXPECT_EQ(gateway::network_of("2001:db8:1:3::1"), "2001:db8:1:3::/64");
  EXPECT_EQ(gateway::network_of("not:an:address"), "not:an:address");
}

TEST(Limits, NamesAreCountedApart) {
  Limits limits;
  EXPECT_FALSE(limits.take("reads:usr_a", 1, 60s, kStart).exceeded);
  EXPECT_FALSE(limits.take("reads:usr_b", 1, 60s, kStart).exceeded);
  EXPECT_FALSE(limits.take("writes:usr_a", 1, 60s, kStart).exceeded);
  EXPECT_TRUE(limits.take("reads:usr_a", 1, 60s, kStart).exceeded);
}

TEST(Limits, LookingCountsNothingAndSaysWhenItIsFull) {
  Limits limits;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limits.look("a", 2, 60s, kStart).left, 2);
  limits.take("a", 2, 60s, kStart);
  EXPECT_FALSE(limits.look("a", 2, 60s, kStart).exceeded);
  limits.take("a", 2, 60s, kStart);
  EXPECT_TRUE(limits.look("a", 2, 60s, kStart).exceeded);
  EXPECT_FALSE(limits.look("a", 2, 60s, kStart + 60s).exceeded);
}

TEST(Limits, WhatIsGivenBackMayBeTakenAgain) {
  Limits limits;
  limits.give_back("a");
  limits.take("a", 1, 60s, kStart);
  EXPECT_TRUE(limits.take("a", 1, 60s, kStart).exceeded);
  limits.give_back("a");
  limits.give_back("a");
  EXPECT_FALSE(limits.take("a", 1, 60s, kStart).exceeded);
  EXPECT_TRUE(limits.take("a", 1, 60s, kStart).exceeded) << "no more is given than was taken";
}

TEST(Limits, ManyThreadsTogetherGetExactlyTheQuota) {
  Limits limits;
  const auto work = [&] {
    int granted = 0;
    for (int i = 0; i < 500; ++i) granted += limits.take("a", 1'000, 60s, kStart).exceeded ? 0 : 1;
    return granted;
  };
  std::vector<std::future<int>> threads;
  for (int i = 0; i < 4; ++i) threads.push_back(std::async(std::launch::async, work));
  int granted = 0;
  for (auto& thread : threads) granted += thread.get();
  EXPECT_EQ(granted, 1'000);
}

TEST(Limits, EndedWindowsAreSweptBeforeTheyFillTheMemory) {
  Limits limits;
  for (int i = 0; i < 90'000; ++i) limits.take("old:" + std::to_string(i), 1, 60s, kStart);
  for (int i = 0; i < 40'000; ++i) limits.take("new:" + std::to_string(i), 1, 60s, kStart + 61s);
  EXPECT_LE(limits.size(), 60'000u);
  EXPECT_TRUE(limits.take("new:0", 1, 60s, kStart + 61s).exceeded) << "live windows stay";
}

// A flood of new names must neither fill the memory nor make each request walk through all of them.
TEST(Limits, AFloodOfNamesIsBoundedAndEachStaysCheap) {
  Limits limits;
  std::size_t most = 0;
  for (int i = 0; i < 260'000; ++i) {
    limits.take(std::to_string(i), 1, 60s, kStart);
    most = std::max(most, limits.size());
  }
  EXPECT_GT(most, 100'000u);
  EXPECT_LE(most, 210'000u);
  EXPECT_LE(limits.size(), 100'000u);
}

}  // namespace gateway_limits_test
}  // namespace bottega::test
