// Money in and out of a wallet: every way in which a processor answers, or does not; and what a
// statement makes of it.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace wallet_money_test {

using namespace std::chrono_literals;
using processors::Outcome, processors::Verdict;
using wallet::TopUp, wallet::TopUpEvent, wallet::TopUpId, wallet::TopUpState;
using wallet::Withdrawal, wallet::WithdrawalState;

class WalletMoney : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { who_ = world_->person("Wanda Wallet"); }
  void TearDown() override {
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  TopUp now(const TopUp& top_up) const {
    return world_->transact(
        [&](Tx& tx) { return wallet::fetch_top_up(tx, who_.account, top_up.id); });
  }
  Withdrawal now(const Withdrawal& withdrawal) const {
    return world_->transact(
        [&](Tx& tx) { return wallet::fetch_withdrawal(tx, who_.account, withdrawal.id); });
  }
  TopUp settle(const TopUp& top_up, const Outcome& outcome) const {
    return world_->transact([&](Tx& tx) { return wallet::settle_top_up(tx, top_up.id, outcome); });
  }
  TopUp begin(std::int64_t amount) const {
    return world_->transact([&](Tx& tx) {
      return wallet::begin_top_up(tx, who_.account, usd(amount), {}, world_->wallet_rules);
    });
  }
  static Money usd(std::int64_t amount) { return {amount, *Currency::find("USD")}; }
  void keep_bank() const {
    const auto facts = run(world_->registry.get("sandbox").describe_method("tok_bank"));
    const wallet::NewMethod given{from_text<wallet::MethodToken>("tok_bank"), {}};
    world_->transact([&](Tx& tx) {
      return wallet::add_method(tx, who_.account, "sandbox", given, facts.value());
    });
  }
  Withdrawal withdraw(std::int64_t amount) const {
    const auto given = from_json<wallet::NewWithdrawal>({{"amount", amount}, {"currency", "USD"}});
    return world_->transact([&](Tx& tx) {
      return wallet::begin_withdrawal(tx, who_.account, given, world_->wallet_rules);
    });
  }
  void pass(std::chrono::seconds time) const {
    world_->advance(time);
    world_->run_jobs();
  }
  std::int64_t moved(processors::Operation operation, std::int64_t amount) const {
    const auto all = world_->books();
    return std::ranges::count_if(all, [&](const processors::BookEntry& entry) {
      return entry.operation == operation && entry.amount.amount == amount &&
             entry.state == processors::MovementState::succeeded;
    });
  }
  std::int64_t balance() const { return world_->balance(who_).balance; }
  std::int64_t available() const { return world_->balance(who_).available; }

  static inline std::unique_ptr<World> world_;
  identity::Who who_;
};

// ---- top-ups ------------------------------------------------------------------------------------

