// A commit whose answer is lost: a proxy between the client library and PostgreSQL cuts the
// connection at the worst moments, and the effect is there exactly once all the same.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <future>

#include "support/pg_proxy.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace storage_commit_test {

using namespace std::chrono_literals;

const Sql<void(std::int64_t)> kInsert{"test.commit.insert", R"(
    INSERT INTO deeds (number) VALUES ($1))"};
const Sql<std::int64_t(std::int64_t)> kCount{"test.commit.count", R"(
    SELECT count(*) FROM deeds WHERE number = $1)"};

class LostCommitConcurrency : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    urls = std::make_unique<Urls>(Cluster::shared().fresh_database());
    execute(urls->owner,
            "CREATE TABLE bottega.deeds (number bigint NOT NULL);"
            "GRANT SELECT, INSERT ON bottega.deeds TO bottega_app");
  }
  static void TearDownTestSuite() { urls.reset(); }

  DatabaseOptions options() {
    DatabaseOptions options;
    options.url = proxy.url();
    options.threads = 1;
    return options;
  }
  Database::Sink sink() {
    return [this](std::vector<Notice> news) { told += static_cast<int>(news.size()); };
  }
  // Does one deed with a cut at its first commit; answers how often it was tried.
  int deed(Database& db, std::int64_t number, Cut cut) {
    run(db.reachable());
    proxy.cut_next(cut);
    int tries = 0;
    const auto answer = db.transact_blocking([&](Tx& tx) {
      tx.run(kInsert, number);
      tx.announce({{"topic"}, "stream", 0, "done"});
      return ++tries;
    });
    EXPECT_TRUE(proxy.has_cut());
    EXPECT_EQ(answer, tries) << "the answer is not the one of the last try";
    return tries;
  }
  std::int64_t count(std::int64_t number) {
    DatabaseOptions direct;
    direct.url = urls->app;
    direct.threads = 1;
    Database db(direct, clock);
    return db.transact_blocking([&](Tx& tx) { return tx.one(kCount, number); });
  }

  static inline std::unique_ptr<Urls> urls;
  Clock clock;
  PgProxy proxy{urls->app};
  std::atomic<int> told{0};
};

TEST_F(LostCommitConcurrency, ThatWasDoneIsLookedUpAndNotRepeated) {
  Database db(options(), clock, sink());
  EXPECT_EQ(deed(db, 1, Cut::after), 1);
  EXPECT_EQ(count(1), 1);
  EXPECT_EQ(db.load().in_doubt, 1u);
  EXPECT_EQ(db.load().retries, 0u);
  EXPECT_EQ(told, 1);
}

TEST_F(LostCommitConcurrency, ThatWasNeverSentIsLookedUpAndDoneAgain) {
  Database db(options(), clock, sink());
  EXPECT_EQ(deed(db, 2, Cut::before), 2);
  EXPECT_EQ(count(2), 1);
  EXPECT_EQ(db.load().in_doubt, 1u);
  EXPECT_EQ(told, 1) << "what was not committed was told";
}

TEST_F(LostCommitConcurrency, ThatNobodyKnowsAboutIsDoneOnceEitherWay) {
  Database db(options(), clock, sink());
  for (std::int64_t number = 100; number < 110; ++number) {
    EXPECT_LE(deed(db, number, Cut::at_once), 2);
    EXPECT_EQ(count(number), 1) << number;
  }
  EXPECT_EQ(db.load().in_doubt, 10u);
  EXPECT_EQ(told, 10);
}

TEST_F(LostCommitConcurrency, ThatArrivesAfterTheLookUpDoesNotCommitASecondTime) {
  Database db(options(), clock, sink());
  EXPECT_LE(deed(db, 3, Cut::late), 2);
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!proxy.is_delivered() && std::chrono::steady_clock::now() < deadline) poll(nullptr, 0, 1);
  ASSERT_TRUE(proxy.is_delivered());
  EXPECT_EQ(count(3), 1);
  EXPECT_EQ(told, 1);
}

TEST_F(LostCommitConcurrency, ThatIsStuckOnTheWayIsGivenUpAndDoneAgain) {
  Database db(options(), clock, sink());
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(deed(db, 5, Cut::stuck), 2);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 15s) << "it waited for the server to notice";
  EXPECT_EQ(count(5), 1);
  EXPECT_EQ(told, 1);
}

TEST_F(LostCommitConcurrency, LeavesTheDatabaseAsUsableAsBefore) {
  Database db(options(), clock, sink());
  for (const auto cut : {Cut::after, Cut::before, Cut::never, Cut::after}) deed(db, 4, cut);
  EXPECT_EQ(count(4), 4);
  EXPECT_EQ(db.load().in_doubt, 3u);
  EXPECT_EQ(told, 4);
}

// ---- a server that hangs ------------------------------------------------------------------------

const Sql<std::int64_t()> kBackend{"test.commit.backend", "SELECT pg_backend_pid()::bigint"};

class Watchdog : public testing::Test {
 protected:
  DatabaseOptions options(std::chrono::milliseconds statement_timeout) const {
    DatabaseOptions options;
    options.url = urls.app;
    options.threads = 1;
    options.statement_timeout = statement_timeout;
    return options;
  }
  const Urls urls = Cluster::shared().fresh_database();
  Clock clock;
};

TEST_F(Watchdog, CutsAConnectionWhoseServerNoLongerAnswers) {
  Database db(options(300ms), clock);
  const auto backend = [&] {
    return db.transact_blocking([](Tx& tx) { return tx.one(kBackend); });
  };
  const auto stuck = static_cast<pid_t>(backend());
  ASSERT_EQ(kill(stuck, SIGSTOP), 0);
  EXPECT_NE(backend(), stuck) << "another connection was opened";
  EXPECT_GE(db.load().reconnects, 1u);
  kill(stuck, SIGCONT);
}

TEST_F(Watchdog, AStopDoesNotWaitForIt) {
  auto db = std::make_unique<Database>(options(10min), clock);
  const auto stuck =
      static_cast<pid_t>(db->transact_blocking([](Tx& tx) { return tx.one(kBackend); }));
  ASSERT_EQ(kill(stuck, SIGSTOP), 0);
  std::promise<std::exception_ptr> ended;
  db->post(
      Mode::read, [](Tx& tx) { tx.one(kBackend); },
      [&](std::exception_ptr failure) { ended.set_value(failure); });
  db->stop(std::chrono::steady_clock::now());
  auto answer = ended.get_future();
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  kill(stuck, SIGCONT);
}

}  // namespace storage_commit_test
}  // namespace bottega::test
