// What was bought at the checkout, afterwards: tried once more, sent back, withdrawn from.
#include "domain/checkout.hpp"
#include "bottega/returns/returns.hpp"
#include "bottega/support/withdrawals.hpp"

namespace bottega::test {
namespace checkout_after_test {

class CheckoutAfter : public Checkout {
 protected:
  // Goods of 100.00 in two pieces less 20 %, and 5.00 of shipping and 16.00 of tip on top.
  orders::Order mixed() {
    auto rules = settings();
    rules["tips"] = {{"allowed", true}, {"suggested_percent", {10}}, {"most_percent", 50}};
    set(rules);
    add_code({{"code", "FIFTH"}, {"kind", "percent"}, {"basis_points", 2'000}});
    const auto rate = ship_everywhere(500);
    const auto id = published(tea("TEA-1", 5'000)).variants[0].id;
    auto body = want(id, 2, 8'000 + 500 + 1'600);
    body["shipping_rate"] = text_of(rate);
    body["discount_code"] = "FIFTH";
    body["tip"] = 1'600;
    return *buy(body).order;
  }
  returns::Return come_back(const orders::Order& order, std::int64_t quantity) {
    const auto asked = from_json<returns::NewReturn>(
        {{"reason", "changed_mind"}, {"lines", {{{"line", 0}, {"quantity", quantity}}}}});
    const returns::Rules rules;
    auto item =
        in([&](Tx& tx) { return returns::request(tx, shop.buyer, order.id, asked, rules); });
    item = in([&](Tx& tx) { return returns::approve(tx, shop.owner, item.id, {}, rules); });
    return in([&](Tx& tx) { return returns::receive(tx, shop.owner, item.id, {}); });
  }
  void refund(const returns::Return& item) {
    in([&](Tx& tx) { return returns::refund(tx, shop.owner, item.id, {}, world.payment_rules); });
    world.run_jobs();
  }
};

TEST_F(CheckoutAfter, WhatComesBackHasCostWhatWasPaidForIt) {
  const auto order = mixed();
  world.ship(shop, order);
  const auto one = come_back(order, 1);
  EXPECT_EQ(one.proposed, 4'000) << "neither shipping nor the tip";
  refund(one);
  EXPECT_EQ(come_back(order, 1).proposed, 4'000);
}

TEST_F(CheckoutAfter, WhatWasGivenBackBeforeIsNotProposedAgain) {
  const auto order = mixed();
  world.ship(shop, order);
  world.give_back(shop, order, 5'000);
  EXPECT_EQ(come_back(order, 2).proposed, 3'000);
}

TEST_F(CheckoutAfter, WhatComesBackPieceByPieceHasCostWhatAllOfItHas) {
  add_code({{"code", "TENTH"}, {"kind", "percent"}, {"basis_points", 1'000}});
  auto body = want(published(tea("TEA-1", 35)).variants[0].id, 7, 245 - 24);
  body["discount_code"] = "TENTH";
  const auto order = *buy(body).order;
  world.ship(shop, order);
  std::int64_t all = 0;
  for (int i = 0; i < 7; ++i) {
    const auto item = come_back(order, 1);
    all += item.proposed.value();
    if (i % 2 == 0) refund(item);
  }
  EXPECT_EQ(all, 221);
}

TEST_F(CheckoutAfter, WhatWasNotSentIsNotTakenFromWhatComesBack) {
  const auto rate = ship_everywhere(900);
  const auto cheap = published(tea("A", 1'000)).variants[0].id;
  const auto dear = published(tea("B", 3'000)).variants[0].id;
  auto body = want(cheap, 1, 4'900);
  body["lines"] = lines({line(cheap, 1), line(dear, 1)});
  body["shipping_rate"] = text_of(rate);
  const auto order = *buy(body).order;
  const auto part = from_json<orders::NewShipment>(
      {{"carrier", "other"}, {"lines", {{{"line", 0}, {"quantity", 1}}}}});
  in([&](Tx& tx) { payouts::ship(tx, shop.owner, order.id, part, world.payout_rules); });
  const auto closing = from_json<payments::NewClosing>({{"reason", "sold out"}});
  in([&](Tx& tx) {
    payments::close_rest(tx, shop.owner, order.id, closing, world.payment_rules,
                         world.payout_rules);
  });
  world.run_jobs();
  EXPECT_EQ(come_back(order, 1).proposed, 1'000);
}

TEST_F(CheckoutAfter, WhatThePlatformGaveIsNotTheShops) {
  const auto rate = ship_everywhere(900);
  auto body = want(published(tea("A", 1'000)).variants[0].id, 1, 1'900);
  body["shipping_rate"] = text_of(rate);
  const auto order = *buy(body).order;
  world.ship(shop, order);
  const auto goodwill = from_json<payments::StaffRefund>(
      {{"amount", 600}, {"reason", "for the trouble"}, {"funded_by", "platform"}});
  const auto staff = world.staff(identity::StaffRole::finance);
  in([&](Tx& tx) {
    payments::give_back(tx, staff, order.payment_id, goodwill, world.payment_rules);
  });
  world.run_jobs();
  EXPECT_EQ(come_back(order, 1).proposed, 1'000);
}

TEST_F(CheckoutAfter, WhatIsFreeIsPricedWithItsWay) {
  const auto rate = ship_everywhere(700);
  const auto id = published(tea("FREE", 0)).variants[0].id;
  Json body = {{"lines", lines({line(id, 1)})}, {"ship_to", address("US")}};
  const auto first = quote(body);
  EXPECT_FALSE(first.is_final);
  EXPECT_EQ(first.shipping_options.size(), 1u);
  body["shipping_rate"] = text_of(rate);
  EXPECT_EQ(quote(body).total, 700);
}

TEST_F(CheckoutAfter, AWithdrawalNamesWhatIsLeftAndOutlivesAReturn) {
  const auto order = mixed();
  const auto look = [&] {
    return in([&](Tx& tx) { return support::withdraw(tx, shop.buyer, order.id, {}); });
  };
  world.ship(shop, order);
  refund(come_back(order, 1));
  EXPECT_EQ(look().refund.amount, 10'100 - 4'000) << "of the other piece";
  world.give_back(shop, order, 6'100);
  EXPECT_EQ(code_of([&] { look(); }), Code::conflict) << "there is nothing left";
}

TEST_F(CheckoutAfter, ADeclinedPurchaseIsNotPaidOnceItIsNotSold) {
  const auto gone = published(tea("GONE"));
  const auto declined = buy(want(gone.variants[0].id, 1, 1'250, "tok_declined"));
  move(gone, catalog::Event::archive);
  const auto error = refusal([&] { pay_again(declined.payment_request); });
  EXPECT_EQ(error.code(), Code::conflict);
  EXPECT_EQ(error.reason(), "out_of_stock");
  ASSERT_EQ(error.faults().size(), 1u);
  EXPECT_EQ(error.faults()[0].pointer, "/lines/0/variant_id");
}

TEST_F(CheckoutAfter, AQuoteIsOfWhatCanBeBought) {
  const auto id = published(tea("CHEAP", 20)).variants[0].id;
  EXPECT_EQ(faults_of([&] {
              quote({{"lines", lines({line(id, 1)})}});
            }),
            Pointers{"/lines"})
      << "the fee would take all of it";
  auto body = tea("EURO");
  body["variants"][0]["prices"].push_back({{"currency", "EUR"}, {"amount", 900}});
  const auto euro = published(body).variants[0].id;
  EXPECT_EQ(faults_of([&] {
              quote({{"lines", lines({line(euro, 1)})}, {"currency", "EUR"}});
            }),
            Pointers{"/currency"});
}

}  // namespace checkout_after_test
}  // namespace bottega::test
