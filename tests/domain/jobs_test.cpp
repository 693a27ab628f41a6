// Jobs: due work is done by one runner at a time, tried again later and later, and given up loudly.
#include "bottega/jobs/job.hpp"

#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <latch>
#include <map>
#include <mutex>

#include "support/world.hpp"

namespace bottega::test {
namespace jobs_test {

using namespace std::chrono_literals;
using jobs::Job, jobs::Kind, jobs::Lane, jobs::Runner;

const Sql<Instant(std::string)> kRunAt{"test.jobs.run_at", R"(
    SELECT run_at FROM jobs WHERE about = $1)"};
const Sql<std::string(std::string)> kError{"test.jobs.error", R"(
    SELECT last_error FROM jobs WHERE about = $1)"};
const Sql<std::int64_t(std::string)> kCount{"test.jobs.count", R"(
    SELECT count(*) FROM jobs WHERE about = $1)"};
const Sql<void(std::string)> kEndLease{"test.jobs.end_lease", R"(
    UPDATE jobs SET locked_until = clock_timestamp() - interval '1 second' WHERE about = $1)"};

class Jobs : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }
  void SetUp() override { execute(world->urls.app, "DELETE FROM bottega.jobs"); }

  static void add(const std::string& about, std::chrono::seconds in = 0s, Json arguments = {}) {
    world->transact(
        [&](Tx& tx) { jobs::enqueue(tx, "test.work", about, arguments, tx.now() + in); });
  }
  // A kind whose work is a plain function.
  static Kind kind(std::function<void(const Job&)> work, std::int64_t attempts_max = 20,
                   std::chrono::seconds lease = 60s) {
    return {"test.work", lease, attempts_max,
            [work = std::move(work)](const Job& job) -> asio::awaitable<void> {
              work(job);
              co_return;
            }};
  }
  Runner runner_of(Kind work) const { return Runner(world->db, {std::move(work)}, 16); }
  template <class Row>
  static Row ask(const Sql<Row(std::string)>& sql, const std::string& about) {
    return world->transact([&](Tx& tx) { return tx.one(sql, about); });
  }
  static inline std::unique_ptr<World> world;
  std::vector<std::string> done;
};

// A slow processor or store holds up its own lane only, and no job's lease runs while it waits.
TEST_F(Jobs, EachLaneTakesItsOwnAndTheSlowOnesOneAtATime) {
  const auto of = [&](std::string_view name, Lane lane) {
    return Kind{name, 60s, 20,
                [this](const Job& job) -> asio::awaitable<void> {
                  done.push_back(job.kind);
                  co_return;
                },
                lane};
  };
  Runner runner(world->db,
                {of("test.work", Lane::database), of("test.call", Lane::processors),
                 of("test.file", Lane::files)},
                16);
  world->transact([&](Tx& tx) {
    for (const auto* about : {"a", "b"})
      for (const auto* kind : {"test.file", "test.call", "test.work"})
        jobs::enqueue(tx, kind, about, Json::object(), tx.now());
    return 0;
  });
  EXPECT_EQ(run(runner.run_due(Lane::database)), 2);
  EXPECT_EQ(run(runner.run_due(Lane::processors)), 1);
  EXPECT_EQ(run(runner.drain(10, Lane::files)), 2);
  EXPECT_EQ(done, (std::vector<std::string>{"test.work", "test.work", "test.call", "test.file",
                                            "test.file"}));
  EXPECT_EQ(run(runner.drain(10)), 1);
  EXPECT_EQ(done.back(), "test.call");
}

TEST_F(Jobs, DueWorkIsDoneOnceWithItsArguments) {
  auto runner = runner_of(kind([&](const Job& job) {
    EXPECT_EQ(job.kind, "test.work");
    EXPECT_EQ(job.attempts, 1);
    EXPECT_EQ(job.arguments, (Json{{"merchant_id", "mer_1"}, {"n", 3}}));
    done.push_back(job.about);
  }));
  add("one", 0s, {{"merchant_id", "mer_1"}, {"n", 3}});
  EXPECT_EQ(run(runner.run_due()), 1);
  EXPECT_EQ(run(runner.run_due()), 0);
  EXPECT_EQ(done, std::vector<std::string>{"one"});
  EXPECT_EQ(ask(kCount, "one"), 0);
}

TEST_F(Jobs, ALongOneKeepsItsLeaseUntilAnotherHasTakenItUp) {
  const auto end_lease = [] { world->transact([](Tx& tx) { tx.run(kEndLease, "long"); }); };
  const auto renew = [](const Job& job) {
    return world->transact([&](Tx& tx) { return jobs::renew(tx, job, 60s); });
  };
  auto other = runner_of(kind([&](const Job& job) { done.push_back(job.about); }));
  auto runner = runner_of(kind([&](const Job& job) {
    end_lease();
    EXPECT_TRUE(renew(job));
    EXPECT_EQ(run(other.run_due()), 0);
    end_lease();
    EXPECT_EQ(run(other.run_due()), 1);
    EXPECT_FALSE(renew(job));
  }));
  add("long");
  EXPECT_EQ(run(runner.run_due()), 1);
  EXPECT_EQ(done, std::vector<std::string>{"long"});
}

