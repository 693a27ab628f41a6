// What a processor says of the money that has moved, and what of it is believed.
#include "domain/attempts.hpp"

namespace bottega::test {
namespace attempts_believed_test {

using payouts::State;
using processors::Outcome, processors::Verdict;

class Successes : public AttemptsTest {};

TEST_F(Successes, OfAChargeThatMovedAnotherAmountMakeNoOrderAndAnAlert) {
  const auto usd = *Currency::find("USD"), eur = *Currency::find("EUR");
  for (const auto& wrong : {Money{1'249, usd}, Money{1'250, eur}}) {
    const auto request = world_->ask(shop_, 1'250);
    const auto given = acceptance("tok_approved");
    const auto payment = world_->transact([&](Tx& tx) {
      return payments::begin(tx, shop_.buyer, request.id, given, world_->payment_rules);
    });
    const auto settle = [&](const Outcome& outcome) {
      return world_->transact([&](Tx& tx) {
        return payments::settle(tx, shop_.merchant, payment.id, outcome, world_->payment_rules);
      });
    };
    const Errors errors;
    const auto charge = "sch_" + text_of(payment.id);
    const auto after = settle({Verdict::succeeded, charge, "", "", "", 10, wrong});
    EXPECT_EQ(errors.about("attempt.not_believed"), 1);
    EXPECT_EQ(after.payment.state, payments::State::unknown);
    EXPECT_FALSE(after.order);
    EXPECT_EQ(after.payment_request.state, payments::RequestState::paying);
    const Outcome right{Verdict::succeeded, charge, "", "", "", {}, Money{1'250, usd}};
    EXPECT_EQ(settle(right).payment.state, payments::State::captured);
  }
}

TEST_F(Successes, OfAPayoutThatSucceededWithoutAReferenceAreNotOver) {
  const auto payout = due();
  bank_->says = {Verdict::succeeded, "", "", ""};
  EXPECT_EQ(code_of([&] { send(); }), Code::busy);
  EXPECT_EQ(now(payout).state, State::submitted);
  send();
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(bank_->moved.size(), 1u);
}

TEST_F(Successes, OfATopUpThatMovedLessGiveNoCredit) {
  const auto who = world_->person();
  const Money wanted{5'000, *Currency::find("USD")}, less{4'999, *Currency::find("USD")};
  const auto top_up = world_->transact([&](Tx& tx) {
    return wallet::begin_top_up(tx, who.account, wanted, std::nullopt, world_->wallet_rules);
  });
  const auto settle = [&](Money moved) {
    const Outcome told{Verdict::succeeded, "sch_1", "", "", "", {}, moved};
    return world_->transact([&](Tx& tx) { return wallet::settle_top_up(tx, top_up.id, told); });
  };
  EXPECT_EQ(settle(less).state, wallet::TopUpState::unknown);
  EXPECT_EQ(world_->balance(who).balance, 0);
  EXPECT_EQ(settle(wanted).state, wallet::TopUpState::succeeded);
  EXPECT_EQ(world_->balance(who).balance, 5'000);
}

TEST_F(Successes, HearTheAmountOfTheProcessorsNewsToo) {
  const auto key = text_of(attempts::AttemptId::make());
  const Money moved{1'250, *Currency::find("USD")};
  const processors::Event event{"evt_" + key,
                                processors::Operation::charge,
                                key,
                                {Verdict::succeeded, "sch_1", "", "", "", {}, moved}};
  const auto kept = world_->transact([&](Tx& tx) {
    attempts::keep_event(tx, "sandbox", event);
    return attempts::fetch_event(tx, "sandbox", event.id);
  });
  EXPECT_EQ(kept.amount, moved);
  world_->sell(shop_, 1'250);
  EXPECT_GE(world_->deliver_webhooks(), 1);
  EXPECT_NE(execute(world_->urls.superuser,
                    "SELECT count(*) FROM bottega.processor_events WHERE key <> '" + key +
                        "' AND (amount ->> 'amount')::bigint = 1250"),
            "0");
}

}  // namespace attempts_believed_test
}  // namespace bottega::test
