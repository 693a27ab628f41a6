// What carriers say: once or twice, late or early, and what the order and the chat make of it.
#include <gtest/gtest.h>

#include "domain/parcels.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace tracking_test {

using namespace std::chrono_literals;
using orders::Shipment, orders::State, orders::Tracking;
using Names = std::vector<std::string>;

class TrackingNews : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
  }
  static void TearDownTestSuite() { world_.reset(); }

  static Shipment track(const identity::Who& who, const Shipment& parcel, const Json& body) {
    const auto given = from_json<orders::NewTrackingEvent>(body);
    return world_->transact([&](Tx& tx) { return orders::track(tx, who, parcel.id, given); });
  }
  static Shipment track(const Shipment& parcel, Tracking status) {
    return track(shop_.owner, parcel, {{"status", text_of(status)}, {"event_id", random_token(9)}});
  }
  static Shipment sent() { return world_->ship(shop_, world_->sell(shop_)).shipment; }
  static std::vector<orders::TrackingEvent> events(const Shipment& parcel) {
    return world_->transact(
        [&](Tx& tx) { return orders::list_events(tx, shop_.buyer, parcel.id, 100); });
  }
  static orders::Order order_of(const Shipment& parcel) {
    return world_->transact(
        [&](Tx& tx) { return orders::fetch(tx, shop_.buyer, parcel.order_id); });
  }
  static Names told_about(const Shipment& parcel) { return told(*world_, shop_, order_of(parcel)); }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

TEST_F(TrackingNews, MovesTheParcelAndTellsTheChatOnlyWhatPeopleWaitFor) {
  const auto parcel = sent();
  for (const auto status :
       {Tracking::picked_up, Tracking::in_transit, Tracking::arrived_at_facility,
        Tracking::out_for_delivery, Tracking::delivery_attempted, Tracking::address_problem,
        Tracking::out_for_delivery, Tracking::delivered})
    EXPECT_EQ(track(parcel, status).status, status);
  EXPECT_EQ(events(parcel).size(), 8u);
  EXPECT_EQ(told_about(parcel),
            (Names{"order.created", "order.shipped", "order.out_for_delivery", "order.exception",
                   "order.out_for_delivery", "order.delivered"}));
  const auto order = order_of(parcel);
  EXPECT_EQ(order.state, State::delivered);
  EXPECT_TRUE(order.delivered_at);
}

TEST_F(TrackingNews, IsOfATimeAtWhichThereWasAnOrder) {
  const auto parcel = sent();
  for (const auto* at : {"1970-01-01T00:00:00Z", "2038-01-01T00:00:00Z"})
    EXPECT_EQ(code_of([&] {
                track(shop_.owner, parcel, {{"status", "in_transit"}, {"at", at}});
              }),
              Code::invalid)
        << at;
  EXPECT_TRUE(events(parcel).empty());
}

