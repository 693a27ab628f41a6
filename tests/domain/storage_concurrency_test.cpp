// Transactions that meet each other: retries after real conflicts, the bounded queue, and the stop.
#include <gtest/gtest.h>

#include <barrier>
#include <future>

#include "support/world.hpp"

namespace bottega::test {
namespace storage_concurrency_test {

using namespace std::chrono_literals;

const Sql<void()> kSerializable{"test.meet.serializable",
                                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"};
const Sql<std::int64_t(std::int64_t)> kRead{"test.meet.read", R"(
    SELECT count FROM counters WHERE number = $1)"};
const Sql<void(std::int64_t)> kAdd{"test.meet.add", R"(
    UPDATE counters SET count = count + 1 WHERE number = $1)"};
const Sql<void(std::int64_t, std::int64_t)> kSet{"test.meet.set", R"(
    UPDATE counters SET count = $2 WHERE number = $1)"};

class StorageConcurrency : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    urls = std::make_unique<Urls>(Cluster::shared().fresh_database());
    execute(urls->owner,
            "CREATE TABLE bottega.counters (number bigint PRIMARY KEY, count bigint NOT NULL);"
            "INSERT INTO bottega.counters SELECT n, 0 FROM generate_series(1, 9) AS n;"
            "GRANT SELECT, UPDATE ON bottega.counters TO bottega_app");
    execute(urls->superuser,
            "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || "
            "' SET deadlock_timeout = ''20ms'''; END $$");
  }
  static void TearDownTestSuite() { urls.reset(); }

  static DatabaseOptions options(unsigned threads, unsigned waiting_max = 64) {
    DatabaseOptions options;
    options.url = urls->app;
    options.threads = threads;
    options.waiting_max = waiting_max;
    return options;
  }
  static std::int64_t read(Database& db, std::int64_t number) {
    return db.transact_blocking([&](Tx& tx) { return tx.one(kRead, number); });
  }

  static inline std::unique_ptr<Urls> urls;
  Clock clock;
};

// A database of one thread, which is kept at work until it is let go.
struct Occupied {
  Occupied(DatabaseOptions options, const Clock& clock)
      : db(std::move(options), clock), gate(open.get_future().share()) {
    std::promise<void> begun;
    worker = std::async(std::launch::async, [this, &begun] {
      db.transact_blocking([&](Tx&) {
        begun.set_value();
        gate.wait();
      });
    });
    begun.get_future().wait();
  }
  void let_go() { open.set_value(); }

