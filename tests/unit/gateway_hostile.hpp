#pragma once
// One hostile request head and the problem that it must get; a table of them is a suite.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "gateway/admit.hpp"
#include "bottega/core/error.hpp"

namespace bottega::test {

struct Hostile {
  const char* name;
  std::string head;
  Code code;
};

inline void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.name; }

// A good request but for these lines.
inline std::string field(const std::string& lines) {
  return "POST /v1/orders HTTP/1.1\r\nHost: shop.example\r\n" + lines + "\r\n\r\n";
}

// The slug of the problem that a head gets, or that it was let in.
inline std::string answer_to(const std::string& head) {
  try {
    gateway::admit(head);
    return "(let in)";
  } catch (const Error& error) {
    return std::string(info(error.code()).slug);
  }
}

}  // namespace bottega::test

#define BOTTEGA_HOSTILE(suite, table)                                       \
  class Hostile##suite : public testing::TestWithParam<Hostile> {};         \
  TEST_P(Hostile##suite, AreRefused) {                                      \
    EXPECT_EQ(answer_to(GetParam().head), info(GetParam().code).slug);      \
  }                                                                         \
  INSTANTIATE_TEST_SUITE_P(Heads, Hostile##suite, testing::ValuesIn(table), \
                           [](const auto& test) { return std::string(test.param.name); })
