#pragma once
// Several acts at the same moment, as several nodes or devices would do them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <functional>
#include <initializer_list>
#include <thread>
#include <vector>

#include "bottega/core/error.hpp"

namespace bottega::test {

// Answers how many were refused; only these codes are refusals, and any other fails the test.
inline int all_at_once(const std::vector<std::function<void()>>& acts,
                       std::initializer_list<Code> refusals) {
  std::atomic<int> refused = 0;
  std::barrier start(static_cast<std::ptrdiff_t>(acts.size()));
  std::vector<std::jthread> threads;
  for (const auto& act : acts)
    threads.emplace_back([&act, &start, &refused, refusals] {
      start.arrive_and_wait();
      try {
        act();
      } catch (const Error& error) {
        EXPECT_EQ(std::ranges::count(refusals, error.code()), 1) << error.what();
        ++refused;
      }
    });
  threads.clear();
  return refused;
}

}  // namespace bottega::test
