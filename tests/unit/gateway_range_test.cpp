// Ranges of bytes (RFC 9110, 14), and how slow a body may be.
#include "gateway/range.hpp"

#include <gtest/gtest.h>

#include "gateway/body_stream.hpp"

namespace bottega::test {
namespace gateway_range_test {

using namespace gateway;
using namespace std::chrono_literals;

struct Sample {
  const char* name;
  const char* range;
  RangeKind kind;
  std::uint64_t first = 0, last = 0;
};
void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.range; }

// Of a file of 1,000 bytes.
const Sample kSamples[] = {
    {"TheFirst", "bytes=0-499", RangeKind::part, 0, 499},
    {"TheSecond", "bytes=500-999", RangeKind::part, 500, 999},
    {"OneByte", "bytes=7-7", RangeKind::part, 7, 7},
    {"TheRest", "bytes=990-", RangeKind::part, 990, 999},
    {"All", "bytes=0-", RangeKind::part, 0, 999},
    {"PastTheEnd", "bytes=990-5000", RangeKind::part, 990, 999},
    {"FarPastTheEnd", "bytes=990-99999999999999999999999", RangeKind::part, 990, 999},
    {"TheLast", "bytes=-10", RangeKind::part, 990, 999},
    {"MoreThanThereIs", "bytes=-5000", RangeKind::part, 0, 999},
    {"TheUnitInCapitals", "Bytes=1-2", RangeKind::part, 1, 2},
    {"BehindTheEnd", "bytes=1000-", RangeKind::unsatisfiable},
    {"FarBehindTheEnd", "bytes=99999999999999999999999-", RangeKind::unsatisfiable},
    {"NothingOfTheLast", "bytes=-0", RangeKind::unsatisfiable},
    {"NoField", "", RangeKind::whole},
    {"AnotherUnit", "lines=0-1", RangeKind::whole},
    {"Backwards", "bytes=5-4", RangeKind::whole},
    {"NoNumbers", "bytes=-", RangeKind::whole},
    {"NoDash", "bytes=5", RangeKind::whole},
    {"ALetter", "bytes=a-5", RangeKind::whole},
    {"ALetterBehind", "bytes=0-5x", RangeKind::whole},
    {"ASign", "bytes=+1-5", RangeKind::whole},
    {"ASpace", "bytes= 0-5", RangeKind::whole},
    {"Several", "bytes=0-1,5-6", RangeKind::whole},
};

class Range : public testing::TestWithParam<Sample> {};
TEST_P(Range, IsReadAsItIsMeant) {
  const auto& sample = GetParam();
  const auto ranged = read_range(sample.range, "", "\"a\"", 1'000);
  EXPECT_EQ(ranged.kind, sample.kind);
  EXPECT_EQ(ranged.range, (ByteRange{sample.first, sample.last}));
}
INSTANTIATE_TEST_SUITE_P(Http, Range, testing::ValuesIn(kSamples),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Ranges, HoldOnlyForTheFileThatTheClientHasAPartOf) {
  EXPECT_EQ(read_range("bytes=0-1", "\"a\"", "\"a\"", 10).kind, RangeKind::part);
  for (const auto* other : {"\"b\"", "W/\"a\"", "Sat, 21 Nov 2026 00:00:00 GMT", "a"})
    EXPECT_EQ(read_range("bytes=0-1", other, "\"a\"", 10).kind, RangeKind::whole) << other;
}

TEST(Pace, GivesTimeAtFirstAndThenByWhatHasCome) {
  const Pace pace{20s, 1'000};
  EXPECT_EQ(pace.left(0, pace.began), 20s);
  EXPECT_EQ(pace.left(0, pace.began + 19s), 1s);
  EXPECT_LT(pace.left(0, pace.began + 21s), 0s);
  EXPECT_EQ(pace.left(100'000, pace.began + 100s), 20s) << "100 s are earned";
  EXPECT_LT(pace.left(100'000, pace.began + 121s), 0s);
}

TEST(Pace, IsRightForTheLargestFiles) {
  const Pace pace{20s, 1};
  EXPECT_GT(pace.left(1'000'000'000, pace.began), 999'999'999s);
}

}  // namespace gateway_range_test
}  // namespace bottega::test