  Database db;
  std::promise<void> open;
  std::shared_future<void> gate;
  std::future<void> worker;
};

TEST_F(StorageConcurrency, ASerializationFailureIsRunAgainFromTheTop) {
  Database db(options(1), clock), other(options(1), clock);
  int tries = 0;
  db.transact_blocking([&](Tx& tx) {
    tx.run(kSerializable);
    const auto seen = tx.one(kRead, 1);
    if (++tries == 1) other.transact_blocking([](Tx& rival) { rival.run(kAdd, 1); });
    tx.run(kSet, 1, seen + 10);
  });
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(read(db, 1), 11) << "neither change is lost";
  EXPECT_EQ(db.load().retries, 1u);
}

TEST_F(StorageConcurrency, AfterThreeSerializationFailuresItIsBusy) {
  Database db(options(1), clock), other(options(1), clock);
  int tries = 0;
  try {
    db.transact_blocking([&](Tx& tx) {
      ++tries;
      tx.run(kSerializable);
      tx.one(kRead, 2);
      other.transact_blocking([](Tx& rival) { rival.run(kAdd, 2); });
      tx.run(kSet, 2, 1000);
    });
    FAIL() << "it cannot have committed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::busy);
    EXPECT_EQ(error.retry_after(), 1s);
  }
  EXPECT_EQ(tries, 3);
  EXPECT_EQ(read(db, 2), 3) << "only the rival's changes are there";
}

TEST_F(StorageConcurrency, ADeadlockIsBrokenAndBothAreDone) {
  Database db(options(2), clock);
  std::barrier both(2);
  const auto cross = [&](std::int64_t first, std::int64_t second) {
    return [&, first, second, tries = 0](Tx& tx) mutable {
      tx.run(kAdd, first);
      if (++tries == 1) both.arrive_and_wait();
      tx.run(kAdd, second);
    };
  };
  auto one = std::async(std::launch::async, [&] { db.transact_blocking(cross(3, 4)); });
  auto two = std::async(std::launch::async, [&] { db.transact_blocking(cross(4, 3)); });
  one.get();
  two.get();
  EXPECT_EQ(read(db, 3), 2);
  EXPECT_EQ(read(db, 4), 2);
  EXPECT_GE(db.load().retries, 1u);
}

TEST_F(StorageConcurrency, ManyIncrementsOfOneRowLoseNone) {
  Database db(options(4), clock);
  std::vector<std::future<void>> writers;
  for (int writer = 0; writer < 8; ++writer)
    writers.push_back(std::async(std::launch::async, [&] {
      for (int i = 0; i < 10; ++i) db.transact_blocking([](Tx& tx) { tx.run(kAdd, 5); });
    }));
  for (auto& writer : writers) writer.get();
  EXPECT_EQ(read(db, 5), 80);
}

TEST_F(StorageConcurrency, OnlySoManyMayWaitAndTheNextIsRefusedAtOnce) {
  Occupied busy(options(1, 2), clock);
  Context io;
  auto first =
      asio::co_spawn(*io, busy.db.transact([](Tx& tx) { tx.run(kAdd, 6); }), asio::use_future);
  auto second =
      asio::co_spawn(*io, busy.db.transact([](Tx& tx) { tx.run(kAdd, 6); }), asio::use_future);
  io->poll();
  EXPECT_EQ(busy.db.load().waiting, 2u);
  EXPECT_EQ(busy.db.load().running, 1u);
  bool ran = false;
  try {
    run(busy.db.transact([&](Tx&) { ran = true; }));
    ADD_FAILURE() << "there was no room for it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::busy);
    EXPECT_EQ(error.retry_after(), 1s);
  }
  busy.let_go();
  busy.worker.get();
  io->restart();
  io->run();
  first.get();
  second.get();
  EXPECT_FALSE(ran);
  EXPECT_EQ(read(busy.db, 6), 2) << "who waited was served";
}

TEST_F(StorageConcurrency, AStopFinishesWhatWaitsAndRefusesWhatComes) {
  Occupied busy(options(1), clock);
  Context io;
  auto waiting =
      asio::co_spawn(*io, busy.db.transact([](Tx& tx) { tx.run(kAdd, 7); }), asio::use_future);
  io->poll();
  ASSERT_EQ(busy.db.load().waiting, 1u);
  busy.let_go();
  busy.db.stop();
  busy.worker.get();
  io->restart();
  io->run();
  waiting.get();
  Database other(options(1), clock);
  EXPECT_EQ(read(other, 7), 1);
  try {
    busy.db.transact_blocking([](Tx& tx) { tx.run(kAdd, 7); });
    ADD_FAILURE() << "it took new work";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::stopping);
  }
  EXPECT_THROW(run(busy.db.read([](Tx& tx) { return tx.one(kRead, 7); })), Error);
  EXPECT_EQ(read(other, 7), 1);
}

TEST_F(StorageConcurrency, EachThreadIsOneConnection) {
  Database db(options(3), clock);
  std::barrier all(3);
  std::vector<std::future<std::int64_t>> workers;
  static const Sql<std::int64_t()> kBackend{"test.meet.backend", "SELECT pg_backend_pid()::bigint"};
  for (int i = 0; i < 3; ++i)
    workers.push_back(std::async(std::launch::async, [&] {
      return db.transact_blocking([&](Tx& tx) {
        const auto backend = tx.one(kBackend);
        all.arrive_and_wait();
        return backend;
      });
    }));
  std::vector<std::int64_t> backends;
  for (auto& worker : workers) backends.push_back(worker.get());
  std::ranges::sort(backends);
  EXPECT_EQ(std::ranges::adjacent_find(backends), backends.end());
}

}  // namespace storage_concurrency_test
}  // namespace bottega::test
