// The newest events in memory: all that was missed, or nothing.
#include "bottega/bus/recent.hpp"

#include <gtest/gtest.h>

namespace bottega::bus {
namespace bus_recent_test {

EventPtr event(const std::string& stream, std::int64_t position, bool rewrites = false) {
  return std::make_shared<const Event>(
      Event{stream, position, stream + std::to_string(position), rewrites});
}

std::string between(const Recent& recent, const std::string& stream, std::int64_t after,
                    std::int64_t last) {
  std::string out;
  for (const auto& one : recent.between(stream, after, last)) out += one->text + ' ';
  return out;
}

TEST(BusRecent, GivesWhatComesBehindAPositionWhereItHasAllOfIt) {
  Recent recent(1'000'000);
  EXPECT_EQ(between(recent, "a", 0, 1), "") << "nothing is known";
  for (int i = 3; i <= 6; ++i) recent.keep(event("a", i));
  recent.keep(event("b", 9));
  EXPECT_EQ(between(recent, "a", 4, 6), "a5 a6 ");
  EXPECT_EQ(between(recent, "a", 2, 6), "a3 a4 a5 a6 ");
  EXPECT_EQ(between(recent, "a", 1, 6), "") << "a2 is not here";
  EXPECT_EQ(between(recent, "a", 4, 7), "") << "there is one that was not heard of";
  EXPECT_EQ(between(recent, "a", 4, 5), "") << "the log was read before a6 was written";
  EXPECT_EQ(between(recent, "a", 6, 6), "");
  EXPECT_EQ(between(recent, "b", 8, 9), "b9 ");
}

TEST(BusRecent, BeginsAnewBehindAGapAndLeavesOutWhatComesTwiceOrLate) {
  Recent recent(1'000'000);
  for (const int i : {1, 2, 2, 1, 3}) recent.keep(event("a", i));
  EXPECT_EQ(between(recent, "a", 0, 3), "a1 a2 a3 ");
  recent.keep(event("a", 5));
  recent.keep(event("a", 4));
  EXPECT_EQ(between(recent, "a", 2, 5), "");
  EXPECT_EQ(between(recent, "a", 4, 5), "a5 ");
}

TEST(BusRecent, ForgetsWhatIsNotAsItWas) {
  Recent recent(1'000'000);
  for (int i = 1; i <= 3; ++i) recent.keep(event("a", i));
  recent.keep(event("a", 4, true));
  EXPECT_EQ(between(recent, "a", 1, 4), "") << "a message among them was taken back";
  EXPECT_EQ(between(recent, "a", 3, 4), "a4 ");
  recent.keep(event("a", 0));
  EXPECT_EQ(between(recent, "a", 3, 4), "a4 ") << "a passing event changes nothing";
  recent.keep(event("a", 0, true));
  EXPECT_EQ(between(recent, "a", 3, 4), "");
  EXPECT_EQ(recent.bytes(), 0u);
}

TEST(BusRecent, HearsThatAStreamHasGotFurther) {
  Recent recent(1'000'000);
  recent.keep(event("a", 1));
  recent.keep(std::make_shared<const Event>(Event{"a", 3, ""}));
  recent.keep(event("a", 4));
  EXPECT_EQ(between(recent, "a", 0, 4), "");
  EXPECT_EQ(between(recent, "a", 3, 4), "a4 ");
}

TEST(BusRecent, IsBoundedInBytesAndPerStream) {
  Recent recent(10'000);
  for (int i = 1; i <= 200; ++i) recent.keep(event("a", i));
  EXPECT_LE(recent.bytes(), 10'000u);
  recent.keep(event("z", 1));
  for (int i = 0; i < 20; ++i) {
    recent.keep(event("s" + std::to_string(i), 1));
    recent.keep(event("z", 2 + i));
    EXPECT_LE(recent.bytes(), 10'000u);
  }
  EXPECT_EQ(between(recent, "z", 20, 21), "z21 ") << "the streams that are written to stay";
  EXPECT_EQ(between(recent, "s0", 0, 1), "") << "the one that was quiet for longest is forgotten";
  Recent off(0);
  off.keep(event("a", 1));
  EXPECT_EQ(off.bytes(), 0u);
}

}  // namespace bus_recent_test
}  // namespace bottega::bus
