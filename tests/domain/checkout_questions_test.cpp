// The shop is asked before a charge, and has its time to answer.
#include "domain/checkout.hpp"

namespace bottega::test {
namespace checkout_questions_test {

using payments::Answer;

class CheckoutQuestions : public Checkout {
 protected:
  void SetUp() override {
    Checkout::SetUp();
    ask_before("refuse");
  }
  void ask_before(const std::string& standing_answer) {
    auto rules = settings();
    rules["pre_checkout"] = {{"ask", true}, {"standing_answer", standing_answer}};
    set(rules);
  }
  payments::Question answer(const payments::Payment& payment, const Json& body) {
    const auto given = from_json<payments::NewAnswer>(body);
    return in([&](Tx& tx) {
      return payments::answer_question(tx, shop.owner, payment.payment_request_id, given);
    });
  }
  payments::Question close(const payments::Payment& payment) {
    return in([&](Tx& tx) { return payments::close_question(tx, shop.merchant, payment.id); });
  }
  std::vector<payments::Question> open() {
    return in([&](Tx& tx) { return payments::open_questions(tx, shop.owner, shop.merchant); });
  }
};

TEST_F(CheckoutQuestions, TellTheShopAndListWhatWaits) {
  const auto payment = begin(want(counted("TEA-1", 1), 1, 1'250));
  EXPECT_EQ(told("payment_request.question"), 1);
  ASSERT_EQ(open().size(), 1u);
  EXPECT_EQ(open()[0].payment_id, payment.id);
  EXPECT_EQ(open()[0].answer_by - open()[0].asked_at, std::chrono::seconds(10));
  EXPECT_FALSE(open()[0].answer);
}

TEST_F(CheckoutQuestions, AreAnsweredOnce) {
  const auto payment = begin(want(counted("TEA-1", 1), 1, 1'250));
  const auto first = answer(payment, {{"answer", "refuse"}, {"reason", "It broke"}});
  EXPECT_EQ(first.answer, Answer::refuse);
  EXPECT_EQ(answer(payment, {{"answer", "refuse"}}).reason, "It broke");
  EXPECT_EQ(code_of([&] { answer(payment, {{"answer", "accept"}}); }), Code::conflict);
  EXPECT_EQ(close(payment).answer, Answer::refuse);
  EXPECT_TRUE(open().empty());
}

TEST_F(CheckoutQuestions, HaveAStandingAnswer) {
  for (const auto* standing : {"accept", "refuse"}) {
    ask_before(standing);
    const auto payment = begin(want(counted(std::string("TEA-") + standing, 1), 1, 1'250));
    const auto closed = close(payment);
    EXPECT_EQ(text_of(closed.answer.value()), standing);
    EXPECT_FALSE(closed.answered_by);
    EXPECT_EQ(code_of([&] { answer(payment, {{"answer", "accept"}}); }), Code::conflict);
  }
}

TEST_F(CheckoutQuestions, AreNotAnsweredLate) {
  const auto payment = begin(want(counted("TEA-1", 1), 1, 1'250));
  world.advance(std::chrono::seconds(10));
  EXPECT_EQ(code_of([&] { answer(payment, {{"answer", "accept"}}); }), Code::conflict);
  EXPECT_TRUE(open().empty());
}

TEST_F(CheckoutQuestions, AreNotOvertakenByTheReconciler) {
  world.payment_rules.answer_within = std::chrono::seconds(50);
  const auto id = counted("TEA-1", 1);
  const auto payment = begin(want(id, 1, 1'250));
  world.advance(std::chrono::seconds(45));
  world.run_jobs();
  EXPECT_EQ(code_of([&] {
              run(payments::reconcile(world.db, world.registry, shop.merchant, payment.id,
                                      world.payment_rules));
            }),
            Code::busy);
  answer(payment, {{"answer", "accept"}});
  EXPECT_EQ(charge(payment).payment.state, payments::State::captured);
  const auto lost = begin(want(counted("TEA-2", 1), 1, 1'250));
  world.advance(std::chrono::seconds(75));
  auto rules = world.payment_rules;
  rules.call_timeout = std::chrono::milliseconds(0);  // the database has a clock of its own
  run(payments::reconcile(world.db, world.registry, shop.merchant, lost.id, rules));
  EXPECT_EQ(open().size(), 0u);
  EXPECT_EQ(in([&](Tx& tx) { return payments::fetch_payment(tx, shop.buyer, lost.id); }).state,
            payments::State::voided)
      << "whoever was to call is gone";
}

TEST_F(CheckoutQuestions, ARefusalReleasesTheStock) {
  const auto id = counted("TEA-1", 1);
  const auto payment = begin(want(id, 1, 1'250));
  processors::Outcome outcome;
  outcome.verdict = processors::Verdict::declined;
  outcome.reason = "refused_by_merchant";
  EXPECT_EQ(settle(payment, outcome).payment.state, payments::State::failed);
  EXPECT_EQ(stock(id).reserved, 0);
}

TEST_F(CheckoutQuestions, AreNotAskedAboutWhatTheShopAsksForItself) {
  world.pay(shop, world.ask(shop));
  EXPECT_EQ(told("payment_request.question"), 0);
}

TEST_F(CheckoutQuestions, AreTheShopsAlone) {
  const auto payment = begin(want(counted("TEA-1", 1), 1, 1'250));
  const auto as = [&](const identity::Who& who) {
    return code_of([&] {
      in([&](Tx& tx) { return payments::fetch_question(tx, who, payment.payment_request_id); });
    });
  };
  EXPECT_EQ(as(shop.buyer), Code::not_found);
  EXPECT_EQ(as(world.person()), Code::not_found);
  EXPECT_EQ(as(world.key_with(shop, identity::Scope::chat)), Code::forbidden);
  EXPECT_EQ(as(shop.owner), std::nullopt);
}

}  // namespace checkout_questions_test
}  // namespace bottega::test
