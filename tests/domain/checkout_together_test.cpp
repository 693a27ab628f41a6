// Checkouts that begin together: each at the price of its shop, and none at the cost of another.
#include "domain/buying.hpp"
#include "bottega/checkout/links.hpp"
#include "bottega/checkout/together.hpp"
#include "bottega/conversations/safety.hpp"

namespace bottega::test {
namespace checkout_together_test {

using payments::State;
using Words = std::vector<std::string>;

class CheckoutTogether : public Buying {
 protected:
  void SetUp() override {
    Buying::SetUp();
    far = world.shop();
  }
  static checkout::Asked asking(const identity::Who& who, const Shop& where, const Json& body) {
    return {who, checkout::Ordering{where.conversation, from_json<checkout::NewCheckout>(body)}};
  }
  static checkout::Asked asking(const Shop& where, const Json& body) {
    return asking(where.buyer, where, body);
  }
  payments::Beginnings begin_all(const std::vector<checkout::Asked>& asked) {
    return in([&](Tx& tx) { return checkout::begin(tx, asked, world.payment_rules); });
  }
  using Buying::begin_all;
  Outcomes finish(const payments::Beginnings& outcomes) {
    Told told;
    for (const auto& outcome : outcomes)
      if (said(outcome) == "begun") told.push_back(charged(begun(outcome)));
    return settle_all(told);
  }
  // A variant of the other shop.
  catalog::VariantId counted_far(std::int64_t on_hand) {
    std::swap(shop, far);
    const auto id = counted("FAR-1", on_hand);
    std::swap(shop, far);
    return id;
  }

