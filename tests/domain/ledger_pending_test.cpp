// Money that is set aside: it cannot be spent, and is posted or voided once; and the books as they
// were at any past instant.
#include <gtest/gtest.h>

#include <future>
#include <random>

#include "domain/ledger.hpp"

namespace bottega::test {
namespace ledger_pending_test {

using namespace std::chrono_literals;
using ledger::Kind, ledger::Phase, ledger::Transfer, ledger::Why;

class PendingTransfers : public LedgerOfOne {
 protected:
  void SetUp() override { post(capture(1'000)); }

  Transfer refund_of(std::int64_t amount) const {
    return transfer(Why::refund, Kind::held, Kind::processor_clearing, amount);
  }
  static void pend(const Transfer& transfer) {
    world->transact([&](Tx& tx) { ledger::pend(tx, transfer); });
  }
  static void finish(const Transfer& transfer, Phase phase) {
    world->transact([&](Tx& tx) {
      if (phase == Phase::posted) ledger::post_pending(tx, transfer.why, transfer.about);
      if (phase == Phase::voided) ledger::void_pending(tx, transfer.why, transfer.about);
    });
  }
  static std::string text_of_balances(const std::vector<ledger::Balance>& rows) {
    std::string text;
    for (const auto& row : rows)
      text += text_of(row.kind) + ' ' + std::to_string(row.debits) + '+' +
              std::to_string(row.debits_pending) + '/' + std::to_string(row.credits) + '+' +
              std::to_string(row.credits_pending) + "; ";
    return text;
  }
  std::string balances() const { return text_of_balances(balances_of_owner()); }
  std::string balances_at(Instant at) const {
    return text_of_balances(world->transact(
        [&](Tx& tx) { return ledger::balances_at(tx, ledger::owner_of(owner), at); }));
  }
};

TEST_F(PendingTransfers, AreSetAsideAndPosted) {
  const auto refund = refund_of(400);
  pend(refund);
  EXPECT_EQ(balances(), "held 0+400/1000+0; processor_clearing 1000+0/0+400; ");
  finish(refund, Phase::posted);
  EXPECT_EQ(balances(), "held 400+0/1000+0; processor_clearing 1000+0/400+0; ");
}

TEST_F(PendingTransfers, AreGivenBackByVoiding) {
  const auto refund = refund_of(400);
  pend(refund);
  finish(refund, Phase::voided);
  EXPECT_EQ(balances(), "held 0+0/1000+0; processor_clearing 1000+0/0+0; ");
  post(refund_of(1'000));
}

TEST_F(PendingTransfers, CannotBeSpentOtherwise) {
  pend(refund_of(400));
  pend(refund_of(500));
  EXPECT_EQ(code_of([&] { pend(refund_of(101)); }), Code::internal);
  EXPECT_EQ(code_of([&] { post(refund_of(101)); }), Code::internal);
  EXPECT_EQ(code_of([&] { post(transfer(Why::release, Kind::held, Kind::merchant_payable, 101)); }),
            Code::internal);
  post(transfer(Why::release, Kind::held, Kind::merchant_payable, 100));
  EXPECT_EQ(balances(),
            "held 100+900/1000+0; merchant_payable 0+0/100+0; processor_clearing 1000+0/0+900; ");
}

TEST_F(PendingTransfers, MoneyThatIsStillPendingCannotBePassedOn) {
  pend(transfer(Why::release, Kind::held, Kind::merchant_payable, 300));
  EXPECT_EQ(code_of([&] {
              post(transfer(Why::payout, Kind::merchant_payable, Kind::processor_clearing, 300));
            }),
            Code::internal);
}

TEST_F(PendingTransfers, EndOnce) {
  const auto posted = refund_of(100), voided = refund_of(200);
  for (int i = 0; i < 2; ++i) {
    pend(posted);
    pend(voided);
  }
  for (int i = 0; i < 2; ++i) {
    finish(posted, Phase::posted);
    finish(voided, Phase::voided);
  }
  EXPECT_EQ(code_of([&] { finish(posted, Phase::voided); }), Code::conflict);
  EXPECT_EQ(code_of([&] { finish(voided, Phase::posted); }), Code::conflict);
  EXPECT_EQ(balances(), "held 100+0/1000+0; processor_clearing 1000+0/100+0; ");
}

TEST_F(PendingTransfers, ThatDoNotExistCannotEnd) {
  const auto posted = refund_of(100);
  post(posted);
  for (const auto& transfer : {refund_of(100), posted})
    EXPECT_EQ(code_of([&] { finish(transfer, Phase::voided); }), Code::not_found);
  EXPECT_EQ(code_of([&] { finish(refund_of(1), Phase::posted); }), Code::not_found);
}

TEST_F(PendingTransfers, AreNotPostedBesideTheirEnd) {
  const auto refund = refund_of(100);
  pend(refund);
  EXPECT_EQ(code_of([&] { post(refund); }), Code::internal);
  EXPECT_EQ(balances(), "held 0+100/1000+0; processor_clearing 1000+0/0+100; ");
}

TEST_F(PendingTransfers, AreEndedAsTheyWereOnly) {
  const auto refund = refund_of(100);
  pend(refund);
  const auto forge = [&](const std::string& amount, const std::string& phase) {
    execute(world->urls.app,
            "INSERT INTO bottega.ledger_transfers (id, debit_kind, debit_owner, credit_kind, "
            "credit_owner, amount, currency, why, about, phase, pending_id, at) SELECT "
            "gen_random_uuid(), debit_kind, debit_owner, credit_kind, credit_owner, " +
                amount + ", currency, why, about, '" + phase +
                "', id, now() FROM bottega.ledger_transfers WHERE phase = 'pending' AND amount = "
                "100 AND debit_owner = '" +
                uuid_text(owner.uuid) + "'");
  };
  EXPECT_THROW(forge("99", "posted"), std::exception);
  EXPECT_THROW(forge("101", "voided"), std::exception);
  EXPECT_THROW(forge("100", "pending"), std::exception);
  EXPECT_EQ(balances(), "held 0+100/1000+0; processor_clearing 1000+0/0+100; ");
  forge("100", "posted");
  EXPECT_EQ(balances(), "held 100+0/1000+0; processor_clearing 1000+0/100+0; ");
}

TEST_F(PendingTransfers, ConcurrentEndsAreOne) {
  std::vector<Transfer> all;
  for (int i = 0; i < 10; ++i) pend(all.emplace_back(refund_of(100)));
  std::vector<std::future<int>> ends;
  for (int i = 0; i < 8; ++i)
    ends.push_back(std::async(std::launch::async, [&, i] {
      int done = 0;
      for (const auto& transfer : all)
        done += !code_of([&] { finish(transfer, i % 2 == 0 ? Phase::posted : Phase::voided); });
      return done;
    }));
  int done = 0;
  for (auto& one : ends) done += one.get();
  EXPECT_EQ(done, 40) << "each has one end, and half of the threads want it";
  std::int64_t pending = 0;
  for (const auto& row : balances_of_owner()) pending += row.debits_pending + row.credits_pending;
  EXPECT_EQ(pending, 0);
}

TEST_F(PendingTransfers, TheBooksOfAnyInstantCanBeSeen) {
  std::mt19937 random(7);
  std::vector<std::pair<Instant, std::string>> seen;
  std::vector<Transfer> open;
  for (int step = 0; step < 40; ++step) {
    const auto refund = refund_of(1 + static_cast<std::int64_t>(random() % 60));
    if (random() % 3 == 0 && !open.empty()) {
      finish(open.back(), random() % 2 == 0 ? Phase::posted : Phase::voided);
      open.pop_back();
    } else if (!code_of([&] { pend(refund); })) {
      open.push_back(refund);
    }
    const auto then = balances();
    seen.emplace_back(world->transact([](Tx& tx) { return tx.now(); }), then);
    world->advance(1s);
  }
  for (const auto& [at, then] : seen) EXPECT_EQ(balances_at(at), then);
  EXPECT_EQ(balances_at(seen.front().first - 1h), "");
  const auto all = world->transact([&](Tx& tx) {
    return std::pair(ledger::trial_balance(tx), ledger::trial_balance_at(tx, tx.now()));
  });
  EXPECT_EQ(text_of_balances(all.first), text_of_balances(all.second));
}

}  // namespace ledger_pending_test
}  // namespace bottega::test