TEST_F(TrackingNews, DeliversTheOrderAlsoWhereTheOtherParcelIsCancelled) {
  for (const bool cancelled_first : {true, false}) {
    const auto order = sell_pieces(*world_, shop_, {{2, 1'000}});
    const auto part = [&] {
      return send(*world_, shop_.owner, order,
                  {{"carrier", "other"}, {"lines", {{{"line", 0}, {"quantity", 1}}}}})
          .shipment;
    };
    const auto one = part(), two = part();
    if (cancelled_first) track(two, Tracking::cancelled);
    track(one, Tracking::delivered);
    if (!cancelled_first) track(two, Tracking::cancelled);
    EXPECT_EQ(order_of(one).state, State::delivered) << cancelled_first;
    EXPECT_TRUE(order_of(one).delivered_at);
  }
}

TEST_F(TrackingNews, ThatIsHeardTwiceChangesNothing) {
  const auto parcel = sent();
  const Json news = {{"status", "out_for_delivery"}, {"event_id", "scan 7"}};
  const auto first = track(shop_.owner, parcel, news);
  EXPECT_EQ(to_json(track(shop_.owner, parcel, news)), to_json(first));
  EXPECT_EQ(to_json(track(shop_.owner, parcel, {{"status", "delivered"}, {"event_id", "scan 7"}})),
            to_json(first))
      << "the first word under an id counts";
  EXPECT_EQ(events(parcel).size(), 1u);
  EXPECT_EQ(told_about(parcel).size(), 3u);
}

TEST_F(TrackingNews, WithoutAnIdIsTheSameAtTheSameTimeAndPlace) {
  const auto parcel = sent();
  const Json news = {
      {"status", "in_transit"}, {"at", "2026-01-02T03:04:05Z"}, {"place", "Springfield"}};
  track(shop_.owner, parcel, news);
  track(shop_.owner, parcel, news);
  EXPECT_EQ(events(parcel).size(), 1u);
  auto elsewhere = news;
  elsewhere["place"] = "Shelbyville";
  track(shop_.owner, parcel, elsewhere);
  EXPECT_EQ(events(parcel).size(), 2u);
}

TEST_F(TrackingNews, ThatComesLateIsKeptAndMovesNothingBack) {
  const auto parcel = sent();
  track(parcel, Tracking::delivered);
  const auto late =
      track(shop_.owner, parcel, {{"status", "out_for_delivery"}, {"at", "2026-01-02T03:04:05Z"}});
  EXPECT_EQ(late.status, Tracking::delivered);
  EXPECT_EQ(track(parcel, Tracking::exception).status, Tracking::delivered);
  EXPECT_EQ(events(parcel).size(), 3u);
  EXPECT_EQ(told_about(parcel).back(), "order.delivered");
  EXPECT_EQ(order_of(parcel).state, State::delivered);
}

TEST_F(TrackingNews, OfTheFutureIsRefused) {
  const auto parcel = sent();
  const auto at = [&](std::chrono::hours ahead) {
    const auto when = text_of(Instant(world_->clock.now() + ahead));
    return code_of([&] { track(shop_.owner, parcel, {{"status", "in_transit"}, {"at", when}}); });
  };
  EXPECT_EQ(at(23h), std::nullopt) << "clocks and time zones differ";
  EXPECT_EQ(at(25h), Code::invalid);
}

TEST_F(TrackingNews, OfADeliveryCountsNeitherAheadNorBeforeItWasSent) {
  const auto early = sent(), late = sent();
  const auto parcel =
      track(shop_.owner, early, {{"status", "delivered"}, {"at", "2026-01-02T03:04:05Z"}});
  EXPECT_EQ(parcel.delivered_at, early.shipped_at);
  const auto when = text_of(Instant(world_->clock.now() + 20h));
  const auto other = track(shop_.owner, late, {{"status", "delivered"}, {"at", when}});
  EXPECT_LE(other.delivered_at, world_->clock.now());
}

TEST_F(TrackingNews, DeliversTheOrderWithTheLastOfItsParcels) {
  const auto order = sell_pieces(*world_, shop_, {{2, 1'000}});
  const auto first = send_part(*world_, shop_, order, 0, 1).shipment;
  track(first, Tracking::delivered);
  EXPECT_EQ(order_of(first).state, State::paid);
  const auto second = send_part(*world_, shop_, order, 0, 1).shipment;
  EXPECT_EQ(order_of(second).state, State::shipped);
  track(second, Tracking::delivered);
  EXPECT_EQ(order_of(second).state, State::delivered);
  EXPECT_EQ(told_about(second),
            (Names{"order.created", "order.part_shipped", "order.part_delivered", "order.shipped",
                   "order.delivered"}));
}

TEST_F(TrackingNews, OfAllThatWasSentDeliversWhatIsClosedLater) {
  const auto order = sell_pieces(*world_, shop_, {{2, 1'000}});
  track(send_part(*world_, shop_, order, 0, 1).shipment, Tracking::delivered);
  const auto given = from_json<payments::NewClosing>({{"reason", "out of stock"}});
  const auto closed = world_->transact([&](Tx& tx) {
    return payments::close_rest(tx, shop_.owner, order.id, given, world_->payment_rules,
                                world_->payout_rules);
  });
  EXPECT_EQ(closed.order.state, State::delivered);
  EXPECT_TRUE(closed.payout);
}

TEST_F(TrackingNews, IsKeptWhileSomethingComesBack) {
  const auto parcel = sent();
  world_->transact([&](Tx& tx) {
    orders::request_return(tx, orders::lock(tx, shop_.merchant, parcel.order_id));
  });
  track(parcel, Tracking::delivered);
  EXPECT_EQ(order_of(parcel).state, State::return_requested);
  EXPECT_TRUE(order_of(parcel).delivered_at);
  EXPECT_EQ(told_about(parcel).back(), "order.delivered");
  world_->transact([&](Tx& tx) {
    orders::end_return(tx, orders::lock(tx, shop_.merchant, parcel.order_id), State::shipped);
  });
  EXPECT_EQ(order_of(parcel).state, State::delivered);
}

TEST_F(TrackingNews, OfParcelsThatTheMerchantDeliveredMovesNothing) {
  const auto parcel = sent();
  world_->transact(
      [&](Tx& tx) { orders::deliver(tx, orders::lock(tx, shop_.merchant, parcel.order_id)); });
  EXPECT_EQ(track(parcel, Tracking::out_for_delivery).status, Tracking::delivered);
  EXPECT_EQ(track(parcel, Tracking::delivered).status, Tracking::delivered);
  EXPECT_EQ(told_about(parcel).back(), "order.delivered");
}

TEST_F(TrackingNews, IsToldByTheMerchantsSideAlone) {
  const auto parcel = sent();
  const Json news = {{"status", "in_transit"}};
  const auto other = world_->shop();
  for (const auto& who : {shop_.buyer, other.owner, world_->person(), world_->staff(),
                          world_->key_with(other, identity::Scope::orders)})
    EXPECT_EQ(code_of([&] { track(who, parcel, news); }), Code::not_found);
  EXPECT_EQ(code_of([&] { track(world_->key_with(shop_, identity::Scope::read), parcel, news); }),
            Code::forbidden);
  track(world_->key_with(shop_, identity::Scope::orders), parcel, news);
  track(world_->member(shop_, identity::Role::agent), parcel,
        {{"status", "picked_up"}, {"event_id", "1"}});
  const auto all = events(parcel);
  ASSERT_EQ(all.size(), 2u);
  for (const auto& event : all)
    EXPECT_EQ(event.source, event.status == Tracking::picked_up ? orders::Source::member
                                                                : orders::Source::api_key);
}

TEST_F(TrackingNews, OfOneParcelHasABound) {
  const auto parcel = sent();
  execute(world_->urls.superuser,
          "INSERT INTO bottega.shipment_events (merchant_id, shipment_id, event_id, status, at, "
          "source, received_at) SELECT merchant_id, id, 'e' || n, 'in_transit', now(), 'webhook', "
          "now() FROM bottega.shipments, generate_series(1, " +
              std::to_string(orders::kTrackingEventsMax) + ") n WHERE id = '" +
              uuid_text(parcel.id.uuid) + "'");
  EXPECT_EQ(code_of([&] { track(parcel, Tracking::delivered); }), Code::conflict);
}

// ---- corrections --------------------------------------------------------------------------------

TEST_F(TrackingNews, OfAWrongNumberIsCorrectedUntilTheParcelHasArrived) {
  const auto parcel = sent();
  const auto correct = [&](const identity::Who& who, const Json& body) {
    const auto given = from_json<orders::ChangedShipment>(body);
    return world_->transact([&](Tx& tx) { return orders::correct(tx, who, parcel.id, given); });
  };
  const Json right = {{"tracking_number", "1Z5R89390357567127"}};
  const auto corrected = correct(shop_.owner, right);
  EXPECT_TRUE(corrected.warnings.empty());
  EXPECT_EQ(corrected.shipment.carrier, "ups");
  EXPECT_TRUE(corrected.shipment.tracking_url);
  EXPECT_EQ(order_of(parcel).carrier, "ups");
  EXPECT_EQ(order_of(parcel).tracking_number, "1Z5R89390357567127");
  EXPECT_EQ(told_about(parcel).back(), "order.edited");
  EXPECT_EQ(correct(shop_.owner, {{"carrier", "UPS"}, {"tracking_number", "1Z"}}).warnings.size(),
            1u);
  EXPECT_EQ(code_of([&] { correct(shop_.owner, {{"carrier", "UPS"}}); }), Code::invalid);
  EXPECT_EQ(code_of([&] { correct(shop_.buyer, right); }), Code::not_found);
  track(parcel, Tracking::delivered);
  EXPECT_EQ(code_of([&] { correct(shop_.owner, right); }), Code::conflict);
}

TEST_F(TrackingNews, OfAnEarlierParcelLeavesWhatTheOrderShows) {
  const auto order = sell_pieces(*world_, shop_, {{2, 1'000}});
  const auto first = send_part(*world_, shop_, order, 0, 1).shipment;
  const auto second = send(*world_, shop_.owner, order,
                           {{"carrier", "UPS"}, {"tracking_number", "1Z5R89390357567127"}});
  const auto given = from_json<orders::ChangedShipment>(
      {{"carrier", "DPD"}, {"tracking_number", "0998 0000 0200 34D"}});
  world_->transact([&](Tx& tx) { orders::correct(tx, shop_.owner, first.id, given); });
  EXPECT_EQ(order_of(first).carrier, "UPS");
  const auto all =
      world_->transact([&](Tx& tx) { return orders::list_shipments(tx, shop_.buyer, order.id); });
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].carrier, "DPD");
  EXPECT_EQ(all[1].carrier, "UPS");
}

// ---- by the parcel's number ---------------------------------------------------------------------

TEST_F(TrackingNews, FindsTheParcelByItsNumberHoweverItIsWritten) {
  const auto shop = world_->shop();
  const auto parcel =
      send(*world_, shop.owner, world_->sell(shop), {{"tracking_number", "1z5r-8939 0357567127"}})
          .shipment;
  const auto hear = [&](const Json& body) {
    const auto news = from_json<orders::TrackingNews>(body);
    return world_->transact(
        [&](Tx& tx) { return orders::take_news(tx, shop.merchant, news, "msg_1"); });
  };
  const Json news = {{"tracking_number", "1Z5R89390357567127"}, {"status", "in_transit"}};
  EXPECT_EQ(hear(news).id, parcel.id);
  EXPECT_EQ(hear(news).status, Tracking::in_transit);
  const auto kept =
      world_->transact([&](Tx& tx) { return orders::list_events(tx, shop.buyer, parcel.id, 10); });
  ASSERT_EQ(kept.size(), 1u) << "the message's own id makes it one";
  EXPECT_EQ(kept[0].event_id, "msg_1");
  EXPECT_EQ(kept[0].source, orders::Source::webhook);
  EXPECT_EQ(code_of([&] {
              hear({{"tracking_number", "1Z"}, {"status", "in_transit"}});
            }),
            Code::not_found);
  EXPECT_EQ(code_of([&] { hear({{"status", "in_transit"}}); }), Code::invalid);
  EXPECT_EQ(code_of([&] {
              hear({{"shipment_id", text_of(sent().id)}, {"status", "in_transit"}});
            }),
            Code::not_found)
      << "another shop's";
  send(*world_, shop.owner, world_->sell(shop), {{"tracking_number", "1Z5R89390357567127"}});
  EXPECT_EQ(code_of([&] { hear(news); }), Code::conflict) << "two have it";
}

TEST_F(TrackingNews, IsSignedWithTheSecretOfThisMerchantOrTheOneBefore) {
  const auto shop = world_->shop(), other = world_->shop();
  const auto make = [&](const identity::Who& who, const Shop& of) {
    return world_
        ->transact([&](Tx& tx) { return orders::make_tracking_secret(tx, who, of.merchant); })
        .secret;
  };
  const auto at = std::to_string(
      std::chrono::floor<std::chrono::seconds>(world_->clock.now().time_since_epoch()).count());
  const auto is_taken = [&](const std::string& secret) {
    const auto signature = signature_of(Secret(secret), "msg_1", at, "{}");
    const auto code = code_of([&] {
      world_->transact([&](Tx& tx) {
        orders::verify_news(tx, shop.merchant, {"msg_1", at, signature, "{}"}, tx.now());
      });
    });
    return !code;
  };
  EXPECT_FALSE(is_taken(make_signing_secret())) << "there is none yet";
  const auto first = make(shop.owner, shop);
  EXPECT_TRUE(is_taken(first));
  EXPECT_FALSE(is_taken(make(other.owner, other)));
  const auto second = make(shop.owner, shop);
  EXPECT_TRUE(is_taken(first) && is_taken(second));
  execute(world_->urls.superuser,
          "UPDATE bottega.tracking_secrets SET previous_until = now() - interval '1 second'");
  EXPECT_FALSE(is_taken(first));
  EXPECT_TRUE(is_taken(second));
  EXPECT_EQ(code_of([&] { make(shop.buyer, shop); }), Code::not_found);
  EXPECT_EQ(code_of([&] { make(world_->member(shop, identity::Role::agent), shop); }),
            Code::forbidden);
}

}  // namespace tracking_test
}  // namespace bottega::test
