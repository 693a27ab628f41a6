// The hub: who joined a topic hears its events in order, once each, and nobody is called under its
// lock.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <mutex>

#include "bottega/bus/hub.hpp"

namespace bottega::bus {
namespace bus_test {

class Ear : public Listener {
 public:
  void offer(const EventPtr& event) override {
    if (on_event) on_event(*event);
    const std::lock_guard lock(mutex_);
    heard_.push_back(event);
  }
  std::vector<std::string> texts() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& event : heard_) out.push_back(event->text);
    return out;
  }
  EventPtr at(std::size_t i) const {
    const std::lock_guard lock(mutex_);
    return heard_.at(i);
  }
  std::function<void(const Event&)> on_event;

 private:
  mutable std::mutex mutex_;
  std::vector<EventPtr> heard_;
};

using Texts = std::vector<std::string>;
EventPtr event(const std::string& text, std::int64_t position = 0) {
  return std::make_shared<const Event>(Event{"stream", position, text});
}

class BusHub : public testing::Test {
 protected:
  Hub hub;
  const std::shared_ptr<Ear> ann = std::make_shared<Ear>(), bob = std::make_shared<Ear>();
};

TEST_F(BusHub, ATopicReachesWhoJoinedItAndNobodyElse) {
  hub.join("a", ann);
  hub.join("b", bob);
  hub.publish({"a"}, event("one"));
  hub.publish({"c"}, event("two"));
  EXPECT_EQ(ann->texts(), Texts{"one"});
  EXPECT_EQ(bob->texts(), Texts{});
}

TEST_F(BusHub, AnEventIsSharedAndComesAsItWasPublished) {
  hub.join("a", ann);
  hub.join("a", bob);
  hub.publish({"a"}, event("one", 42));
  EXPECT_EQ(ann->at(0).get(), bob->at(0).get());
  EXPECT_EQ(ann->at(0)->stream, "stream");
  EXPECT_EQ(ann->at(0)->position, 42);
}

TEST_F(BusHub, WhoListensToSeveralOfItsTopicsHearsAnEventOnce) {
  hub.join("buyer", ann);
  hub.join("merchant", ann);
  hub.join("merchant", bob);
  hub.publish({"buyer", "merchant"}, event("one"));
  EXPECT_EQ(ann->texts(), Texts{"one"});
  EXPECT_EQ(bob->texts(), Texts{"one"});
}

TEST_F(BusHub, EventsComeInTheOrderInWhichTheyWerePublished) {
  hub.join("a", ann);
  hub.join("b", ann);
  Texts expected;
  for (int i = 0; i < 100; ++i) {
    expected.push_back(std::to_string(i));
    hub.publish({i % 3 == 0 ? "a" : "b"}, event(expected.back()));
  }
  EXPECT_EQ(ann->texts(), expected);
}

TEST_F(BusHub, WhoLeftHearsNoMoreOfThatTopic) {
  hub.join("a", ann);
  hub.join("b", ann);
  hub.leave("a", ann.get());
  hub.leave("never joined", ann.get());
  hub.publish({"a"}, event("one"));
  hub.publish({"b"}, event("two"));
  EXPECT_EQ(ann->texts(), Texts{"two"});
}

TEST_F(BusHub, WhoIsGoneIsForgotten) {
  auto gone = std::make_shared<Ear>();
  hub.join("a", gone);
  hub.join("a", ann);
  EXPECT_EQ(hub.listeners(), 2u);
  gone.reset();
  hub.publish({"a"}, event("one"));
  EXPECT_EQ(hub.listeners(), 1u);
  EXPECT_EQ(ann->texts(), Texts{"one"});
  hub.leave("a", ann.get());
  EXPECT_EQ(hub.listeners(), 0u);
}

TEST_F(BusHub, AListenerMayLeaveJoinAndPublishFromWithinAnEvent) {
  hub.join("a", ann);
  hub.join("a", bob);
  ann->on_event = [&](const Event& heard) {
    if (heard.text != "one") return;
    hub.leave("a", ann.get());
    hub.leave("a", bob.get());
    hub.join("b", ann);
    hub.publish({"b"}, event("inner"));
  };
  hub.publish({"a"}, event("one"));
  EXPECT_EQ(bob->texts(), Texts{"one"}) << "it had been published before he was taken out";
  EXPECT_EQ(ann->texts(), (Texts{"inner", "one"}));
  hub.publish({"a"}, event("two"));
  EXPECT_EQ(bob->texts(), Texts{"one"});
}

TEST_F(BusHub, AListenerThatIsDroppedDuringAnEventStaysAliveForIt) {
  auto fleeting = std::make_shared<Ear>();
  const std::weak_ptr<Ear> seen = fleeting;
  ann->on_event = [&](const Event&) { fleeting.reset(); };
  hub.join("a", ann);
  hub.join("a", fleeting);
  hub.publish({"a"}, event("one"));
  EXPECT_TRUE(seen.expired());
  EXPECT_EQ(hub.listeners(), 2u) << "noticed at the next event";
  hub.publish({"a"}, event("two"));
  EXPECT_EQ(hub.listeners(), 1u);
}

TEST_F(BusHub, ConcurrentPublishersKeepEachOnesOrder) {
  constexpr int kPublishers = 4, kEvents = 300;
  hub.join("a", ann);
  std::vector<std::future<void>> publishers;
  for (int publisher = 0; publisher < kPublishers; ++publisher)
    publishers.push_back(std::async(std::launch::async, [&, publisher] {
      for (int i = 0; i < kEvents; ++i) hub.publish({"a"}, event(std::to_string(publisher), i));
    }));
  for (auto& publisher : publishers) publisher.get();
  std::map<std::string, std::int64_t> next;
  const auto texts = ann->texts();
  ASSERT_EQ(texts.size(), std::size_t{kPublishers * kEvents});
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(ann->at(i)->position, next[texts[i]]++);
}

TEST_F(BusHub, ConcurrentComingAndGoingLosesNothingOfWhoStays) {
  hub.join("a", ann);
  std::atomic<bool> over{false};
  std::vector<std::future<void>> restless;
  for (int i = 0; i < 3; ++i)
    restless.push_back(std::async(std::launch::async, [&] {
      while (!over) {
        const auto guest = std::make_shared<Ear>();
        hub.join("a", guest);
        hub.join("b", guest);
        hub.leave("a", guest.get());
      }
    }));
  for (int i = 0; i < 1000; ++i) hub.publish({"a", "b"}, event("x", i));
  over = true;
  for (auto& one : restless) one.get();
  ASSERT_EQ(ann->texts().size(), 1000u);
  for (std::size_t i = 0; i < 1000; ++i)
    ASSERT_EQ(ann->at(i)->position, static_cast<std::int64_t>(i));
  hub.publish({"a", "b"}, event("last"));
  EXPECT_EQ(hub.listeners(), 1u);
}

}  // namespace bus_test
}  // namespace bottega::bus
