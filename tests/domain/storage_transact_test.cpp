// The seam itself: commits, rollbacks, notices, lost connections, and addresses of the database.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace storage_transact_test {

using namespace std::chrono_literals;

const Sql<void(std::int64_t)> kInsert{"test.transact.insert", R"(
    INSERT INTO things (number) VALUES ($1))"};
const Sql<std::int64_t(std::int64_t)> kCount{"test.transact.count", R"(
    SELECT count(*) FROM things WHERE number = $1)"};
const Sql<std::int64_t()> kBackend{"test.transact.backend", "SELECT pg_backend_pid()::bigint"};
const Sql<std::string()> kZone{"test.transact.zone", "SHOW TimeZone"};
const Sql<std::int64_t()> kTokens{"test.transact.tokens", "SELECT count(*) FROM commit_tokens"};

class Transact : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    urls = std::make_unique<Urls>(Cluster::shared().fresh_database());
    execute(urls->owner,
            "CREATE TABLE bottega.things (number bigint NOT NULL);"
            "GRANT SELECT, INSERT ON bottega.things TO bottega_app");
  }
  static void TearDownTestSuite() { urls.reset(); }

  Database::Sink sink() {
    return [this](std::vector<Notice> news) {
      for (auto& notice : news) told.push_back(std::move(notice.text));
    };
  }
  static DatabaseOptions options() {
    DatabaseOptions options;
    options.url = urls->app;
    options.threads = 1;
    return options;
  }
  static std::int64_t count(Database& db, std::int64_t number) {
    return db.transact_blocking([&](Tx& tx) { return tx.one(kCount, number); });
  }
  // Ends the server process as an operator or a failover would.
  static void terminate(std::int64_t backend) {
    execute(urls->superuser, "SELECT pg_terminate_backend(" + std::to_string(backend) + ", 5000)");
  }

  static inline std::unique_ptr<Urls> urls;
  Clock clock;
  std::vector<std::string> told;
};

TEST_F(Transact, CommitsWhatReturnsAndTellsItAfterwards) {
  Database db(options(), clock, sink());
  const auto answer = db.transact_blocking([&](Tx& tx) {
    tx.run(kInsert, 1);
    tx.announce({{"topic"}, "stream", 1, "first"});
    tx.announce({{"topic"}, "stream", 2, "second"});
    EXPECT_TRUE(told.empty()) << "told before the commit";
    return std::string("answer");
  });
  EXPECT_EQ(answer, "answer");
  EXPECT_EQ(count(db, 1), 1);
  EXPECT_EQ(told, (std::vector<std::string>{"first", "second"}));
}

TEST_F(Transact, RollsBackWhatThrowsAndHandsTheErrorOnUnchanged) {
  Database db(options(), clock, sink());
  try {
    db.transact_blocking([](Tx& tx) {
      tx.run(kInsert, 2);
      tx.announce({{"topic"}, "stream", 1, "never"});
      throw Error(Code::conflict, "as it was").retry_after(7s).reason("why");
    });
    FAIL() << "the error was swallowed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::conflict);
    EXPECT_STREQ(error.what(), "as it was");
    EXPECT_EQ(error.retry_after(), 7s);
    EXPECT_EQ(error.reason(), "why");
  }
  EXPECT_EQ(count(db, 2), 0);
  EXPECT_TRUE(told.empty());
}

TEST_F(Transact, RollsBackForAnyOtherExceptionToo) {
  Database db(options(), clock, sink());
  EXPECT_THROW(db.transact_blocking([](Tx& tx) {
    tx.run(kInsert, 3);
    throw std::runtime_error("a bug");
  }),
               std::runtime_error);
  EXPECT_EQ(count(db, 3), 0);
}

TEST_F(Transact, ARollbackLeavesNoCommitToken) {
  Database db(options(), clock);
  const auto tokens = [&] { return db.transact_blocking([](Tx& tx) { return tx.one(kTokens); }); };
  const auto before = tokens();
  EXPECT_THROW(db.transact_blocking([](Tx&) { throw Error(Code::conflict, "no"); }), Error);
  EXPECT_EQ(tokens(), before + 1) << "only the first count has committed";
}

