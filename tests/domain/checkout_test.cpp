// Buying in the chat: what is charged is what the server says, and what is sold is there.
#include "domain/checkout.hpp"

namespace bottega::test {
namespace checkout_test {

using payments::RequestState, payments::State;

using CheckoutTest = Checkout;

TEST_F(CheckoutTest, BuysWhatIsThereAtTheServersPrice) {
  const auto id = counted("TEA-1", 3);
  const auto done = buy(want(id, 2, 2'500));
  EXPECT_EQ(done.payment.state, State::captured);
  EXPECT_EQ(done.payment_request.state, RequestState::paid);
  EXPECT_EQ(done.payment_request.origin, payments::Origin::buy_now);
  ASSERT_TRUE(done.order);
  EXPECT_EQ(done.order->total.amount, 2'500);
  EXPECT_EQ(done.order->title, "Green tea");
  ASSERT_EQ(done.order->lines.size(), 1u);
  EXPECT_EQ(done.order->lines.items[0].variant_id, id);
  EXPECT_EQ(done.order->lines.items[0].sku->value, "TEA-1");
  EXPECT_EQ(done.order->ship_to->country.value, "US");
  EXPECT_EQ(stock(id).on_hand, 1);
  EXPECT_EQ(stock(id).reserved, 0);
}

TEST_F(CheckoutTest, RefusesAPriceThatIsNotTheServers) {
  const auto product = published(tea("TEA-1"));
  const auto id = product.variants[0].id;
  reprice(product, 1'300);
  const auto error = refusal([&] { begin(want(id, 1, 1'250)); });
  EXPECT_EQ(error.code(), Code::conflict);
  EXPECT_EQ(error.reason(), "price_changed");
  ASSERT_EQ(error.faults().size(), 1u);
  EXPECT_EQ(error.faults()[0].pointer, "/total");
  EXPECT_EQ(quote({{"lines", lines({line(id, 1)})}}).total, 1'300);
}

TEST_F(CheckoutTest, SaysAllThatIsWrongAndMissingAtOnce) {
  auto rules = settings();
  rules["buyer"]["email"] = "required";
  rules["tips"] = {{"allowed", true}, {"suggested_percent", Json::array()}, {"most_percent", 10}};
  set(rules);
  ship_everywhere(500);
  const auto id = counted("TEA-1", 3);
  Json choice = {{"lines", lines({line(id, 1)})},
                 {"discount_code", "NONE"},
                 {"shipping_rate", text_of(pricing::ShippingRateId::make())},
                 {"tip", 5'000}};
  const Pointers wrong = {"/discount_code", "/shipping_rate", "/tip"};
  EXPECT_EQ(faults_of([&] { quote(choice); }), wrong);
  choice["total"] = 1;
  choice["payment_method"] = {{"token", "tok_approved"}};
  auto all = wrong;
  all.insert(all.end(), {"/ship_to", "/contact/email"});
  EXPECT_EQ(faults_of([&] { begin(choice); }), all);
  choice["lines"] = lines({line(catalog::VariantId::make(), 1)});
  choice.erase("shipping_rate");
  choice.erase("tip");
  EXPECT_EQ(faults_of([&] { begin(choice); }),
            (Pointers{"/lines/0/variant_id", "/discount_code", "/contact/email"}));
  EXPECT_EQ(stock(id).reserved, 0);
}

TEST_F(CheckoutTest, SetsStockAsideWhileItIsPaid) {
  const auto id = counted("TEA-1", 3);
  const auto payment = begin(want(id, 2, 2'500));
  EXPECT_EQ(stock(id).on_hand, 3);
  EXPECT_EQ(stock(id).reserved, 2);
  const auto error = refusal([&] { begin(want(id, 2, 2'500)); });
  EXPECT_EQ(error.code(), Code::conflict);
  EXPECT_EQ(error.reason(), "out_of_stock");
  ASSERT_EQ(error.faults().size(), 1u);
  EXPECT_EQ(error.faults()[0].pointer, "/lines/0/quantity");
  EXPECT_EQ(error.faults()[0].detail, "is more than the 1 left");
  charge(payment);
  EXPECT_EQ(stock(id).on_hand, 1);
  EXPECT_EQ(stock(id).reserved, 0);
}

TEST_F(CheckoutTest, ADeclineReleasesItAndLeavesTheRequestOpen) {
  const auto id = counted("TEA-1", 3);
  const auto done = buy(want(id, 3, 3'750, "tok_declined"));
  EXPECT_EQ(done.payment.state, State::failed);
  EXPECT_EQ(done.payment_request.state, RequestState::open);
  EXPECT_EQ(stock(id).reserved, 0);
  const auto paid = pay_again(done.payment_request);
  EXPECT_EQ(paid.payment.state, State::captured);
  ASSERT_TRUE(paid.order);
  EXPECT_EQ(paid.order->ship_to->city.value, "Springfield");
  EXPECT_EQ(stock(id).on_hand, 0);
}

TEST_F(CheckoutTest, WhatWasSoldMeanwhileIsNotPaidAgain) {
  const auto id = counted("TEA-1", 1);
  const auto declined = buy(want(id, 1, 1'250, "tok_declined"));
  buy(want(id, 1, 1'250));
  const auto error = refusal([&] { pay_again(declined.payment_request); });
  EXPECT_EQ(error.code(), Code::conflict);
  EXPECT_EQ(error.reason(), "out_of_stock");
  ASSERT_EQ(error.faults().size(), 1u);
  EXPECT_EQ(error.faults()[0].detail, "is sold out");
}

TEST_F(CheckoutTest, AnOpenPurchaseEndsAtItsTime) {
  const auto id = counted("TEA-1", 1);
  const auto declined = buy(want(id, 1, 1'250, "tok_declined"));
  world.advance(std::chrono::minutes(16));
  world.run_jobs();
  const auto now = in(
      [&](Tx& tx) { return payments::fetch_request(tx, shop.buyer, declined.payment_request.id); });
  EXPECT_EQ(now.state, RequestState::expired);
}

TEST_F(CheckoutTest, AConfirmationThatNeverComesReleasesTheStock) {
  const auto id = counted("TEA-1", 1);
  const auto waiting = buy(want(id, 1, 1'250, "tok_confirm"));
  ASSERT_EQ(waiting.payment.state, State::requires_action);
  EXPECT_EQ(stock(id).reserved, 1);
  world.advance(std::chrono::minutes(16));
  world.run_jobs();
  EXPECT_EQ(stock(id).reserved, 0);
  EXPECT_EQ(stock(id).on_hand, 1);
}

TEST_F(CheckoutTest, CancellingPutsItBackOnTheShelf) {
  const auto id = counted("TEA-1", 3);
  const auto done = buy(want(id, 2, 2'500));
  world.cancel(shop, *done.order);
  EXPECT_EQ(stock(id).on_hand, 3);
  EXPECT_EQ(stock(id).reserved, 0);
}

TEST_F(CheckoutTest, AddsShippingTaxDiscountAndTip) {
  auto rules = settings();
  rules["tax_mode"] = "exclusive";
  rules["tips"] = {{"allowed", true}, {"suggested_percent", {10}}, {"most_percent", 50}};
  set(rules);
  const auto rate = ship_everywhere(500);
  const auto tax = from_json<pricing::NewTaxRate>(
      {{"name", "Sales tax"}, {"country", "US"}, {"parts_per_million", 100'000}});
  in([&](Tx& tx) { return pricing::add_tax_rate(tx, shop.merchant, tax); });
  add_code({{"code", "HALF"}, {"kind", "percent"}, {"basis_points", 5'000}});
  const auto id = counted("TEA-1", 9);
  auto body = want(id, 2, 2'000);
  body["shipping_rate"] = text_of(rate);
  body["discount_code"] = "half";
  body["tip"] = 125;
  body["total"] = 1'250 + 500 + 125 + 125;
  const auto done = buy(body);
  ASSERT_TRUE(done.order) << text_of(done.payment.state);
  const auto& sums = done.order->breakdown.value();
  EXPECT_EQ(done.order->total.amount, 2'000);
  EXPECT_EQ(sums.items, 2'500);
  EXPECT_EQ(sums.discount, 1'250);
  EXPECT_EQ(sums.shipping, 500);
  EXPECT_EQ(sums.tax, 125);
  EXPECT_EQ(sums.tip, 125);
  EXPECT_EQ(sums.shipping_name, "Post");
  EXPECT_EQ(sums.discount_code, "HALF");
}

TEST_F(CheckoutTest, ADiscountIsUsedOnceAndGivenBackByADecline) {
  add_code({{"code", "ONCE"}, {"kind", "percent"}, {"basis_points", 5'000}, {"uses_max", 1}});
  const auto id = counted("TEA-1", 9);
  auto body = want(id, 1, 625, "tok_declined");
  body["discount_code"] = "ONCE";
  EXPECT_EQ(buy(body).payment.state, State::failed);
  body["payment_method"]["token"] = "tok_approved";
  EXPECT_EQ(buy(body).payment.state, State::captured);
  EXPECT_EQ(faults_of([&] { begin(body); }), Pointers{"/discount_code"});
  EXPECT_EQ(stock(id).reserved, 0);
}

TEST_F(CheckoutTest, AsksForWhatTheShopNeedsAndKeepsNoMore) {
  auto rules = settings();
  rules["buyer"]["email"] = "required";
  rules["buyer"]["phone"] = "required";
  set(rules);
  ship_everywhere(500);
  const auto id = counted("TEA-1", 9);
  auto body = want(id, 1, 1'750);
  EXPECT_EQ(faults_of([&] { begin(body); }),
            (Pointers{"/shipping_rate", "/contact/email", "/contact/phone"}));
  body.erase("ship_to");
  EXPECT_EQ(faults_of([&] { begin(body); }),
            (Pointers{"/ship_to", "/contact/email", "/contact/phone"}));
  set(settings());
  auto other = want(id, 1, 1'750);
  other["shipping_rate"] =
      text_of(quote({{"lines", other["lines"]}, {"ship_to", address()}}).shipping_options[0].id);
  other["contact"] = {{"email", "pat@example.com"}};
  const auto done = buy(other);
  EXPECT_FALSE(done.payment_request.contact) << "the shop does not ask for it";
}

TEST_F(CheckoutTest, TheConversationIsToldWithoutAddressAndContact) {
  auto rules = settings();
  rules["buyer"]["email"] = "required";
  set(rules);
  auto body = want(counted("TEA-1", 9), 1, 1'250);
  body["contact"] = {{"email", "pat@example.com"}};
  EXPECT_EQ(buy(body).payment_request.contact->email->value, "pat@example.com");
  const auto log = in(
      [&](Tx& tx) { return conversations::log_after(tx, shop.buyer, shop.conversation, 0, 100); });
  std::vector<std::string> events;
  for (const auto& entry : log) {
    events.push_back(entry.event);
    EXPECT_EQ(entry.data.dump().find("example.com"), std::string::npos);
    EXPECT_EQ(entry.data.dump().find("Springfield"), std::string::npos);
  }
  EXPECT_EQ(events, (std::vector<std::string>{"payment_request.accepted", "payment_request.paid",
                                              "order.created"}));
}

TEST_F(CheckoutTest, BuysTheCartAsItWasRead) {
  const auto first = counted("TEA-1", 9), second = counted("TEA-2", 9);
  const auto cart = put(0, lines({line(first, 1), line(second, 2)}));
  Json body = want(first, 1, 3'750);
  body.erase("lines");
  body["cart_version"] = cart.version + 1;
  EXPECT_EQ(refusal([&] { begin(body); }).code(), Code::conflict);
  body["cart_version"] = cart.version;
  const auto done = buy(body);
  EXPECT_EQ(done.payment_request.origin, payments::Origin::cart);
  EXPECT_EQ(done.payment_request.title, "Green tea, and 1 more");
  EXPECT_EQ(stock(second).on_hand, 7);
  EXPECT_TRUE(this->cart(shop.buyer).lines.empty());
}

TEST_F(CheckoutTest, NamesEverythingThatCannotBeBought) {
  const auto few = counted("TEA-1", 1);
  const auto draft = make(tea("TEA-2")).variants[0].id;
  const Json body = {{"lines", lines({line(few, 2), line(draft, 1)})}};
  EXPECT_EQ(faults_of([&] { quote(body); }),
            (Pointers{"/lines/1/variant_id", "/lines/0/quantity"}));
}

TEST_F(CheckoutTest, OnlyTheBuyerBuys) {
  const auto id = counted("TEA-1", 1);
  const auto given = from_json<checkout::NewCheckout>(want(id, 1, 1'250));
  const auto as = [&](const identity::Who& who) {
    return code_of([&] {
      in([&](Tx& tx) {
        return checkout::begin(tx, who, shop.conversation, given, world.payment_rules);
      });
    });
  };
  EXPECT_EQ(as(shop.owner), Code::forbidden);
  EXPECT_EQ(as(world.person()), Code::not_found);
  EXPECT_EQ(stock(id).reserved, 0);
}

TEST_F(CheckoutTest, AMerchantsRequestSellsFromTheStockToo) {
  const auto id = counted("TEA-1", 2);
  const auto given =
      from_json<payments::NewRequest>({{"conversation_id", text_of(shop.conversation)},
                                       {"title", "Tea, as we said"},
                                       {"description", "Two packs"},
                                       {"shipping_address", "none"},
                                       {"lines",
                                        {{{"name", "Tea"},
                                          {"quantity", 2},
                                          {"unit_amount", 1'000},
                                          {"variant_id", text_of(id)}}}}});
  const auto request =
      in([&](Tx& tx) { return payments::ask(tx, shop.owner, given, world.payment_rules); });
  EXPECT_EQ(request.lines.items[0].sku->value, "TEA-1");
  EXPECT_EQ(stock(id).reserved, 0) << "asking sets nothing aside";
  world.pay(shop, request);
  EXPECT_EQ(stock(id).on_hand, 0);
}

}  // namespace checkout_test
}  // namespace bottega::test
