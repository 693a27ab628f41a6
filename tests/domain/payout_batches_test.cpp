// What is due together is sent together, what the bank refuses is the merchant's balance again, and
// statements add up to the ledger.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/core/calendar.hpp"
#include "bottega/payouts/statements.hpp"

namespace bottega::test {
namespace payout_batches_test {

using namespace std::chrono_literals;
using payouts::BatchState, payouts::State;

class PayoutBatches : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    world_->payout_rules = {3, 10'000ms, std::nullopt, 0, std::chrono::days(30), 8};
    shop_ = world_->shop();
  }
  void TearDown() override {
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  payouts::Payout send(std::int64_t amount) const {
    return world_->ship(shop_, world_->sell(shop_, amount)).payout.value();
  }
  payouts::Payout now(const payouts::Payout& payout) const {
    return world_->transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, payout.id); });
  }
  std::vector<payouts::Batch> batches() const {
    return world_->transact(
        [&](Tx& tx) { return payouts::list_batches(tx, shop_.merchant, std::nullopt, 100); });
  }
  payouts::Standing standing() const {
    return world_->transact([&](Tx& tx) { return payouts::standing(tx, shop_.merchant); }).at(0);
  }
  static void pass(std::chrono::seconds time) {
    world_->advance(time);
    world_->run_jobs();
  }
  void set_account(const std::string& state) const {
    execute(world_->urls.superuser, "UPDATE sandbox.accounts SET state = '" + state +
                                        "' WHERE merchant = '" + text_of(shop_.merchant) + "'");
  }
  payouts::MerchantStatement statement() const {
    const auto today = std::chrono::floor<std::chrono::days>(world_->clock.now());
    const payouts::Period period{today - std::chrono::days(100), today};
    return world_->transact([&](Tx& tx) {
      return payouts::statement(tx, shop_.merchant, from_text<Currency>("USD"), period);
    });
  }

  static inline std::unique_ptr<World> world_;
  Shop shop_;
};

TEST_F(PayoutBatches, GatherWhatIsDueInOneTransfer) {
  std::vector<payouts::Payout> all;
  std::int64_t sum = 0;
  for (const std::int64_t amount : {10'000, 2'000, 3'300}) {
    all.push_back(send(amount));
    sum += all.back().amount.amount;
  }
  pass(6 * 24h);
  const auto batches = this->batches();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].amount.amount, sum);
  EXPECT_EQ(batches[0].payouts, 3);
  EXPECT_EQ(batches[0].state, BatchState::paid);
  for (const auto& payout : all) {
    EXPECT_EQ(now(payout).state, State::paid);
    EXPECT_EQ(now(payout).batch_id, batches[0].id);
    EXPECT_EQ(now(payout).reference, batches[0].reference);
  }
  const auto listed = world_->transact([&](Tx& tx) {
    return payouts::list_of_batch(tx, shop_.merchant, batches[0].id, std::nullopt, 10);
  });
  EXPECT_EQ(listed.size(), 3u);
  const auto seen_by = [&](const identity::Who& who) {
    return code_of(
        [&] { world_->transact([&](Tx& tx) { payouts::fetch_batch(tx, who, batches[0].id); }); });
  };
  EXPECT_FALSE(seen_by(world_->member(shop_, identity::Role::manager)));
  EXPECT_EQ(seen_by(world_->member(shop_, identity::Role::agent)), Code::forbidden);
  EXPECT_EQ(seen_by(shop_.buyer), Code::not_found);
  EXPECT_EQ(seen_by(world_->person()), Code::not_found);
}

