// What the roles may do in the migrated database: the server can write history and not rewrite it,
// nothing is charged or sent twice, and the sandbox processor's books are its own.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace migrate_roles_test {

std::string refusal_of(const std::string& url, const std::string& statements) {
  try {
    execute(url, statements);
    return "";
  } catch (const std::exception& failure) {
    return failure.what();
  }
}

struct Forbidden {
  const char* name;
  const char* role;
  const char* sql;
  const char* words = "permission denied";
};

class Roles : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    world = std::make_unique<World>();
    const auto shop = world->shop();
    world->sell(shop);
    world->top_up(shop.buyer, 700);
    world->transact([](Tx& tx) { ops::move_clock(tx, std::chrono::hours(50)); });
    world->transact([](Tx& tx) { ledger::close_books(tx); });
    world->transact([&](Tx& tx) {
      ops::record(tx, shop.owner, {"test.act", "subject", std::nullopt, Json::object(), "req_1"});
    });
  }
  static void TearDownTestSuite() { world.reset(); }

  static const std::string& url_of(const std::string& role) {
    if (role == "bottega_app") return world->urls.app;
    if (role == "bottega_owner") return world->urls.owner;
    return role == "bottega_sandbox" ? world->urls.sandbox : world->urls.superuser;
  }
  static std::string refused(const std::string& sql) { return refusal_of(world->urls.app, sql); }
  static std::string count(const std::string& table) {
    return execute(world->urls.superuser, "SELECT count(*) FROM bottega." + table);
  }
  static inline std::unique_ptr<World> world;
};

class Rights : public Roles, public testing::WithParamInterface<Forbidden> {};

TEST_P(Rights, AreRefusedByTheDatabaseItself) {
  const auto transfers = count("ledger_transfers"), acts = count("audit_log");
  ASSERT_NE(transfers, "0");
  ASSERT_NE(acts, "0");
  const auto words = refusal_of(url_of(GetParam().role), GetParam().sql);
  EXPECT_NE(words.find(GetParam().words), std::string::npos) << words;
  EXPECT_EQ(count("ledger_transfers"), transfers);
  EXPECT_EQ(count("audit_log"), acts);
}

constexpr const char* kApp = "bottega_app";
constexpr const char* kOwner = "bottega_owner";
constexpr const char* kSandbox = "bottega_sandbox";
constexpr const char* kSuperuser = "superuser";

