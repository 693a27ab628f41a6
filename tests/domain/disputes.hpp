#pragma once
// Disputes as the sandbox's bank opens them, for the tests of their money and of their answers.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/disputes/top_ups.hpp"

namespace bottega::test {

class DisputeTest : public ::testing::Test {
 protected:
  using Kind = ledger::Kind;
  using State = disputes::State;

  void SetUp() override { shop_ = world_.shop(); }
  // After every test, whatever it was about.
  void TearDown() override {
    const auto books = world_.trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  std::string charge_of(const orders::Order& order) { return payment(order).reference.value(); }
  // Opens a dispute at the bank, and tells nobody.
  processors::BookDispute at_the_bank(const orders::Order& order,
                                      std::optional<std::int64_t> amount = std::nullopt) {
    Json given = {{"charge", charge_of(order)}};
    if (amount) given["amount"] = *amount;
    return run(world_.sandbox.open_dispute(from_json<processors::NewDispute>(given)));
  }
  void hear_webhooks() {
    world_.deliver_webhooks();
    world_.run_jobs();
  }
  disputes::Dispute open(const orders::Order& order,
                         std::optional<std::int64_t> amount = std::nullopt) {
    at_the_bank(order, amount);
    hear_webhooks();
    return newest();
  }
  std::vector<disputes::Dispute> all() {
    return world_.transact([&](Tx& tx) {
      return disputes::list_of_merchant(tx, shop_.merchant, std::nullopt, std::nullopt, 100);
    });
  }
  disputes::Dispute newest() { return all().at(0); }
  disputes::Dispute now(const disputes::Dispute& dispute) {
    return world_.transact([&](Tx& tx) { return disputes::fetch(tx, shop_.owner, dispute.id); });
  }
  // The merchant's answer, as far as the bank has it.
  disputes::Dispute submit(const disputes::Dispute& dispute) {
    world_.transact([&](Tx& tx) { return disputes::submit(tx, shop_.owner, dispute.id); });
    hear_webhooks();
    return now(dispute);
  }
  disputes::Dispute accept(const disputes::Dispute& dispute) {
    world_.transact([&](Tx& tx) { return disputes::accept(tx, shop_.owner, dispute.id); });
    hear_webhooks();
    return now(dispute);
  }
  // The bank's decision: won, unless the amount ends in 13.
  disputes::Dispute decide(const disputes::Dispute& dispute) {
    world_.advance(std::chrono::seconds(61));
    run(world_.sandbox.decide_disputes());
    hear_webhooks();
    return now(dispute);
  }
  disputes::Dispute contest(const disputes::Dispute& dispute) {
    submit(dispute);
    return decide(dispute);
  }
  // What a webhook says, with another state.
  processors::DisputeNews news_of(const processors::BookDispute& book, State state) {
    return {book.charge_key, book.reference, book.amount, book.reason, state, book.evidence_due_at};
  }
  disputes::Dispute hear(const processors::DisputeNews& news) {
    return world_.transact(
        [&](Tx& tx) { return disputes::hear(tx, "sandbox", news, world_.payment_rules); });
  }

  orders::Order now(const orders::Order& order) {
    return world_.transact([&](Tx& tx) { return orders::fetch(tx, shop_.owner, order.id); });
  }
  payouts::Payout now(const payouts::Payout& payout) {
    return world_.transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, payout.id); });
  }
  payments::Refund now(const payments::Refund& refund) {
    return world_.transact(
        [&](Tx& tx) { return payments::fetch_refund(tx, shop_.owner, refund.id); });
  }
  payments::Payment payment(const orders::Order& order) {
    return world_.transact(
        [&](Tx& tx) { return payments::fetch_payment(tx, shop_.owner, order.payment_id); });
  }
  // The balance of an account, on its own side.
  std::int64_t balance(Kind kind) {
    for (const auto& row : world_.transact(
             [&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop_.merchant)); }))
      if (row.kind == kind) {
        const bool debited = kind == Kind::merchant_debt || kind == Kind::goodwill ||
                             kind == Kind::losses || kind == Kind::processor_clearing;
        return debited ? row.debits - row.credits : row.credits - row.debits;
      }
    return 0;
  }
  payouts::Payout sent(const orders::Order& order) {
    return world_.ship(shop_, order).payout.value();
  }
  payouts::Payout paid_out(const orders::Order& order) {
    const auto payout = sent(order);
    world_.advance(std::chrono::days(6));
    world_.run_jobs();
    EXPECT_EQ(now(payout).state, payouts::State::paid);
    return now(payout);
  }
  std::vector<conversations::Event> log() {
    return world_.transact([&](Tx& tx) {
      return conversations::log_after(tx, shop_.buyer, shop_.conversation, 0, 500);
    });
  }

  World world_;
  Shop shop_;
};

}  // namespace bottega::test
