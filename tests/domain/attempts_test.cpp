// A call that may move money: sent once, then asked about, whatever is lost, broken or refused on
// the way; by a processor that does not notice when a key is repeated.
#include "domain/attempts.hpp"

namespace bottega::test {
namespace attempts_test {

using namespace std::chrono_literals;
using payouts::BatchState, payouts::State;
using processors::Outcome, processors::Verdict;

class Attempts : public AttemptsTest {};

// ---- a refusal is an answer to what was sent, and not to a question -----------------------------

TEST_F(Attempts, AreNotOverWhereTheProcessorRefusesTheQuestion) {
  const auto payout = due();
  EXPECT_EQ(code_of([&] { send(); }), Code::busy) << "moved, and the answer is lost";
  bank_->knows = {Verdict::refused, "", "unauthorized", ""};
  EXPECT_EQ(code_of([&] { send(); }), Code::busy);
  EXPECT_EQ(now(payout).state, State::submitted) << "our key is wrong: that proves nothing";
  bank_->knows = {Verdict::succeeded, "spo_1", "", ""};
  send();
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(bank_->moved.size(), 1u);
  ASSERT_EQ(batches().size(), 1u);
  EXPECT_EQ(batches()[0].state, BatchState::paid);
}

TEST_F(Attempts, ThatTheProcessorRefusesWhenTheyAreSentAreOver) {
  const auto payout = due();
  bank_->says = {Verdict::refused, "", "no_such_account", ""};
  send();
  EXPECT_EQ(now(payout).state, State::failed);
  EXPECT_EQ(now(payout).reason, "no_such_account");
  EXPECT_EQ(bank_->asked, 0);
}

TEST_F(Attempts, OfChargesAreNotOverWhereTheProcessorRefusesTheQuestionOrTheCancelling) {
  const auto request = world_->ask(shop_);
  const auto given = acceptance("tok_approved");
  const auto payment = world_->transact([&](Tx& tx) {
    return payments::begin(tx, shop_.buyer, request.id, given, world_->payment_rules);
  });
  const auto settle = [&](const Outcome& outcome) {
    return world_
        ->transact([&](Tx& tx) {
          return payments::settle(tx, shop_.merchant, payment.id, outcome, world_->payment_rules);
        })
        .payment.state;
  };
  const auto reconcile = [&] {
    return code_of([&] {
      run(payments::reconcile(world_->db, registry_, shop_.merchant, payment.id,
                              world_->payment_rules));
    });
  };
  ASSERT_EQ(settle({}), payments::State::unknown);
  bank_->knows = {Verdict::refused, "", "unauthorized", ""};
  EXPECT_EQ(reconcile(), Code::busy);
  EXPECT_EQ(settle({}), payments::State::unknown);
  ASSERT_EQ(settle({Verdict::buyer_action, "sch_1", "", "http://page.example"}),
            payments::State::requires_action);
  run(payments::abandon(world_->db, registry_, shop_.merchant, payment.id, world_->payment_rules));
  EXPECT_EQ(bank_->cancelled, 1);
  EXPECT_EQ(settle({}), payments::State::requires_action) << "nobody knows that it is dead";
  bank_->knows = {Verdict::succeeded, "sch_1", "", ""};
  EXPECT_FALSE(reconcile());
  EXPECT_EQ(settle({}), payments::State::captured);
}

TEST_F(Attempts, OfTopUpsAreNotOverWhereTheProcessorRefusesTheQuestion) {
  const auto who = world_->person();
  const auto top_up = world_->transact([&](Tx& tx) {
    return wallet::begin_top_up(tx, who.account, {5'000, *Currency::find("USD")}, std::nullopt,
                                world_->wallet_rules);
  });
  const auto reconcile = [&] {
    return code_of([&] {
      run(wallet::reconcile_top_up(world_->db, registry_, top_up.id, world_->wallet_rules));
    });
  };
  bank_->knows = {Verdict::refused, "", "unauthorized", ""};
  EXPECT_EQ(reconcile(), Code::busy);
  bank_->knows = {Verdict::succeeded, "sch_1", "", ""};
  EXPECT_FALSE(reconcile());
  EXPECT_EQ(world_->balance(who).balance, 5'000);
}

// ---- sent once ----------------------------------------------------------------------------------

TEST_F(Attempts, AreAskedAboutWhereTheirOutcomeCouldNotBeWrittenDown) {
  const auto payout = due();
  bank_->says = bank_->knows;
  bank_->on_move = [] { as_superuser("REVOKE UPDATE ON bottega.payout_batches FROM bottega_app"); };
  EXPECT_TRUE(code_of([&] { send(); })) << "moved, and the database does not take it";
  as_superuser(
      "GRANT UPDATE (state, reason, reference, ended_at) ON bottega.payout_batches TO bottega_app");
  bank_->on_move = nullptr;
  ASSERT_EQ(now(payout).state, State::submitted);
  send();
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(bank_->asked, 1);
  EXPECT_EQ(bank_->moved.size(), 1u);
}

TEST_F(Attempts, AreAskedAboutWhereTheCallBrokeOff) {
  const auto payout = due();
  bank_->on_move = [] { throw std::runtime_error("the connection is gone"); };
  EXPECT_EQ(code_of([&] { send(); }), Code::busy);
  bank_->on_move = nullptr;
  send();
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(bank_->moved.size(), 1u);
}

TEST_F(Attempts, AreNotSentAgainWhileTheFirstCallMayBeUnderWay) {
  const auto payout = due();
  const processors::Registry nobody;
  EXPECT_TRUE(code_of([&] {
    run(payouts::send(world_->db, nobody, shop_.merchant, batch_, world_->payout_rules));
  })) << "it dies between writing down that it sends and sending";
  bank_->says = bank_->knows;
  bank_->knows = {Verdict::not_found, "", "", ""};
  EXPECT_EQ(code_of([&] { send(); }), Code::busy);
  EXPECT_TRUE(bank_->moved.empty());
  world_->payout_rules.call_timeout = 0ms;  // so that the call counts as lost
  send();
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(bank_->moved.size(), 1u);
}

TEST_F(Attempts, AreSentAgainToTheAccountThatTheyWereSentTo) {
  const auto other = "acct_" + uuid_text(make_uuid_v7());
  EXPECT_EQ(
      code_of([&] {
        world_->transact([&](Tx& tx) { identity::begin_onboarding(tx, shop_.merchant, other); });
      }),
      Code::conflict);
  const auto payout = due();
  EXPECT_EQ(code_of([&] { send(); }), Code::busy);
  execute(world_->urls.superuser, "UPDATE bottega.merchants SET processor_account = '" + other +
                                      "' WHERE id = '" + uuid_text(shop_.merchant.uuid) + "'");
  bank_->says = bank_->knows;
  bank_->knows = {Verdict::not_found, "", "", ""};
  send();
  EXPECT_EQ(now(payout).state, State::paid);
  ASSERT_EQ(bank_->moved.size(), 2u);
  const auto& [first, second] = std::pair(bank_->moved[0], bank_->moved[1]);
  EXPECT_EQ(second.key, first.key);
  EXPECT_EQ(second.amount, first.amount);
  EXPECT_EQ(second.account, first.account);
  EXPECT_NE(second.account, other);
  EXPECT_EQ(second.method, first.method);
}

// ---- asked about for as long as it takes --------------------------------------------------------

// A refund of a sent order, which the bank takes its time for.
class LongAttempts : public Attempts {
 protected:
  void SetUp() override {
    Attempts::SetUp();
    bank_->says = bank_->knows = {Verdict::pending, "srf_1", "", ""};
    const auto order = world_->sell(shop_, 10'000);
    payout_ = world_->ship(shop_, order).payout.value();
    refund_ = world_->give_back(shop_, order, 2'000);
    work();
  }
  // All jobs that are due, with this bank.
  void work() { run(runner_.drain(50)); }
  void pass(int days) {
    for (int day = 0; day < days; ++day) {
      world_->advance(86'401s);
      work();
    }
  }
  payments::RefundState state() {
    return world_
        ->transact([&](Tx& tx) { return payments::fetch_refund(tx, shop_.owner, refund_.id); })
        .state;
  }
  attempts::AttemptId attempt() {
    return world_->transact(
        [&](Tx& tx) { return attempts::lock_latest(tx, shop_.merchant, refund_.id.uuid, 10s).id; });
  }
  std::optional<Code> ask(attempts::AttemptId id) {
    return code_of([&] { world_->transact([&](Tx& tx) { ops::ask(tx, id); }); });
  }
  std::string jobs(const std::string& where) {
    return execute(world_->urls.superuser, "SELECT count(*) FROM bottega.jobs WHERE about = '" +
                                               text_of(refund_.id) + "' AND " + where);
  }

  JobWorld job_world_{
      world_->db,           registry_,    world_->payment_rules, world_->payout_rules,
      world_->wallet_rules, world_->depot};
  jobs::Runner runner_{world_->db, job_kinds(job_world_), 16};
  payouts::Payout payout_;
  payments::Refund refund_;
};

TEST_F(LongAttempts, EndWithoutANewsHoweverManyDaysTheyTake) {
  const Errors errors;
  pass(12);
  EXPECT_GE(errors.about("job.stuck"), 1) << "a person is told";
  EXPECT_EQ(state(), payments::RefundState::pending);
  EXPECT_EQ(now(payout_).state, State::held);
  EXPECT_EQ(jobs("dead_at IS NULL"), "1");
  bank_->knows = {Verdict::succeeded, "srf_1", "", ""};
  pass(1);
  EXPECT_EQ(state(), payments::RefundState::succeeded);
  EXPECT_NE(now(payout_).state, State::held) << "nothing holds it any more";
  EXPECT_EQ(bank_->refunded.size(), 1u);
  EXPECT_EQ(jobs("true"), "0");
}

TEST_F(LongAttempts, AreAskedAboutByHandAtOnce) {
  const auto asked = bank_->asked;
  work();
  ASSERT_EQ(bank_->asked, asked) << "not before its time";
  execute(world_->urls.superuser,
          "UPDATE bottega.jobs SET dead_at = now() WHERE about = '" + text_of(refund_.id) + "'");
  EXPECT_FALSE(ask(attempt()));
  bank_->knows = {Verdict::succeeded, "srf_1", "", ""};
  work();
  EXPECT_EQ(bank_->asked, asked + 1);
  EXPECT_EQ(state(), payments::RefundState::succeeded);
  EXPECT_EQ(ask(attempt()), Code::conflict) << "it has ended";
  EXPECT_EQ(ask(attempts::AttemptId::make()), Code::not_found);
}

}  // namespace attempts_test
}  // namespace bottega::test
