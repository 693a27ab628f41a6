// Every statement of the program against the migrated schema, and what a failed one means.
#include <gtest/gtest.h>

#include <set>

#include "support/world.hpp"

namespace bottega::test {
namespace storage_statements_test {

using namespace std::chrono_literals;

struct Thing {
  std::int64_t number = 0;
  std::int64_t missing = 0;
};
BOOST_DESCRIBE_STRUCT(Thing, (), (number, missing))

const Sql<void(std::int64_t, std::int64_t)> kInsert{"test.statements.insert", R"(
    INSERT INTO things (number, count) VALUES ($1, $2))"};
const Sql<std::int64_t(std::int64_t)> kCount{"test.statements.count", R"(
    SELECT count FROM things WHERE number = $1)"};
const Sql<std::int64_t(std::int64_t)> kLock{"test.statements.lock", R"(
    SELECT count FROM things WHERE number = $1 FOR UPDATE)"};
const Sql<std::int64_t(std::int64_t)> kDivide{"test.statements.divide", "SELECT 1 / $1::bigint"};
const Sql<std::string()> kSleep{"test.statements.sleep", "SELECT 'slept' FROM pg_sleep(20)"};
const Sql<Thing()> kIncomplete{"test.statements.incomplete", "SELECT 1::bigint AS number"};

DatabaseOptions options_of(const std::string& url) {
  DatabaseOptions options;
  options.url = url;
  options.threads = 1;
  return options;
}

std::string failure_of(const std::string& url, const std::string& statements) {
  try {
    execute(url, statements);
    return "";
  } catch (const std::exception& failure) {
    return failure.what();
  }
}

bool belongs_to(const SqlText& sql, std::string_view schema) {
  if (sql.name.starts_with("test.")) return false;
  return sql.name.starts_with("sandbox.") == (schema == "sandbox");
}

// PREPARE of each statement that belongs to the schema.
struct Prepared {
  std::string script;
  int count = 0;
};
Prepared prepare_all(std::string_view schema) {
  Prepared out;
  out.script = "SET search_path = " + std::string(schema) + ";";
  for (const auto* sql = SqlText::all; sql != nullptr; sql = sql->rest)
    if (belongs_to(*sql, schema))
      out.script += "PREPARE \"" + std::string(sql->name) + "\" AS " + std::string(sql->text) + ";";
  for (const auto* sql = SqlText::all; sql != nullptr; sql = sql->rest)
    out.count += belongs_to(*sql, schema) ? 1 : 0;
  return out;
}

// Asks for the plan of each, which also checks the role's rights to every table and column.
constexpr const char* kPlanAll = R"(
    DO $do$ DECLARE s record; BEGIN
      FOR s IN SELECT name, cardinality(parameter_types) AS n FROM pg_prepared_statements LOOP
        EXECUTE 'EXPLAIN EXECUTE ' || quote_ident(s.name) ||
                CASE WHEN s.n > 0 THEN '(' || rtrim(repeat('NULL,', s.n), ',') || ')' ELSE '' END;
      END LOOP; END $do$)";

class Statements : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    urls = std::make_unique<Urls>(Cluster::shared().fresh_database());
    execute(urls->owner,
            "CREATE TABLE bottega.things (number bigint PRIMARY KEY, count bigint NOT NULL CHECK "
            "(count >= 0)); GRANT SELECT, INSERT, UPDATE ON bottega.things TO bottega_app");
  }
  static void TearDownTestSuite() { urls.reset(); }

  static inline std::unique_ptr<Urls> urls;
  Clock clock;
};

TEST_F(Statements, EachIsPreparedAgainstTheSchemaItIsWrittenFor) {
  const auto product = prepare_all("bottega"), sandbox = prepare_all("sandbox");
  EXPECT_GT(product.count, 80);
  EXPECT_GT(sandbox.count, 10);
  EXPECT_EQ(failure_of(urls->app, product.script), "");
  EXPECT_EQ(failure_of(urls->sandbox, sandbox.script), "");
}

TEST_F(Statements, EachIsAllowedToTheRoleThatRunsIt) {
  EXPECT_EQ(failure_of(urls->app, prepare_all("bottega").script + kPlanAll), "");
  EXPECT_EQ(failure_of(urls->sandbox, prepare_all("sandbox").script + kPlanAll), "");
}

TEST_F(Statements, ARoleWithoutTheRightsIsRefusedByTheSameCheck) {
  const auto mixed = "SET search_path = bottega; PREPARE x AS DELETE FROM accounts;";
  EXPECT_NE(failure_of(urls->app, std::string(mixed) + kPlanAll).find("permission denied"),
            std::string::npos);
}

