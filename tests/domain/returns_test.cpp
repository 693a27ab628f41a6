// What a buyer sends back: who may do what, how much of it, what the order is meanwhile, and what
// both sides are told.
#include "domain/returns.hpp"

#include "privacy/collect.hpp"
#include "bottega/conversations/search.hpp"
#include "bottega/privacy/erasure.hpp"

namespace bottega::test {
namespace returns_test {

using namespace std::chrono_literals;

class Returns : public ReturnsTest {};

TEST_F(Returns, GoAllTheWayAndTheOrderWithThem) {
  const auto order = sent();
  const auto asked = request(order, {{"reason", "damaged"}, {"note", "It came in two parts"}});
  EXPECT_EQ(asked.state, State::requested);
  EXPECT_EQ(asked.reason, returns::Reason::damaged);
  EXPECT_EQ(asked.note, "It came in two parts");
  ASSERT_EQ(asked.lines.size(), 1u);
  EXPECT_EQ(asked.lines.items[0].quantity, 2) << "all of it, where nothing is said";
  EXPECT_EQ(state_of(order), Order::return_requested);
  const auto approved = approve(asked);
  EXPECT_EQ(approved.state, State::approved);
  EXPECT_EQ(approved.return_by, approved.decided_at.value() + rules.return_within);
  const auto received = receive(approved);
  EXPECT_EQ(received.state, State::received);
  EXPECT_EQ(received.proposed, 10'000);
  EXPECT_FALSE(received.restocked);
  EXPECT_EQ(state_of(order), Order::returned);
  const auto begun = refund(received);
  EXPECT_EQ(begun.state, State::received) << "until the money has gone";
  EXPECT_EQ(begun.amount, 10'000);
  world->run_jobs();
  EXPECT_EQ(now(begun).state, State::refunded);
  EXPECT_EQ(now(begun).refund_id, begun.refund_id);
  EXPECT_TRUE(now(begun).ended_at);
  EXPECT_EQ(payment_of(*world, order).state, payments::State::refunded);
  EXPECT_EQ(state_of(order), Order::returned);
}

TEST_F(Returns, AreToldWithTheOrderAndWithoutTheBuyersWords) {
  const auto order = sent();
  const auto item = receive(approve(request(order, {{"note", "My axolotl bit it"}})));
  refund(item);
  world->run_jobs();
  std::vector<std::string> names;
  for (const auto& event : log()) {
    EXPECT_EQ(event.data.dump().find("axolotl"), std::string::npos) << event.event;
    if (!event.event.starts_with("return.")) continue;
    names.push_back(event.event);
    EXPECT_EQ(event.data["return"]["id"], text_of(item.id));
    EXPECT_EQ(event.data["order"]["id"], text_of(order.id));
    EXPECT_EQ(event.data["order"]["card_seq"], order.card_seq.value());
    EXPECT_FALSE(event.data["order"].contains("ship_to"));
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"return.requested", "return.approved", "return.received",
                                      "return.refunding", "return.refunded"}));
}

TEST_F(Returns, OfPartsComeOneAfterTheOther) {
  const auto order = sent({{3, 1'000}, {1, 500}});
  const auto first = request(order, pieces(2));
  EXPECT_EQ(code_of([&] { request(order, pieces(1)); }), Code::conflict) << "one at a time";
  receive(approve(first), {{"lines", {{{"line", 0}, {"good", 1}, {"damaged", 0}}}}});
  EXPECT_EQ(now(first).proposed, 1'000) << "of what came";
  EXPECT_EQ(code_of([&] { request(order, pieces(3)); }), Code::invalid) << "two are left";
  const auto second = come_back(order, pieces(2));
  EXPECT_EQ(second.proposed, 2'000);
  refund(second);
  refund(first);
  world->run_jobs();
  EXPECT_EQ(now(first).state, State::refunded);
  EXPECT_EQ(now(second).state, State::refunded);
  const auto third = come_back(order);
  ASSERT_EQ(third.lines.size(), 1u) << "what is left";
  EXPECT_EQ(third.lines.items[0].line, 1);
  refund(third);
  world->run_jobs();
  EXPECT_EQ(code_of([&] { request(order); }), Code::conflict) << "all of it has come back";
  EXPECT_EQ(payment_of(*world, order).refunded, 3'500);
}

TEST_F(Returns, ThatAreNoneLeaveTheOrderAsItWas) {
  const auto order = sent();
  reject(request(order));
  EXPECT_EQ(state_of(order), Order::shipped);
  cancel(request(order));
  EXPECT_EQ(state_of(order), Order::shipped);
  in([&](Tx& tx) { return orders::deliver(tx, orders::lock(tx, shop.merchant, order.id)); });
  cancel(approve(request(order)));
  EXPECT_EQ(state_of(order), Order::delivered);
  in([&](Tx& tx) {
    return orders::complete_due(tx, {std::chrono::days(0), std::chrono::days(0)}, 100);
  });
  ASSERT_EQ(state_of(order), Order::completed);
  reject(request(order));
  EXPECT_EQ(state_of(order), Order::completed);
  come_back(order, pieces(1));
  reject(request(order, pieces(1)));
  EXPECT_EQ(state_of(order), Order::returned);
}

TEST_F(Returns, OfWhatArrivesMeanwhileLeaveTheOrderDelivered) {
  const auto order = sell_pieces(*world, shop, {{1, 5'000}});
  const auto parcel = world->ship(shop, order).shipment;
  const auto item = request(order);
  const auto news = from_json<orders::NewTrackingEvent>({{"status", "delivered"}});
  in([&](Tx& tx) { return orders::track(tx, shop.owner, parcel.id, news); });
  EXPECT_EQ(state_of(order), Order::return_requested);
  cancel(item);
  EXPECT_EQ(state_of(order), Order::delivered);
  EXPECT_TRUE(test::now(*world, order).delivered_at);
}

TEST_F(Returns, AreAskedForInTimeOnly) {
  const auto order = sent();
  world->advance(29 * 24h);
  in([&](Tx& tx) { return orders::deliver(tx, orders::lock(tx, shop.merchant, order.id)); });
  world->advance(29 * 24h);
  reject(request(order));
  world->advance(2 * 24h);
  EXPECT_EQ(code_of([&] { request(order); }), Code::conflict);
  EXPECT_EQ(code_of([&] {
              request(sell_pieces(*world, shop, {{1, 5'000}}));
            }),
            Code::conflict)
      << "it was not sent";
}

TEST_F(Returns, OfWhatWasSentInPartAreOfThatPart) {
  const auto order = sell_pieces(*world, shop, {{3, 1'000}});
  send_part(*world, shop, order, 0, 1);
  const auto given = from_json<payments::NewClosing>({{"reason", "sold out"}});
  in([&](Tx& tx) {
    return payments::close_rest(tx, shop.owner, order.id, given, world->payment_rules,
                                world->payout_rules);
  });
  EXPECT_EQ(code_of([&] { request(order, pieces(2)); }), Code::invalid);
  EXPECT_EQ(request(order).lines.items[0].quantity, 1);
}

TEST_F(Returns, AreTheBuyersToAskForAndTheShopsToAnswer) {
  const auto order = sent();
  const auto stranger = world->person();
  EXPECT_EQ(code_of([&] { request(stranger, order); }), Code::not_found);
  EXPECT_EQ(code_of([&] { request(shop.owner, order); }), Code::forbidden);
  const auto item = request(order);
  EXPECT_EQ(code_of([&] { approve(shop.buyer, item); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { approve(stranger, item); }), Code::not_found);
  EXPECT_EQ(code_of([&] { approve(world->key_with(shop, identity::Scope::read), item); }),
            Code::forbidden);
  EXPECT_EQ(code_of([&] { cancel(shop.owner, item); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { cancel(world->shop().owner, item); }), Code::not_found);
  const auto agent = world->member(shop, identity::Role::agent);
  const auto received = receive(approve(agent, item));
  for (const auto& who : {shop.buyer, agent, world->key_with(shop, identity::Scope::payments),
                          world->key_with(shop, identity::Scope::orders)})
    EXPECT_EQ(code_of([&] { refund(who, received); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { refund(stranger, received); }), Code::not_found);
}

TEST_F(Returns, AreReceivedAsFarAsTheyWereAskedFor) {
  const auto item = approve(request(sent({{3, 1'000}, {1, 500}}), pieces(2)));
  const auto got = [](std::int64_t line, std::int64_t good, std::int64_t damaged) {
    return Json{{"lines", {{{"line", line}, {"good", good}, {"damaged", damaged}}}}};
  };
  for (const auto& body : {got(0, 2, 1), got(0, 0, 0), got(1, 1, 0), got(7, 1, 0)})
    EXPECT_EQ(code_of([&] { receive(item, body); }), Code::invalid) << body.dump();
  EXPECT_EQ(now(item).state, State::approved);
  EXPECT_EQ(receive(item, got(0, 1, 1)).proposed, 2'000);
}

TEST_F(Returns, PutBackWhatIsGoodWhereThatIsSaid) {
  const auto product = in([&](Tx& tx) {
    const auto given = from_json<catalog::NewProduct>({{"merchant_id", text_of(shop.merchant)},
                                                       {"title", "Lamp"},
                                                       {"variants", {{{"sku", "LAMP"}}}}});
    return catalog::create(tx, shop.owner, given);
  });
  const auto variant = product.variants[0].id;
  const auto count = from_json<catalog::CountedStock>({{"on_hand", 10}});
  in([&](Tx& tx) { return catalog::set_stock(tx, shop.owner, variant, count); });
  const auto on_hand = [&] {
    return in([&](Tx& tx) { return catalog::fetch_stock(tx, shop.owner, variant); }).on_hand;
  };
  const auto sold = [&] {
    const auto order = sell_pieces(*world, shop, {{3, 1'000}});
    execute(world->urls.superuser,
            "UPDATE bottega.orders SET lines = jsonb_set(lines, '{0,variant_id}', '\"" +
                text_of(variant) + "\"') WHERE id = '" + uuid_text(order.id.uuid) + "'");
    execute(world->urls.superuser,
            "UPDATE bottega.payments SET held = '[{\"variant_id\": \"" + text_of(variant) +
                "\", \"quantity\": 3}]' WHERE id = '" + uuid_text(order.payment_id.uuid) + "'");
    return test::now(*world, order);
  };
  const auto order = sold();
  send(*world, shop.owner, order, {{"carrier", "other"}});
  const Json two = {{"lines", {{{"line", 0}, {"good", 1}, {"damaged", 1}}}}, {"restock", true}};
  receive(approve(request(order, pieces(2))), two);
  EXPECT_EQ(on_hand(), 11) << "not what is damaged";
  receive(approve(request(order)));
  EXPECT_EQ(on_hand(), 11) << "not unless it is said";
  world->cancel(shop, sold());
  EXPECT_EQ(on_hand(), 14) << "nothing of it was sent";
  in([&](Tx& tx) {
    return payments::cancel_order(tx, shop.owner, sold().id, "broken", world->payment_rules,
                                  payments::Restock::no);
  });
  EXPECT_EQ(on_hand(), 14);
  sold();
  world->advance(8 * 24h);
  world->run_jobs();
  EXPECT_EQ(on_hand(), 17) << "it was not sent in time";
}

TEST_F(Returns, AreInACopyAndTheWordsGoWithWhoeverSaidThem) {
  const auto order = sent();
  const auto item = request(order, {{"note", "My narwhal dislikes it"}});
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { privacy::begin_erasure(tx, shop.buyer.account); }); }),
            Code::conflict);
  refund(receive(approve(item)), 0);
  std::string text;
  const privacy::Put put = [&](const std::string& part) -> asio::awaitable<void> {
    text += part;
    co_return;
  };
  run(privacy::collect(world->db, shop.buyer.account, put));
  const auto all = Json::parse(text);
  ASSERT_EQ(all["returns"].size(), 1u);
  EXPECT_EQ(all["returns"][0]["note"], "My narwhal dislikes it");
  run(conversations::keep_up(world->db, 500));
  in([&](Tx& tx) { privacy::begin_erasure(tx, shop.buyer.account); });
  world->run_jobs();
  EXPECT_EQ(now(item).note, std::nullopt);
  EXPECT_EQ(now(item).state, State::refunded);
}

}  // namespace returns_test
}  // namespace bottega::test
