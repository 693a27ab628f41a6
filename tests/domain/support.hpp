#pragma once
// Cases in a World, for the tests of what is done to them, of the platform's desk, and of what is
// kept of them.
#include <gtest/gtest.h>

#include "support/errors.hpp"
#include "support/world.hpp"
#include "bottega/support/staff.hpp"
#include "bottega/support/withdrawals.hpp"

namespace bottega::test {

class SupportTest : public testing::Test {
 protected:
  using SupportCase = support::SupportCase;
  using CaseId = support::CaseId;
  using State = support::State;
  using Desk = support::Desk;
  using Who = identity::Who;

  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }
  void TearDown() override { world->clock.set_offset(std::chrono::microseconds(0)); }

  template <class Op>
  static auto in(Op op) {
    return world->transact([&](Tx& tx) { return op(tx); });
  }
  template <class Op>
  static std::optional<Code> refusal(Op op) {
    return code_of([&] { in(op); });
  }

  static SupportCase open(const Who& who, const Json& more) {
    Json given = {{"subject", "damaged"}, {"text", "It is broken"}};
    given.update(more);
    const auto asked = from_json<support::NewCase>(given);
    return in([&](Tx& tx) { return support::open(tx, who, asked); });
  }
  SupportCase open_about(const orders::Order& order) const {
    return open(shop.buyer, {{"order_id", text_of(order.id)}});
  }
  SupportCase open_in_conversation() const {
    return open(shop.buyer, {{"conversation_id", text_of(shop.conversation)}});
  }
  SupportCase open_of_shop() const {
    return open(shop.owner, {{"merchant_id", text_of(shop.merchant)}, {"subject", "account"}});
  }
  static SupportCase reply(const Who& who, CaseId id, const std::string& text = "Well?") {
    const auto given = from_json<support::NewCaseReply>({{"text", text}});
    return in([&](Tx& tx) { return support::reply(tx, who, id, given); });
  }
  static SupportCase solve(const Who& who, CaseId id) {
    return in([&](Tx& tx) { return support::solve(tx, who, id); });
  }
  static SupportCase hand_over(const Who& who, CaseId id) {
    return in([&](Tx& tx) { return support::hand_over(tx, who, id, {}); });
  }
  static SupportCase seen_by(const Who& who, CaseId id) {
    return in([&](Tx& tx) { return support::fetch(tx, who, id); });
  }
  static SupportCase answer_as_ops(const Who& who, CaseId id,
                                   const std::string& text = "On its way") {
    const auto given = from_json<support::staff::NewCaseAnswer>({{"text", text}});
    return in([&](Tx& tx) { return support::staff::answer(tx, who, id, given); });
  }
  std::vector<conversations::Event> log() const {
    return in([&](Tx& tx) {
      return conversations::log_after(tx, shop.owner, shop.conversation, 0, 1'000);
    });
  }
  void say(const Who& who, const std::string& text) const {
    const auto given = from_json<conversations::NewMessage>({{"text", text}});
    in([&](Tx& tx) { return conversations::send(tx, who, shop.conversation, given); });
  }
  // As the periodic job does it; answers how many.
  static std::int64_t close_due() {
    return in([&](Tx& tx) { return support::close_due(tx, std::chrono::days(7), 100); });
  }
  static void set_time(Instant to) {
    world->clock.set_offset(to - (world->clock.now() - world->clock.offset()));
  }

  static inline std::unique_ptr<World> world;
  const Shop shop = world->shop();
};

}  // namespace bottega::test
