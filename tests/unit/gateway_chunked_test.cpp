// The chunked decoder: split anywhere, bounded everywhere, and strict about every byte.
#include "gateway/chunked.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "bottega/core/error.hpp"

namespace bottega::test {
namespace gateway_chunked_test {

using gateway::ChunkedDecoder;

struct Decoded {
  std::string body;
  std::size_t used = 0;
  bool done = false;
};

Decoded decode(std::string_view bytes, std::size_t body_max = 1'000) {
  ChunkedDecoder decoder(body_max);
  const auto used = decoder.feed(bytes);
  const bool done = decoder.done();
  return {decoder.take(), used, done};
}

std::optional<Code> failure_of(std::string_view bytes, std::size_t body_max = 1'000) {
  try {
    decode(bytes, body_max);
    return std::nullopt;
  } catch (const Error& error) {
    return error.code();
  }
}

constexpr std::string_view kWiki =
    "4\r\nWiki\r\n5\r\npedia\r\nE\r\n in\r\n\r\nchunks.\r\n0\r\n\r\n";
constexpr std::string_view kWikiBody = "Wikipedia in\r\n\r\nchunks.";

TEST(Chunked, ABodyOfSeveralChunksIsPutTogether) {
  const auto decoded = decode(kWiki);
  EXPECT_TRUE(decoded.done);
  EXPECT_EQ(decoded.body, kWikiBody);
  EXPECT_EQ(decoded.used, kWiki.size());
}

TEST(Chunked, ABodySplitInTwoAnywhereIsTheSame) {
  for (std::size_t at = 0; at <= kWiki.size(); ++at) {
    ChunkedDecoder decoder(1'000);
    EXPECT_EQ(decoder.feed(kWiki.substr(0, at)), at);
    EXPECT_EQ(decoder.done(), at == kWiki.size()) << at;
    EXPECT_EQ(decoder.feed(kWiki.substr(at)), kWiki.size() - at);
    ASSERT_TRUE(decoder.done()) << at;
    EXPECT_EQ(decoder.take(), kWikiBody) << at;
  }
}

TEST(Chunked, ABodyThatComesByteForByteIsTheSame) {
  ChunkedDecoder decoder(1'000);
  for (const char c : kWiki) {
    ASSERT_FALSE(decoder.done());
    ASSERT_EQ(decoder.feed(std::string_view(&c, 1)), 1u);
  }
  ASSERT_TRUE(decoder.done());
  EXPECT_EQ(decoder.take(), kWikiBody);
}

TEST(Chunked, WhatFollowsTheBodyIsLeftAlone) {
  const std::string next = "GET /admin HTTP/1.1\r\n\r\n";
  ChunkedDecoder decoder(1'000);
  EXPECT_EQ(decoder.feed(std::string(kWiki) + next), kWiki.size());
  EXPECT_EQ(decoder.feed(next), 0u) << "a finished body takes nothing more";
  EXPECT_EQ(decoder.take(), kWikiBody);
}

TEST(Chunked, AnEmptyBodyIsDone) {
  const auto decoded = decode("0\r\n\r\n");
  EXPECT_TRUE(decoded.done);
  EXPECT_EQ(decoded.body, "");
}

TEST(Chunked, SizesAreHexadecimalInEitherCaseAndMayHaveZerosInFront) {
  const std::string data(0xab, 'x');
  for (const std::string size : {"ab", "AB", "aB", "0ab", "000000ab"})
    EXPECT_EQ(decode(size + "\r\n" + data + "\r\n0\r\n\r\n").body, data) << size;
}

TEST(Chunked, DataMayHoldAnyByte) {
  std::string data;
  for (int c = 0; c < 256; ++c) data += static_cast<char>(c);
  EXPECT_EQ(decode("100\r\n" + data + "\r\n00\r\n\r\n").body, data);
}

TEST(Chunked, ABodyOfExactlyTheLimitIsTaken) {
  EXPECT_EQ(decode("5\r\nabcde\r\n0\r\n\r\n", 5).body, "abcde");
  EXPECT_EQ(decode("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", 5).body, "abcde");
}

TEST(Chunked, OneByteOverTheLimitIsTooLargeBeforeItArrives) {
  EXPECT_EQ(failure_of("6\r\n", 5), Code::too_large);
  EXPECT_EQ(failure_of("5\r\nabcde\r\n1\r\n", 5), Code::too_large);
  EXPECT_EQ(failure_of("1\r\n", 0), Code::too_large);
}

TEST(Chunked, ABodyTakenPieceByPieceKeepsItsLimitAsAWhole) {
  ChunkedDecoder decoder(8);
  decoder.feed("5\r\nabc");
  EXPECT_EQ(decoder.take(), "abc");
  EXPECT_EQ(decoder.take(), "") << "each byte is given once";
  decoder.feed("de\r\n");
  EXPECT_EQ(decoder.take(), "de");
  decoder.feed("3\r\nfgh\r\n");
  EXPECT_EQ(decoder.take(), "fgh");
  EXPECT_THROW(decoder.feed("1\r\n"), Error);
}

TEST(Chunked, ALimitThatComesLaterCountsWhatIsThereAndWhatIsAnnounced) {
  ChunkedDecoder decoder(1'000);
  decoder.feed("5\r\nabc");
  EXPECT_NO_THROW(decoder.limit(5));
  EXPECT_THROW(decoder.limit(4), Error) << "two more bytes were announced";
  EXPECT_THROW(decoder.limit(2), Error) << "three have come";
}

TEST(Chunked, TheLargestSizeThereIsDoesNotOverflowTheLimit) {
  EXPECT_EQ(failure_of("ffffffff\r\n"), Code::too_large);
  EXPECT_EQ(failure_of("1\r\na\r\nffffffff\r\n"), Code::too_large);
  EXPECT_EQ(failure_of("fffffffff\r\n"), Code::malformed) << "nine digits";
  EXPECT_EQ(failure_of("10000000000000005\r\n"), Code::malformed) << "2^64 + 5";
  EXPECT_EQ(failure_of("000000005\r\nabcde\r\n"), Code::malformed) << "nine digits";
}

struct Broken {
  const char* name;
  std::string bytes;
};
void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

const Broken kBroken[] = {
    {"NoSize", "\r\nabc\r\n"},
    {"ASign", "+3\r\nabc\r\n"},
    {"ANegativeSize", "-3\r\nabc\r\n"},
    {"APrefixOfHexadecimals", "0x3\r\nabc\r\n"},
    {"ALetterThatIsNone", "g\r\n"},
    {"ASpaceBeforeTheSize", " 3\r\nabc\r\n"},
    {"ASpaceBehindTheSize", "3 \r\nabc\r\n"},
    {"ATabBehindTheSize", "3\t\r\nabc\r\n"},
    {"AnExtension", "3;a=b\r\nabc\r\n"},
    {"AnExtensionWithoutAName", "3;\r\nabc\r\n"},
    {"AnExtensionThatHidesALineFeed", "3;\nxx\r\nabc\r\n0\r\n\r\n"},
    {"AnExtensionOfTheLastChunk", "0;a\r\n\r\n"},
    {"AnExtensionOfSixtyFourKilobytes", "3;" + std::string(65'536, 'a') + "\r\nabc\r\n"},
    {"OnlyALineFeedBehindTheSize", "3\nabc\r\n"},
    {"OnlyAReturnBehindTheSize", "3\rabc\r\n"},
    {"TwoReturnsBehindTheSize", "3\r\r\nabc\r\n"},
    {"OnlyALineFeedBehindTheData", "3\r\nabc\n0\r\n\r\n"},
    {"OnlyAReturnBehindTheData", "3\r\nabc\r0\r\n\r\n"},
    {"MoreDataThanItSays", "3\r\nabcd\r\n"},
    {"LessDataThanItSays", "5\r\nabc\r\n0\r\n\r\n"},
    {"NothingBetweenChunks", "3\r\nabc3\r\nabc\r\n"},
    {"ATrailer", "0\r\nX-A: b\r\n\r\n"},
    {"ATrailerThatSetsTheLength", "0\r\nContent-Length: 5\r\n\r\n"},
    {"OnlyALineFeedAtTheEnd", "0\r\n\n"},
    {"OnlyAReturnAtTheEnd", "0\r\n\rGET"},
    {"AWordForTheLastChunk", "00x\r\n\r\n"},
    {"ANulInTheSize", std::string("3\0\r\nabc", 7)},
    {"AFullwidthDigit", "\xef\xbc\x93\r\nabc\r\n"},
};

class BrokenChunks : public testing::TestWithParam<Broken> {};
TEST_P(BrokenChunks, AreRefusedWholeOrByteForByte) {
  const auto& bytes = GetParam().bytes;
  EXPECT_EQ(failure_of(bytes), Code::malformed);
  const auto one_by_one = [&] {
    ChunkedDecoder decoder(1'000);
    for (const char c : bytes) decoder.feed(std::string_view(&c, 1));
  };
  EXPECT_THROW(one_by_one(), Error);
}
INSTANTIATE_TEST_SUITE_P(Bodies, BrokenChunks, testing::ValuesIn(kBroken),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace gateway_chunked_test
}  // namespace bottega::test
