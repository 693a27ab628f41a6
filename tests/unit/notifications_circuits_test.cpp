// A push service that fails is left alone for a while; the others are not.
#include "notifications/circuits.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace bottega::test {
namespace notifications_circuits_test {

using namespace std::chrono_literals;
using notifications::Call, notifications::Circuits;

class PushCircuits : public testing::Test {
 protected:
  std::int64_t room(const std::string& origin, Circuits::Time at) const {
    const auto rooms = circuits.rooms(at);
    const auto found = std::ranges::find(rooms.origins, origin);
    if (found == rooms.origins.end()) return circuits.calls_max();
    return rooms.rooms[static_cast<std::size_t>(found - rooms.origins.begin())];
  }
  void fail(const std::string& origin, int times, Circuits::Time at) {
    for (int i = 0; i < times; ++i) {
      circuits.begun(origin);
      circuits.ended(origin, Call::badly, at);
    }
  }
  Circuits circuits{4};
  Circuits::Time now = Circuits::Time{} + 1h;
};

TEST_F(PushCircuits, GiveEachServiceItsShare) {
  circuits.begun("a");
  circuits.begun("a");
  EXPECT_EQ(room("a", now), 2);
  EXPECT_EQ(room("b", now), 4);
  circuits.begun("a");
  circuits.begun("a");
  EXPECT_EQ(room("a", now), 0);
  circuits.ended("a", Call::well, now);
  EXPECT_EQ(room("a", now), 1);
}

TEST_F(PushCircuits, LeaveAServiceAloneAfterFiveFailuresInARow) {
  fail("a", 4, now);
  EXPECT_EQ(room("a", now), 4);
  fail("a", 1, now);
  EXPECT_EQ(room("a", now), 0);
  EXPECT_EQ(room("b", now), 4);
  EXPECT_EQ(circuits.open(now), 1);
  EXPECT_EQ(room("a", now + 29s), 0);
  EXPECT_EQ(room("a", now + 30s), 1) << "then one call tries it";
}

TEST_F(PushCircuits, TryWithOneCallAndTrustAgainAfterASuccess) {
  fail("a", 5, now);
  now += 30s;
  circuits.begun("a");
  EXPECT_EQ(room("a", now), 0) << "one at a time";
  circuits.ended("a", Call::well, now);
  EXPECT_EQ(room("a", now), 4);
  EXPECT_EQ(circuits.open(now), 0);
}

TEST_F(PushCircuits, WaitLongerEachTimeButNotForEver) {
  fail("a", 6, now);
  EXPECT_EQ(room("a", now + 59s), 0);
  EXPECT_EQ(room("a", now + 60s), 1);
  fail("a", 30, now);
  EXPECT_EQ(room("a", now + 599s), 0);
  EXPECT_EQ(room("a", now + 600s), 1);
}

TEST_F(PushCircuits, ForgetFailuresAfterASuccess) {
  fail("a", 4, now);
  circuits.begun("a");
  circuits.ended("a", Call::well, now);
  fail("a", 4, now);
  EXPECT_EQ(room("a", now), 4);
}

}  // namespace notifications_circuits_test
}  // namespace bottega::test