TEST_F(PayoutBatches, LeaveOutWhatIsHeldOrNotDueYet) {
  const auto first = send(10'000), held = send(2'000);
  const payouts::Reason why{from_text<Text<1, 255>>("asked by the bank")};
  world_->transact([&](Tx& tx) { payouts::hold(tx, held.id, why); });
  world_->advance(24h);
  const auto later = send(3'000);
  world_->advance(std::chrono::ceil<std::chrono::seconds>(first.due_at - world_->clock.now()));
  world_->run_jobs();
  ASSERT_EQ(batches().size(), 1u);
  EXPECT_EQ(batches()[0].payouts, later.due_at <= world_->clock.now() ? 2 : 1);
  EXPECT_EQ(now(held).state, State::held);
}

TEST_F(PayoutBatches, ThatTheBankRefusesGiveTheMoneyBackToTheBalanceInTheEnd) {
  world_->payout_rules.tries_max = 3;
  const auto payout = send(10'000);
  set_account("rejected");
  pass(6 * 24h);
  ASSERT_EQ(now(payout).state, State::failed);
  EXPECT_TRUE(now(payout).retry_at);
  EXPECT_EQ(standing().available, 9'680) << "nothing is set aside between two tries";
  world_->notices.clear();
  pass(10s);
  pass(60s);
  EXPECT_EQ(now(payout).tries, 3);
  EXPECT_FALSE(now(payout).retry_at) << "it waits for a person";
  pass(30 * 24h);
  EXPECT_EQ(now(payout).tries, 3);
  EXPECT_EQ(standing().available, 9'680);
  EXPECT_EQ(standing().on_the_way, 0);
  int told = 0;
  for (const auto& notice : world_->notices)
    if (notice.text.find("payout.failed") != notice.text.npos) {
      ++told;
      EXPECT_EQ(notice.topics, std::vector{identity::account_topic(shop_.owner.account)});
    }
  EXPECT_EQ(told, 1);
  EXPECT_EQ(batches().size(), 3u);
  for (const auto& batch : batches()) EXPECT_EQ(batch.state, BatchState::failed);
  set_account("active");
  world_->transact([&](Tx& tx) { return payouts::retry(tx, payout.id); });
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(standing().available, 0);
}

// The node died after it had gathered the batch, and before its job was done.
TEST_F(PayoutBatches, ThatTheBankRefusesAreTriedAgainWhereTheJobThatGatheredThemIsStillThere) {
  const auto payout = send(10'000);
  set_account("rejected");
  world_->advance(6 * 24h);
  const auto job = "WHERE kind = 'payouts.pay' AND about = '" + text_of(payout.id) + "'";
  execute(
      world_->urls.superuser,
      "UPDATE bottega.jobs SET attempts = 1, locked_until = clock_timestamp() + '1 hour' " + job);
  world_->transact(
      [&](Tx& tx) { payouts::collect(tx, shop_.merchant, payout.id, world_->payout_rules); });
  world_->run_jobs();
  ASSERT_EQ(now(payout).state, State::failed);
  execute(world_->urls.superuser, "UPDATE bottega.jobs SET locked_until = NULL " + job);
  world_->run_jobs();
  EXPECT_EQ(batches().size(), 1u);
  pass(30s);
  EXPECT_EQ(batches().size(), 2u);
  EXPECT_EQ(now(payout).tries, 2);
}

TEST_F(PayoutBatches, AreTriedAgainByHandOnlyWhereTheyFailed) {
  const auto payout = send(10'000);
  const auto retry = [&] {
    return code_of([&] { world_->transact([&](Tx& tx) { payouts::retry(tx, payout.id); }); });
  };
  EXPECT_EQ(retry(), Code::conflict) << "not before its day";
  pass(6 * 24h);
  EXPECT_EQ(retry(), Code::conflict) << "not twice";
}

// A refund takes what could not be paid out; what is tried later is the rest.
TEST_F(PayoutBatches, SendWhatARefundHasLeftOfTheBalance) {
  world_->payout_rules.tries_max = 1;
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = world_->ship(shop_, order).payout.value();
  set_account("rejected");
  pass(6 * 24h);
  ASSERT_EQ(standing().available, 9'680);
  world_->give_back(shop_, order, 5'000);
  EXPECT_EQ(standing().available, 9'680 - 4'840);
  world_->run_jobs();
  EXPECT_EQ(standing().owed, 0);
  set_account("active");
  world_->transact([&](Tx& tx) { return payouts::retry(tx, payout.id); });
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(now(payout).recovered, 4'840);
  EXPECT_EQ(batches()[0].amount.amount, 4'840);
  EXPECT_EQ(standing().available, 0);
}

TEST_F(PayoutBatches, WaitForTheSmallestAmountAndSayWhy) {
  world_->payout_rules.minimum = 5'000;
  const auto small = send(3'000);
  pass(6 * 24h);
  EXPECT_EQ(now(small).state, State::scheduled);
  EXPECT_EQ(now(small).reason, "it waits until there is 50.00 USD to be paid out");
  EXPECT_EQ(world_->run_jobs(), 0) << "it waits, and is not looked at all the while";
  EXPECT_TRUE(batches().empty());
  const auto more = send(4'000);
  pass(6 * 24h);
  EXPECT_EQ(now(small).state, State::paid);
  EXPECT_EQ(now(more).state, State::paid);
  EXPECT_FALSE(now(small).reason);
  ASSERT_EQ(batches().size(), 1u);
  const auto alone = send(2'000);
  pass(std::chrono::ceil<std::chrono::seconds>(alone.due_at - world_->clock.now()) + 29 * 24h);
  EXPECT_EQ(now(alone).state, State::scheduled);
  pass(2 * 24h);
  EXPECT_EQ(now(alone).state, State::paid);
}

TEST_F(PayoutBatches, OfADayAreSentAtItsTimeAndNeverBehindTheFifthBusinessDay) {
  const auto& calendar = Calendars::built_in().of("US");
  for (const std::int64_t days : {3, 5})
    for (int hour = 0; hour < 24 * 8; hour += 5) {
      world_->payout_rules.business_days = days;
      world_->payout_rules.batch_at = payouts::batch_time("09:30");
      const auto payout = send(1'000);
      EXPECT_GE(payout.due_at, calendar.add_business_days(payout.shipped_at, 3));
      EXPECT_LE(payout.due_at, calendar.add_business_days(payout.shipped_at, 5));
      EXPECT_EQ(payout.due_on, calendar.date_at(payout.due_at));
      EXPECT_TRUE(calendar.is_business_day(payout.due_on));
      if (days == 3) {
        EXPECT_EQ(payout.due_at, calendar.next_at(payout.due_at, 9h + 30min));
      }
      world_->advance(5h);
    }
  EXPECT_FALSE(payouts::batch_time(""));
  for (const auto* bad : {"9:30", "24:00", "09:60", "noon", "09:30:00"})
    EXPECT_EQ(code_of([&] { payouts::batch_time(bad); }), Code::invalid) << bad;
}

TEST_F(PayoutBatches, AreForeseenByDay) {
  const auto first = send(10'000), held = send(2'000);
  const payouts::Reason why{from_text<Text<1, 255>>("asked by the bank")};
  world_->transact([&](Tx& tx) { payouts::hold(tx, held.id, why); });
  const auto days = world_->transact([&](Tx& tx) { return payouts::coming(tx, shop_.merchant); });
  std::int64_t amount = 0, of_them_held = 0, count = 0;
  for (const auto& day : days) {
    amount += day.amount;
    of_them_held += day.held;
    count += day.count;
    EXPECT_EQ(day.due_on, first.due_on);
  }
  EXPECT_EQ(amount, first.amount.amount + held.amount.amount);
  EXPECT_EQ(of_them_held, held.amount.amount);
  EXPECT_EQ(count, 2);
  EXPECT_EQ(standing().held, 12'000);
}

TEST_F(PayoutBatches, AndRefundsMakeStatementsThatAddUp) {
  const auto order = world_->sell(shop_, 10'000);
  world_->ship(shop_, order);
  send(5'000);
  pass(6 * 24h);
  world_->give_back(shop_, order, 2'000);
  world_->run_jobs();
  send(20'000);
  pass(6 * 24h);
  const auto statement = this->statement();
  EXPECT_FALSE(statement.is_closed) << "the day is not over";
  EXPECT_EQ(statement.opening, 0);
  std::int64_t balance = 0;
  for (const auto& line : statement.lines) {
    balance += line.amount;
    EXPECT_EQ(line.balance, balance);
  }
  EXPECT_EQ(statement.closing, balance);
  const auto standing = this->standing();
  EXPECT_EQ(statement.closing, standing.available + standing.on_the_way - standing.owed);
  std::vector<std::string> whys;
  for (const auto& line : statement.lines) whys.push_back(text_of(line.why));
  EXPECT_EQ(whys, (std::vector<std::string>{"release", "release", "payout", "refund_advance",
                                            "release", "payout"}));
  EXPECT_EQ(statement.lines[0].order_number.value(), order.number);
  EXPECT_EQ(statement.lines[3].order_number.value(), order.number);
  EXPECT_EQ(statement.lines[0].fee, 320);
}

TEST_F(PayoutBatches, HaveStatementsOfAYearAtMost) {
  const auto today = std::chrono::floor<std::chrono::days>(world_->clock.now());
  const auto of = [&](int from, int until) {
    return code_of([&] {
      world_->transact([&](Tx& tx) {
        payouts::statement(tx, shop_.merchant, from_text<Currency>("USD"),
                           {today + std::chrono::days(from), today + std::chrono::days(until)});
      });
    });
  };
  EXPECT_FALSE(of(-365, 0));
  const auto yesterday = today - std::chrono::days(1);
  world_->advance(61s);
  EXPECT_TRUE(world_
                  ->transact([&](Tx& tx) {
                    return payouts::statement(tx, shop_.merchant, from_text<Currency>("USD"),
                                              {yesterday, yesterday});
                  })
                  .is_closed);
  EXPECT_EQ(of(-366, 0), Code::invalid);
  EXPECT_EQ(of(1, 0), Code::invalid);
}

}  // namespace payout_batches_test
}  // namespace bottega::test