TEST_F(Statements, EachHasANameOfItsOwnThatSaysItsModule) {
  std::set<std::string_view> names;
  for (const auto* sql = SqlText::all; sql != nullptr; sql = sql->rest) {
    EXPECT_TRUE(names.insert(sql->name).second) << sql->name;
    EXPECT_NE(sql->name.find('.'), sql->name.npos) << sql->name;
  }
}

TEST_F(Statements, AUniqueViolationIsOurFaultAndTellsNoValues) {
  Database db(options_of(urls->app), clock);
  db.transact_blocking([](Tx& tx) { tx.run(kInsert, 1001, 7); });
  try {
    db.transact_blocking([](Tx& tx) { tx.run(kInsert, 1001, 8); });
    FAIL() << "the second row was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::internal);
    EXPECT_EQ(std::string(error.what()).find("1001"), std::string::npos);
    EXPECT_FALSE(error.retry_after());
  }
  EXPECT_EQ(db.transact_blocking([](Tx& tx) { return tx.one(kCount, 1001); }), 7);
  EXPECT_EQ(db.load().retries, 1u) << "somebody else might have been quicker";
}

TEST_F(Statements, AFailedStatementRollsItsTransactionBackAndSparesTheConnection) {
  Database db(options_of(urls->app), clock);
  EXPECT_EQ(code_of([&] {
              db.transact_blocking([](Tx& tx) {
                tx.run(kInsert, 1002, 1);
                tx.one(kDivide, 0);
              });
            }),
            Code::internal);
  EXPECT_FALSE(db.transact_blocking([](Tx& tx) { return tx.find(kCount, 1002); }));
  EXPECT_EQ(db.load().reconnects, 0u);
}

TEST_F(Statements, ACheckRefusesWhatTheProgramShouldNotHaveAsked) {
  Database db(options_of(urls->app), clock);
  EXPECT_EQ(code_of([&] { db.transact_blocking([](Tx& tx) { tx.run(kInsert, 1003, -1); }); }),
            Code::internal);
}

TEST_F(Statements, AStatementThatTakesTooLongIsCancelledAndTheDatabaseIsBusy) {
  auto options = options_of(urls->app);
  options.statement_timeout = 100ms;
  Database db(options, clock);
  const auto began = std::chrono::steady_clock::now();
  try {
    db.transact_blocking([](Tx& tx) { tx.one(kSleep); });
    FAIL() << "it slept";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::busy);
    EXPECT_EQ(error.retry_after(), 1s);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  EXPECT_EQ(db.transact_blocking([](Tx& tx) { return tx.one(kDivide, 1); }), 1);
}

TEST_F(Statements, ALockThatIsNotGotInTimeIsBusyAndNotRepeated) {
  auto options = options_of(urls->app);
  options.lock_timeout = 100ms;
  Database holder(options_of(urls->app), clock), db(options, clock);
  holder.transact_blocking([](Tx& tx) { tx.run(kInsert, 1004, 1); });
  int tries = 0;
  holder.transact_blocking([&](Tx& tx) {
    tx.one(kLock, 1004);
    EXPECT_EQ(code_of([&] {
                db.transact_blocking([&](Tx& other) {
                  ++tries;
                  other.one(kLock, 1004);
                });
              }),
              Code::busy);
  });
  EXPECT_EQ(tries, 1);
  EXPECT_EQ(db.transact_blocking([](Tx& tx) { return tx.one(kLock, 1004); }), 1);
}

TEST_F(Statements, AReadCannotWrite) {
  Database db(options_of(urls->app), clock);
  EXPECT_EQ(code_of([&] { run(db.read([](Tx& tx) { tx.run(kInsert, 1005, 1); })); }),
            Code::internal);
  const auto found = run(db.read([](Tx& tx) { return tx.find(kCount, 1005); }));
  EXPECT_FALSE(found);
}

TEST_F(Statements, AColumnThatIsNotReturnedIsAProgrammingErrorByName) {
  Database db(options_of(urls->app), clock);
  try {
    db.transact_blocking([](Tx& tx) { return tx.all(kIncomplete); });
    FAIL() << "it was read";
  } catch (const std::logic_error& failure) {
    EXPECT_NE(std::string(failure.what()).find("missing"), std::string::npos);
  }
}

TEST_F(Statements, OneThrowsNotFoundWhereThereIsNoRow) {
  Database db(options_of(urls->app), clock);
  EXPECT_EQ(code_of([&] { db.transact_blocking([](Tx& tx) { tx.one(kCount, 999'999); }); }),
            Code::not_found);
}

}  // namespace storage_statements_test
}  // namespace bottega::test
