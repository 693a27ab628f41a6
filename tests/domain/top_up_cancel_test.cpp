// Top-ups that their owner gives up while they wait for a confirmation, and charges that are made
// all the same.
#include "domain/attempts.hpp"

namespace bottega::test {
namespace top_up_cancel_test {

using namespace std::chrono_literals;
using processors::Outcome, processors::Verdict;
using wallet::TopUp, wallet::TopUpState, wallet::TransferState;

class TopUpCancel : public ::testing::Test {
 protected:
  void SetUp() override { who_ = world_.person("Wanda Wallet"); }
  void TearDown() override {
    const auto books = world_.trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }
  TopUp now(const wallet::TopUpId& id) {
    return world_.transact([&](Tx& tx) { return wallet::fetch_top_up(tx, who_.account, id); });
  }
  TopUp cancel(const wallet::TopUpId& id) {
    run(wallet::cancel_top_up(world_.db, world_.registry, who_.account, id));
    return now(id);
  }
  // The processor says this, whatever it was told.
  TopUp hear(const wallet::TopUpId& id, const Outcome& outcome) {
    return world_.transact([&](Tx& tx) { return wallet::settle_top_up(tx, id, outcome); });
  }
  void hear_webhooks() {
    world_.deliver_webhooks();
    world_.run_jobs();
  }
  // A transfer of more than there is, for which a card waits to be confirmed.
  wallet::Transfer send_by_card(const identity::Who& to, std::int64_t amount) {
    const auto facts = run(world_.registry.get("sandbox").describe_method("tok_confirm"));
    const wallet::NewMethod given{from_text<wallet::MethodToken>("tok_confirm"), {}};
    const auto card = world_.transact([&](Tx& tx) {
      return wallet::add_method(tx, who_.account, "sandbox", given, facts.value());
    });
    const auto wanted =
        from_json<wallet::NewTransfer>({{"to", {{"account_id", text_of(to.account)}}},
                                        {"amount", amount},
                                        {"currency", "USD"},
                                        {"payment_method", {{"id", text_of(card.id)}}}});
    const auto sent = world_.transact(
        [&](Tx& tx) { return wallet::send(tx, who_.account, wanted, world_.wallet_rules); });
    const auto top_up = sent.transfer.top_up_id.value();
    const auto outcome = run(wallet::charge(world_.db, world_.registry, top_up, sent.token.value(),
                                            "http://shop.example/back"));
    hear(top_up, outcome);
    return now(sent.transfer);
  }
  wallet::Transfer now(const wallet::Transfer& transfer) {
    return world_.transact(
        [&](Tx& tx) { return wallet::fetch_transfer(tx, who_.account, transfer.id); });
  }
  std::int64_t balance() { return world_.balance(who_).balance; }