TEST_F(Jobs, WhatIsNotDueWaitsForTheProductsClock) {
  auto runner = runner_of(kind([&](const Job& job) { done.push_back(job.about); }));
  add("later", 3600s);
  EXPECT_EQ(run(runner.run_due()), 0);
  world->advance(3601s);
  EXPECT_EQ(run(runner.run_due()), 1);
  EXPECT_EQ(done, std::vector<std::string>{"later"});
}

TEST_F(Jobs, ARolledBackWishIsNotCarriedOut) {
  auto runner = runner_of(kind([&](const Job& job) { done.push_back(job.about); }));
  EXPECT_THROW(world->transact([](Tx& tx) {
    jobs::enqueue(tx, "test.work", "undone", {}, tx.now());
    throw Error(Code::conflict, "no");
  }),
               Error);
  EXPECT_EQ(run(runner.run_due()), 0);
  EXPECT_TRUE(done.empty());
}

TEST_F(Jobs, TheSameWishIsOneJobAtTheEarlierTime) {
  const auto at = [] { return ask(kRunAt, "same"); };
  add("same", 100s);
  const auto first = at();
  add("same", 200s);
  EXPECT_EQ(at(), first) << "a later wish puts nothing off";
  add("same", 10s);
  EXPECT_LT(at(), first) << "an earlier wish brings it forward";
  EXPECT_EQ(ask(kCount, "same"), 1);
  add("other", 10s);
  EXPECT_EQ(ask(kCount, "other"), 1);
}

TEST_F(Jobs, CancelledWorkIsForgottenAndOtherWorkIsNot) {
  auto runner = runner_of(kind([&](const Job& job) { done.push_back(job.about); }));
  add("unwanted");
  add("wanted");
  world->transact([](Tx& tx) {
    jobs::cancel(tx, "test.work", "unwanted");
    jobs::cancel(tx, "test.other", "wanted");
    jobs::cancel(tx, "test.work", "unheard of");
  });
  EXPECT_EQ(run(runner.run_due()), 1);
  EXPECT_EQ(done, std::vector<std::string>{"wanted"});
}

TEST_F(Jobs, AKindThatTheRunnerDoesNotKnowIsLeftAlone) {
  Runner runner(world->db, {}, 16);
  add("unknown");
  EXPECT_EQ(run(runner.run_due()), 0);
  EXPECT_EQ(ask(kCount, "unknown"), 1);
}

TEST_F(Jobs, TheEarliestComeFirstAndABatchIsBounded) {
  Runner runner(world->db, {kind([&](const Job& job) { done.push_back(job.about); })}, 2);
  for (int i = 5; i > 0; --i) add("job" + std::to_string(i), std::chrono::seconds(i));
  world->advance(10s);
  EXPECT_EQ(run(runner.run_due()), 2);
  std::ranges::sort(done);
  EXPECT_EQ(done, (std::vector<std::string>{"job1", "job2"}));
  EXPECT_EQ(run(runner.drain(10)), 3);
  EXPECT_EQ(run(runner.drain(10)), 0);
}