  Shop far;
};

TEST_F(CheckoutTogether, WritesTheSameRowsAsAlone) {
  const auto here = counted("TEA-1", 5), there = counted_far(5);
  buy(want(here, 2, 2'500));
  const auto done = finish(begin_all({asking(far, want(there, 2, 2'500))}));
  ASSERT_TRUE(done.at(0));
  EXPECT_EQ(to_json(current(done[0]->payment)), to_json(*done[0]));
  EXPECT_EQ(done[0]->payment_request.origin, payments::Origin::buy_now);
  EXPECT_EQ(rows_of(far), rows_of(shop));
  EXPECT_EQ(stock(here).on_hand, 3);
  const auto declined = buy(want(here, 1, 1'250, "tok_declined"));
  const auto begun_now = begin_all({asking(far, want(there, 1, 1'250, "tok_declined"))});
  const auto told = charged(begun(begun_now.at(0)));
  in([&](Tx& tx) {
    payments::settle(tx, told.merchant, told.payment, told.outcome, world.payment_rules);
  });
  EXPECT_EQ(rows_of(far), rows_of(shop));
  EXPECT_EQ(jobs_of(payments::kExpireJob), "2");
  pay_again(declined.payment_request);
  const auto& once_more = begun(begun_now.at(0)).request;
  auto again = paying(far.buyer, once_more.id);
  again.acceptance.ship_to.reset();
  EXPECT_EQ(said(begin_all({again})), (Words{"alone"}))
      << "whether it is still sold is asked alone";
  std::swap(shop, far);
  pay_again(once_more);
  std::swap(shop, far);
  EXPECT_EQ(rows_of(far), rows_of(shop));
  EXPECT_EQ(jobs_of(payments::kExpireJob), "0") << "what is paid does not expire";
}

TEST_F(CheckoutTogether, SellsAtEachShopsOwnPrices) {
  auto rules = settings();
  rules["tax_mode"] = "exclusive";
  set(rules);
  const auto tax = from_json<pricing::NewTaxRate>(
      {{"name", "Sales tax"}, {"country", "US"}, {"parts_per_million", 100'000}});
  in([&](Tx& tx) { return pricing::add_tax_rate(tx, shop.merchant, tax); });
  const auto here = counted("TEA-1", 5), there = counted_far(5);
  const auto outcomes =
      begin_all({asking(shop, want(here, 1, 1'375)), asking(far, want(there, 1, 1'250)),
                 asking(far, want(here, 1, 1'250)), asking(shop, want(here, 1, 1'250))});
  EXPECT_EQ(said(outcomes), (Words{"begun", "begun", "invalid", "price_changed"}))
      << "and nobody sells what is another's";
  EXPECT_EQ(begun(outcomes[0]).charge.amount.amount, 1'375);
  for (const auto& done : finish(outcomes)) EXPECT_TRUE(done);
}

TEST_F(CheckoutTogether, RefusesOneWithoutTheOthers) {
  const auto id = counted("TEA-1", 3), none = counted("TEA-2", 0);
  auto homeless = want(id, 1, 1'250);
  homeless.erase("ship_to");
  auto abroad = want(id, 1, 1'250);
  abroad["currency"] = "EUR";
  const auto other = beside(shop), blocked = beside(shop);
  in([&](Tx& tx) { conversations::block(tx, shop.owner, blocked.conversation); });
  const auto request = world.ask(shop);
  auto asked = std::vector{asking(shop, want(id, 2, 2'500)),
                           asking(shop, want(none, 1, 1'250)),
                           asking(shop, homeless),
                           asking(shop, abroad),
                           asking(other, want(id, 2, 2'500)),
                           asking(other.buyer, shop, want(id, 1, 1'250)),
                           asking(shop.owner, shop, want(id, 1, 1'250)),
                           asking(blocked, want(id, 1, 1'250))};
  asked.push_back({shop.buyer, checkout::Accepting{request.id, acceptance("tok_approved")}});
  asked.push_back(asking(other, want(id, 1, 1'250)));
  const auto outcomes = begin_all(asked);
  EXPECT_EQ(said(outcomes), (Words{"begun", "out_of_stock", "invalid", "invalid", "out_of_stock",
                                   "alone", "alone", "alone", "begun", "begun"}));
  EXPECT_EQ(count_of("payments"), "3");
  EXPECT_EQ(count_of("payment_requests"), "3");
  EXPECT_EQ(stock(id).reserved, 3);
  for (const auto& done : finish(outcomes)) EXPECT_TRUE(done);
  EXPECT_EQ(stock(id).on_hand, 0);
}

TEST_F(CheckoutTogether, KeepsTheLimitsOfARequest) {
  const auto id = counted("TEA-1", 3);
  world.payment_rules.limits.request_max = 20;
  const auto asked =
      std::vector{asking(shop, want(id, 2, 2'500)), asking(shop, want(id, 1, 1'250))};
  EXPECT_EQ(said(begin_all(asked)), (Words{"invalid", "begun"}));
  const auto own = from_json<risk::NewLimits>({{"request_max", 5}, {"reason", "careful"}});
  in([&](Tx& tx) { risk::set_limits(tx, shop.merchant, own, "somebody"); });
  EXPECT_EQ(said(begin_all(asked)), (Words{"invalid", "invalid"}));
}

TEST_F(CheckoutTogether, BuysACartAsItWasRead) {
  const auto id = counted("TEA-1", 3);
  const auto cart = put(0, lines({line(id, 2)}));
  auto body = want(id, 2, 2'500);
  body.erase("lines");
  body["cart_version"] = cart.version;
  auto stale = body;
  stale["cart_version"] = cart.version + 1;
  const auto outcomes = begin_all({asking(shop, stale), asking(shop, body)});
  EXPECT_EQ(said(outcomes), (Words{"conflict", "begun"}));
  const auto done = finish(outcomes);
  EXPECT_EQ(done.at(0)->payment_request.origin, payments::Origin::cart);
  EXPECT_EQ(stock(id).on_hand, 1);
}

TEST_F(CheckoutTogether, LeavesCodesAndLinksToThemselves) {
  const auto id = counted("TEA-1", 3);
  add_code({{"code", "HALF"}, {"kind", "percent"}, {"basis_points", 5'000}});
  auto coded = want(id, 1, 625);
  coded["discount_code"] = "HALF";
  auto linked = want(id, 1, 1'250);
  linked.erase("lines");
  linked["payment_link"] = "a-code";
  EXPECT_EQ(said(begin_all({asking(shop, coded), asking(shop, linked)})),
            (Words{"alone", "alone"}));
  EXPECT_EQ(count_of("payment_requests"), "0");
  const auto declined = charge(begin(coded), "tok_declined");
  EXPECT_EQ(said(begin_all({paying(shop.buyer, declined.payment_request.id)})), Words{"alone"});
}

TEST_F(CheckoutTogether, AsksTheShopThatWantsToBeAsked) {
  auto rules = settings();
  rules["pre_checkout"] = {{"ask", true}, {"standing_answer", "refuse"}};
  set(rules);
  const auto id = counted("TEA-1", 3), there = counted_far(1);
  const auto outcomes =
      begin_all({asking(shop, want(id, 1, 1'250)), asking(far, want(there, 1, 1'250))});
  EXPECT_TRUE(begun(outcomes[0]).is_asked);
  EXPECT_FALSE(begun(outcomes[1]).is_asked);
  const auto question = in([&](Tx& tx) {
    return payments::find_question(tx, shop.merchant, begun(outcomes[0]).payment.id);
  });
  ASSERT_TRUE(question);
  EXPECT_EQ(question->standing_answer, pricing::StandingAnswer::refuse);
  EXPECT_EQ(count_of("payment_questions"), "1");
  const auto request = world.ask(shop);
  EXPECT_FALSE(begun(begin_all({paying(shop.buyer, request.id)})[0]).is_asked)
      << "what the shop itself asks for it wants";
}

TEST_F(CheckoutTogether, IsNoneWhereNothingIsAsked) {
  EXPECT_TRUE(begin_all(std::vector<checkout::Asked>{}).empty());
}

}  // namespace checkout_together_test
}  // namespace bottega::test
