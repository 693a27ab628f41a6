// The memory of tokens: whom it knows, what it forgets, and that a flood cannot fill it.
#include "gateway/tokens.hpp"

#include <gtest/gtest.h>

namespace bottega::test {
namespace gateway_tokens_test {

using gateway::TokenCache;

identity::Who person() {
  identity::Who who;
  who.kind = identity::Kind::person;
  who.account = identity::AccountId::make();
  return who;
}

void keep(TokenCache& tokens, const std::string& hash, const identity::Who& who) {
  tokens.keep(hash, who, tokens.generation());
}

TEST(TokenCache, ATokenIsKnownAsWhomItWasKeptFor) {
  TokenCache tokens;
  const auto pat = person(), sam = person();
  keep(tokens, "pat", pat);
  keep(tokens, "sam", sam);
  ASSERT_TRUE(tokens.find("pat"));
  EXPECT_EQ(tokens.find("pat")->account, pat.account);
  EXPECT_EQ(tokens.find("sam")->account, sam.account);
  EXPECT_FALSE(tokens.find("")) << "and nobody else";
  EXPECT_FALSE(tokens.find("pa"));
}

TEST(TokenCache, TheLatestWordCounts) {
  TokenCache tokens;
  auto pat = person();
  keep(tokens, "pat", pat);
  pat.staff = identity::StaffRole::admin;
  keep(tokens, "pat", pat);
  EXPECT_EQ(tokens.find("pat")->staff, identity::StaffRole::admin);
}

TEST(TokenCache, ClearingForgetsEverybodyAtOnce) {
  TokenCache tokens;
  keep(tokens, "pat", person());
  keep(tokens, "sam", person());
  tokens.clear();
  EXPECT_FALSE(tokens.find("pat"));
  EXPECT_FALSE(tokens.find("sam"));
}

TEST(TokenCache, WhatWasReadBeforeTheClearingIsNotKeptAfterIt) {
  TokenCache tokens;
  const auto before = tokens.generation();
  tokens.clear();
  tokens.keep("pat", person(), before);
  EXPECT_FALSE(tokens.find("pat")) << "the session may have ended in between";
}

TEST(TokenCache, AFloodOfTokensIsBounded) {
  TokenCache tokens;
  const auto pat = person();
  for (std::size_t i = 0; i < TokenCache::kSizeMax; ++i) keep(tokens, std::to_string(i), pat);
  EXPECT_TRUE(tokens.find("0")) << "the last one that fits forgets nobody";
  keep(tokens, "one more", pat);
  EXPECT_FALSE(tokens.find("0"));
  EXPECT_TRUE(tokens.find("one more"));
}

TEST(TokenCache, NothingIsRememberedForLongerThanTheOtherNodesMayBeWrong) {
  EXPECT_LE(TokenCache::kLife, std::chrono::seconds(5));
}

}  // namespace gateway_tokens_test
}  // namespace bottega::test