TEST_F(Jobs, FailedWorkIsTriedAgainLaterAndLater) {
  std::int64_t tries = 0;
  auto runner = runner_of(kind([&](const Job& job) {
    EXPECT_EQ(job.attempts, ++tries);
    throw Error(Code::busy, "not yet");
  }));
  add("stubborn");
  const auto waits = {5s, 30s, 300s, 3600s, 86'400s, 86'400s, 86'400s};
  for (const auto wait : waits) {
    EXPECT_EQ(run(runner.run_due()), 1);
    EXPECT_EQ(run(runner.run_due()), 0) << "at once is too early";
    world->advance(wait - 2s);
    EXPECT_EQ(run(runner.run_due()), 0) << "after " << tries << " tries";
    world->advance(2s);
  }
  EXPECT_EQ(ask(kError, "stubborn"), "not yet");
  EXPECT_EQ(tries, std::ssize(waits));
}

TEST_F(Jobs, BackOffIsTheTableOfTheContract) {
  const std::vector<std::chrono::seconds> expected = {5s, 30s, 300s, 3600s, 86'400s, 86'400s};
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(jobs::back_off(static_cast<std::int64_t>(i) + 1), expected[i]);
  EXPECT_EQ(jobs::back_off(1'000'000), 86'400s);
  EXPECT_EQ(jobs::back_off(0), 5s);
}

TEST_F(Jobs, AfterItsLastTryItIsDeadCountedAndCanBeWishedForAnew) {
  auto runner = runner_of(kind([](const Job&) { throw std::runtime_error("broken"); }, 2));
  add("doomed");
  EXPECT_EQ(run(runner.run_due()), 1);
  EXPECT_EQ(run(runner.counts()).dead, 0);
  world->advance(6s);
  EXPECT_EQ(run(runner.run_due()), 1);
  world->advance(std::chrono::days(400));
  EXPECT_EQ(run(runner.run_due()), 0);
  EXPECT_EQ(run(runner.counts()).dead, 1);
  EXPECT_EQ(run(runner.counts()).due, 0);
  EXPECT_EQ(ask(kError, "doomed"), "broken");
  add("doomed");
  EXPECT_EQ(run(runner.counts()).due, 1);
  EXPECT_EQ(ask(kCount, "doomed"), 2);
}

TEST_F(Jobs, OneThatFailsDoesNotStopTheOthersOfItsBatch) {
  auto runner = runner_of(kind([&](const Job& job) {
    if (job.about == "bad") throw Error(Code::internal, "bad");
    done.push_back(job.about);
  }));
  for (const auto* about : {"a", "bad", "b"}) add(about);
  EXPECT_EQ(run(runner.run_due()), 3);
  std::ranges::sort(done);
  EXPECT_EQ(done, (std::vector<std::string>{"a", "b"}));
}

// The runner dies in the middle of the work: another one waits for the lease and takes it up.
TEST_F(Jobs, WorkOfARunnerThatDiedIsTakenUpWhenItsLeaseEnds) {
  add("orphan");
  asio::io_context io;
  asio::steady_timer never(io, std::chrono::steady_clock::time_point::max());
  Kind stuck = kind([](const Job&) {});
  stuck.run = [&](const Job&) -> asio::awaitable<void> {
    co_await never.async_wait(asio::use_awaitable);
  };
  Runner dying(world->db, {stuck}, 16);
  std::vector<std::int64_t> attempts;
  auto runner = runner_of(kind([&](const Job& job) { attempts.push_back(job.attempts); }));
  auto lost = asio::co_spawn(io, dying.run_due(), asio::use_future);
  while (ask(kCount, "orphan") == 1 &&
         execute(world->urls.app, "SELECT attempts FROM bottega.jobs") == "0")
    io.poll();
  world->advance(std::chrono::days(365));
  EXPECT_EQ(run(runner.run_due()), 0) << "the lease is by the machine's time";
  world->transact([](Tx& tx) { tx.run(kEndLease, "orphan"); });
  EXPECT_EQ(run(runner.run_due()), 1);
  EXPECT_EQ(attempts, std::vector<std::int64_t>{2});
  EXPECT_EQ(ask(kCount, "orphan"), 0);
}

// It was slow, not dead: what it says afterwards about a job that another has taken counts nothing.
TEST_F(Jobs, AConcurrentRunnerThatLostItsLeaseNeitherEndsNorPutsOffTheWork) {
  add("slow");
  Runner* second = nullptr;
  auto other = runner_of(kind([](const Job&) { throw Error(Code::busy, "the second fails"); }));
  second = &other;
  auto first = runner_of(kind([&](const Job&) {
    world->transact([](Tx& tx) { tx.run(kEndLease, "slow"); });
    EXPECT_EQ(std::async(std::launch::async, [&] { return run(second->run_due()); }).get(), 1);
  }));
  EXPECT_EQ(run(first.run_due()), 1);
  EXPECT_EQ(ask(kCount, "slow"), 1) << "the first has ended what is the second's";
  EXPECT_EQ(ask(kError, "slow"), "the second fails");
}

TEST_F(Jobs, ConcurrentRunnersNeverDoOneJobTwice) {
  constexpr int kJobs = 60;
  for (int i = 0; i < kJobs; ++i) add("shared" + std::to_string(i));
  std::mutex mutex;
  std::map<std::string, int> times;
  const auto work = kind([&](const Job& job) {
    const std::lock_guard lock(mutex);
    ++times[job.about];
  });
  std::latch start(4);
  std::vector<std::future<int>> nodes;
  for (int node = 0; node < 4; ++node)
    nodes.push_back(std::async(std::launch::async, [&] {
      Runner runner(world->db, {work}, 3);
      start.arrive_and_wait();
      return run(runner.drain(1000));
    }));
  int total = 0;
  for (auto& node : nodes) total += node.get();
  EXPECT_EQ(total, kJobs);
  EXPECT_EQ(times.size(), std::size_t{kJobs});
  for (const auto& [about, count] : times) EXPECT_EQ(count, 1) << about;
}

TEST_F(Jobs, ConcurrentWishesForOneThingAreOneJob) {
  std::vector<std::future<void>> wishes;
  for (int i = 0; i < 8; ++i) wishes.push_back(std::async(std::launch::async, [] { add("once"); }));
  for (auto& wish : wishes) wish.get();
  EXPECT_EQ(ask(kCount, "once"), 1);
}

}  // namespace jobs_test
}  // namespace bottega::test
