// What is sent of an order: in one parcel or in several, what is left at its limit, and that nobody
// is paid before.
#include <gtest/gtest.h>

#include "domain/parcels.hpp"
#include "bottega/core/calendar.hpp"

namespace bottega::test {
namespace shipments_test {

using namespace std::chrono_literals;
using orders::Fulfilment, orders::State;
using Names = std::vector<std::string>;

class Shipments : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
  }
  static void TearDownTestSuite() { world_.reset(); }

  static orders::Order sold() { return sell_pieces(*world_, shop_, {{3, 1'000}, {1, 2'000}}); }
  static orders::Order at(const orders::Order& order) { return test::now(*world_, order); }
  static payments::Closed close(const identity::Who& who, const orders::Order& order,
                                std::optional<std::int64_t> amount = std::nullopt) {
    Json body = {{"reason", "out of stock"}};
    if (amount) body["amount"] = *amount;
    const auto given = from_json<payments::NewClosing>(body);
    return world_->transact([&](Tx& tx) {
      return payments::close_rest(tx, who, order.id, given, world_->payment_rules,
                                  world_->payout_rules);
    });
  }
  static std::vector<orders::Shipment> parcels(const orders::Order& order) {
    return world_->transact(
        [&](Tx& tx) { return orders::list_shipments(tx, shop_.buyer, order.id); });
  }
  static payouts::Payout payout_of(const orders::Order& order) {
    for (const auto& one : world_->transact([&](Tx& tx) {
           return payouts::list_of_merchant(tx, shop_.merchant, std::nullopt, 100);
         }))
      if (one.order_id == order.id) return one;
    throw std::runtime_error("there is no payout");
  }
  // As the job does at the order's limit.
  static void reach_the_limit() {
    world_->advance(8 * 24h);
    world_->run_jobs();
  }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

// ---- whole orders -------------------------------------------------------------------------------

TEST_F(Shipments, OfAWholeOrderAreOneParcelWithTheOrdersOwnId) {
  const auto order = sold();
  const auto shipped = world_->ship(shop_, order);
  EXPECT_EQ(shipped.order.state, State::shipped);
  EXPECT_EQ(shipped.order.fulfilment, Fulfilment::all);
  EXPECT_TRUE(shipped.payout);
  EXPECT_EQ(shipped.shipment.id.uuid, order.id.uuid);
  const auto all = parcels(order);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(to_json(all[0]), to_json(shipped.shipment)) << "what is answered is what is kept";
  EXPECT_EQ(to_json(all[0].lines),
            Json::parse(R"([{"line":0,"quantity":3},{"line":1,"quantity":1}])"));
  EXPECT_EQ(told(*world_, shop_, order), (Names{"order.created", "order.shipped"}));
}

TEST_F(Shipments, SayWhatIsOddAboutTheNumberAndKeepIt) {
  const auto odd = send(*world_, shop_.owner, sold(),
                        {{"carrier", "UPS"}, {"tracking_number", "1Z5R89390357567128"}});
  EXPECT_EQ(odd.warnings.size(), 1u);
  EXPECT_EQ(odd.shipment.tracking_number, "1Z5R89390357567128");
  EXPECT_EQ(odd.order.state, State::shipped);
  const auto right =
      send(*world_, shop_.owner, sold(), {{"tracking_number", "1Z 5R8 939 03 5756 7127"}});
  EXPECT_TRUE(right.warnings.empty());
  EXPECT_EQ(right.shipment.carrier, "ups");
  EXPECT_EQ(right.shipment.tracking_number, "1Z 5R8 939 03 5756 7127") << "as it was given";
  EXPECT_EQ(right.shipment.tracking_url,
            "https://wwwapps.ups.com/WebTracking/track?track=yes&trackNums=1Z5R89390357567127");
  EXPECT_EQ(code_of([&] {
              send(*world_, shop_.owner, sold(), {{"tracking_number", "unheard of"}});
            }),
            Code::invalid);
}

// ---- parts --------------------------------------------------------------------------------------

TEST_F(Shipments, InPartsAreShippedWithTheLastOneAndNobodyIsPaidBefore) {
  const auto order = sold();
  const auto first = send_part(*world_, shop_, order, 0, 2);
  EXPECT_EQ(first.order.state, State::paid);
  EXPECT_EQ(first.order.fulfilment, Fulfilment::partial);
  EXPECT_FALSE(first.order.shipped_at);
  EXPECT_FALSE(first.payout);
  EXPECT_EQ(count_of(*world_, "payouts", order), "0");
  world_->advance(2 * 24h);
  world_->run_jobs();
  EXPECT_EQ(count_of(*world_, "payouts", order), "0");
  const auto second = send_part(*world_, shop_, order, 1, 1);
  EXPECT_EQ(second.order.fulfilment, Fulfilment::partial);
  EXPECT_EQ(count_of(*world_, "payouts", order), "0");
  const auto last = send(*world_, shop_.owner, order, {{"carrier", "other"}});
  EXPECT_EQ(last.order.state, State::shipped);
  EXPECT_EQ(last.order.fulfilment, Fulfilment::all);
  EXPECT_EQ(to_json(last.shipment.lines), Json::parse(R"([{"line":0,"quantity":1}])"))
      << "all that was left";
  const auto& payout = last.payout.value();
  EXPECT_EQ(payout.shipped_at, last.order.shipped_at);
  EXPECT_EQ(payout.due_at, Calendars::built_in().of("US").add_business_days(payout.shipped_at, 3))
      << "by the last part, and by the calendar as ever";
  EXPECT_EQ(parcels(order).size(), 3u);
  EXPECT_EQ(told(*world_, shop_, order),
            (Names{"order.created", "order.part_shipped", "order.part_shipped", "order.shipped"}));
}

TEST_F(Shipments, OfAllLinesAtOnceAreTheWholeOrder) {
  const auto shipped =
      send(*world_, shop_.owner, sold(),
           {{"carrier", "other"}, {"lines", Json::parse(R"([{"line":1,"quantity":1},
                                                       {"line":0,"quantity":3}])")}});
  EXPECT_EQ(shipped.order.state, State::shipped);
  EXPECT_TRUE(shipped.payout);
}

struct TooMuch {
  const char* name;
  const char* lines;
  const char* pointer;
};
class MoreThanThereIs : public Shipments, public testing::WithParamInterface<TooMuch> {};

TEST_P(MoreThanThereIs, IsNotSent) {
  const auto order = sold();
  send_part(*world_, shop_, order, 1, 1);
  const auto before = to_json(at(order));
  try {
    send(*world_, shop_.owner, order,
         {{"carrier", "other"}, {"lines", Json::parse(GetParam().lines)}});
    FAIL() << "it was sent";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, GetParam().pointer);
  }
  EXPECT_EQ(to_json(at(order)), before);
  EXPECT_EQ(count_of(*world_, "shipments", order), "1");
}

INSTANTIATE_TEST_SUITE_P(
    Table, MoreThanThereIs,
    testing::Values(TooMuch{"MorePieces", R"([{"line":0,"quantity":4}])", "/lines/0/quantity"},
                    TooMuch{"WhatIsGone", R"([{"line":1,"quantity":1}])", "/lines/0/line"},
                    TooMuch{"NoSuchLine", R"([{"line":2,"quantity":1}])", "/lines/0/line"},
                    TooMuch{"TwiceTogether", R"([{"line":0,"quantity":2},{"line":0,"quantity":2}])",
                            "/lines/1/quantity"},
                    TooMuch{"Nothing", R"([])", "/lines"},
                    TooMuch{"NoPieces", R"([{"line":0,"quantity":0}])", "/lines/0/quantity"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(Shipments, InPartAreNeitherCancelledNorSentElsewhere) {
  const auto order = sold();
  send_part(*world_, shop_, order, 0, 1);
  EXPECT_EQ(code_of([&] { world_->cancel(shop_, order); }), Code::conflict);
  const orders::ChangedOrder elsewhere{an_address()};
  EXPECT_EQ(
      code_of([&] {
        world_->transact([&](Tx& tx) { orders::change(tx, shop_.buyer, order.id, elsewhere); });
      }),
      Code::conflict);
  EXPECT_EQ(payment_of(*world_, order).refunding, 0);
}

TEST_F(Shipments, InPartWhoseMoneyAllGoesBackAreClosedAtTheLimitAndNotPaidOut) {
  const auto order = sold();
  send_part(*world_, shop_, order, 0, 1);
  world_->give_back(shop_, order);
  EXPECT_EQ(at(order).state, State::paid) << "a parcel is on its way: it is not cancelled";
  world_->run_jobs();
  reach_the_limit();
  EXPECT_EQ(at(order).state, State::shipped);
  EXPECT_EQ(payment_of(*world_, order).refunded, 5'000);
  EXPECT_EQ(count_of(*world_, "payouts", order), "0");
  EXPECT_EQ(count_of(*world_, "refunds", order), "1");
}

// ---- the limit ----------------------------------------------------------------------------------

TEST_F(Shipments, InPartAtTheLimitCountAsShippedAndTheRestGoesBack) {
  const auto order = sold();
  send_part(*world_, shop_, order, 0, 2);
  reach_the_limit();
  const auto closed = at(order);
  EXPECT_EQ(closed.state, State::shipped);
  EXPECT_EQ(closed.fulfilment, Fulfilment::partial) << "that is what was sent";
  EXPECT_EQ(closed.reason, "not all was sent in time");
  EXPECT_GE(closed.shipped_at, order.created_at + 7 * 24h);
  EXPECT_EQ(payment_of(*world_, order).refunded, 3'000);
  const auto events = told(*world_, shop_, order);
  EXPECT_EQ(events.back(), "order.rest_closed");
  const auto payouts = world_->transact(
      [&](Tx& tx) { return payouts::list_of_merchant(tx, shop_.merchant, std::nullopt, 1); });
  ASSERT_EQ(payouts.size(), 1u);
  EXPECT_EQ(payouts[0].order_id, order.id);
  // 2.9 percent and 30 of 5,000 are 175, of which 70 belong to what was kept.
  EXPECT_EQ(payouts[0].amount.amount + payouts[0].fee, 2'000);
  EXPECT_EQ(payouts[0].fee, 70);
  world_->advance(10 * 24h);
  world_->run_jobs();
  EXPECT_EQ(world_->transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, payouts[0].id); })
                .state,
            payouts::State::paid);
  EXPECT_TRUE(world_->trial_balance().is_balanced);
}

// ---- closing by hand ----------------------------------------------------------------------------

TEST_F(Shipments, AreClosedByHandWithTheShareOfWhatIsNotSent) {
  const auto order = sold();
  send_part(*world_, shop_, order, 1, 1);
  const auto closed = close(shop_.owner, order);
  EXPECT_EQ(closed.order.state, State::shipped);
  EXPECT_EQ(closed.order.reason, "out of stock");
  EXPECT_EQ(closed.refund.value().amount.amount, 3'000);
  EXPECT_EQ(closed.payout.value().state, payouts::State::held) << "until the refund has ended";
  world_->run_jobs();
  EXPECT_EQ(payment_of(*world_, order).refunded, 3'000);
  EXPECT_EQ(code_of([&] { close(shop_.owner, order); }), Code::conflict);
}

// The processor refuses what ends in 13.
TEST_F(Shipments, AreNotPaidOutWhileTheMoneyForTheRestIsNotBack) {
  const auto order = sell_pieces(*world_, shop_, {{1, 2'000}, {1, 5'013}});
  send_part(*world_, shop_, order, 0, 1);
  close(shop_.owner, order);
  reach_the_limit();
  EXPECT_EQ(payment_of(*world_, order).refunded, 0);
  EXPECT_EQ(payout_of(order).state, payouts::State::held);
  EXPECT_EQ(payout_of(order).reason, "what was not sent has not been refunded");
  world_->give_back(shop_, order, 3'000);
  EXPECT_EQ(payout_of(order).state, payouts::State::held) << "not all of it is back";
  world_->give_back(shop_, order, 2'014);
  world_->run_jobs();
  EXPECT_EQ(payment_of(*world_, order).refunded, 5'014);
  EXPECT_EQ(payout_of(order).state, payouts::State::paid);
}

TEST_F(Shipments, OweNoMoreThanTheirShareAndNoMoreThanWasAgreed) {
  const auto kind = sold(), agreed = sold();
  for (const auto& order : {kind, agreed}) send_part(*world_, shop_, order, 1, 1);
  close(shop_.owner, kind, 4'013);
  close(shop_.owner, agreed, 0);
  world_->run_jobs();
  EXPECT_EQ(payout_of(kind).state, payouts::State::held);
  world_->give_back(shop_, kind, 3'000);
  world_->give_back(shop_, agreed, 1'013);
  world_->run_jobs();
  EXPECT_EQ(payment_of(*world_, kind).refunded, 3'000);
  EXPECT_EQ(payment_of(*world_, agreed).refunded, 0) << "it has failed";
  EXPECT_EQ(payout_of(kind).state, payouts::State::scheduled);
  EXPECT_EQ(payout_of(agreed).state, payouts::State::scheduled);
}

TEST_F(Shipments, ThatAreOwedMoneyArePaidOutWhenTheStaffSaysSo) {
  const auto order = sell_pieces(*world_, shop_, {{1, 2'000}, {1, 5'013}});
  send_part(*world_, shop_, order, 0, 1);
  close(shop_.owner, order);
  world_->run_jobs();
  const auto held = payout_of(order);
  EXPECT_EQ(held.state, payouts::State::held);
  const auto release = [&] {
    return world_->transact([&](Tx& tx) { return payouts::release(tx, held.id); });
  };
  EXPECT_EQ(release().state, payouts::State::scheduled);
  EXPECT_EQ(code_of(release), Code::conflict);
  world_->give_back(shop_, order, 100);
  world_->run_jobs();
  EXPECT_EQ(payout_of(order).state, payouts::State::scheduled) << "nothing has become worse";
}

TEST_F(Shipments, AreClosedWithoutWhatWentBackBefore) {
  const auto order = sold();
  send_part(*world_, shop_, order, 1, 1);
  world_->give_back(shop_, order, 2'500);
  EXPECT_EQ(close(shop_.owner, order).refund.value().amount.amount, 500);
}

TEST_F(Shipments, AreClosedWithWhatTheMerchantSays) {
  const auto order = sold();
  send_part(*world_, shop_, order, 1, 1);
  EXPECT_EQ(code_of([&] { close(shop_.owner, order, 5'001); }), Code::invalid);
  EXPECT_EQ(at(order).state, State::paid) << "a refusal changes nothing";
  const auto closed = close(shop_.owner, order, 0);
  EXPECT_FALSE(closed.refund);
  EXPECT_EQ(closed.payout.value().state, payouts::State::scheduled);
}

TEST_F(Shipments, AreClosedOnlyWhereAPartWasSent) {
  const auto unsent = sold(), sent = sold();
  world_->ship(shop_, sent);
  EXPECT_EQ(code_of([&] { close(shop_.owner, unsent); }), Code::conflict);
  EXPECT_EQ(code_of([&] { close(shop_.owner, sent); }), Code::conflict);
  EXPECT_EQ(at(unsent).state, State::paid);
}

TEST_F(Shipments, AreClosedByThoseWhoMayCancel) {
  const auto order = sold();
  send_part(*world_, shop_, order, 1, 1);
  EXPECT_EQ(code_of([&] { close(shop_.buyer, order); }), Code::not_found);
  EXPECT_EQ(code_of([&] { close(world_->member(shop_, identity::Role::agent), order); }),
            Code::forbidden);
  for (const auto scope : {identity::Scope::orders, identity::Scope::payments})
    EXPECT_EQ(code_of([&] { close(world_->key_with(shop_, scope), order); }), Code::forbidden);
  EXPECT_EQ(close(world_->member(shop_, identity::Role::manager), order).order.state,
            State::shipped);
}

TEST_F(Shipments, OfFreeLinesAreSharedByTheirPieces) {
  const auto order = sell_pieces(*world_, shop_, {{4, 1'000}, {1, 0}});
  send_part(*world_, shop_, order, 0, 3);
  EXPECT_EQ(close(shop_.owner, order).refund.value().amount.amount, 1'000)
      << "what costs nothing is worth nothing";
}

}  // namespace shipments_test
}  // namespace bottega::test
