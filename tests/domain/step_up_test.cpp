// What is asked for before money leaves, by the gateway on a real database.
#include "gateway/step_up.hpp"

#include <gtest/gtest.h>

#include "domain/gateway.hpp"

namespace bottega::test {
namespace step_up_test {

class StepUpToPay : public testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    request_.who = world_->person();
    const auto hash = identity::hash_password(Secret("203040"), Gate::kCheap);
    world_->transact([&](Tx& tx) { identity::set_pin(tx, request_.who.account, hash); });
  }
  std::optional<Code> give(const std::optional<std::string>& pin) {
    gateway::Call call(gate_.app, request_, {}, gateway::Once::none);
    std::optional<identity::Pin> given;
    if (pin) given = identity::Pin{Secret(*pin)};
    return code_of([&] { run(gateway::step_up_to_pay(call, given)); });
  }
  // How many tries are left after one more.
  std::int64_t tries_left() const {
    return world_->transact(
        [&](Tx& tx) { return identity::begin_pin_try(tx, request_.who.account).left; });
  }

  static inline std::unique_ptr<World> world_;
  Gate gate_{*world_};
  gateway::Request request_;
};

TEST_F(StepUpToPay, AsksForAPinWhereTheSessionIsNotFresh) {
  const auto fresh = std::chrono::seconds(world_->config.auth_fresh_login_s);
  const auto now = world_->clock.now();
  const std::vector<std::pair<Instant, std::optional<Code>>> rows = {
      {now, std::nullopt},
      {now - fresh + std::chrono::minutes(1), std::nullopt},
      {now - fresh, Code::forbidden},
      {Instant{}, Code::forbidden}};
  for (const auto& [opened_at, code] : rows) {
    request_.who.opened_at = opened_at;
    EXPECT_EQ(give(std::nullopt), code) << text_of(opened_at);
  }
}

TEST_F(StepUpToPay, SpendsNoTryWhereTheQueueIsFull) {
  {
    identity::Passwords::Place taken(gate_.passwords);
    for (int i = 0; i < 6; ++i) EXPECT_EQ(give("203040"), Code::busy);
  }
  EXPECT_EQ(give("203040"), std::nullopt) << "the seventh, and there is room";
  EXPECT_EQ(tries_left(), 4);
}

TEST_F(StepUpToPay, SpendsATryWhereThePinIsWrong) {
  EXPECT_EQ(give("000000"), Code::forbidden);
  EXPECT_EQ(tries_left(), 3);
  EXPECT_EQ(give("203040"), std::nullopt);
  EXPECT_EQ(tries_left(), 4) << "a right one forgets the wrong ones";
}

}  // namespace step_up_test
}  // namespace bottega::test
