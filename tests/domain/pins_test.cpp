// The PIN: five wrong tries lock it for a quarter of an hour, three locks until it is set anew.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/identity/pins.hpp"

namespace bottega::test {
namespace pins_test {

using namespace std::chrono_literals;

class Pins : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    who_ = world_->person();
    set("the hash");
  }
  void set(const std::string& hash) const {
    world_->transact([&](Tx& tx) { identity::set_pin(tx, who_.account, hash); });
  }
  // How many tries are left after a wrong one.
  std::int64_t wrong() const {
    return world_->transact([&](Tx& tx) { return identity::begin_pin_try(tx, who_.account); }).left;
  }
  void right() const {
    const auto tried =
        world_->transact([&](Tx& tx) { return identity::begin_pin_try(tx, who_.account); });
    world_->transact([&](Tx& tx) { identity::pin_matched(tx, who_.account, tried); });
  }
  std::string refusal() const {
    try {
      wrong();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::forbidden);
      return error.reason();
    }
    return "";
  }
  void lock_out() const {
    for (std::int64_t left = identity::kPinTries; left > 0;) ASSERT_EQ(wrong(), --left);
  }

  static inline std::unique_ptr<World> world_;
  identity::Who who_;
};

TEST_F(Pins, SayHowManyTriesAreLeft) {
  EXPECT_EQ(wrong(), 4);
  EXPECT_EQ(wrong(), 3);
  EXPECT_EQ(std::string(identity::wrong_pin({"", 3}).what()), "the PIN is wrong; 3 tries are left");
  EXPECT_EQ(std::string(identity::wrong_pin({"", 1}).what()), "the PIN is wrong; 1 try is left");
  EXPECT_EQ(std::string(identity::wrong_pin({"", 0}).what()), "the PIN is wrong, and locked now");
}

TEST_F(Pins, ThatAreRightForgetTheWrongTries) {
  wrong();
  wrong();
  right();
  EXPECT_EQ(wrong(), 4);
}

TEST_F(Pins, AreLockedForAQuarterOfAnHour) {
  lock_out();
  EXPECT_EQ(refusal(), "pin_locked");
  world_->advance(14min);
  EXPECT_EQ(refusal(), "pin_locked");
  world_->advance(2min);
  EXPECT_EQ(wrong(), 4);
}

TEST_F(Pins, AreSpentAfterThreeLocksUntilSetAnew) {
  for (int i = 0; i < 3; ++i) {
    lock_out();
    world_->advance(16min);
  }
  EXPECT_EQ(refusal(), "pin_spent");
  world_->advance(24h);
  EXPECT_EQ(refusal(), "pin_spent");
  set("another hash");
  EXPECT_EQ(wrong(), 4);
}

TEST_F(Pins, ThatAreRightAtTheFifthTryAreNotLocked) {
  for (int i = 0; i < 4; ++i) wrong();
  right();
  EXPECT_EQ(wrong(), 4);
}

TEST_F(Pins, ThatWereSetAnewMeanwhileDoNotMatch) {
  const auto tried =
      world_->transact([&](Tx& tx) { return identity::begin_pin_try(tx, who_.account); });
  set("another hash");
  EXPECT_EQ(code_of([&] {
              world_->transact([&](Tx& tx) { identity::pin_matched(tx, who_.account, tried); });
            }),
            Code::forbidden);
}

TEST_F(Pins, ThatAreNotSetAreRefused) {
  who_ = world_->person();
  EXPECT_EQ(refusal(), "no_pin");
}

TEST_F(Pins, HaveSixDigits) {
  for (const auto* text : {"12345a", "      ", "-12345", "1.2345"})
    EXPECT_EQ(code_of([&] { identity::require_digits({Secret(text)}, "/pin"); }), Code::invalid)
        << text;
  EXPECT_EQ(code_of([&] { identity::require_digits({Secret("012345")}, "/pin"); }), std::nullopt);
}

}  // namespace pins_test
}  // namespace bottega::test
