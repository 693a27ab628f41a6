// A job that is wanted again while it runs runs again: what it had read may be older than the wish.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace jobs_wishes_test {

struct Wishes : testing::Test {
  void enqueue(std::string_view about) {
    world.transact(
        [&](Tx& tx) { jobs::enqueue(tx, "test.wish", about, Json::object(), tx.now()); });
  }
  jobs::Runner runner_that(std::function<void()> act) {
    jobs::Kind kind{"test.wish", std::chrono::seconds(60), 20, {}};
    kind.run = [act](const jobs::Job&) -> asio::awaitable<void> {
      act();
      co_return;
    };
    return jobs::Runner(world.db, {kind}, 16);
  }
  World world;
};

TEST_F(Wishes, ThatComeWhileItRunsMakeItRunOnceMore) {
  int runs = 0;
  auto runner = runner_that([&] {
    if (++runs == 1) enqueue("thing");
  });
  enqueue("thing");
  EXPECT_EQ(run(runner.drain(10)), 2);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(run(runner.counts()).due, 0);
}

TEST_F(Wishes, ThatComeBeforeItRunsAreOneWish) {
  int runs = 0;
  auto runner = runner_that([&] { ++runs; });
  for (int i = 0; i < 3; ++i) enqueue("thing");
  run(runner.drain(10));
  EXPECT_EQ(runs, 1);
}

TEST_F(Wishes, OfAJobThatFailsAreTriedAgainLater) {
  int runs = 0;
  auto runner = runner_that([&] {
    ++runs;
    enqueue("thing");
    throw Error(Code::busy, "not yet");
  });
  enqueue("thing");
  run(runner.drain(10));
  EXPECT_EQ(runs, 1) << "it must wait for its back-off";
  world.advance(std::chrono::seconds(6));
  run(runner.drain(10));
  EXPECT_EQ(runs, 2);
}

}  // namespace jobs_wishes_test
}  // namespace bottega::test
