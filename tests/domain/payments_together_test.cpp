// Payments that begin and are settled together: each as alone, and none takes another with it.
#include "domain/buying.hpp"

namespace bottega::test {
namespace payments_together_test {

using namespace std::chrono_literals;
using payments::RequestState, payments::State;
using processors::Outcome, processors::Verdict;
using Words = std::vector<std::string>;

class PaymentsTogether : public Buying {
 protected:
  void SetUp() override {
    Buying::SetUp();
    far = world.shop();
  }

  Shop far;
};

TEST_F(PaymentsTogether, AnswerWithWhatIsKept) {
  std::vector<payments::Beginning> asked;
  for (const auto amount : {1'000, 2'500, 999}) {
    world.sell(far, amount);
    asked.push_back(paying(shop.buyer, world.ask(shop, amount).id));
  }
  for (const auto& done : pay_all(asked)) {
    ASSERT_TRUE(done);
    EXPECT_EQ(done->payment.state, State::captured);
    EXPECT_EQ(done->payment_request.state, RequestState::paid);
    ASSERT_TRUE(done->order);
    EXPECT_EQ(to_json(current(done->payment)), to_json(*done));
  }
  EXPECT_EQ(world.last_seq(shop), world.last_seq(far));
  EXPECT_EQ(count_of("orders"), "6");
  const auto books = world.trial_balance();
  EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
}

TEST_F(PaymentsTogether, WriteTheSameRowsAsAlone) {
  world.sell(shop, 1'250);
  pay_all({paying(far.buyer, world.ask(far, 1'250).id)});
  EXPECT_EQ(rows_of(far), rows_of(shop));
  const auto declined = world.ask(shop, 700), refused = world.ask(far, 700);
  world.pay(shop, declined, "tok_declined");
  const auto begun_now = begin_all({paying(far.buyer, refused.id, "tok_declined")});
  const auto told = charged(begun(begun_now.front()));
  EXPECT_FALSE(settle_all({told}).front()) << "a decline is not plain";
  in([&](Tx& tx) {
    payments::settle(tx, told.merchant, told.payment, told.outcome, world.payment_rules);
  });
  EXPECT_EQ(rows_of(far), rows_of(shop));
  world.pay(shop, declined);
  EXPECT_TRUE(pay_all({paying(far.buyer, refused.id)}).front());
  EXPECT_EQ(rows_of(far), rows_of(shop));
}

TEST_F(PaymentsTogether, LeaveNothingOfWhatIsRefused) {
  const auto good = world.ask(shop), late = world.ask(far), owners = world.ask(shop),
             strangers = world.ask(shop), naked = world.ask(shop), numbered = world.ask(shop);
  auto without = paying(shop.buyer, naked.id);
  without.acceptance.ship_to.reset();
  const auto before = count_of("entries");
  const auto outcomes =
      begin_all({paying(shop.owner, owners.id), paying(far.buyer, strangers.id), without,
                 paying(shop.buyer, good.id), paying(shop.buyer, payments::RequestId::make()),
                 paying(shop.buyer, numbered.id, "4111111111111111"), paying(far.buyer, late.id)});
  EXPECT_EQ(said(outcomes),
            (Words{"forbidden", "not_found", "invalid", "begun", "not_found", "invalid", "begun"}));
  EXPECT_EQ(count_of("payments"), "2");
  EXPECT_EQ(count_of("attempts"), "2");
  EXPECT_EQ(std::stoi(count_of("entries")), std::stoi(before) + 2);
  for (const auto& request : {owners, strangers, naked, numbered})
    EXPECT_EQ(request_now(request.id).state, RequestState::open);
  EXPECT_EQ(request_now(good.id).state, RequestState::paying);
  EXPECT_EQ(said(begin_all({paying(shop.buyer, good.id)})), Words{"conflict"});
}

TEST_F(PaymentsTogether, RefuseWhatHasExpiredAndWhoIsGone) {
  const auto request = world.ask(shop), other = world.ask(far);
  execute(world.urls.superuser, "UPDATE bottega.accounts SET state = 'suspended' WHERE id = '" +
                                    uuid_text(far.buyer.account.uuid) + "'");
  EXPECT_EQ(said(begin_all({paying(far.buyer, other.id)})), Words{"unauthenticated"});
  world.advance(25h);
  EXPECT_EQ(said(begin_all({paying(shop.buyer, request.id)})), Words{"conflict"});
  EXPECT_EQ(count_of("payments"), "0");
}

TEST_F(PaymentsTogether, LeaveTheSecondTryOfARequestToItself) {
  const auto request = world.ask(shop);
  const auto outcomes = begin_all({paying(shop.buyer, request.id), paying(shop.buyer, request.id)});
  EXPECT_EQ(said(outcomes), (Words{"begun", "alone"}));
}

TEST_F(PaymentsTogether, GiveTheLastPieceToOne) {
  const auto id = counted("TEA-1", 3);
  const auto other = beside(shop);
  const auto first = ask_for(shop, id, 1'000, 2), second = ask_for(other, id, 1'000, 2),
             third = ask_for(other, id);
  const auto outcomes = begin_all({paying(shop.buyer, first.id), paying(other.buyer, second.id),
                                   paying(other.buyer, third.id)});
  EXPECT_EQ(said(outcomes), (Words{"begun", "out_of_stock", "begun"}));
  const auto& faults = std::get<Error>(*outcomes[1]).faults();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].pointer, "/lines/0/quantity");
  EXPECT_EQ(faults[0].detail, "is more than the 1 left");
  EXPECT_EQ(stock(id).reserved, 3);
  for (const auto place : {0u, 2u}) {
    const auto told = charged(begun(outcomes[place]));
    EXPECT_TRUE(settle_all({told}).front());
  }
  EXPECT_EQ(stock(id).on_hand, 0);
  EXPECT_EQ(stock(id).reserved, 0);
  EXPECT_EQ(said(begin_all({paying(other.buyer, second.id)})), Words{"out_of_stock"});
}

TEST_F(PaymentsTogether, TakeTheStockOfAllThatWasSold) {
  const auto id = counted("TEA-1", 9), uncounted = published(tea("TEA-2")).variants[0].id;
  std::vector<payments::Beginning> asked;
  for (const auto quantity : {2, 3})
    asked.push_back(paying(shop.buyer, ask_for(shop, id, 1'000, quantity).id));
  asked.push_back(paying(shop.buyer, ask_for(shop, uncounted).id));
  for (const auto& done : pay_all(asked)) EXPECT_TRUE(done);
  EXPECT_EQ(stock(id).on_hand, 4);
  EXPECT_EQ(stock(id).reserved, 0);
  EXPECT_FALSE(stock(uncounted).on_hand);
}

TEST_F(PaymentsTogether, HaveWhatALimitKeptFromAnother) {
  world.payment_rules.limits.buyer_sum_hour_max = 20;
  const auto id = counted("TEA-1", 1);
  const auto other = beside(shop);
  const auto dear = ask_for(shop, id, 2'500), cheap = ask_for(other, id, 1'500),
             late = ask_for(other, id, 400);
  const auto outcomes = begin_all(
      {paying(shop.buyer, dear.id), paying(other.buyer, cheap.id), paying(other.buyer, late.id)});
  EXPECT_EQ(said(outcomes), (Words{"buyer_sum_hour_limit", "begun", "out_of_stock"}));
  EXPECT_EQ(stock(id).reserved, 1);
}

TEST_F(PaymentsTogether, KeepTheLimitsInTheMiddle) {
  world.payment_rules.limits.merchant_week_max = 25;
  std::vector<payments::Beginning> asked;
  for (const auto amount : {1'000, 1'000, 1'000, 500})
    asked.push_back(paying(shop.buyer, world.ask(shop, amount).id));
  asked.push_back(paying(far.buyer, world.ask(far, 2'500).id));
  EXPECT_EQ(said(begin_all(asked)),
            (Words{"begun", "begun", "not_possible_now", "begun", "begun"}));
  EXPECT_EQ(count_of("payments"), "4");
}

TEST_F(PaymentsTogether, AreSettledWhereTheyArePlain) {
  std::vector<payments::Beginning> asked;
  for (int i = 0; i < 6; ++i) asked.push_back(paying(shop.buyer, world.ask(shop, 1'000 + i).id));
  Told told;
  for (const auto& outcome : begin_all(asked)) told.push_back(charged(begun(outcome)));
  ASSERT_EQ(told[1].outcome.verdict, Verdict::succeeded);
  told[1].outcome.amount = Money{1, *Currency::find("USD")};
  told[2].outcome.reference.clear();
  told[3].outcome.verdict = Verdict::unknown;
  told[4].outcome.key = text_of(attempts::AttemptId::make());
  const auto done = settle_all(told);
  for (const auto place : {1u, 2u, 3u, 4u}) {
    EXPECT_FALSE(done[place]) << place;
    EXPECT_EQ(in([&](Tx& tx) {
                return payments::current(tx, told[place].merchant, told[place].payment);
              }).payment.state,
              State::created);
  }
  EXPECT_TRUE(done[0]);
  EXPECT_TRUE(done[5]);
  EXPECT_EQ(count_of("orders"), "2");
  const auto again = settle_all({told[0], told[5], told[5]});
  for (const auto& outcome : again) EXPECT_FALSE(outcome) << "it was heard before";
  EXPECT_EQ(count_of("orders"), "2");
}

TEST_F(PaymentsTogether, AreReviewedAsAlone) {
  world.payment_rules.limits.review_amount = 20;
  const auto done = pay_all({paying(shop.buyer, world.ask(shop, 1'000).id),
                             paying(shop.buyer, world.ask(shop, 3'000).id)});
  EXPECT_EQ(count_of("reviews"), "1");
  EXPECT_EQ(world.ship(shop, done[1]->order.value()).payout->state, payouts::State::held);
}

TEST_F(PaymentsTogether, AreFoundWhereNobodyCouldWriteTheirEnd) {
  const auto id = counted("TEA-1", 5);
  std::vector<payments::Beginning> asked;
  for (int i = 0; i < 3; ++i) asked.push_back(paying(shop.buyer, ask_for(shop, id).id));
  const auto outcomes = begin_all(asked);
  EXPECT_NE(jobs_of(payments::kReconcileManyJob), "0");
  EXPECT_EQ(jobs_of(payments::kReconcileJob), "0");
  EXPECT_EQ(stock(id).reserved, 3);
  settle_all({charged(begun(outcomes[0]))});
  charged(begun(outcomes[1]));  // and the server dies; the third it has not even asked for
  // How long a call may take, in real time; 0 makes every call that has begun overdue.
  const auto timeout = std::exchange(world.payment_rules.call_timeout, 0ms);
  world.advance(std::chrono::ceil<std::chrono::seconds>(2 * timeout) + 1s);
  world.run_jobs();
  EXPECT_EQ(current(begun(outcomes[0]).payment).payment.state, State::captured);
  EXPECT_EQ(current(begun(outcomes[1]).payment).payment.state, State::captured);
  EXPECT_EQ(current(begun(outcomes[2]).payment).payment.state, State::voided);
  EXPECT_EQ(current(begun(outcomes[2]).payment).payment_request.state, RequestState::open);
  EXPECT_EQ(jobs_of(payments::kReconcileManyJob), "0");
  EXPECT_EQ(jobs_of(payments::kReconcileJob), "0");
  EXPECT_EQ(stock(id).on_hand, 3);
  EXPECT_EQ(stock(id).reserved, 0);
}

TEST_F(PaymentsTogether, ChargeWhatEachKeeps) {
  const auto keep = [&](const identity::Who& who, const std::string& token,
                        processors::Brand brand) {
    const auto given = from_json<wallet::NewMethod>({{"token", token}});
    const processors::MethodFacts facts{brand, "4242", {}, {}};
    return in(
        [&](Tx& tx) { return wallet::add_method(tx, who.account, "sandbox", given, facts).id; });
  };
  const auto card = keep(shop.buyer, "tok_approved", processors::Brand::visa),
             theirs = keep(far.buyer, "tok_approved", processors::Brand::visa),
             bank = keep(shop.buyer, "tok_bank", processors::Brand::bank);
  std::vector<payments::Beginning> asked;
  for (const auto& id : {card, theirs, bank, card}) {
    auto one = paying(shop.buyer, world.ask(shop).id);
    one.acceptance.payment_method = {id, std::nullopt};
    asked.push_back(one);
  }
  asked.push_back(paying(shop.buyer, world.ask(shop).id));
  const auto outcomes = begin_all(asked);
  EXPECT_EQ(said(outcomes), (Words{"begun", "invalid", "invalid", "begun", "begun"}));
  EXPECT_EQ(begun(outcomes[0]).charge.method, "tok_approved");
  EXPECT_EQ(count_of("payments"), "3");
}

TEST_F(PaymentsTogether, AreNoneWhereNothingIsAsked) {
  EXPECT_TRUE(begin_all({}).empty());
  EXPECT_TRUE(settle_all({}).empty());
}

}  // namespace payments_together_test
}  // namespace bottega::test
