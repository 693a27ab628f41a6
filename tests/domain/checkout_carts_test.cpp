// Carts that are bought: once, whoever asks twice, and what was bought is taken out once.
#include "domain/buying.hpp"
#include "bottega/checkout/together.hpp"
#include "bottega/orders/shipments.hpp"
#include "bottega/support/withdrawals.hpp"

namespace bottega::test {
namespace checkout_carts_test {

using payments::State;

class BoughtCarts : public Buying {
 protected:
  void SetUp() override {
    Buying::SetUp();
    tea_ = counted("TEA-1", 20);
  }
  // A cart of two, and a body that buys it.
  Json full(const std::string& token = "tok_approved") {
    const auto now = put(cart(shop.buyer).version, lines({line(tea_, 2)}));
    return body_of(now.version, token);
  }
  Json body_of(std::int64_t version, const std::string& token = "tok_approved") const {
    auto body = want(tea_, 2, 2'500, token);
    body.erase("lines");
    body["cart_version"] = version;
    return body;
  }
  checkout::Asked asking(const Json& body) const {
    return {shop.buyer,
            checkout::Ordering{shop.conversation, from_json<checkout::NewCheckout>(body)}};
  }
  std::size_t pieces() {
    std::size_t all = 0;
    for (const auto& one : cart(shop.buyer).lines) all += static_cast<std::size_t>(one.quantity);
    return all;
  }

  catalog::VariantId tea_;
};

TEST_F(BoughtCarts, AreNotPaidTwiceWhileTheyAreBeingPaid) {
  const auto body = full();
  const auto payment = begin(body);
  const auto refused = refusal([&] { begin(body); });
  EXPECT_EQ(refused.code(), Code::conflict);
  EXPECT_EQ(refused.reason(), "cart_being_paid");
  EXPECT_EQ(charge(payment).payment.state, State::captured);
  EXPECT_EQ(code_of([&] { begin(body); }), Code::conflict) << "it has another version now";
  EXPECT_EQ(pieces(), 0u);
  EXPECT_EQ(stock(tea_).on_hand, 18);
}

TEST_F(BoughtCarts, AreBegunOnceByThoseWhoBeginTogether) {
  const auto body = full();
  const auto outcomes = in([&](Tx& tx) {
    return checkout::begin(tx, {asking(body), asking(body)}, world.payment_rules);
  });
  EXPECT_EQ(said(outcomes.at(0)), "begun");
  EXPECT_FALSE(outcomes.at(1)) << "it must begin by itself";
  EXPECT_EQ(refusal([&] { begin(body); }).reason(), "cart_being_paid");
  const auto again =
      in([&](Tx& tx) { return checkout::begin(tx, {asking(body)}, world.payment_rules); });
  ASSERT_TRUE(again.at(0));
  EXPECT_EQ(std::get<Error>(*again.at(0)).reason(), "cart_being_paid");
  settle_all({charged(begun(outcomes.at(0)))});
  EXPECT_EQ(pieces(), 0u);
}

TEST_F(BoughtCarts, AreThereAgainAfterADecline) {
  const auto body = full("tok_declined");
  EXPECT_EQ(buy(body).payment.state, State::failed);
  EXPECT_EQ(pieces(), 2u);
  EXPECT_EQ(buy(body_of(body["cart_version"])).payment.state, State::captured);
  EXPECT_EQ(pieces(), 0u);
}

TEST_F(BoughtCarts, AreEmptiedByWhoeverBringsTheNews) {
  const auto declined = buy(full("tok_declined"));
  EXPECT_EQ(pay_again(declined.payment_request).payment.state, State::captured);
  EXPECT_EQ(pieces(), 0u) << "the request was paid with another method";
  const auto waiting = buy(full("tok_confirm"));
  ASSERT_EQ(waiting.payment.state, State::requires_action);
  EXPECT_EQ(pieces(), 2u);
  processors::Outcome news;
  news.verdict = processors::Verdict::succeeded;
  news.reference = "news-1";
  EXPECT_EQ(settle(waiting.payment, news).payment.state, State::captured);
  EXPECT_EQ(pieces(), 0u) << "the processor said so later";
  EXPECT_GE(told("cart.updated"), 4);
}

TEST_F(BoughtCarts, KeepWhatWasPutInMeanwhile) {
  const auto cup = counted("CUP-1", 5);
  const auto body = full();
  const auto payment = begin(body);
  put(body["cart_version"], lines({line(tea_, 3), line(cup, 1)}));
  charge(payment);
  const auto left = cart(shop.buyer);
  ASSERT_EQ(left.lines.size(), 2u);
  EXPECT_EQ(left.lines[0].quantity, 1);
  EXPECT_EQ(left.lines[1].variant_id, cup);
  EXPECT_EQ(left.version, body["cart_version"].get<std::int64_t>() + 2);
}

TEST_F(BoughtCarts, AreNotPaidOnceMoreByAnOlderRequest) {
  const auto first = buy(full("tok_declined")).payment_request;
  const auto second = buy(body_of(cart(shop.buyer).version, "tok_declined")).payment_request;
  const auto anew = [&](const payments::Request& request) {
    return refusal([&] { pay_again(request); }).reason();
  };
  EXPECT_EQ(anew(first), "cart_checked_out_anew");
  EXPECT_EQ(pay_again(second).payment.state, State::captured);
  EXPECT_EQ(pieces(), 0u);
  full();
  EXPECT_EQ(anew(first), "cart_checked_out_anew") << "they are other ones by now";
  EXPECT_EQ(pieces(), 2u);
}

TEST_F(BoughtCarts, AreNotCheckedOutWhileTheyArePaidByAnotherTry) {
  const auto declined = buy(full("tok_declined")).payment_request;
  payments::Acceptance acceptance;
  acceptance.payment_method.token = from_text<wallet::MethodToken>("tok_confirm");
  in([&](Tx& tx) {
    return payments::begin(tx, shop.buyer, declined.id, acceptance, world.payment_rules);
  });
  const auto body = body_of(cart(shop.buyer).version);
  EXPECT_EQ(refusal([&] { begin(body); }).reason(), "cart_being_paid");
}

// ---- what else a purchase keeps to --------------------------------------------------------------

TEST_F(BoughtCarts, AreNotSentWhereNobodyHasPricedThem) {
  auto rules = settings();
  rules["buyer"]["address"] = "none";
  set(rules);
  const auto declined = buy(full("tok_declined"));
  payments::Acceptance acceptance;
  acceptance.payment_method.token = from_text<wallet::MethodToken>("tok_approved");
  acceptance.ship_to = from_json<orders::Address>(address("DE"));
  EXPECT_EQ(faults_of([&] {
              in([&](Tx& tx) {
                return payments::begin(tx, shop.buyer, declined.payment_request.id, acceptance,
                                       world.payment_rules);
              });
            }),
            Pointers{"/ship_to"});
  EXPECT_EQ(pay_again(declined.payment_request).payment.state, State::captured);
}

TEST_F(BoughtCarts, KeepWhatTheShopHasPromised) {
  const auto sell = [&](std::int64_t promised, const char* country) {
    auto rules = settings();
    rules["withdrawal_days"] = promised;
    set(rules);
    auto body = want(tea_, 1, 1'250);
    body["ship_to"] = address(country);
    const auto order = *buy(body).order;
    EXPECT_EQ(order.breakdown->withdrawal_days, promised);
    world.ship(shop, order);
    in([&](Tx& tx) { return orders::deliver(tx, orders::lock(tx, shop.merchant, order.id)); });
    return order;
  };
  const auto look = [&](const orders::Order& order) {
    return in([&](Tx& tx) { return support::withdraw(tx, shop.buyer, order.id, {}); });
  };
  const auto days = [&](const orders::Order& order) {
    const auto now = in([&](Tx& tx) { return orders::fetch(tx, shop.owner, order.id); });
    return std::chrono::floor<std::chrono::days>(look(order).until.value() -
                                                 now.delivered_at.value())
        .count();
  };
  const auto longer = sell(30, "US"), none = sell(0, "US"), by_law = sell(0, "DE");
  EXPECT_EQ(days(longer), 31) << "what it says now is of what is sold from now on";
  EXPECT_EQ(days(by_law), 15) << "an address in the European Union";
  EXPECT_EQ(code_of([&] { look(none); }), Code::conflict);
}

}  // namespace checkout_carts_test
}  // namespace bottega::test
