// The states of an import of a feed. A job moves it, one import after the other; the shop may
// cancel what is not over.
#include "http/machines.hpp"
#include "bottega/catalog/feeds.hpp"

namespace bottega::test {
namespace machines_feeds_test {

using catalog::FeedEvent, catalog::FeedState;

constexpr int kLong = 100'000, kMiddle = 15'000;  // rows that take a while

class Feeds {
 public:
  Stage stage;
  // Nothing is waited for but the state: whoever ran the jobs would run the imports.
  Walk<catalog::kFeedLifecycle> walk{[] {}};

  Thing upload(int rows, const std::string& last = "", const std::string& query = "") {
    std::string bytes = "id,title,availability,price\n";
    for (int i = 0; i < rows; ++i) {
      bytes += "F-" + std::to_string(uploads_) + '-' + std::to_string(i);
      bytes += ",Tea,in stock,1 USD\n";
    }
    ++uploads_;
    const auto made =
        owner().send("POST", "/v1/merchants/" + stage.front.merchant + "/feed_imports" + query,
                     bytes + last, {{"Content-Type", "text/csv"}});
    EXPECT_EQ(made.status, 201) << made.body;
    return {&owner(), "/v1/feed_imports/" + made.json()["id"].get<std::string>(), ""};
  }

  static void await(const Thing& import, FeedState state) {
    EXPECT_TRUE(
        soon([&] { return import.look()["state"] == text_of(state); }, std::chrono::seconds(60)))
        << import.look();
  }

  Answer cancel(const Thing& import) { return owner().post(import.path + "/cancel"); }

  void try_to_cancel(FeedState state, const Thing& import) {
    await(import, state);
    walk.tries(state, FeedEvent::cancel, Asked::directly, import, [&] { return cancel(import); });
  }

 private:
  Client& owner() { return stage.front.owner.api; }
  int uploads_ = 0;
};

void try_what_the_job_says(Feeds& feeds) {
  Answer nothing;
  nothing.status = 200;
  const auto asked = Asked::elsewhere;
  const auto first = feeds.upload(kLong);
  const auto second = feeds.upload(1);
  Feeds::await(first, FeedState::checking);
  const auto check = feeds.walk.begin(FeedState::uploaded, FeedEvent::check, asked, second);
  const auto accept = feeds.walk.begin(FeedState::checking, FeedEvent::accept, asked, first);
  feeds.walk.end(accept, nothing, {FeedEvent::finish});
  EXPECT_EQ(feeds.cancel(first).status, 200);
  feeds.walk.end(check, nothing, {FeedEvent::accept, FeedEvent::finish});
  Feeds::await(second, FeedState::done);
  const auto stopped = feeds.upload(kLong, "no feed\n", "?on_error=stop");
  Feeds::await(stopped, FeedState::checking);
  const auto refuse = feeds.walk.begin(FeedState::checking, FeedEvent::refuse, asked, stopped);
  Feeds::await(stopped, FeedState::refused);
  feeds.walk.end(refuse, nothing);
  const auto short_one = feeds.upload(kMiddle);
  Feeds::await(short_one, FeedState::importing);
  const auto finish = feeds.walk.begin(FeedState::importing, FeedEvent::finish, asked, short_one);
  Feeds::await(short_one, FeedState::done);
  feeds.walk.end(finish, nothing);
}

void try_to_cancel(Feeds& feeds) {
  const auto first = feeds.upload(kLong), second = feeds.upload(1);
  feeds.try_to_cancel(FeedState::uploaded, second);  // the other one is before it
  EXPECT_EQ(feeds.cancel(first).status, 200);
  feeds.try_to_cancel(FeedState::checking, feeds.upload(kLong));
  feeds.try_to_cancel(FeedState::importing, feeds.upload(kLong));
  feeds.try_to_cancel(FeedState::cancelled, second);
  feeds.try_to_cancel(FeedState::done, feeds.upload(1));
  feeds.try_to_cancel(FeedState::refused, feeds.upload(0));
}

TEST(MachinesOfFeeds, EveryPairOfAnImport) {
  Feeds feeds;
  try_what_the_job_says(feeds);
  try_to_cancel(feeds);
  auto& walk = feeds.walk;
  const auto job = {FeedEvent::check, FeedEvent::accept, FeedEvent::refuse, FeedEvent::finish};
  walk.leave_out({FeedState::failed}, {}, "a job that has died, or a store that is gone");
  for (const auto state : all_of<FeedState>()) {
    if (state == FeedState::failed) continue;
    walk.leave_out({state}, {FeedEvent::fail}, "a job that has died, or a store that is gone");
    for (const auto event : job) {
      const bool is_again = state == FeedState::checking && event == FeedEvent::check;
      if (is_again || !catalog::kFeedLifecycle.next(state, event))
        walk.leave_out({state}, {event}, "only the job says so, and in its own order");
    }
  }
  walk.expect_whole();
}

}  // namespace machines_feeds_test
}  // namespace bottega::test