INSTANTIATE_TEST_SUITE_P(
    OfTheApp, Rights,
    testing::Values(
        Forbidden{"UpdateATransfer", kApp, "UPDATE bottega.ledger_transfers SET amount = 1"},
        Forbidden{"DeleteATransfer", kApp, "DELETE FROM bottega.ledger_transfers"},
        Forbidden{"TruncateTheTransfers", kApp, "TRUNCATE bottega.ledger_transfers"},
        Forbidden{"InsertABalance", kApp,
                  "INSERT INTO bottega.ledger_accounts (kind, owner_id, currency) VALUES "
                  "('held', gen_random_uuid(), 'USD')"},
        Forbidden{"UpdateABalance", kApp, "UPDATE bottega.ledger_accounts SET credits = 0"},
        Forbidden{"DeleteABalance", kApp, "DELETE FROM bottega.ledger_accounts"},
        Forbidden{"CloseTheBooksByHand", kApp,
                  "INSERT INTO bottega.ledger_closings (until) VALUES (now())"},
        Forbidden{"InsertASnapshot", kApp,
                  "INSERT INTO bottega.ledger_snapshots (owner_id, kind, currency, until, debits, "
                  "credits, debits_pending, credits_pending) VALUES (gen_random_uuid(), 'held', "
                  "'USD', now(), 0, 0, 0, 0)"},
        Forbidden{"UpdateASnapshot", kApp, "UPDATE bottega.ledger_snapshots SET credits = 0"},
        Forbidden{"DeleteASnapshot", kApp, "DELETE FROM bottega.ledger_snapshots"},
        Forbidden{"UpdateTheAuditLog", kApp, "UPDATE bottega.audit_log SET actor = 'x'"},
        Forbidden{"DeleteFromTheAuditLog", kApp, "DELETE FROM bottega.audit_log"},
        Forbidden{"TruncateTheAuditLog", kApp, "TRUNCATE bottega.audit_log"},
        Forbidden{"UpdateAFeePlan", kApp, "UPDATE bottega.fee_plans SET fixed = 0"},
        Forbidden{"DeleteAFeePlan", kApp, "DELETE FROM bottega.fee_plans"},
        Forbidden{"DeleteAnEntry", kApp, "DELETE FROM bottega.entries"},
        Forbidden{"MoveAnEntry", kApp, "UPDATE bottega.entries SET seq = seq + 1"},
        Forbidden{"BackdateAnEntry", kApp, "UPDATE bottega.entries SET at = now()"},
        Forbidden{"SpeakForAnother", kApp, "UPDATE bottega.entries SET author = 'buyer'"},
        Forbidden{"DeleteAnAccount", kApp, "DELETE FROM bottega.accounts"},
        Forbidden{"CreateATable", kApp, "CREATE TABLE bottega.mine (n bigint)"},
        Forbidden{"DropATable", kApp, "DROP TABLE bottega.jobs", "must be owner"},
        Forbidden{"DisableATrigger", kApp,
                  "ALTER TABLE bottega.ledger_transfers DISABLE TRIGGER append_only",
                  "must be owner"},
        Forbidden{"TurnTriggersOff", kApp, "SET session_replication_role = replica"},
        Forbidden{"ForgeAMigration", kApp, "DELETE FROM bottega.schema_migrations"},
        Forbidden{"CallTheLedgersTrigger", kApp, "SELECT bottega.ledger_post()"},
        Forbidden{"ReadTheSandboxsBooks", kApp, "SELECT * FROM sandbox.movements"}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    OfTheSandbox, Rights,
    testing::Values(Forbidden{"ReadTheProductsAccounts", kSandbox,
                              "SELECT * FROM bottega.accounts"},
                    Forbidden{"ReadTheLedger", kSandbox, "SELECT * FROM bottega.ledger_transfers"},
                    Forbidden{"DeleteAMovement", kSandbox, "DELETE FROM sandbox.movements"},
                    Forbidden{"CreateATable", kSandbox, "CREATE TABLE sandbox.mine (n bigint)"}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    OfTheOwner, Rights,
    testing::Values(
        Forbidden{"UpdateATransfer", kOwner, "UPDATE bottega.ledger_transfers SET amount = 1",
                  "append-only"},
        Forbidden{"DeleteATransfer", kOwner, "DELETE FROM bottega.ledger_transfers", "append-only"},
        Forbidden{"TruncateTheTransfers", kOwner, "TRUNCATE bottega.ledger_transfers",
                  "append-only"},
        Forbidden{"ShrinkABalance", kOwner,
                  "UPDATE bottega.ledger_accounts SET debits = greatest(debits - 1, 0), "
                  "credits = greatest(credits - 1, 0)",
                  "only grows"},
        Forbidden{"MoveABalance", kOwner,
                  "UPDATE bottega.ledger_accounts SET owner_id = gen_random_uuid()", "only grows"},
        Forbidden{"DeleteABalance", kOwner, "DELETE FROM bottega.ledger_accounts", "append-only"},
        Forbidden{"TruncateTheBalances", kOwner, "TRUNCATE bottega.ledger_accounts", "append-only"},
        Forbidden{"UpdateASnapshot", kOwner, "UPDATE bottega.ledger_snapshots SET credits = 0",
                  "append-only"},
        Forbidden{"DeleteAClosing", kOwner, "DELETE FROM bottega.ledger_closings", "append-only"},
        Forbidden{"UpdateAFeePlan", kOwner, "UPDATE bottega.fee_plans SET fixed = 0",
                  "append-only"},
        Forbidden{"DeleteAFeePlan", kOwner, "DELETE FROM bottega.fee_plans", "append-only"},
        Forbidden{"TruncateTheFeePlans", kOwner, "TRUNCATE bottega.fee_plans", "append-only"},
        Forbidden{"UpdateTheAuditLog", kOwner, "UPDATE bottega.audit_log SET actor = 'x'",
                  "append-only"},
        Forbidden{"DeleteFromTheAuditLog", kOwner, "DELETE FROM bottega.audit_log", "append-only"},
        Forbidden{"TruncateTheAuditLog", kOwner, "TRUNCATE bottega.audit_log", "append-only"}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(OfASuperuserByMistake, Rights,
                         testing::Values(Forbidden{"UpdateATransfer", kSuperuser,
                                                   "UPDATE bottega.ledger_transfers SET amount = 1",
                                                   "append-only"},
                                         Forbidden{"DeleteFromTheAuditLog", kSuperuser,
                                                   "DELETE FROM bottega.audit_log", "append-only"}),
                         [](const auto& row) { return std::string(row.param.name); });

// What became of money is written down as it goes on; what it is was said once.
TEST_F(Roles, TheServerMayNotChangeWhatMoneyItIsWhoseOrWhere) {
  const std::map<std::string, std::vector<std::string>> columns = {
      {"payments", {"merchant_id", "id", "buyer_id", "amount", "currency", "processor"}},
      {"attempts", {"merchant_id", "id", "subject_id", "amount", "currency", "processor"}},
      {"refunds", {"merchant_id", "id", "payment_id", "order_id", "amount", "currency"}},
      {"payout_batches", {"merchant_id", "id", "amount", "currency"}},
      {"top_ups", {"id", "account_id", "transfer_id", "amount", "currency", "processor"}},
      {"withdrawals", {"id", "account_id", "payment_method_id", "amount", "currency"}},
      {"transfers", {"id", "sender_id", "recipient_id", "amount", "currency"}}};
  for (const auto& [table, all] : columns)
    for (const auto& column : all) {
      const auto set = "UPDATE bottega." + table + " SET " + column + " = " + column;
      EXPECT_NE(refused(set).find("permission denied"), std::string::npos) << set;
    }
  for (const auto& [table, all] : columns) {
    const auto set = "UPDATE bottega." + table + " SET state = state";
    EXPECT_EQ(refused(set), "") << set;
  }
}

TEST_F(Roles, OfOneThingOneAttemptLives) {
  const auto again = [](const std::string& state) {
    return "INSERT INTO bottega.attempts (merchant_id, id, operation, subject_id, processor, "
           "account, amount, currency, state) SELECT merchant_id, gen_random_uuid(), operation, "
           "subject_id, processor, account, amount, currency, '" +
           state + "' FROM bottega.attempts WHERE state = 'succeeded'";
  };
  for (const auto* state : {"sent", "waiting", "unknown", "succeeded"})
    EXPECT_NE(refused(again(state)).find("attempts_one_alive"), std::string::npos) << state;
  EXPECT_EQ(refused(again("failed")), "");
}

TEST_F(Roles, OneChargePaysForOneThing) {
  const auto words = refused(
      "INSERT INTO bottega.top_ups (id, account_id, amount, currency, state, processor, reference, "
      "created_at, updated_at) SELECT gen_random_uuid(), account_id, amount, currency, state, "
      "processor, reference, created_at, updated_at FROM bottega.top_ups");
  EXPECT_NE(words.find("top_ups_reference"), std::string::npos) << words;
  world->advance(std::chrono::hours(72));  // into a day that is not closed
  const auto shop = world->shop();
  world->sell(shop);
  const auto other = refused(
      "UPDATE bottega.payments SET reference = (SELECT min(reference) FROM bottega.payments)");
  EXPECT_NE(other.find("payments_reference"), std::string::npos) << other;
}

TEST_F(Roles, NobodyElseMayRunTheLedgersTriggerFunction) {
  EXPECT_EQ(execute(world->urls.superuser,
                    "SELECT has_function_privilege('bottega_app', 'bottega.ledger_post()', "
                    "'EXECUTE')"),
            "f");
  EXPECT_EQ(execute(world->urls.superuser,
                    "SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
                    "WHERE n.nspname IN ('bottega', 'sandbox') AND p.prosecdef AND "
                    "NOT EXISTS (SELECT 1 FROM unnest(p.proconfig) c WHERE c LIKE "
                    "'search_path=%pg_temp')"),
            "0")
      << "a SECURITY DEFINER function without a fixed search path";
}

TEST_F(Roles, EveryTableThatAMerchantOwnsIsKeyedByTheMerchantFirst) {
  EXPECT_EQ(execute(world->urls.superuser, R"(
      SELECT coalesce(string_agg(c.relname, ' '), '') FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'bottega'
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'merchant_id'
      JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
      WHERE c.relkind = 'r' AND c.relname <> 'directory' AND k.conkey[1] <> a.attnum)"),
            "");
}

}  // namespace migrate_roles_test
}  // namespace bottega::test
