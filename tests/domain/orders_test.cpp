// Orders: who ships them and when, what cancels them, and that the unsent are never paid out.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/core/calendar.hpp"

namespace bottega::test {
namespace orders_test {

using namespace std::chrono_literals;
using orders::State;

class Orders : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
  }
  static void TearDownTestSuite() { world_.reset(); }

  static payouts::Shipped ship(const identity::Who& who, const orders::Order& order) {
    const orders::NewShipment shipment{from_text<Line<1, 50>>("USPS"),
                                       from_text<Line<1, 60>>("94001"), std::nullopt};
    return world_->transact(
        [&](Tx& tx) { return payouts::ship(tx, who, order.id, shipment, world_->payout_rules); });
  }
  static orders::Order deliver(const orders::Order& order) {
    return world_->transact(
        [&](Tx& tx) { return orders::deliver(tx, orders::lock(tx, order.merchant_id, order.id)); });
  }
  static orders::Order now(const orders::Order& order) {
    return world_->transact([&](Tx& tx) { return orders::lock(tx, order.merchant_id, order.id); });
  }
  // The rows of a table that are about the order.
  static std::string count_of(const std::string& table, const orders::Order& order) {
    return execute(world_->urls.superuser, "SELECT count(*) FROM bottega." + table +
                                               " WHERE order_id = '" + uuid_text(order.id.uuid) +
                                               "'");
  }
  static payments::Payment payment_of(const orders::Order& order) {
    return world_->transact(
        [&](Tx& tx) { return payments::current(tx, order.merchant_id, order.payment_id).payment; });
  }
  static std::int64_t open_balance(const Shop& shop) {
    std::int64_t open = 0;
    for (const auto& row : world_->transact(
             [&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop.merchant)); }))
      open += std::abs(row.debits - row.credits);
    return open;
  }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

// ---- every state x every act --------------------------------------------------------------------

enum class Act : std::uint8_t { ship, deliver, cancel };
BOOST_DESCRIBE_ENUM(Act, ship, deliver, cancel)

