#pragma once
// What tests of notifications begin with: a shop whose people have subscribed, and a way to their
// devices that does as it is told.
#include <gtest/gtest.h>

#include "support/http_push_service.hpp"
#include "support/world.hpp"
#include "bottega/notifications/notifier.hpp"

namespace bottega::test {

// Remembers what it is given, and answers from a list; delivered where that is empty.
struct Scripted : notifications::Pusher {
  asio::awaitable<notifications::Outcome> send(
      const notifications::Notification& notification) override {
    const std::lock_guard lock(mutex);
    sent.push_back(notification);
    notifications::Outcome outcome{notifications::Fate::delivered, std::nullopt, "scripted"};
    if (!script.empty()) {
      outcome = script.front();
      script.pop_front();
    }
    co_return outcome;
  }
  std::mutex mutex;  // owns both
  std::deque<notifications::Outcome> script;
  std::vector<notifications::Notification> sent;
};

// A server as far as notifications are concerned.
struct TestNode {
  explicit TestNode(World& given, notifications::NotifierOptions options = {});

  void flush() { run(presence.flush(now)); }
  // Hears of what has been announced since the last time.
  void hear();
  // One round, with all calls that it begins; some time later than the one before.
  void round();
  // How much was sent until now, and what; each is told once.
  std::size_t count() const { return pusher->sent.size() - taken; }
  std::vector<Json> take();

  World& world;
  const notifications::NodeId id = notifications::NodeId::make();
  notifications::Presence presence;
  Scripted* pusher;
  notifications::Notifier notifier;
  notifications::Presence::Time now = std::chrono::steady_clock::now();
  std::size_t heard = 0, taken = 0;
};

class Notifications : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }
  void SetUp() override;

  // Signs in; the session's id is in `who`.
  void sign_in(identity::Who& who);
  notifications::Subscription subscribe(const identity::Who& who,
                                        const std::string& content = "full",
                                        const std::string& endpoint = "");
  std::vector<notifications::Subscription> subscriptions_of(const identity::Who& who);
  std::int64_t say(const identity::Who& who, const std::string& text);
  void mark(const identity::Who& who, std::int64_t delivered);
  // Says something as the owner and lets the node do what is to be done.
  std::vector<Json> told_of(const std::string& text);

  static std::unique_ptr<World> world;
  Shop shop;
  std::unique_ptr<TestNode> node;
};

}  // namespace bottega::test
