// Strict JSON and its canonical form beyond the corpus: the numbers of RFC 8785's appendix B, the
// bytes of its vectors, the order of keys, and the depth that is asked for.
#include "bottega/core/json.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "support/shared.hpp"
#include "bottega/core/error.hpp"

namespace bottega::test {
namespace core_json_test {

namespace fs = std::filesystem;

std::string refusal(std::string_view text, unsigned depth = 32) {
  try {
    parse_json(text, depth);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::malformed);
    EXPECT_TRUE(error.faults().empty());
    return error.what();
  }
}

struct Number {
  std::uint64_t bits;
  const char* text;
};
void PrintTo(const Number& number, std::ostream* out) { *out << number.text; }

class CanonicalNumber : public testing::TestWithParam<Number> {};
TEST_P(CanonicalNumber, IsWrittenAsEcmaScriptDoes) {
  const auto value = std::bit_cast<double>(GetParam().bits);
  const auto text = canonical_json(Json(value));
  EXPECT_EQ(text, GetParam().text);
  EXPECT_EQ(parse_json(text).get<double>(), value) << "it reads back as the same number";
}
INSTANTIATE_TEST_SUITE_P(Rfc8785AppendixB, CanonicalNumber,
                         testing::Values(Number{0x0000000000000000, "0"},
                                         Number{0x8000000000000000, "0"},
                                         Number{0x0000000000000001, "5e-324"},
                                         Number{0x8000000000000001, "-5e-324"},
                                         Number{0x7fefffffffffffff, "1.7976931348623157e+308"},
                                         Number{0xffefffffffffffff, "-1.7976931348623157e+308"},
                                         Number{0x4340000000000000, "9007199254740992"},
                                         Number{0xc340000000000000, "-9007199254740992"},
                                         Number{0x4430000000000000, "295147905179352830000"},
                                         Number{0x44b52d02c7e14af5, "9.999999999999997e+22"},
                                         Number{0x44b52d02c7e14af6, "1e+23"},
                                         Number{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
                                         Number{0x444b1ae4d6e2ef4e, "999999999999999700000"},
                                         Number{0x444b1ae4d6e2ef4f, "999999999999999900000"},
                                         Number{0x444b1ae4d6e2ef50, "1e+21"},
                                         Number{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
                                         Number{0x3eb0c6f7a0b5ed8d, "0.000001"},
                                         Number{0x41b3de4355555553, "333333333.3333332"},
                                         Number{0x41b3de4355555554, "333333333.33333325"},
                                         Number{0x41b3de4355555555, "333333333.3333333"},
                                         Number{0x41b3de4355555556, "333333333.3333334"},
                                         Number{0x41b3de4355555557, "333333333.33333343"},
                                         Number{0xbecbf647612f3696, "-0.0000033333333333333333"},
                                         Number{0x43143ff3c1cb0959, "1424953923781206.2"}));

struct Spelling {
  const char *given, *canonical;
};
void PrintTo(const Spelling& row, std::ostream* out) { *out << row.given; }
class CanonicalSpelling : public testing::TestWithParam<Spelling> {};
TEST_P(CanonicalSpelling, IsTheOneOfRfc8785) {
  EXPECT_EQ(canonical_json(parse_json(GetParam().given)), GetParam().canonical);
}
INSTANTIATE_TEST_SUITE_P(
    Texts, CanonicalSpelling,
    testing::Values(
        Spelling{"1.0", "1"}, Spelling{"1e1", "10"}, Spelling{"100E-2", "1"}, Spelling{"-0", "0"},
        Spelling{"-0.0", "0"}, Spelling{"0.1e-6", "1e-7"}, Spelling{"1e21", "1e+21"},
        Spelling{"123456789012", "123456789012"}, Spelling{"-1250", "-1250"},
        Spelling{" [ ] ", "[]"}, Spelling{" { } ", "{}"}, Spelling{"null", "null"},
        Spelling{"[true,false]", "[true,false]"}, Spelling{R"("\u0041\/")", R"("A/")"},
        Spelling{R"("\u0008\u0009\u000a\u000c\u000d")", R"("\b\t\n\f\r")"},
        Spelling{R"("\u001F\u0000")", R"("\u001f\u0000")"}, Spelling{R"("\u007f")", "\"\x7f\""},
        Spelling{R"("\u20AC")", "\"\xe2\x82\xac\""},
        Spelling{R"("\uD83D\uDE02")", "\"\xf0\x9f\x98\x82\""}, Spelling{R"("\"\\")", R"("\"\\")"},
        Spelling{R"("\u2028")", "\"\xe2\x80\xa8\""},
        Spelling{R"({"b":1,"a":2,"":3,"B":4})", R"({"":3,"B":4,"a":2,"b":1})"},
        Spelling{R"({"aa":1,"a":2})", R"({"a":2,"aa":1})"},
        // UTF-16 puts the surrogates of U+1F602 before U+FB33; UTF-8 would not.
        Spelling{R"({"\ufb33":1,"\ud83d\ude02":2})", "{\"\xf0\x9f\x98\x82\":2,\"\xef\xac\xb3\":1}"},
        Spelling{R"([{"b":[{"d":1,"c":2}],"a":0}])", R"([{"a":0,"b":[{"c":2,"d":1}]}])"}));

TEST(CanonicalForm, MatchesTheOfficialVectorsInHex) {
  BOTTEGA_NEEDS_SHARED(folder, "vectors/jcs/testdata");
  int seen = 0;
  for (const auto& file : fs::directory_iterator(folder / "outhex")) {
    std::string wanted;
    std::istringstream hex(read_file(file.path()));
    for (std::string byte; hex >> byte;) wanted += static_cast<char>(std::stoi(byte, nullptr, 16));
    const auto input = folder / "input" / file.path().stem().concat(".json");
    EXPECT_EQ(canonical_json(parse_json(read_file(input))), wanted) << file.path().stem();
    ++seen;
  }
  EXPECT_EQ(seen, 6);
}

TEST(CanonicalForm, IsAFixedPointForEveryDocumentOfTheCorpusThatIsRead) {
  BOTTEGA_NEEDS_SHARED(folder, "vectors/json-parsing/test_parsing");
  int read = 0;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().filename().string().front() != 'y') continue;
    const auto text = read_file(file.path());
    if (!refusal(text).empty()) continue;
    const auto once = canonical_json(parse_json(text));
    EXPECT_EQ(canonical_json(parse_json(once)), once) << file.path().filename();
    ++read;
  }
  EXPECT_GT(read, 90);
}

TEST(CanonicalForm, KeepsTwoDocumentsApartThatDiffer) {
  const char* documents[] = {
      "0",    "\"0\"",    "null",      "\"null\"",     "false",     "[]",
      "{}",   "[0]",      "[[0]]",     "[0,0]",        "{\"a\":0}", "{\"a\":null}",
      "\"\"", "{\"\":0}", "[\"a\",0]", "\"a\\u0000\"", "\"a\"",     "1e-7"};
  std::set<std::string> seen;
  for (const auto* text : documents)
    EXPECT_TRUE(seen.insert(canonical_json(parse_json(text))).second) << text;
}

class DepthLimit : public testing::TestWithParam<unsigned> {};
TEST_P(DepthLimit, IsTheNumberOfArraysAndObjectsInsideEachOther) {
  const auto nested = [](const std::string& open, const std::string& close, unsigned depth) {
    std::string text;
    for (unsigned i = 0; i < depth; ++i) text += open;
    text += "1";
    for (unsigned i = 0; i < depth; ++i) text += close;
    return text;
  };
  const auto most = GetParam();
  EXPECT_EQ(refusal(nested("[", "]", most), most), "");
  EXPECT_EQ(refusal(nested("[", "]", most + 1), most), "nested too deeply");
  EXPECT_EQ(refusal(nested("{\"a\":", "}", most), most), "");
  EXPECT_EQ(refusal(nested("{\"a\":", "}", most + 1), most), "nested too deeply");
  EXPECT_EQ(refusal("[" + std::string(most > 1 ? "[],[],{}" : "1") + "]", most), "")
      << "what is closed again does not count";
}
INSTANTIATE_TEST_SUITE_P(Depths, DepthLimit, testing::Values(1u, 2u, 3u, 31u, 32u, 64u));

TEST(DepthLimit, OfNothingStillTakesAScalar) {
  EXPECT_EQ(refusal("1", 0), "");
  EXPECT_EQ(refusal("[]", 0), "nested too deeply");
}

struct Refused {
  std::string text;
  const char* words;
};
void PrintTo(const Refused& row, std::ostream* out) { *out << row.words; }
class RefusedJson : public testing::TestWithParam<Refused> {};
TEST_P(RefusedJson, IsSaidWhereButNeverWhat) {
  EXPECT_EQ(refusal(GetParam().text), GetParam().words);
}
INSTANTIATE_TEST_SUITE_P(
    Texts, RefusedJson,
    testing::Values(Refused{"", "not valid JSON at byte 1"},
                    Refused{"{} {}", "not valid JSON at byte 4"},
                    Refused{"[1,]", "not valid JSON at byte 4"},
                    Refused{"{\"a\":1,}", "not valid JSON at byte 8"},
                    Refused{std::string("1\0", 2), "the document has a NUL byte"},
                    Refused{"[1] // one", "not valid JSON at byte 5"},
                    Refused{"\xef\xbb\xbf{}", "the document begins with a byte order mark"},
                    Refused{R"({"a":1,"b":{"c":1,"c":2}})", "an object has the same key twice"},
                    Refused{R"({"":1,"":1})", "an object has the same key twice"},
                    Refused{R"({"é":1,"\u00e9":1})", "an object has the same key twice"}));

TEST(RefusedJson, ANumberBeyondADoubleIsRefusedAndOneThatUnderflowsIsZero) {
  EXPECT_NE(refusal("1e400"), "");
  EXPECT_NE(refusal("-1e400"), "");
  EXPECT_NE(refusal("[1e309]"), "");
  EXPECT_EQ(parse_json("1e-400").get<double>(), 0.0);
}

TEST(RefusedJson, NanAndInfinityAreNotJson) {
  for (const auto* text : {"NaN", "Infinity", "-Infinity", "nan", "inf", "+1", "0x10", "01", "1.",
                           ".5", "'a'", "undefined", "\"\t\"", "\"\x7f"})
    EXPECT_NE(refusal(text), "") << text;
}

TEST(RefusedJson, LoneSurrogatesAndBadUtf8AreRefusedInKeysToo) {
  for (const auto* text :
       {R"("\ud800")", R"("\udc00")", R"("\ud800\ud800")", R"({"\udc00":1})", "\"\xff\"",
        "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "{\"\xff\":1}", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\""})
    EXPECT_NE(refusal(text), "") << text;
}

TEST(StrictJson, KeepsWholeNumbersToTheLastDigit) {
  EXPECT_EQ(parse_json("9223372036854775807").get<std::int64_t>(), INT64_MAX);
  EXPECT_EQ(parse_json("-9223372036854775808").get<std::int64_t>(), INT64_MIN);
  EXPECT_TRUE(parse_json("9007199254740993").is_number_integer());
  EXPECT_TRUE(parse_json("9223372036854775808").is_number_unsigned());
  EXPECT_TRUE(parse_json("1.0").is_number_float()) << "1.0 is not an integer here";
}

TEST(StrictJson, BuildsTheSameDocumentAsTheLibrary) {
  const auto text = R"({"a":[1,-2,3.5,"x",{"b":null,"c":[]}],"d":{"e":{}},"f":true,"g":"\n"})";
  EXPECT_EQ(parse_json(text), Json::parse(text));
  EXPECT_EQ(parse_json(" \t\r\n\"top\"\n"), Json("top"));
}

TEST(StrictJson, TakesLongArraysWithoutLosingTheirOrder) {
  std::string text = "[";
  for (int i = 0; i < 20'000; ++i) text += (i > 0 ? ",[" : "[") + std::to_string(i) + "]";
  const auto json = parse_json(text + "]");
  ASSERT_EQ(json.size(), 20'000u);
  EXPECT_EQ(json[0][0], 0);
  EXPECT_EQ(json[19'999][0], 19'999);
}

TEST(JsonQuoted, IsTheStringThatTheLibraryWrites) {
  std::string every;
  for (int c = 0; c < 0x80; ++c) every += static_cast<char>(c);
  for (const auto& text :
       {every, std::string(), std::string("plain"), std::string("größe 🙂 \u2028"),
        std::string("\"\"\\\\"), std::string("ends in \n")})
    EXPECT_EQ(json_quoted(text), Json(text).dump());
}

// Short documents are read by a quick parser, long ones and what it refuses by a strict one.
TEST(Json, IsTheSameInAShortDocumentAndInALongOne) {
  const std::string blanks(70'000, ' ');
  for (const auto* text : {"null",
                           "true",
                           "false",
                           "0",
                           "-1",
                           "18446744073709551615",
                           "-9223372036854775808",
                           "123456789012345678901234567890",
                           "1e3",
                           "-2.5E-3",
                           "1e400",
                           "\"\"",
                           "\"\\u00e9\\ud83d\\ude00\"",
                           "\"\\ud83d\"",
                           "\"\\ude00\"",
                           "\"a\\u0000b\"",
                           "[]",
                           "[1,[2,{\"a\":[]}]]",
                           "[1,]",
                           "{}",
                           "{\"a\":1,\"b\":{\"a\":2}}",
                           "{\"a\":1,\"a\":1}",
                           "{\"a\":{\"b\":1,\"b\":2}}",
                           "{\"a\":1",
                           "nul",
                           "\"\xff\"",
                           "1 2",
                           "",
                           "\"\t\"",
                           "[[[[1]]]]",
                           "[[[[[1]]]]]",
                           "[[[[]]]]",
                           "[[[[[]]]]]",
                           "[[[{\"a\":1}]]]",
                           "[[[[{}]]]]"}) {
    const auto words = refusal(text, 4), long_words = refusal(text + blanks, 4);
    EXPECT_EQ(words.empty(), long_words.empty()) << text << ": " << words << " / " << long_words;
    if (!words.empty() || !long_words.empty()) continue;
    const auto one = parse_json(text, 4), other = parse_json(text + blanks, 4);
    EXPECT_EQ(one, other) << text;
    EXPECT_EQ(one.dump(), other.dump()) << text;
    EXPECT_EQ(one.is_number_unsigned(), other.is_number_unsigned()) << text;
  }
}

}  // namespace core_json_test
}  // namespace bottega::test
