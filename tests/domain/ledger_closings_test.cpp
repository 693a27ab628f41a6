// The books are closed day by day: what they were at any instant stays the same, and an audit
// begins where they were closed.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace ledger_closings_test {

using namespace std::chrono_literals;

class Closings : public testing::Test {
 protected:
  // The database closes the books by the product's time too.
  void pass(std::chrono::seconds by) {
    world_.advance(by);
    world_.transact([&](Tx& tx) { ops::move_clock(tx, by); });
  }
  Instant now() {
    return world_.transact([](Tx& tx) { return tx.now(); });
  }
  std::optional<Instant> close() {
    return world_.transact([](Tx& tx) { return ledger::close_books(tx); });
  }
  int close_all() {
    int closed = 0;
    while (close()) ++closed;
    return closed;
  }
  std::string sql(const std::string& statements) {
    return execute(
        world_.urls.superuser,
        "SET search_path = bottega; SET session_replication_role = replica; " + statements);
  }
  // Of the shop, of a wallet and of everybody.
  Json books_at(Instant at) {
    return world_.transact([&](Tx& tx) {
      return Json{to_json(ledger::balances_at(tx, ledger::owner_of(shop_.merchant), at)),
                  to_json(ledger::balances_at(tx, ledger::owner_of(shop_.buyer.account), at)),
                  to_json(ledger::trial_balance_at(tx, at))};
    });
  }
  std::vector<std::string> audit() {
    return world_.transact([](Tx& tx) { return ledger::audit(tx); });
  }
  std::vector<std::string> audit_closed(std::int64_t turn) {
    return world_.transact([&](Tx& tx) { return ledger::audit_closed(tx, turn); });
  }
  // Three days with a sale and a top-up each, and a refund on the last.
  void sell_for_days() {
    for (int day = 0; day < 3; ++day) {
      const auto order = world_.sell(shop_, 5'000 + day);
      world_.top_up(shop_.buyer, 100);
      if (day == 2) world_.give_back(shop_, order, 1'000);
      if (day < 2) pass(24h);
    }
  }

  World world_;
  const Shop shop_ = world_.shop();
};

TEST_F(Closings, ChangeNothingOfWhatTheBooksWereAtAnyInstant) {
  std::vector<std::pair<Instant, Json>> seen;
  for (int day = 0; day < 4; ++day) {
    const auto order = world_.sell(shop_, 5'000 + day);
    if (day % 2 == 0) world_.top_up(shop_.buyer, 100);
    seen.emplace_back(now(), books_at(now()));
    pass(3h);
    world_.give_back(shop_, order, 1'000);
    seen.emplace_back(now(), books_at(now()));
    world_.run_jobs();
    pass(25h);
  }
  const Instant midnight(std::chrono::ceil<std::chrono::days>(seen[2].first));
  for (const auto& at : {midnight - 1us, midnight, midnight + 1us, now()})
    seen.emplace_back(at, books_at(at));
  ASSERT_GE(close_all(), 4);
  EXPECT_TRUE(audit().empty());
  EXPECT_TRUE(audit_closed(0).empty());
  for (const auto& [at, then] : seen) EXPECT_EQ(books_at(at), then) << text_of(at);
  const auto present = world_.transact([](Tx& tx) { return to_json(ledger::trial_balance(tx)); });
  EXPECT_EQ(books_at(now())[2], present);
}

TEST_F(Closings, ComeAnHourAfterTheEndOfADay) {
  EXPECT_FALSE(close()) << "nothing has moved";
  world_.sell(shop_, 5'000);
  const Instant end(std::chrono::floor<std::chrono::days>(now()) + std::chrono::days(1));
  EXPECT_FALSE(close()) << "the day is not over";
  pass(std::chrono::ceil<std::chrono::seconds>(end - now()) + 59min);
  EXPECT_FALSE(close()) << "something may still be under way";
  pass(2min);
  EXPECT_EQ(close(), end);
  EXPECT_FALSE(close());
  pass(72h);
  EXPECT_EQ(close(), end + 24h);
  EXPECT_EQ(close_all(), 2);
  EXPECT_EQ(sql("SELECT count(DISTINCT until) FROM ledger_snapshots"), "1")
      << "what has not moved is not written down again";
}

TEST_F(Closings, AreWhereAnAuditBegins) {
  sell_for_days();
  pass(50h);
  ASSERT_GE(close_all(), 3);
  world_.sell(shop_, 700);
  EXPECT_TRUE(audit().empty());
  sql("DELETE FROM ledger_transfers WHERE at < (SELECT min(until) FROM ledger_closings)");
  EXPECT_TRUE(audit().empty()) << "it was not read";
  std::vector<std::string> found;
  for (std::int64_t turn = 0; turn < 5; ++turn)
    for (auto& fault : audit_closed(turn)) found.push_back(std::move(fault));
  EXPECT_FALSE(found.empty()) << "but each closing is added up again in its turn";
}

TEST_F(Closings, DoNotHideABalanceThatIsWrong) {
  sell_for_days();
  pass(50h);
  ASSERT_GE(close_all(), 3);
  sql("UPDATE ledger_accounts SET debits = debits + 1, credits = credits + 1 WHERE kind = 'held'");
  EXPECT_EQ(audit().size(), 1u);
  sql("UPDATE ledger_accounts SET debits = debits - 1, credits = credits - 1 WHERE kind = 'held'");
  EXPECT_TRUE(audit().empty());
  sql("DELETE FROM ledger_accounts WHERE kind = 'wallet' OR owner_id = '" +
      uuid_text(ledger::kPlatform.uuid) + "'");
  EXPECT_EQ(audit().size(), 2u) << "gone without a trace but for the sum of all";
}

TEST_F(Closings, LetNothingBeWrittenIntoADayThatIsClosed) {
  sell_for_days();
  const auto behind = now();
  pass(50h);
  std::optional<Instant> closed;
  while (const auto until = close()) closed = until;
  ASSERT_TRUE(closed);
  const auto insert = [](Instant at) {
    return "INSERT INTO ledger_transfers (id, debit_kind, debit_owner, credit_kind, credit_owner, "
           "amount, currency, why, about, phase, at) SELECT gen_random_uuid(), debit_kind, "
           "debit_owner, credit_kind, credit_owner, 5, currency, why, gen_random_uuid(), phase, '" +
           text_of(at) + "' FROM ledger_transfers WHERE why = 'top_up' LIMIT 1";
  };
  const auto write = [&](Instant at) {
    execute(world_.urls.superuser, "SET search_path = bottega; " + insert(at));
  };
  EXPECT_ANY_THROW(write(behind));
  EXPECT_ANY_THROW(write(*closed - 1us));
  EXPECT_TRUE(audit().empty());
  EXPECT_TRUE(audit_closed(0).empty());
  write(*closed);
  EXPECT_TRUE(audit().empty());
  // By somebody who goes round that.
  sql(insert(behind));
  std::vector<std::string> found;
  for (std::int64_t turn = 0; turn < 5; ++turn)
    for (auto& fault : audit_closed(turn)) found.push_back(std::move(fault));
  EXPECT_FALSE(found.empty());
}

}  // namespace ledger_closings_test
}  // namespace bottega::test