  World world_;
  identity::Who who_;
};

TEST_F(TopUpCancel, IsTheEndOfOneThatWaits) {
  const auto waiting = world_.top_up(who_, 4'400, "tok_confirm");
  ASSERT_EQ(waiting.state, TopUpState::requires_action);
  const auto given_up = cancel(waiting.id);
  EXPECT_EQ(given_up.state, TopUpState::failed);
  EXPECT_EQ(given_up.reason, "cancelled");
  EXPECT_EQ(given_up.action_url, std::nullopt);
  run(world_.sandbox.confirm(waiting.reference.value(), processors::Confirm::yes));
  hear_webhooks();
  EXPECT_EQ(now(waiting.id).state, TopUpState::failed) << "it was too late";
  EXPECT_EQ(cancel(waiting.id).state, TopUpState::failed) << "again is no harm";
  EXPECT_EQ(balance(), 0);
}

TEST_F(TopUpCancel, ComesTooLateForOneThatWasConfirmed) {
  const auto waiting = world_.top_up(who_, 4'400, "tok_confirm");
  run(world_.sandbox.confirm(waiting.reference.value(), processors::Confirm::yes));
  EXPECT_EQ(cancel(waiting.id).state, TopUpState::succeeded);
  EXPECT_EQ(balance(), 4'400);
  hear_webhooks();
  EXPECT_EQ(balance(), 4'400);
}

TEST_F(TopUpCancel, IsForWhatWaitsAndIsOnesOwn) {
  const auto done = world_.top_up(who_, 100);
  EXPECT_EQ(code_of([&] { cancel(done.id); }), Code::conflict);
  const auto declined = world_.top_up(who_, 100, "tok_declined");
  EXPECT_EQ(code_of([&] { cancel(declined.id); }), Code::conflict);
  const auto waiting = world_.top_up(who_, 100, "tok_confirm");
  who_ = world_.person();
  EXPECT_EQ(code_of([&] { cancel(waiting.id); }), Code::not_found);
}

TEST_F(TopUpCancel, FailsTheTransferThatWaitsForIt) {
  const auto friend_of = world_.person("Fred Friend");
  const auto sent = send_by_card(friend_of, 3'000);
  ASSERT_EQ(sent.state, TransferState::funding);
  cancel(sent.top_up_id.value());
  EXPECT_EQ(now(sent).state, TransferState::failed);
  EXPECT_EQ(now(sent).reason, "cancelled");
  EXPECT_EQ(balance(), 0);
}

TEST_F(TopUpCancel, CreditsWhatIsChargedAllTheSame) {
  const auto friend_of = world_.person("Fred Friend");
  const auto sent = send_by_card(friend_of, 3'000);
  const auto id = sent.top_up_id.value();
  cancel(id);
  const Outcome late{Verdict::succeeded, "ch_late", {}, {}};
  EXPECT_EQ(hear(id, late).state, TopUpState::succeeded);
  EXPECT_EQ(hear(id, late).state, TopUpState::succeeded) << "once";
  EXPECT_EQ(balance(), 3'000);
  EXPECT_EQ(now(sent).state, TransferState::failed) << "nothing is sent any more";
  hear_webhooks();  // among them that it was cancelled
  EXPECT_EQ(now(id).state, TopUpState::succeeded);
  EXPECT_EQ(now(id).reason, std::nullopt);
  const auto attempt = world_.transact(
      [&](Tx& tx) { return attempts::lock_latest(tx, wallet::kPlatformMerchant, id.uuid, 1s); });
  EXPECT_EQ(attempt.state, attempts::State::succeeded) << "the daily check finds it so";
}

TEST_F(TopUpCancel, IsNotNeededForAChargeThatComesLate) {
  const auto declined = world_.top_up(who_, 100, "tok_declined");
  EXPECT_EQ(balance(), 0);
  const Outcome late{Verdict::succeeded, "ch_late", {}, {}};
  EXPECT_EQ(hear(declined.id, late).state, TopUpState::succeeded);
  EXPECT_EQ(balance(), 100) << "what was charged is its owner's";
}

TEST_F(TopUpCancel, IsToldAgainWhereTheProcessorDidNotAnswer) {
  const auto waiting = world_.top_up(who_, 4'400, "tok_confirm");
  execute(world_.urls.superuser, "UPDATE bottega.top_ups SET cancel_asked_at = now()");
  world_.advance(30s);
  world_.run_jobs();
  EXPECT_EQ(now(waiting.id).state, TopUpState::failed);
  EXPECT_EQ(now(waiting.id).reason, "cancelled");
}

// At a bank that says what the test wants it to say.
class TopUpCancelAtABank : public TopUpCancel {
 protected:
  void SetUp() override {
    TopUpCancel::SetUp();
    auto made = std::make_unique<Careless>(world_.registry.get("sandbox"));
    bank_ = made.get();
    registry_.add(std::move(made));
  }
  void cancel_there(const wallet::TopUpId& id) {
    run(wallet::cancel_top_up(world_.db, registry_, who_.account, id));
  }
  // All jobs that are due, with this bank.
  void work() { run(runner_.drain(50)); }
  std::string jobs() {
    return execute(world_.urls.superuser,
                   "SELECT count(*) FROM bottega.jobs WHERE kind = 'wallet.reconcile_top_up'");
  }

  processors::Registry registry_;
  Careless* bank_ = nullptr;
  JobWorld job_world_{world_.db,           registry_,           world_.payment_rules,
                      world_.payout_rules, world_.wallet_rules, world_.depot};
  jobs::Runner runner_{world_.db, job_kinds(job_world_), 16};
};

TEST_F(TopUpCancelAtABank, IsNotDoneWhereTheQuestionIsRefused) {
  const auto waiting = world_.top_up(who_, 4'400, "tok_confirm");
  bank_->knows = {Verdict::refused, "", "bad_credentials", ""};
  const Errors errors;
  cancel_there(waiting.id);
  EXPECT_EQ(errors.about("attempt.question_refused"), 1);
  EXPECT_EQ(now(waiting.id).state, TopUpState::requires_action) << "it may be charged still";
  EXPECT_NE(now(waiting.id).reason, "bad_credentials");
  EXPECT_EQ(jobs(), "1") << "it is told again";
  bank_->knows = {Verdict::declined, "", "cancelled", ""};
  world_.advance(6s);
  work();
  EXPECT_EQ(now(waiting.id).state, TopUpState::failed);
  EXPECT_EQ(now(waiting.id).reason, "cancelled");
  EXPECT_EQ(jobs(), "0");
}

TEST_F(TopUpCancelAtABank, IsToldAgainSoonThoughItMeetsAJobThatHasAskedForLong) {
  const auto waiting = world_.top_up(who_, 4'400, "tok_confirm");
  execute(world_.urls.superuser,
          "UPDATE bottega.jobs SET attempts = 5, run_at = '2000-01-01' "
          "WHERE kind = 'wallet.reconcile_top_up'");
  bank_->knows = {Verdict::buyer_action, "ch_1", "", "http://page.example"};
  bank_->on_ask = [&] {
    if (bank_->asked == 1) cancel_there(waiting.id);
  };
  work();
  ASSERT_EQ(bank_->asked, 1);
  ASSERT_EQ(bank_->cancelled, 1);
  EXPECT_EQ(now(waiting.id).state, TopUpState::requires_action);
  world_.advance(6s);
  work();
  EXPECT_EQ(bank_->cancelled, 2);
  bank_->knows = {Verdict::declined, "ch_1", "cancelled", ""};
  world_.advance(6s);
  work();
  EXPECT_EQ(now(waiting.id).state, TopUpState::failed);
  EXPECT_EQ(jobs(), "0");
}

}  // namespace top_up_cancel_test
}  // namespace bottega::test
