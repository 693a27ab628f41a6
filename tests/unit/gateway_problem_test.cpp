// Problem documents: RFC 9457's members, the headers that go with a status, and no secrets.
#include "gateway/problem.hpp"

#include <gtest/gtest.h>

#include "gateway/dispatch.hpp"
#include "unit/gateway_app.hpp"

namespace bottega::test {
namespace gateway_problem_test {

using gateway::error_of, gateway::problem;
constexpr const char* kBase = "https://shop.example";

class EveryProblem : public testing::TestWithParam<CodeInfo> {};

TEST_P(EveryProblem, HasTheMembersOfTheStandardAndOurs) {
  const auto& row = GetParam();
  const auto reply = problem(Error(row.code, "some words"), "req_1", kBase);
  EXPECT_EQ(reply.status, row.status);
  EXPECT_EQ(reply.media_type, "application/problem+json");
  const Json wanted = {{"type", "https://shop.example/problems/" + std::string(row.slug)},
                       {"title", row.title},
                       {"status", row.status},
                       {"detail", "some words"},
                       {"instance", "req_1"},
                       {"code", row.slug},
                       {"retry", row.retry == Retry::later ? "later" : "never"}};
  EXPECT_EQ(reply.body, wanted);
  EXPECT_EQ(header_of(reply, "WWW-Authenticate").empty(), row.status != 401);
  EXPECT_EQ(header_of(reply, "Sec-WebSocket-Version"), row.status == 426 ? "13" : "");
  EXPECT_EQ(header_of(reply, "Retry-After"), "");
  EXPECT_EQ(header_of(reply, "Allow"), "");
}
INSTANTIATE_TEST_SUITE_P(Codes, EveryProblem, testing::ValuesIn(kCodes),
                         [](const auto& test) { return std::string(test.param.slug); });

TEST(ProblemCodes, AreDistinctAndTheirStatusesAreErrors) {
  std::map<std::string_view, int> slugs;
  for (const auto& row : kCodes) {
    EXPECT_EQ(++slugs[row.slug], 1) << row.slug;
    EXPECT_TRUE(row.status >= 400 && row.status <= 599) << row.slug;
    EXPECT_FALSE(row.title.empty()) << row.slug;
    const bool waits = row.status == 503 || row.status == 429;
    EXPECT_TRUE(!waits || row.retry == Retry::later) << row.slug;
  }
}

TEST(Problem, EveryBadFieldIsNamedAtOnce) {
  const Error error(Code::invalid, "2 fields", {{"/items/0/quantity", "expected"}, {"/b", "no"}});
  const auto reply = problem(error, "req_1", kBase);
  EXPECT_EQ(reply.body["errors"], Json::parse(R"([
      {"pointer": "/items/0/quantity", "detail": "expected"},
      {"pointer": "/b", "detail": "no"}])"));
}

TEST(Problem, WhatAnErrorCarriesBecomesHeadersAndMembers) {
  auto busy = Error(Code::busy, "wait").retry_after(std::chrono::seconds(7));
  EXPECT_EQ(header_of(problem(busy, "req_1", kBase), "Retry-After"), "7");
  const auto method = Error(Code::method_not_allowed, "no").allow("GET, HEAD");
  EXPECT_EQ(header_of(problem(method, "req_1", kBase), "Allow"), "GET, HEAD");
  const auto declined = Error(Code::declined, "no").reason("insufficient_funds");
  EXPECT_EQ(problem(declined, "req_1", kBase).body["reason"], "insufficient_funds");
  EXPECT_FALSE(problem(busy, "req_1", kBase).body.contains("reason"));
}

TEST(Problem, ATokenThatExpiredIsToldApartFromNone) {
  const auto expired = problem(Error(Code::token_expired, "old"), "req_1", kBase);
  const auto none = problem(Error(Code::unauthenticated, "who"), "req_1", kBase);
  EXPECT_EQ(header_of(expired, "WWW-Authenticate"), "Bearer error=\"invalid_token\"");
  EXPECT_EQ(header_of(none, "WWW-Authenticate"), "Bearer");
}

template <class T>
Error behind(T thrown) {
  return error_of(std::make_exception_ptr(std::move(thrown)), "req_1");
}

TEST(ErrorOf, AnErrorOfOursIsKeptWithEverything) {
  const auto error =
      behind(Error(Code::conflict, "not now", {{"/a", "b"}}).retry_after(std::chrono::seconds(3)));
  EXPECT_EQ(error.code(), Code::conflict);
  EXPECT_STREQ(error.what(), "not now");
  EXPECT_EQ(error.faults(), (Faults{{"/a", "b"}}));
  EXPECT_EQ(error.retry_after(), std::chrono::seconds(3));
}

TEST(ErrorOf, EverythingElseBecomesInternalWithoutItsWords) {
  const std::string secret = "INSERT INTO t VALUES ('hunter2')";
  for (const auto& error :
       {behind(std::runtime_error(secret)), behind(Error(Code::internal, secret)),
        behind(std::bad_alloc()), behind(42), behind(std::string(secret))}) {
    EXPECT_EQ(error.code(), Code::internal);
    EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos);
    EXPECT_EQ(problem(error, "req_1", kBase).body.dump().find("hunter2"), std::string::npos);
    EXPECT_TRUE(error.faults().empty());
  }
}

}  // namespace gateway_problem_test
}  // namespace bottega::test
