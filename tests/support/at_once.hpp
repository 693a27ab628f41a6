#pragma once
// Several acts at the same moment, as several nodes or devices would do them.
#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <functional>
#include <initializer_list>
#include <optional>
#include <thread>
#include <vector>

#include "support/errors.hpp"

namespace bottega::test {

using Acts = std::vector<std::function<void()>>;

// Answers the code that each was refused with.
inline std::vector<std::optional<Code>> all_at_once(const Acts& acts) {
  std::vector<std::optional<Code>> refusals(acts.size());
  std::barrier start(static_cast<std::ptrdiff_t>(acts.size()));
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < acts.size(); ++i)
    threads.emplace_back([&acts, &refusals, &start, i] {
      start.arrive_and_wait();
      refusals[i] = code_of(acts[i]);
    });
  threads.clear();
  return refusals;
}

// Answers how many were refused; only these codes are refusals, and any other fails the test.
inline int all_at_once(const Acts& acts, std::initializer_list<Code> codes) {
  int refused = 0;
  for (const auto& code : all_at_once(acts)) {
    if (!code) continue;
    EXPECT_EQ(std::ranges::count(codes, *code), 1) << info(*code).slug;
    ++refused;
  }
  return refused;
}

}  // namespace bottega::test