TEST_F(WalletMoney, ComesInByACard) {
  const auto done = world_->top_up(who_, 5'000);
  EXPECT_EQ(done.state, TopUpState::succeeded);
  EXPECT_EQ(balance(), 5'000);
  EXPECT_EQ(available(), 5'000);
}

TEST_F(WalletMoney, ComesInUpToALimitInADay) {
  auto rules = world_->wallet_rules;
  rules.top_up_day_max = 6'000;
  const auto begin = [&](std::int64_t amount) {
    try {
      world_->transact([&](Tx& tx) {
        const Money money{amount, parse_currency("USD")};
        wallet::begin_top_up(tx, who_.account, money, std::nullopt, rules);
      });
      return std::string();
    } catch (const Error& error) {
      return error.reason();
    }
  };
  world_->top_up(who_, 5'000);
  world_->top_up(who_, 900, "tok_declined");
  EXPECT_EQ(begin(1'001), "top_up_day_limit") << "a declined one does not count";
  EXPECT_EQ(begin(1'000), "");
  EXPECT_EQ(begin(1), "top_up_day_limit") << "one under way does";
  world_->advance(24h + 1s);
  EXPECT_EQ(begin(6'000), "");
}

TEST_F(WalletMoney, DoesNotComeWhereTheCardIsDeclined) {
  const auto declined = world_->top_up(who_, 5'000, "tok_declined");
  EXPECT_EQ(declined.state, TopUpState::failed);
  EXPECT_EQ(declined.reason, "card_declined");
  EXPECT_EQ(world_->top_up(who_, 5'000, "tok_insufficient_funds").state, TopUpState::failed);
  EXPECT_EQ(world_->top_up(who_, 5'000, "tok_bank").state, TopUpState::failed);
  EXPECT_EQ(balance(), 0);
}

TEST_F(WalletMoney, ComesOnceWhereTheNewsAreHeardTwice) {
  const auto done = world_->top_up(who_, 5'000);
  const Outcome again{Verdict::succeeded, done.reference.value(), {}, {}};
  EXPECT_EQ(settle(done, again).state, TopUpState::succeeded);
  world_->deliver_webhooks();
  world_->run_jobs();
  EXPECT_EQ(settle(done, Outcome{}).state, TopUpState::succeeded) << "a lost answer comes late";
  EXPECT_EQ(balance(), 5'000);
}

TEST_F(WalletMoney, ComesWhenItsOwnerHasConfirmed) {
  const auto waiting = world_->top_up(who_, 4'400, "tok_confirm");
  ASSERT_EQ(waiting.state, TopUpState::requires_action);
  ASSERT_TRUE(waiting.action_url.has_value());
  EXPECT_EQ(balance(), 0);
  run(world_->sandbox.confirm(waiting.reference.value(), processors::Confirm::yes));
  world_->deliver_webhooks();
  world_->run_jobs();
  EXPECT_EQ(now(waiting).state, TopUpState::succeeded);
  EXPECT_EQ(now(waiting).action_url, std::nullopt);
  EXPECT_EQ(balance(), 4'400);
}

TEST_F(WalletMoney, IsGivenUpWhereNobodyConfirmsWithinADay) {
  const auto waiting = world_->top_up(who_, 4'500, "tok_confirm");
  for (const auto wait : {30s, 60s, 400s, 7'200s, 90'000s}) pass(wait);
  EXPECT_EQ(now(waiting).state, TopUpState::failed);
  run(world_->sandbox.confirm(waiting.reference.value(), processors::Confirm::yes));
  world_->deliver_webhooks();
  world_->run_jobs();
  EXPECT_EQ(now(waiting).state, TopUpState::failed) << "it was too late";
  EXPECT_EQ(moved(processors::Operation::charge, 4'500), 0);
  EXPECT_EQ(balance(), 0);
}

TEST_F(WalletMoney, WhoseAnswerIsLostIsFoundByItsKey) {
  const auto lost = world_->top_up(who_, 4'600, "tok_answer_lost");
  ASSERT_EQ(lost.state, TopUpState::unknown);
  EXPECT_EQ(balance(), 0);
  pass(10s);
  EXPECT_EQ(now(lost).state, TopUpState::succeeded);
  EXPECT_EQ(balance(), 4'600);
  EXPECT_EQ(moved(processors::Operation::charge, 4'600), 1);
}

TEST_F(WalletMoney, ThatWasNeverChargedIsGivenUp) {
  const auto silent = world_->top_up(who_, 4'700, "tok_no_answer");
  ASSERT_EQ(silent.state, TopUpState::unknown);
  pass(10s);
  EXPECT_EQ(now(silent).state, TopUpState::failed);
  EXPECT_EQ(balance(), 0);
  EXPECT_EQ(moved(processors::Operation::charge, 4'700), 0);
}

TEST_F(WalletMoney, ThatSlowCardsBringComesToo) {
  EXPECT_EQ(world_->top_up(who_, 4'800, "tok_slow").state, TopUpState::succeeded);
  EXPECT_EQ(balance(), 4'800);
}

TEST_F(WalletMoney, IsNotMoreAtOnceThanMayBe) {
  const auto most = world_->wallet_rules.amount_max;
  EXPECT_EQ(code_of([&] { begin(most + 1); }), Code::invalid);
  EXPECT_EQ(begin(most).state, TopUpState::created);
}

TEST_F(WalletMoney, OfOthersIsNotThere) {
  const auto mine = world_->top_up(who_, 100);
  who_ = world_->person();
  EXPECT_EQ(code_of([&] { now(mine); }), Code::not_found);
  EXPECT_EQ(balance(), 0);
}

TEST(TopUpLifecycle, RefusesWhatContradictsItsEnd) {
  using enum TopUpState;
  EXPECT_EQ(wallet::kTopUpLifecycle.next(succeeded, TopUpEvent::fail), std::nullopt);
  EXPECT_EQ(wallet::kTopUpLifecycle.next(failed, TopUpEvent::succeed), succeeded)
      << "money that comes late is its owner's";
  for (const auto state : {created, requires_action, unknown})
    for (const auto event :
         {TopUpEvent::ask_owner, TopUpEvent::succeed, TopUpEvent::fail, TopUpEvent::lose})
      EXPECT_TRUE(wallet::kTopUpLifecycle.next(state, event).has_value())
          << text_of(state) << ' ' << text_of(event);
  for (const auto state : {succeeded, failed})
    for (const auto event : {TopUpEvent::ask_owner, TopUpEvent::lose})
      EXPECT_EQ(wallet::kTopUpLifecycle.next(state, event), state);
}

// ---- withdrawals --------------------------------------------------------------------------------

TEST_F(WalletMoney, GoesToTheBank) {
  world_->top_up(who_, 5'000);
  keep_bank();
  const auto asked = withdraw(2'000);
  EXPECT_EQ(asked.state, WithdrawalState::pending);
  EXPECT_EQ(balance(), 5'000);
  EXPECT_EQ(available(), 3'000) << "it is set aside";
  world_->run_jobs();
  EXPECT_EQ(now(asked).state, WithdrawalState::succeeded);
  EXPECT_EQ(balance(), 3'000);
  EXPECT_EQ(available(), 3'000);
  world_->deliver_webhooks();
  world_->run_jobs();
  EXPECT_EQ(balance(), 3'000) << "the news came twice";
}

TEST_F(WalletMoney, IsNotWithdrawnTwice) {
  world_->top_up(who_, 5'000);
  keep_bank();
  withdraw(3'000);
  EXPECT_EQ(code_of([&] { withdraw(2'001); }), Code::conflict);
  EXPECT_EQ(withdraw(2'000).state, WithdrawalState::pending);
  world_->run_jobs();
  EXPECT_EQ(balance(), 0);
}

TEST_F(WalletMoney, ThatTheBankRefusesIsThereAgain) {
  world_->top_up(who_, 5'000);
  keep_bank();
  const auto refused = withdraw(2'013);
  world_->run_jobs();
  EXPECT_EQ(now(refused).state, WithdrawalState::failed);
  EXPECT_EQ(now(refused).reason, "bank_rejected");
  EXPECT_EQ(available(), 5'000);
  EXPECT_EQ(world_->balance(who_).pending_out, 0);
}

TEST_F(WalletMoney, WhoseWithdrawalHasNoAnswerIsSentOnce) {
  world_->top_up(who_, 5'000);
  keep_bank();
  const auto lost = withdraw(3'317);
  world_->run_jobs();
  EXPECT_EQ(now(lost).state, WithdrawalState::unknown);
  EXPECT_EQ(available(), 5'000 - 3'317);
  pass(6s);
  EXPECT_EQ(now(lost).state, WithdrawalState::succeeded);
  EXPECT_EQ(balance(), 5'000 - 3'317);
  EXPECT_EQ(moved(processors::Operation::payout, 3'317), 1);
}

TEST_F(WalletMoney, GoesToABankThatIsKept) {
  world_->top_up(who_, 5'000);
  EXPECT_EQ(code_of([&] { withdraw(100); }), Code::conflict);
  keep_bank();
  const auto sent = withdraw(100);
  EXPECT_EQ(code_of([&] {
              world_->transact(
                  [&](Tx& tx) { wallet::remove_method(tx, who_.account, sent.payment_method_id); });
            }),
            Code::conflict)
      << "while it is under way";
  world_->run_jobs();
  world_->transact(
      [&](Tx& tx) { wallet::remove_method(tx, who_.account, sent.payment_method_id); });
  EXPECT_EQ(now(sent).state, WithdrawalState::succeeded);
}

TEST_F(WalletMoney, IsToldToItsOwnerAlone) {
  keep_bank();
  world_->notices.clear();
  world_->top_up(who_, 5'000);
  world_->top_up(who_, 5'000, "tok_declined");
  world_->top_up(who_, 5'000, "tok_confirm");
  withdraw(1'000);
  withdraw(2'013);  // ends in 13: refused
  world_->run_jobs();
  std::map<std::string, int> told;
  for (const auto& notice : world_->notices) {
    const auto frame = Json::parse(notice.text);
    const auto event = frame.value("event", "");
    if (!event.starts_with("top_up.") && !event.starts_with("withdrawal.")) continue;
    if (notice.topics != std::vector<std::string>{identity::account_topic(who_.account)}) continue;
    ++told[event];
    EXPECT_TRUE(frame["data"].contains(event.substr(0, event.find('.')))) << notice.text;
    EXPECT_EQ(frame["conversation"], nullptr);
  }
  EXPECT_EQ(told, (std::map<std::string, int>{{"top_up.created", 3},
                                              {"top_up.succeeded", 1},
                                              {"top_up.failed", 1},
                                              {"top_up.action_required", 1},
                                              {"withdrawal.created", 2},
                                              {"withdrawal.succeeded", 1},
                                              {"withdrawal.failed", 1}}));
}

// ---- what there is ------------------------------------------------------------------------------

TEST_F(WalletMoney, AddsUpInEveryStatement) {
  const auto start = world_->clock.now() - 1s;
  const auto friend_of = world_->person("Fred Friend");
  world_->top_up(who_, 5'000);
  world_->advance(60s);
  const auto middle = world_->clock.now();
  world_->advance(60s);
  const auto gift = world_->send(who_, friend_of, 700);
  world_->send(who_, friend_of, 900);  // is not accepted, and is in no statement
  world_->transact([&](Tx& tx) { wallet::accept(tx, friend_of.account, gift.id); });
  keep_bank();
  withdraw(1'000);
  world_->run_jobs();
  world_->advance(60s);
  const auto end = world_->clock.now();
  world_->advance(61s);
  const auto of = [&](Instant from, Instant until) {
    return world_->transact(
        [&](Tx& tx) { return wallet::statement_of(tx, who_.account, from, until); });
  };
  const auto first = of(start, middle).currencies.at(0), second = of(middle, end).currencies.at(0);
  EXPECT_EQ(first.opening, 0);
  EXPECT_EQ(first.closing, 5'000);
  EXPECT_EQ(second.opening, first.closing);
  EXPECT_EQ(second.closing, balance());
  ASSERT_EQ(second.lines.size(), 2u);
  EXPECT_EQ(second.lines[0].why, ledger::Why::transfer);
  EXPECT_EQ(second.lines[0].amount, -700);
  EXPECT_EQ(second.lines[0].about, text_of(gift.id));
  EXPECT_EQ(second.lines[0].counterparty, friend_of.account);
  EXPECT_EQ(second.lines[1].balance, 3'300);
  const auto whole = of(start, end).currencies.at(0);
  EXPECT_EQ(whole.opening, 0);
  EXPECT_EQ(whole.lines.size(), 3u);
  EXPECT_EQ(whole.closing, second.closing);
  EXPECT_EQ(code_of([&] { of(end, start); }), Code::invalid);
}

// What began before may be written down after it.
TEST_F(WalletMoney, HasNoStatementOfTheLastMinuteOrOfWhatIsToCome) {
  const auto now = world_->clock.now();
  const auto of = [&](Instant until) {
    return code_of([&] {
      world_->transact([&](Tx& tx) { wallet::statement_of(tx, who_.account, now - 1h, until); });
    });
  };
  EXPECT_EQ(of(now + 24h), Code::invalid);
  EXPECT_EQ(of(now - 50s), Code::invalid);
  EXPECT_FALSE(of(now - 61s));
}

TEST_F(WalletMoney, IsASpreadsheetToo) {
  const auto start = world_->clock.now() - 1s;
  const auto made = world_->top_up(who_, 1'234);
  const auto end = world_->clock.now();
  world_->advance(61s);
  const auto csv = world_->transact([&](Tx& tx) {
    return wallet::statement_csv(wallet::statement_of(tx, who_.account, start, end));
  });
  EXPECT_TRUE(csv.starts_with("currency,at,why,about,counterparty,amount,balance\r\n"));
  EXPECT_NE(csv.find("opening,,,,0.00\r\n"), csv.npos) << csv;
  EXPECT_NE(csv.find("top_up," + text_of(made.id) + ",,12.34,12.34\r\n"), csv.npos) << csv;
  EXPECT_NE(csv.find("closing,,,,12.34\r\n"), csv.npos) << csv;
}

TEST_F(WalletMoney, OfThePlatformAtTheProcessorIsAllThatPeopleHave) {
  world_->top_up(who_, 5'000);
  const auto all = world_->trial_balance().accounts;
  const auto of = [&](ledger::Kind kind) {
    const auto row = std::ranges::find(all, kind, &ledger::Balance::kind);
    return row == all.end() ? 0 : row->debits - row->credits;
  };
  EXPECT_GT(of(ledger::Kind::processor_clearing), 0);
  EXPECT_EQ(of(ledger::Kind::processor_clearing) + of(ledger::Kind::wallet), 0);
  const auto history = world_->transact([&](Tx& tx) {
    return ledger::history(tx, ledger::owner_of(who_.account), std::nullopt, 10);
  });
  ASSERT_EQ(history.size(), 1u);
  EXPECT_EQ(history[0].debit_owner, "platform");
  EXPECT_EQ(history[0].credit_owner, text_of(who_.account));
  EXPECT_TRUE(history[0].about.starts_with("topup_"));
}

}  // namespace wallet_money_test
}  // namespace bottega::test
