// Disputes and the money: reserved from where it is, gone or back in the end, and nothing negative
// or counted twice in between.
#include "domain/disputes.hpp"

namespace bottega::test {
namespace disputes_test {

using namespace std::chrono_literals;
using disputes::Event;

TEST(DisputeLifecycle, TakesEachStateOnOrStaysOrRefuses) {
  using enum disputes::State;
  using Row = std::array<std::optional<disputes::State>, 4>;
  const auto none = std::nullopt;
  const std::vector<std::pair<disputes::State, Row>> table = {
      {opened, {evidence_due, under_review, won, lost}},
      {evidence_due, {evidence_due, under_review, won, lost}},
      {under_review, {under_review, under_review, won, lost}},
      {won, {won, won, won, none}},
      {lost, {lost, lost, none, lost}}};
  for (const auto& [from, row] : table)
    for (const auto on : {Event::ask, Event::review, Event::win, Event::lose})
      EXPECT_EQ(disputes::kLifecycle.next(from, on), row.at(static_cast<std::size_t>(on)))
          << text_of(from) << ' ' << text_of(on);
}

class Disputes : public DisputeTest {};

// The fee of 10,000 is 290 and 30.
TEST_F(Disputes, ReserveTheMoneyTheMomentTheyOpen) {
  const auto order = world_.sell(shop_, 10'000);
  const auto dispute = open(order);
  EXPECT_EQ(dispute.state, State::evidence_due);
  EXPECT_EQ(dispute.amount.amount, 10'000);
  EXPECT_EQ(dispute.reserved, 10'000);
  EXPECT_EQ(dispute.reason, "product_not_received");
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::dispute_reserve), 10'000);
  EXPECT_EQ(balance(Kind::processor_clearing), 10'000) << "it is ours until it is lost";
  EXPECT_EQ(payment(order).disputed, 10'000);
  EXPECT_EQ(payment(order).state, payments::State::captured) << "a flag beside the state";
}

TEST_F(Disputes, OfAnUnsentOrderKeepItsLaterPayoutWaitingAndLetItGoWhenTheyAreWon) {
  const auto order = world_.sell(shop_, 10'000);
  const auto dispute = open(order);
  const auto payout = sent(order);
  EXPECT_EQ(payout.state, payouts::State::held);
  EXPECT_EQ(payout.reason, "a dispute is open");
  world_.advance(5 * 24h);
  world_.run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::held);
  EXPECT_EQ(contest(dispute).state, State::won);
  EXPECT_EQ(balance(Kind::dispute_reserve), 0);
  EXPECT_EQ(payment(order).disputed, 0);
  world_.advance(6 * 24h);
  world_.run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::paid);
  EXPECT_EQ(now(payout).amount.amount, 9'680);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::platform_fees), 320);
}

TEST_F(Disputes, OfAllOfAnUnsentOrderCancelItWhenTheyAreLost) {
  const auto order = world_.sell(shop_, 10'013);
  const auto dispute = open(order);
  EXPECT_EQ(contest(dispute).state, State::lost) << "it ends in 13";
  EXPECT_EQ(now(order).state, orders::State::cancelled);
  for (const auto kind : {Kind::held, Kind::dispute_reserve, Kind::platform_fees,
                          Kind::merchant_debt, Kind::processor_clearing})
    EXPECT_EQ(balance(kind), 0) << text_of(kind);
  EXPECT_EQ(payment(order).disputed, 10'013);
}

TEST_F(Disputes, OfAllOfASentOrderCancelItsPayoutWhenTheyAreLost) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto dispute = open(order);
  EXPECT_EQ(now(payout).state, payouts::State::held);
  EXPECT_EQ(accept(dispute).state, State::lost);
  EXPECT_EQ(now(payout).state, payouts::State::cancelled);
  EXPECT_EQ(now(order).state, orders::State::shipped);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::processor_clearing), 0);
}

TEST_F(Disputes, OfAPartMakeThePayoutSmallerWhenTheyAreLost) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto dispute = open(order, 2'513);
  EXPECT_EQ(balance(Kind::held), 7'487);
  EXPECT_EQ(contest(dispute).state, State::lost);
  EXPECT_EQ(now(payout).state, payouts::State::scheduled);
  EXPECT_EQ(now(payout).fee, 240);
  EXPECT_EQ(now(payout).amount.amount, 7'247);
  world_.advance(6 * 24h);
  world_.run_jobs();
  EXPECT_EQ(now(payout).state, payouts::State::paid);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::processor_clearing), 240);
}

TEST_F(Disputes, OfWhatWasPaidOutAreTheMerchantsDebtWhenTheyAreLost) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = paid_out(order);
  const auto dispute = open(order);
  EXPECT_EQ(balance(Kind::dispute_reserve), 10'000);
  EXPECT_EQ(balance(Kind::platform_fees), 0);
  EXPECT_EQ(balance(Kind::merchant_debt), 9'680);
  EXPECT_EQ(now(payout).state, payouts::State::paid);
  EXPECT_EQ(accept(dispute).state, State::lost);
  EXPECT_EQ(balance(Kind::dispute_reserve), 0);
  EXPECT_EQ(balance(Kind::merchant_debt), 9'680);
  EXPECT_EQ(balance(Kind::processor_clearing), -9'680);
  const auto next = paid_out(world_.sell(shop_, 20'000));
  EXPECT_EQ(next.recovered, 9'680);
  EXPECT_EQ(balance(Kind::merchant_debt), 0);
}

TEST_F(Disputes, OfWhatWasPaidOutLeaveNoDebtWhenTheyAreWon) {
  const auto order = world_.sell(shop_, 10'000);
  paid_out(order);
  EXPECT_EQ(contest(open(order, 5'000)).state, State::won);
  EXPECT_EQ(balance(Kind::dispute_reserve), 0);
  EXPECT_EQ(balance(Kind::merchant_debt), 0);
  EXPECT_EQ(balance(Kind::merchant_payable), 0);
  EXPECT_EQ(balance(Kind::platform_fees), 320);
  EXPECT_EQ(balance(Kind::processor_clearing), 320);
}

TEST_F(Disputes, WonAfterTheAdvanceWasRecoveredAreTheMerchantsBalanceThatTheNextOneTakesFirst) {
  const auto order = world_.sell(shop_, 10'000), other = world_.sell(shop_, 20'000);
  paid_out(order);
  const auto dispute = submit(open(order));
  EXPECT_EQ(dispute.state, State::under_review);
  EXPECT_EQ(paid_out(other).recovered, 9'680);
  EXPECT_EQ(decide(dispute).state, State::won);
  EXPECT_EQ(balance(Kind::merchant_debt), 0);
  EXPECT_EQ(balance(Kind::merchant_payable), 9'680);
  const auto covered = open(other, 5'000);  // 152 or 153 of them are its fee's share
  EXPECT_EQ(balance(Kind::merchant_debt), 0) << "the balance is enough";
  EXPECT_LT(balance(Kind::merchant_payable), 9'680);
  const auto more = open(other, 10'000);
  EXPECT_EQ(balance(Kind::merchant_payable), 0);
  EXPECT_GT(balance(Kind::merchant_debt), 0) << "it is not";
  EXPECT_EQ(balance(Kind::dispute_reserve), 15'000);
  EXPECT_EQ(accept(covered).state, State::lost);
  EXPECT_EQ(contest(more).state, State::won);
  EXPECT_EQ(balance(Kind::dispute_reserve), 0);
  EXPECT_EQ(balance(Kind::merchant_debt), 0);
}

TEST_F(Disputes, WonAfterTheAdvanceWasRecoveredGoToTheBankWithTheNextBatch) {
  const auto order = world_.sell(shop_, 10'000);
  paid_out(order);
  const auto dispute = submit(open(order));
  paid_out(world_.sell(shop_, 20'000));
  ASSERT_EQ(decide(dispute).state, State::won);
  ASSERT_EQ(balance(Kind::merchant_payable), 9'680);
  const auto next = paid_out(world_.sell(shop_, 3'000));
  const auto batch = world_.transact(
      [&](Tx& tx) { return payouts::fetch_batch(tx, shop_.owner, next.batch_id.value()); });
  EXPECT_EQ(batch.amount.amount, next.amount.amount + 9'680);
  EXPECT_EQ(batch.from_balance, 9'680);
  EXPECT_EQ(next.recovered, 0);
  EXPECT_EQ(balance(Kind::merchant_payable), 0);
  const auto last = paid_out(world_.sell(shop_, 3'000));
  EXPECT_EQ(world_
                .transact([&](Tx& tx) {
                  return payouts::fetch_batch(tx, shop_.owner, last.batch_id.value());
                })
                .from_balance,
            0);
}

TEST_F(Disputes, WonMeanwhileLeavePayoutsThatTheBankRefusedTheirMoney) {
  world_.payout_rules.tries_max = 1;
  const auto order = world_.sell(shop_, 10'000);
  paid_out(order);
  const auto dispute = submit(open(order));
  paid_out(world_.sell(shop_, 20'000));
  const auto set_account = [&](const std::string& state) {
    execute(world_.urls.superuser, "UPDATE sandbox.accounts SET state = '" + state + "'");
  };
  const auto sale = world_.sell(shop_, 5'000);
  set_account("rejected");
  const auto refused = sent(sale);
  world_.advance(std::chrono::days(6));
  world_.run_jobs();
  ASSERT_EQ(now(refused).state, payouts::State::failed);
  const auto theirs = balance(Kind::merchant_payable);
  ASSERT_EQ(decide(dispute).state, State::won);
  set_account("active");
  paid_out(world_.sell(shop_, 3'000));
  EXPECT_EQ(balance(Kind::merchant_payable), theirs) << "it goes with its own payout";
  world_.transact([&](Tx& tx) { payouts::retry(tx, refused.id); });
  world_.run_jobs();
  EXPECT_EQ(now(refused).state, payouts::State::paid);
  EXPECT_EQ(now(refused).recovered, 0);
  EXPECT_EQ(balance(Kind::merchant_payable), 0);
}

// ---- together with refunds ----------------------------------------------------------------------

TEST_F(Disputes, KeepRefundsFromGivingTheSameMoneyBack) {
  const auto order = world_.sell(shop_, 10'000);
  sent(order);
  const auto dispute = open(order, 6'000);
  EXPECT_EQ(code_of([&] { world_.give_back(shop_, order, 4'001); }), Code::conflict);
  const auto refund = world_.give_back(shop_, order, 4'000);
  EXPECT_EQ(code_of([&] { world_.give_back(shop_, order); }), Code::conflict);
  world_.run_jobs();
  EXPECT_EQ(now(refund).state, payments::RefundState::succeeded);
  EXPECT_EQ(accept(dispute).state, State::lost);
  EXPECT_EQ(code_of([&] { world_.give_back(shop_, order); }), Code::conflict);
  for (const auto kind : {Kind::held, Kind::dispute_reserve, Kind::processor_clearing})
    EXPECT_EQ(balance(kind), 0) << text_of(kind);
}

TEST_F(Disputes, OfMoreThanIsLeftReserveWhatIsLeftAndSaySo) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = sent(order);
  world_.give_back(shop_, order, 4'000);
  world_.run_jobs();
  const auto dispute = open(order);
  EXPECT_EQ(dispute.amount.amount, 10'000);
  EXPECT_EQ(dispute.reserved, 6'000);
  EXPECT_EQ(payment(order).disputed, 6'000);
  EXPECT_EQ(accept(dispute).state, State::lost);
  EXPECT_EQ(now(payout).state, payouts::State::cancelled);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::losses), 4'000) << "the buyer has it twice";
  EXPECT_EQ(balance(Kind::processor_clearing), -4'000) << "what the bank has really taken";
}

TEST_F(Disputes, OpenedWhileARefundIsUnderWayLeaveItsMoneyAlone) {
  const auto order = world_.sell(shop_, 10'000);
  const auto payout = sent(order);
  const auto book = at_the_bank(order);
  const auto refund = world_.give_back(shop_, order, 1'013);  // ends in 13: refused
  const auto dispute = hear(news_of(book, State::evidence_due));
  EXPECT_EQ(dispute.reserved, 8'987);
  hear_webhooks();
  EXPECT_EQ(now(refund).state, payments::RefundState::failed);
  EXPECT_EQ(now(payout).state, payouts::State::held) << "the dispute holds it still";
  EXPECT_EQ(accept(dispute).state, State::lost);
  EXPECT_EQ(now(payout).state, payouts::State::cancelled) << "the bank has taken all of it";
  EXPECT_EQ(now(dispute).reserved, 10'000);
  for (const auto kind : {Kind::held, Kind::losses, Kind::processor_clearing})
    EXPECT_EQ(balance(kind), 0) << text_of(kind);
}

TEST_F(Disputes, OpenedWhileARefundOfReleasedMoneyIsUnderWayClaimWhatItLeaves) {
  const auto order = world_.sell(shop_, 10'000);
  paid_out(order);
  const auto book = at_the_bank(order);
  world_.give_back(shop_, order, 1'013);  // ends in 13: refused
  const auto dispute = hear(news_of(book, State::evidence_due));
  hear_webhooks();
  EXPECT_EQ(balance(Kind::losses), 0) << "it is set aside only";
  EXPECT_EQ(accept(dispute).state, State::lost);
  EXPECT_EQ(balance(Kind::losses), 0);
  EXPECT_EQ(balance(Kind::platform_fees), 0);
  EXPECT_EQ(balance(Kind::merchant_debt), 9'680);
  EXPECT_EQ(balance(Kind::processor_clearing), -9'680);
}

TEST_F(Disputes, OfMoreThanIsLeftThatAreWonAreNoLoss) {
  const auto order = world_.sell(shop_, 10'000);
  sent(order);
  world_.give_back(shop_, order, 4'000);
  world_.run_jobs();
  EXPECT_EQ(contest(open(order)).state, State::won);
  EXPECT_EQ(balance(Kind::losses), 0);
  EXPECT_EQ(balance(Kind::held), 6'000);
  EXPECT_EQ(balance(Kind::processor_clearing), 6'000);
}

TEST_F(Disputes, OfAllThatWasGivenBackAreThePlatformsLossAlone) {
  const auto order = world_.sell(shop_, 10'000);
  paid_out(order);
  world_.give_back(shop_, order);
  world_.run_jobs();
  const auto owed = balance(Kind::merchant_debt);
  const auto dispute = open(order);
  EXPECT_EQ(dispute.reserved, 0);
  EXPECT_EQ(accept(dispute).state, State::lost);
  EXPECT_EQ(balance(Kind::losses), 10'000);
  EXPECT_EQ(balance(Kind::merchant_debt), owed) << "nothing more is asked of the merchant";
}

TEST_F(Disputes, WonOfAnOrderThatWasCancelledMeanwhileAreRefunded) {
  const auto order = world_.sell(shop_, 10'000);
  const auto dispute = open(order, 4'000);
  EXPECT_EQ(world_.cancel(shop_, order).refund->amount.amount, 6'000);
  world_.run_jobs();
  EXPECT_EQ(contest(dispute).state, State::won);
  world_.run_jobs();
  EXPECT_EQ(payment(order).state, payments::State::refunded);
  EXPECT_EQ(payment(order).refunded, 10'000);
  EXPECT_EQ(balance(Kind::held), 0);
  EXPECT_EQ(balance(Kind::processor_clearing), 0);
}

// ---- news ---------------------------------------------------------------------------------------

TEST_F(Disputes, HeardOfTwiceAndLateAreOneDispute) {
  const auto order = world_.sell(shop_, 10'000);
  const auto book = at_the_bank(order);
  const auto first = hear(news_of(book, State::evidence_due));
  EXPECT_EQ(hear(news_of(book, State::evidence_due)).id, first.id);
  EXPECT_EQ(hear(news_of(book, State::opened)).state, State::evidence_due);
  EXPECT_EQ(hear(news_of(book, State::won)).state, State::won);
  const auto entries = log().size();
  for (const auto late : {State::opened, State::evidence_due, State::under_review, State::won})
    EXPECT_EQ(hear(news_of(book, late)).state, State::won);
  EXPECT_EQ(code_of([&] { hear(news_of(book, State::lost)); }), Code::conflict);
  EXPECT_EQ(all().size(), 1u);
  EXPECT_EQ(log().size(), entries);
  EXPECT_EQ(balance(Kind::held), 10'000);
  EXPECT_EQ(payment(order).disputed, 0);
}

TEST_F(Disputes, ClosedBeforeTheyWereOpenedComeToTheSame) {
  const auto lost = world_.sell(shop_, 10'000), won = world_.sell(shop_, 5'000);
  const auto lost_book = at_the_bank(lost), won_book = at_the_bank(won);
  EXPECT_EQ(hear(news_of(lost_book, State::lost)).state, State::lost);
  EXPECT_EQ(hear(news_of(won_book, State::won)).state, State::won);
  EXPECT_EQ(hear(news_of(lost_book, State::evidence_due)).state, State::lost);
  EXPECT_EQ(hear(news_of(won_book, State::opened)).state, State::won);
  EXPECT_EQ(balance(Kind::held), 5'000);
  EXPECT_EQ(balance(Kind::processor_clearing), 5'000);
  EXPECT_EQ(balance(Kind::dispute_reserve), 0);
}

TEST_F(Disputes, HeardOfBeforeTheirPaymentWasCapturedWaitForIt) {
  const auto request = world_.ask(shop_, 10'000);
  ASSERT_EQ(world_.pay(shop_, request, "tok_answer_lost").payment.state, payments::State::unknown);
  const Json given = {{"charge", world_.books().back().reference}};
  const auto book = run(world_.sandbox.open_dispute(from_json<processors::NewDispute>(given)));
  EXPECT_EQ(code_of([&] { hear(news_of(book, State::evidence_due)); }), Code::conflict);
  EXPECT_TRUE(all().empty());
  world_.advance(6s);
  hear_webhooks();
  world_.advance(6s);
  world_.run_jobs();
  EXPECT_EQ(newest().state, State::evidence_due);
  EXPECT_EQ(balance(Kind::dispute_reserve), 10'000);
}

TEST_F(Disputes, WhoseWebhookWasLostAreFoundByAsking) {
  const auto order = world_.sell(shop_, 10'000);
  hear_webhooks();
  at_the_bank(order);
  EXPECT_TRUE(all().empty());
  auto& processor = world_.registry.get("sandbox");
  run(disputes::ask(world_.db, processor, world_.payment_rules));
  EXPECT_EQ(newest().state, State::evidence_due);
  run(disputes::ask(world_.db, processor, world_.payment_rules));
  hear_webhooks();
  EXPECT_EQ(all().size(), 1u);
  EXPECT_EQ(balance(Kind::dispute_reserve), 10'000);
}

TEST_F(Disputes, AreToldToBothSidesWithAmountAndStateOnly) {
  const auto order = world_.sell(shop_, 10'000);
  const auto dispute = open(order);
  EXPECT_EQ(log().back().event, "dispute.opened");
  accept(dispute);
  const auto entries = log();
  const auto closed = std::ranges::find(entries, "dispute.closed", &conversations::Event::event);
  ASSERT_NE(closed, entries.end());
  const auto shown = closed->data.at("dispute");
  EXPECT_EQ(shown, (Json{{"id", text_of(dispute.id)},
                         {"payment_id", text_of(order.payment_id)},
                         {"amount", to_json(dispute.amount)},
                         {"state", "lost"}}));
}

TEST_F(Disputes, MoveTheMoneyAtTheBankOnceEachWay) {
  const auto order = world_.sell(shop_, 10'000);
  contest(open(order));
  std::map<std::string, std::int64_t> moved;
  for (const auto& entry : world_.books()) moved[text_of(entry.operation)] += entry.amount.amount;
  EXPECT_EQ(moved["dispute"], 10'000);
  EXPECT_EQ(moved["dispute_return"], 10'000);
}

}  // namespace disputes_test
}  // namespace bottega::test
