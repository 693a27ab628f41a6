#pragma once
// Returns in a World, for the tests of what becomes of them, of the order and of the money.
#include <gtest/gtest.h>

#include "domain/parcels.hpp"
#include "support/errors.hpp"
#include "bottega/catalog/stock.hpp"
#include "bottega/returns/returns.hpp"

namespace bottega::test {

class ReturnsTest : public testing::Test {
 protected:
  using Return = returns::Return;
  using ReturnId = returns::ReturnId;
  using State = returns::State;
  using Who = identity::Who;
  using Order = orders::State;

  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }
  void TearDown() override {
    const auto books = world->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
    world->clock.set_offset(std::chrono::microseconds(0));
  }

  template <class Op>
  static auto in(Op op) {
    return world->transact([&](Tx& tx) { return op(tx); });
  }

  // A sale of these pieces that was sent.
  orders::Order sent(const std::vector<Piece>& pieces = {{2, 5'000}}) const {
    const auto order = sell_pieces(*world, shop, pieces);
    return send(*world, shop.owner, order, {{"carrier", "other"}}).order;
  }
  Return request(const orders::Order& order, const Json& more = Json::object()) const {
    return request(shop.buyer, order, more);
  }
  static Return request(const Who& who, const orders::Order& order,
                        const Json& more = Json::object()) {
    Json body = {{"reason", "changed_mind"}};
    body.update(more);
    const auto given = from_json<returns::NewReturn>(body);
    return in([&](Tx& tx) { return returns::request(tx, who, order.id, given, rules); });
  }
  static Json pieces(std::int64_t quantity, std::int64_t line = 0) {
    return {{"lines", {{{"line", line}, {"quantity", quantity}}}}};
  }
  Return approve(const Return& item) const { return approve(shop.owner, item); }
  static Return approve(const Who& who, const Return& item) {
    return in([&](Tx& tx) { return returns::approve(tx, who, item.id, {}, rules); });
  }
  Return reject(const Return& item) const {
    const returns::ReturnRejection given{from_text<Text<1, 1000>>("It is worn")};
    return in([&](Tx& tx) { return returns::reject(tx, shop.owner, item.id, given); });
  }
  Return cancel(const Return& item) const { return cancel(shop.buyer, item); }
  static Return cancel(const Who& who, const Return& item) {
    return in([&](Tx& tx) { return returns::cancel(tx, who, item.id); });
  }
  Return receive(const Return& item, const Json& body = Json::object()) const {
    const auto given = from_json<returns::ReturnReceipt>(body);
    return in([&](Tx& tx) { return returns::receive(tx, shop.owner, item.id, given); });
  }
  Return refund(const Return& item, std::optional<std::int64_t> amount = std::nullopt) const {
    return refund(shop.owner, item, amount);
  }
  static Return refund(const Who& who, const Return& item,
                       std::optional<std::int64_t> amount = std::nullopt) {
    Json body = Json::object();
    if (amount) body["amount"] = *amount;
    const auto given = from_json<returns::ReturnRefund>(body);
    return in(
        [&](Tx& tx) { return returns::refund(tx, who, item.id, given, world->payment_rules); });
  }
  // Asked for, approved and received.
  Return come_back(const orders::Order& order, const Json& more = Json::object()) const {
    return receive(approve(request(order, more)));
  }
  static Return now(const Return& item) {
    return in([&](Tx& tx) {
      Who ops;
      ops.kind = identity::Kind::person;
      ops.account = item.buyer_id;
      return returns::fetch(tx, ops, item.id);
    });
  }
  static Order state_of(const orders::Order& order) { return test::now(*world, order).state; }
  payouts::Payout payout_of(const orders::Order& order) const {
    for (const auto& one : in([&](Tx& tx) {
           return payouts::list_of_merchant(tx, shop.merchant, std::nullopt, 100);
         }))
      if (one.order_id == order.id) return one;
    throw std::runtime_error("it has no payout");
  }
  std::vector<conversations::Event> log() const {
    return in([&](Tx& tx) {
      return conversations::log_after(tx, shop.owner, shop.conversation, 0, 1'000);
    });
  }

  static inline std::unique_ptr<World> world;
  static inline const returns::Rules rules{};
  const Shop shop = world->shop();
};

}  // namespace bottega::test