class OrderActs : public Orders, public ::testing::WithParamInterface<std::tuple<State, Act>> {
 protected:
  static orders::Order in_state(State state) {
    const auto order = world_->sell(shop_, 5'000);
    if (state == State::cancelled) world_->cancel(shop_, order);
    if (state == State::shipped || state == State::delivered) ship(shop_.owner, order);
    if (state == State::delivered) deliver(order);
    EXPECT_EQ(now(order).state, state);
    return order;
  }
  static std::optional<State> expected(State from, Act act) {
    if (from == State::paid && act == Act::ship) return State::shipped;
    if (from == State::paid && act == Act::cancel) return State::cancelled;
    if (from == State::shipped && act == Act::deliver) return State::delivered;
    return std::nullopt;
  }
  static void perform(Act act, const orders::Order& order) {
    if (act == Act::ship) ship(shop_.owner, order);
    if (act == Act::deliver) deliver(order);
    if (act == Act::cancel) world_->cancel(shop_, order);
  }
};

TEST_P(OrderActs, MoveItAsDrawnAndAreRefusedElsewhere) {
  const auto from = std::get<0>(GetParam());
  const auto act = std::get<1>(GetParam());
  const auto order = in_state(from);
  const auto payouts_before = count_of("payouts", order);
  const auto refunds_before = count_of("refunds", order);
  const auto before = to_json(now(order));
  if (const auto to = expected(from, act)) {
    perform(act, order);
    EXPECT_EQ(now(order).state, *to);
    EXPECT_EQ(count_of("payouts", order), act == Act::cancel ? "0" : "1");
    EXPECT_EQ(count_of("refunds", order), act == Act::cancel ? "1" : "0");
    return;
  }
  EXPECT_EQ(code_of([&] { perform(act, order); }), Code::conflict);
  EXPECT_EQ(to_json(now(order)), before);
  EXPECT_EQ(count_of("payouts", order), payouts_before);
  EXPECT_EQ(count_of("refunds", order), refunds_before);
}

INSTANTIATE_TEST_SUITE_P(All, OrderActs,
                         ::testing::Combine(::testing::Values(State::paid, State::shipped,
                                                              State::delivered, State::cancelled),
                                            ::testing::Values(Act::ship, Act::deliver,
                                                              Act::cancel)),
                         [](const auto& row) {
                           return text_of(std::get<0>(row.param)) + "_" +
                                  text_of(std::get<1>(row.param));
                         });

// ---- shipping -----------------------------------------------------------------------------------

TEST_F(Orders, AreShippedByEveryMemberAndByAKeyWithTheScope) {
  std::vector<identity::Who> crew;
  for (const auto role : {identity::Role::agent, identity::Role::manager, identity::Role::owner})
    crew.push_back(world_->member(shop_, role));
  crew.push_back(world_->key_with(shop_, identity::Scope::orders));
  for (const auto& who : crew) {
    const auto order = world_->sell(shop_);
    EXPECT_EQ(ship(who, order).order.state, State::shipped);
  }
}

TEST_F(Orders, AreShippedByNobodyElse) {
  const auto order = world_->sell(shop_);
  const auto other = world_->shop();
  for (const auto& who : {shop_.buyer, world_->person(), world_->staff(), other.owner,
                          world_->key_with(other, identity::Scope::orders), identity::Who{}})
    EXPECT_EQ(code_of([&] { ship(who, order); }), Code::not_found);
  for (const auto scope : {identity::Scope::read, identity::Scope::chat, identity::Scope::payments})
    EXPECT_EQ(code_of([&] { ship(world_->key_with(shop_, scope), order); }), Code::forbidden);
  EXPECT_EQ(now(order).state, State::paid);
  EXPECT_EQ(count_of("payouts", order), "0");
}

TEST_F(Orders, AreCancelledByManagersAndUp) {
  const auto order = world_->sell(shop_);
  const auto lock = [&](const identity::Who& who) {
    world_->transact(
        [&](Tx& tx) { orders::lock_for_merchant(tx, who, order.id, identity::Role::manager); });
  };
  EXPECT_NO_THROW(lock(world_->member(shop_, identity::Role::manager)));
  EXPECT_NO_THROW(lock(shop_.owner));
  EXPECT_EQ(code_of([&] { lock(world_->member(shop_, identity::Role::agent)); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { lock(shop_.buyer); }), Code::not_found);
}

TEST_F(Orders, AreCancelledByAKeyOnlyWhereItMayGiveMoneyBackToo) {
  const auto order = world_->sell(shop_);
  const auto cancel = [&](identity::Who key) {
    return code_of([&] {
      world_->transact([&](Tx& tx) {
        payments::cancel_order(tx, key, order.id, "sold out", world_->payment_rules);
      });
    });
  };
  auto key = world_->key_with(shop_, identity::Scope::orders);
  EXPECT_EQ(cancel(key), Code::forbidden);
  EXPECT_EQ(cancel(world_->key_with(shop_, identity::Scope::payments)), Code::forbidden);
  EXPECT_EQ(now(order).state, State::paid);
  EXPECT_EQ(payment_of(order).refunding, 0);
  key.scopes.push_back(identity::Scope::payments);
  EXPECT_EQ(cancel(key), std::nullopt);
  EXPECT_EQ(now(order).state, State::cancelled);
}

TEST_F(Orders, KeepWhatTheParcelIs) {
  const auto shipped = ship(shop_.owner, world_->sell(shop_)).order;
  EXPECT_EQ(shipped.carrier, "USPS");
  EXPECT_EQ(shipped.tracking_number, "94001");
  EXPECT_TRUE(shipped.shipped_at);
  const auto seen = world_->transact(
      [&](Tx& tx) { return orders::fetch(tx, shop_.buyer, shipped.id).tracking_number; });
  EXPECT_EQ(seen, "94001") << "and the buyer may follow it";
}

TEST_F(Orders, AreSeenByTheBuyerAndTheShop) {
  const auto order = world_->sell(shop_);
  const auto fetch = [&](const identity::Who& who) {
    return world_->transact([&](Tx& tx) { return orders::fetch(tx, who, order.id).id; });
  };
  EXPECT_EQ(fetch(shop_.buyer), order.id);
  EXPECT_EQ(fetch(world_->member(shop_, identity::Role::agent)), order.id);
  EXPECT_EQ(code_of([&] { fetch(world_->person()); }), Code::not_found);
  auto key = shop_.buyer;  // a key the buyer made for a shop of their own
  key.kind = identity::Kind::api_key;
  EXPECT_EQ(code_of([&] { fetch(key); }), Code::not_found);
}

struct Label {
  const char* name;
  Json carrier, number;
  const char* pointer;  // "" where it may be shipped like this
  friend std::ostream& operator<<(std::ostream& out, const Label& label) {
    return out << label.name;
  }
};
class Labels : public ::testing::TestWithParam<Label> {};

TEST_P(Labels, AreShortLinesOfText) {
  const Json given = {{"carrier", GetParam().carrier}, {"tracking_number", GetParam().number}};
  try {
    from_json<orders::NewShipment>(given);
    EXPECT_STREQ(GetParam().pointer, "");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, GetParam().pointer);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Labels,
    ::testing::Values(Label{"Ordinary", "USPS", "9400111899223197428490", ""},
                      Label{"Shortest", "U", "9", ""},
                      Label{"Longest", std::string(50, 'c'), std::string(60, '9'), ""},
                      Label{"LongCarrier", std::string(51, 'c'), "9", "/carrier"},
                      Label{"LongNumber", "USPS", std::string(61, '9'), "/tracking_number"},
                      Label{"NoCarrier", "", "9", "/carrier"},
                      Label{"NoNumber", "USPS", "", "/tracking_number"},
                      Label{"NullNumber", "USPS", nullptr, "/tracking_number"},
                      Label{"NobodyTracksIt", "other", nullptr, ""},
                      Label{"TheNumberTells", nullptr, "1Z5R89390357567127", ""},
                      Label{"NothingAtAll", nullptr, nullptr, "/tracking_number"},
                      Label{"TwoLines", "USPS", "94\n00", "/tracking_number"},
                      Label{"ANumber", "USPS", 9400, "/tracking_number"}),
    [](const auto& row) { return std::string(row.param.name); });

// ---- cancelling ---------------------------------------------------------------------------------

TEST_F(Orders, ThatAreCancelledGiveAllTheMoneyBack) {
  const auto shop = world_->shop();
  const auto order = world_->sell(shop, 4'321);
  const auto cancelled = world_->cancel(shop, order);
  EXPECT_EQ(cancelled.order.state, State::cancelled);
  EXPECT_EQ(cancelled.order.reason, "sold out");
  EXPECT_EQ(cancelled.refund->amount.amount, 4'321);
  EXPECT_EQ(cancelled.refund->state, payments::RefundState::pending);
  EXPECT_EQ(open_balance(shop), 2 * 4'321) << "not before the processor has said so";
  world_->run_jobs();
  EXPECT_EQ(open_balance(shop), 0);
  EXPECT_EQ(payment_of(order).state, payments::State::refunded);
  EXPECT_EQ(payment_of(order).refunded, 4'321);
  world_->advance(60 * 24h);
  world_->run_jobs();
  EXPECT_EQ(count_of("payouts", order), "0");
  EXPECT_EQ(open_balance(shop), 0);
}

TEST_F(Orders, ThatWereNotSentForAWeekAreCancelledByThemselves) {
  const auto shop = world_->shop();
  const auto order = world_->sell(shop, 2'000);
  const auto limit = order.created_at + 7 * 24h;
  world_->clock.set_offset(world_->clock.offset() + (limit - world_->clock.now()) - 20s);
  world_->run_jobs();
  EXPECT_EQ(now(order).state, State::paid);
  world_->advance(21s);
  world_->run_jobs();
  EXPECT_EQ(now(order).state, State::cancelled);
  EXPECT_GE(now(order).cancelled_at, limit);
  EXPECT_EQ(now(order).reason, "not sent in time");
  EXPECT_EQ(payment_of(order).state, payments::State::refunded);
  EXPECT_EQ(open_balance(shop), 0);
}

TEST_F(Orders, ThatWereSentInTimeAreNotCancelledLater) {
  const auto order = world_->sell(shop_, 2'000);
  world_->advance(6 * 24h + 23h);
  ship(shop_.owner, order);
  world_->advance(30 * 24h);
  world_->run_jobs();
  EXPECT_EQ(now(order).state, State::shipped);
  EXPECT_EQ(payment_of(order).state, payments::State::captured);
}

TEST_F(Orders, ThatAreNotSentAreNeverPaidOut) {
  // Even where the operator lets them wait for a year.
  world_->payment_rules.cancel_after = std::chrono::days(365);
  const auto shop = world_->shop();
  const auto order = world_->sell(shop, 9'000);
  world_->payment_rules.cancel_after = std::chrono::days(7);
  for (int day = 0; day < 60; ++day) {
    world_->advance(24h);
    world_->run_jobs();
  }
  EXPECT_EQ(now(order).state, State::paid);
  EXPECT_EQ(count_of("payouts", order), "0");
  for (const auto& row : world_->transact(
           [&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop.merchant)); }))
    EXPECT_TRUE(row.kind == ledger::Kind::held || row.kind == ledger::Kind::processor_clearing)
        << text_of(row.kind);
  EXPECT_EQ(open_balance(shop), 2 * 9'000) << "the buyer's money is still held";
}

TEST_F(Orders, AreToBeShippedWithinThreeBusinessDays) {
  const auto order = world_->sell(shop_);
  EXPECT_EQ(order.ship_by, Calendars::built_in().of("US").add_business_days(order.created_at, 3));
  EXPECT_GE(order.ship_by - order.created_at, 3 * 24h);
}

}  // namespace orders_test
}  // namespace bottega::test
