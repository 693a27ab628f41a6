// Addresses: what %-escapes may say, and how many parameters a query may have.
#include "gateway/url.hpp"

#include <gtest/gtest.h>

#include "bottega/core/error.hpp"

namespace bottega::test {
namespace gateway_url_test {

using gateway::decode_url, gateway::encode_query, gateway::parse_query, gateway::Part;
using Pairs = std::vector<std::pair<std::string, std::string>>;

bool is_refused(std::string_view text, Part part = Part::path) {
  try {
    decode_url(text, part);
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::malformed);
    return true;
  }
}

TEST(Url, EscapesAreDecodedOnce) {
  EXPECT_EQ(decode_url("a%20b%2Fc%2fd", Part::path), "a b/c/d");
  EXPECT_EQ(decode_url("%2525", Part::path), "%25") << "an escaped escape stays one";
  EXPECT_EQ(decode_url("caf%C3%a9", Part::path), "caf\xc3\xa9");
  EXPECT_EQ(decode_url("%F0%9F%9B%8D", Part::query), "\xf0\x9f\x9b\x8d");
  EXPECT_EQ(decode_url("%41", Part::path), "A") << "the last escape may end the text";
  EXPECT_EQ(decode_url("", Part::query), "");
}

TEST(Url, APlusIsASpaceInAQueryOnly) {
  EXPECT_EQ(decode_url("a+b", Part::query), "a b");
  EXPECT_EQ(decode_url("a+b", Part::path), "a+b");
  EXPECT_EQ(decode_url("a%2Bb", Part::query), "a+b");
}

class BrokenEscapes : public testing::TestWithParam<const char*> {};
TEST_P(BrokenEscapes, AreRefusedInBothParts) {
  EXPECT_TRUE(is_refused(GetParam(), Part::path));
  EXPECT_TRUE(is_refused(GetParam(), Part::query));
}
INSTANTIATE_TEST_SUITE_P(Texts, BrokenEscapes,
                         testing::Values("%", "%4", "a%", "a%4", "%zz", "%4g", "%g4", "% 41",
                                         "%%41", "%-1", "%+1", "%u0041", "%00", "a%00b",
                                         // What is not UTF-8: cut short, overlong, a surrogate,
                                         // beyond U+10FFFF, alone.
                                         "%c3", "%c3%28", "%c0%ae%c0%ae", "%e0%80%af", "%ed%a0%80",
                                         "%f4%90%80%80", "%80", "%ff", "\xff", "\xc3("));

TEST(Url, WhatIsEncodedComesBackAsItWas) {
  const std::string text = "a b+c&d=e/f?g%h\"<>#\xc3\xa9~_-.";
  const auto encoded = encode_query(text);
  EXPECT_EQ(encoded, "a%20b%2Bc%26d%3De%2Ff%3Fg%25h%22%3C%3E%23%C3%A9~_-.");
  EXPECT_EQ(decode_url(encoded, Part::query), text);
}

TEST(Query, PairsKeepTheirOrderAndMayBeEmpty) {
  EXPECT_EQ(parse_query("b=2&a=1&b=3"), (Pairs{{"b", "2"}, {"a", "1"}, {"b", "3"}}));
  EXPECT_EQ(parse_query(""), Pairs{});
  EXPECT_EQ(parse_query("&&a=1&&"), (Pairs{{"a", "1"}}));
  EXPECT_EQ(parse_query("a"), (Pairs{{"a", ""}}));
  EXPECT_EQ(parse_query("a="), (Pairs{{"a", ""}}));
  EXPECT_EQ(parse_query("=b"), (Pairs{{"", "b"}}));
  EXPECT_EQ(parse_query("a=b=c"), (Pairs{{"a", "b=c"}}));
}

TEST(Query, NamesAndValuesAreDecodedAfterTheyAreCut) {
  EXPECT_EQ(parse_query("a%26b=c%3Dd%26e"), (Pairs{{"a&b", "c=d&e"}}));
  EXPECT_EQ(parse_query("full+name=Pat+%2B+Sam"), (Pairs{{"full name", "Pat + Sam"}}));
  EXPECT_THROW(parse_query("a=1&b=%"), Error);
  EXPECT_THROW(parse_query("%ff=1"), Error);
}

TEST(Query, FiftyParametersAreTakenAndNoMore) {
  std::string query;
  for (int i = 0; i < 50; ++i) query += "a=1&";
  EXPECT_EQ(parse_query(query).size(), 50u);
  try {
    parse_query(query + "a=1");
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::malformed);
  }
}

}  // namespace gateway_url_test
}  // namespace bottega::test
