// The settlement check against planted differences: each kind is found, none is told twice, and
// what is only late is no difference.
#include <gtest/gtest.h>

#include <set>

#include "domain/settlements.hpp"

namespace bottega::test {
namespace settlements_test {

using namespace std::chrono_literals;
using settlements::Kind, settlements::State;

class SettlementCheck : public Settlements {};

TEST_F(SettlementCheck, OfADayThatAgreesIsClean) {
  const auto order = world_.sell(shop_, 5'000);
  world_.give_back(shop_, order, 1'200);
  world_.run_jobs();
  const auto run = check_tomorrow();
  EXPECT_EQ(run.state, State::clean);
  EXPECT_TRUE(run.finished_at);
  EXPECT_EQ(run.theirs_count, 2);
  EXPECT_EQ(run.ours_count, 2);
  ASSERT_EQ(run.sums.size(), 2u);
  for (const auto& sum : run.sums) {
    EXPECT_EQ(sum.theirs, sum.operation == processors::Operation::charge ? 5'000 : 1'200);
    EXPECT_EQ(sum.ours, sum.theirs);
    EXPECT_EQ(sum.settled, sum.theirs);
    EXPECT_EQ(sum.ledger, sum.theirs);
    EXPECT_EQ(sum.explained, 0);
  }
  EXPECT_TRUE(differences(run).empty());
  EXPECT_EQ(sql("SELECT count(*) FROM bottega.settlement_movements"), "0")
      << "their list is kept for as long as it is needed";
}

TEST_F(SettlementCheck, FindsWhatTheyMovedUnderAKeyThatNobodyKnows) {
  world_.sell(shop_, 5'000);
  sql("INSERT INTO sandbox.movements (key, operation, reference, account, about, amount, currency, "
      "state, reason, return_url, created_at, moved_at) SELECT 'by hand', operation, "
      "'sch_by_hand', "
      "account, about, 700, currency, state, reason, return_url, created_at, moved_at "
      "FROM sandbox.movements");
  const auto run = check_tomorrow();
  EXPECT_EQ(run.state, State::differences);
  EXPECT_EQ(run.differences, 1);
  const auto found = differences(run);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::missing_ours);
  EXPECT_EQ(found[0].key, "by hand");
  EXPECT_EQ(found[0].theirs, (Money{700, parse_currency("USD")}));
  EXPECT_FALSE(found[0].ours);
  EXPECT_FALSE(found[0].merchant_id);
  EXPECT_EQ(run.sums.at(0).theirs - run.sums.at(0).ours, 700);
  EXPECT_EQ(count_open(), 1);
}

TEST_F(SettlementCheck, FindsWhatTheyMovedAndWeHoldAsFailed) {
  const auto order = world_.sell(shop_, 5'000);
  change_ours(key_of(order), "state = 'failed'");
  const auto run = check_tomorrow();
  EXPECT_EQ(kinds(run), (SettlementKinds{Kind::missing_ours, Kind::ledger}))
      << "and the ledger has posted what has not succeeded";
  for (const auto& one : differences(run)) {
    EXPECT_EQ(one.subject, text_of(order.payment_id));
    EXPECT_EQ(one.merchant_id, shop_.merchant);
  }
}

TEST_F(SettlementCheck, FindsTheAttemptThatIsGone) {
  const auto order = world_.sell(shop_, 5'000);
  sql("DELETE FROM bottega.attempts");
  const auto run = check_tomorrow();
  EXPECT_EQ(kinds(run), (SettlementKinds{Kind::missing_ours, Kind::ledger}));
  EXPECT_EQ(differences(run).at(0).merchant_id, shop_.merchant) << "the key was given to it";
}

TEST_F(SettlementCheck, FindsWhatWeHoldAsSucceededAndTheyHaveNot) {
  const auto order = world_.sell(shop_, 5'000);
  world_.sell(shop_, 2'000);
  const auto key = key_of(order);
  sql("DELETE FROM sandbox.movements WHERE key = '" + key + "'");
  const auto run = check_tomorrow();
  const auto found = differences(run);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::missing_theirs);
  EXPECT_EQ(found[0].key, key);
  EXPECT_EQ(found[0].ours, (Money{5'000, parse_currency("USD")}));
  EXPECT_EQ(found[0].subject, text_of(order.payment_id));
  EXPECT_NE(found[0].note.find("not_found"), std::string::npos) << found[0].note;
  EXPECT_EQ(run.sums.at(0).theirs - run.sums.at(0).ours, -5'000);
}

TEST_F(SettlementCheck, FindsAnotherAmountAndAnotherCurrency) {
  const auto more = world_.sell(shop_, 5'000), other = world_.sell(shop_, 2'000);
  world_.sell(shop_, 3'000);
  change_theirs(key_of(more), "amount = 5001");
  change_theirs(key_of(other), "currency = 'EUR'");
  const auto run = check_tomorrow();
  EXPECT_EQ(kinds(run), (SettlementKinds{Kind::amount, Kind::amount}));
  for (const auto& one : differences(run)) {
    const bool is_more = one.key == key_of(more);
    EXPECT_EQ(one.ours.value().amount, is_more ? 5'000 : 2'000);
    EXPECT_EQ(one.theirs.value(), is_more ? (Money{5'001, parse_currency("USD")})
                                          : (Money{2'000, parse_currency("EUR")}));
  }
}

TEST_F(SettlementCheck, FindsAnotherAmountOfAWallet) {
  const auto made = world_.top_up(shop_.buyer, 5'000);
  const auto key = key_of(made.id.uuid, wallet::kPlatformMerchant);
  change_theirs(key, "amount = amount + 1");
  const auto run = check_tomorrow();
  EXPECT_EQ(run.state, State::differences) << run.failure.value_or("");
  const auto found = differences(run);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::amount);
  EXPECT_EQ(found[0].key, key);
  EXPECT_EQ(found[0].subject, text_of(made.id));
  EXPECT_FALSE(found[0].merchant_id) << "it is nobody's but the platform's";
  change_theirs(key, "amount = amount - 1");
  EXPECT_EQ(check(day_).state, State::clean);
}

TEST_F(SettlementCheck, AsksAboutAWalletsUnsettledTopUpAgain) {
  const auto made = world_.top_up(shop_.buyer, 5'000);
  const auto key = key_of(made.id.uuid, wallet::kPlatformMerchant);
  change_ours(key, "state = 'unknown', settled_at = NULL");
  check_tomorrow();
  world_.advance(24h);
  const auto next = check(day_ + std::chrono::days(1));
  ASSERT_EQ(kinds(next), SettlementKinds{Kind::unsettled});
  EXPECT_EQ(differences(next)[0].subject, text_of(made.id));
  EXPECT_EQ(next.pushed, 1);
}

TEST_F(SettlementCheck, FindsALedgerThatHasPostedAnotherAmount) {
  const auto order = world_.sell(shop_, 5'000);
  sql("SET session_replication_role = replica; UPDATE bottega.ledger_transfers SET amount = 4999 "
      "WHERE why = 'capture'");
  const auto run = check_tomorrow();
  const auto found = differences(run);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::ledger);
  EXPECT_EQ(found[0].key, key_of(order));
  EXPECT_EQ(run.sums.at(0).ledger, 4'999);
  EXPECT_EQ(run.sums.at(0).settled, 5'000);
}

// Money out of nothing: no card was charged for it.
TEST_F(SettlementCheck, FindsWhatTheLedgerHasPostedToAWalletByItself) {
  world_.top_up(shop_.buyer, 5'000);
  const auto nobody = wallet::TopUpId::make();
  sql("INSERT INTO bottega.ledger_transfers (id, debit_kind, debit_owner, credit_kind, "
      "credit_owner, amount, currency, why, about, phase, at) SELECT gen_random_uuid(), "
      "debit_kind, debit_owner, credit_kind, credit_owner, 700, currency, why, '" +
      uuid_text(nobody.uuid) + "', phase, at FROM bottega.ledger_transfers WHERE why = 'top_up'");
  const auto run = check_tomorrow();
  const auto found = differences(run);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::ledger);
  EXPECT_EQ(found[0].subject, text_of(nobody));
  EXPECT_EQ(found[0].ours, (Money{700, parse_currency("USD")}));
  EXPECT_FALSE(found[0].merchant_id);
}

TEST_F(SettlementCheck, IsCleanWhereTheTwoClocksPutMidnightBetweenThem) {
  const auto late = world_.sell(shop_, 5'000), early = world_.sell(shop_, 2'000);
  const auto midnight = Instant(day_ + std::chrono::days(1));
  const auto before = "'" + text_of(midnight - 1s) + "'",
             after = "'" + text_of(midnight + 2s) + "'";
  change_ours(key_of(late), "settled_at = " + before);
  change_theirs(key_of(late), "moved_at = " + after);
  change_ours(key_of(early), "settled_at = " + after);
  change_theirs(key_of(early), "moved_at = " + before);
  world_.advance(50h);
  for (const auto day : {day_, day_ + std::chrono::days(1)}) {
    const auto run = check(day);
    EXPECT_EQ(run.state, State::clean) << to_text(day);
    EXPECT_EQ(run.theirs_count, 1) << "each is judged on one day";
    EXPECT_EQ(run.ours_count, 1);
    EXPECT_EQ(run.sums.at(0).theirs, run.sums.at(0).ours);
  }
}

TEST_F(SettlementCheck, IsCleanWhereSomethingMovedDaysBeforeWeKnew) {
  const auto order = world_.sell(shop_, 5'000);
  const auto later = Instant(day_ + std::chrono::days(3));
  change_ours(key_of(order), "settled_at = '" + text_of(later) + "'");
  world_.advance(100h);
  EXPECT_EQ(check(day_).state, State::clean);
  EXPECT_EQ(check(day_ + std::chrono::days(3)).state, State::clean) << "they are asked by its key";
}

TEST_F(SettlementCheck, TellsADifferenceOnceHoweverOftenItIsFound) {
  const auto order = world_.sell(shop_, 5'000);
  change_theirs(key_of(order), "amount = 5001");
  const auto first = check_tomorrow();
  const auto again = check(day_);
  EXPECT_EQ(again.state, State::differences);
  EXPECT_EQ(again.differences, 1);
  ASSERT_EQ(differences(again).size(), 1u);
  EXPECT_EQ(differences(again)[0].id, differences(first).at(0).id);
  EXPECT_EQ(differences(again)[0].run_id, first.id);
  EXPECT_EQ(count_open(), 1);
}

TEST_F(SettlementCheck, LeavesAloneWhatAPersonHasResolved) {
  const auto order = world_.sell(shop_, 5'000);
  change_theirs(key_of(order), "amount = 5001");
  const auto found = differences(check_tomorrow()).at(0);
  const auto resolve = [&] {
    return world_.transact(
        [&](Tx& tx) { return settlements::resolve(tx, found.id, "a person", "their mistake"); });
  };
  EXPECT_EQ(resolve().resolution, "their mistake");
  EXPECT_EQ(count_open(), 0);
  try {
    resolve();
    ADD_FAILURE() << "it was resolved twice";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::conflict);
  }
  const auto again = check(day_);
  EXPECT_EQ(again.state, State::clean);
  ASSERT_EQ(differences(again).size(), 1u);
  EXPECT_EQ(differences(again)[0].resolved_by, "a person");
}

TEST_F(SettlementCheck, ResolvesWhatIsGoneAndTellsItAgainWhenItIsBack) {
  const auto order = world_.sell(shop_, 5'000);
  change_theirs(key_of(order), "amount = 5001");
  const auto first = check_tomorrow();
  change_theirs(key_of(order), "amount = 5000");
  EXPECT_EQ(check(day_).state, State::clean);
  EXPECT_EQ(differences(first).at(0).resolved_by, "system");
  EXPECT_EQ(count_open(), 0);
  change_theirs(key_of(order), "amount = 5001");
  EXPECT_EQ(check(day_).state, State::differences);
  EXPECT_FALSE(differences(first).at(0).resolved_at);
  EXPECT_EQ(count_open(), 1);
}

// ---- what has no outcome yet --------------------------------------------------------------------

TEST_F(SettlementCheck, PushesAnUnknownPaymentToItsEnd) {
  const auto unknown = world_.pay(shop_, world_.ask(shop_), "tok_answer_lost").payment;
  ASSERT_EQ(unknown.state, payments::State::unknown);
  sql("DELETE FROM bottega.jobs");  // whoever was to ask about it is lost
  sql("UPDATE sandbox.events SET delivered_at = now()");
  const auto run = check_tomorrow();
  EXPECT_EQ(run.pushed, 1);
  EXPECT_EQ(run.state, State::clean) << "not an error by itself";
  EXPECT_TRUE(differences(run).empty());
  const auto known =
      world_.transact([&](Tx& tx) { return payments::current(tx, shop_.merchant, unknown.id); });
  EXPECT_EQ(known.payment.state, payments::State::captured);
  EXPECT_TRUE(known.order);
  const auto next = check(day_);
  EXPECT_EQ(next.state, State::clean);
  EXPECT_EQ(next.pushed, 0);
  EXPECT_EQ(sql("SELECT resolved_by FROM bottega.settlement_differences"), "system");
}

TEST_F(SettlementCheck, TellsWhatIsStillUnsettledWhenTheNextRunLooks) {
  const auto order = world_.sell(shop_, 5'000);
  // As if the payment and its attempt were at odds: asking again changes nothing.
  change_ours(key_of(order), "state = 'unknown', settled_at = NULL");
  EXPECT_EQ(kinds(check_tomorrow()).count(Kind::unsettled), 0u);
  world_.advance(24h);
  const auto next = check(day_ + std::chrono::days(1));
  EXPECT_EQ(next.state, State::differences);
  ASSERT_EQ(kinds(next), SettlementKinds{Kind::unsettled});
  const auto told = differences(next)[0];
  EXPECT_EQ(told.day, day_);
  EXPECT_EQ(told.subject, text_of(order.payment_id));
  EXPECT_EQ(next.pushed, 1) << "it was asked about once more";
  change_ours(key_of(order),
              "state = 'succeeded', settled_at = '" + text_of(Instant(day_) + 12h) + "'");
  world_.advance(24h);
  EXPECT_EQ(check(day_ + std::chrono::days(2)).state, State::clean);
  EXPECT_EQ(differences(next)[0].resolved_by, "system");
}

TEST_F(SettlementCheck, TellsWhatWasUnsettledAndFailedThoughItMoved) {
  const auto order = world_.sell(shop_, 5'000);
  change_ours(key_of(order), "state = 'unknown', settled_at = NULL");
  check_tomorrow();
  change_ours(key_of(order), "state = 'failed'");
  world_.advance(24h);
  const auto next = check(day_ + std::chrono::days(1));
  EXPECT_EQ(kinds(next), SettlementKinds{Kind::missing_ours});
}

}  // namespace settlements_test
}  // namespace bottega::test