TEST_F(Transact, HasOneTimeThatMovesWithTheClock) {
  Database db(options(), clock);
  const auto times = [&] {
    return db.transact_blocking([](Tx& tx) { return std::pair(tx.now(), tx.now()); });
  };
  const auto before = times();
  EXPECT_EQ(before.first, before.second);
  clock.set_offset(48h);
  EXPECT_GE(times().first - before.first, 48h);
  EXPECT_LT(times().first - before.first, 49h);
}

TEST_F(Transact, SpeaksUtcWhateverTheServersZoneIs) {
  execute(urls->superuser, "ALTER ROLE bottega_app SET TimeZone = 'Asia/Kolkata'");
  Database db(options(), clock);
  EXPECT_EQ(db.transact_blocking([](Tx& tx) { return tx.one(kZone); }), "UTC");
  execute(urls->superuser, "ALTER ROLE bottega_app RESET TimeZone");
}

TEST_F(Transact, ComesBackAfterItsConnectionWasEndedBetweenTransactions) {
  Database db(options(), clock);
  const auto backend = db.transact_blocking([](Tx& tx) { return tx.one(kBackend); });
  terminate(backend);
  const auto after = db.transact_blocking([](Tx& tx) {
    tx.run(kInsert, 4);
    return tx.one(kBackend);
  });
  EXPECT_NE(after, backend);
  EXPECT_EQ(db.load().reconnects, 1u);
  EXPECT_EQ(count(db, 4), 1);
}

TEST_F(Transact, IsRunAgainFromTheTopWhereItsConnectionIsEndedInTheMiddle) {
  Database db(options(), clock, sink());
  int tries = 0;
  db.transact_blocking([&](Tx& tx) {
    tx.run(kInsert, 5);
    tx.announce({{"topic"}, "stream", 1, "once"});
    if (++tries == 1) terminate(tx.one(kBackend));
    tx.run(kInsert, 6);
  });
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(count(db, 5), 1);
  EXPECT_EQ(count(db, 6), 1);
  EXPECT_EQ(told, std::vector<std::string>{"once"});
}

TEST_F(Transact, GivesUpWhereTheConnectionIsEndedEachTime) {
  Database db(options(), clock);
  int tries = 0;
  try {
    db.transact_blocking([&](Tx& tx) {
      ++tries;
      terminate(tx.one(kBackend));
      tx.run(kInsert, 7);
    });
    FAIL() << "it cannot have worked";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::busy);
    EXPECT_TRUE(error.retry_after());
  }
  EXPECT_EQ(tries, 3);
  EXPECT_EQ(count(db, 7), 0);
}

TEST_F(Transact, AReadComesBackAsWell) {
  Database db(options(), clock);
  const auto backend = run(db.read([](Tx& tx) { return tx.one(kBackend); }));
  terminate(backend);
  EXPECT_NE(run(db.read([](Tx& tx) { return tx.one(kBackend); })), backend);
}

TEST_F(Transact, ADatabaseThatIsNotThereIsBusyAndSaysSo) {
  auto lost = options();
  lost.url = "host=/nowhere/at/all port=5432 user=bottega_app dbname=none";
  Database db(lost, clock);
  EXPECT_FALSE(run(db.reachable()));
  try {
    db.transact_blocking([](Tx& tx) { tx.one(kBackend); });
    FAIL() << "there is nothing there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::busy);
  }
  Database present(options(), clock);
  EXPECT_TRUE(run(present.reachable()));
}

TEST_F(Transact, TakesTheAddressAsAUriToo) {
  const auto value = [&](const std::string& key) {
    const auto start = urls->app.find(key + "=") + key.size() + 1;
    auto word = urls->app.substr(start, urls->app.find(' ', start) - start);
    std::erase(word, '\'');
    return word;
  };
  auto host = value("host");
  const auto path = host;
  for (std::size_t at = 0; (at = host.find('/', at)) != host.npos;) host.replace(at, 1, "%2F");
  for (const auto& uri : {"postgresql://bottega_app@" + host + ":5432/" + value("dbname"),
                          "postgres://bottega_app@/" + value("dbname") + "?host=" + path}) {
    auto by_uri = options();
    by_uri.url = uri;
    Database db(by_uri, clock);
    EXPECT_GT(db.transact_blocking([](Tx& tx) { return tx.one(kBackend); }), 0) << uri;
  }
}

}  // namespace storage_transact_test
}  // namespace bottega::test
