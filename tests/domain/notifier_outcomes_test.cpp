// What becomes of a notification that a push service did not take, and of devices that are gone.
#include "domain/notifier.hpp"

namespace bottega::test {
namespace notifier_outcomes_test {

using namespace std::chrono_literals;
using namespace notifications;

const Sql<std::int64_t()> kWaiting{"test.deliveries_left", "SELECT count(*) FROM push_deliveries"};

class PushOutcomes : public Notifications {
 protected:
  std::int64_t waiting() {
    return world->transact([](Tx& tx) { return tx.one(kWaiting); });
  }
  std::size_t round_after(std::chrono::seconds wait) {
    world->advance(wait);
    node->round();
    return node->take().size();
  }
};

TEST_F(PushOutcomes, ADeviceThatIsGoneIsForgotten) {
  node->pusher->script = {{Fate::gone, std::nullopt, "status 410"}};
  EXPECT_EQ(told_of("Anybody there?").size(), 1u);
  EXPECT_EQ(subscriptions_of(shop.buyer).size(), 0u);
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(told_of("Hello?").size(), 0u);
  EXPECT_EQ(node->notifier.counts().gone, 1);
}

TEST_F(PushOutcomes, ABusyServiceIsAskedAgainWhenItSaid) {
  node->pusher->script = {{Fate::retry, 120s, "status 429"}};
  EXPECT_EQ(told_of("Later").size(), 1u);
  EXPECT_EQ(round_after(100s), 0u);
  EXPECT_EQ(round_after(21s), 1u);
  EXPECT_EQ(waiting(), 0);
}

TEST_F(PushOutcomes, AFurtherMessageDoesNotBreakTheWait) {
  node->pusher->script = {{Fate::retry, 120s, "status 429"}};
  EXPECT_EQ(told_of("First").size(), 1u);
  EXPECT_EQ(told_of("Second").size(), 0u);
  world->advance(121s);
  node->round();
  const auto told = node->take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]["text"], "Second") << "the newest is what is sent";
}

TEST_F(PushOutcomes, AServiceThatFailsIsAskedLessAndLessAndThenNoMore) {
  for (int i = 0; i < 20; ++i)
    node->pusher->script.push_back({Fate::retry, std::nullopt, "status 503"});
  EXPECT_EQ(told_of("In vain").size(), 1u);
  EXPECT_EQ(round_after(4s), 0u);
  EXPECT_EQ(round_after(2s), 1u);
  EXPECT_EQ(round_after(8s), 0u);
  EXPECT_EQ(round_after(3s), 1u);
  std::size_t asked = 3;
  for (int i = 0; i < 8; ++i) {
    node->now += 20min;  // what was left alone may be asked again
    asked += round_after(2h);
  }
  EXPECT_EQ(asked, 8u);
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(node->notifier.counts().failed, 1);
  EXPECT_EQ(subscriptions_of(shop.buyer).size(), 1u) << "the device is there all the same";
}

TEST_F(PushOutcomes, WhatIsNoLongerOfUseIsNotSent) {
  node->pusher->script = {{Fate::retry, 3'600s, "status 503"}};
  EXPECT_EQ(told_of("News of today").size(), 1u);
  EXPECT_EQ(round_after(30h), 0u);
  EXPECT_EQ(waiting(), 0);
}

TEST_F(PushOutcomes, ARefusalIsNotRepeated) {
  node->pusher->script = {{Fate::failed, std::nullopt, "status 413"}};
  EXPECT_EQ(told_of("Too much").size(), 1u);
  EXPECT_EQ(round_after(2h), 0u);
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(told_of("Another").size(), 1u) << "the device hears of the next";
}

TEST_F(PushOutcomes, AServiceThatFailsDoesNotHoldUpAnother) {
  for (int i = 0; i < 30; ++i) subscribe(shop.buyer, "full", "");
  auto agent = world->member(shop, identity::Role::agent);
  sign_in(agent);
  subscribe(agent, "full", "https://other.example/agent");
  for (int i = 0; i < 20; ++i)
    node->pusher->script.push_back({Fate::retry, std::nullopt, "did not answer"});
  EXPECT_EQ(told_of("To twenty devices of one service").size(), 4u) << "a quarter of all calls";
  node->round();
  EXPECT_EQ(node->take().size(), 4u);
  node->pusher->script.clear();
  say(shop.buyer, "To one of another");
  node->hear();
  node->round();
  const auto told = node->take();
  ASSERT_EQ(told.size(), 1u) << "the first service is left alone";
  EXPECT_EQ(told[0]["text"], "To one of another");
  EXPECT_EQ(node->notifier.counts().circuits_open, 1);
}

TEST_F(PushOutcomes, ASubscriptionEndsWithItsSession) {
  world->transact([&](Tx& tx) {
    identity::end_session(tx, shop.buyer.account, shop.buyer.session, "logged out");
  });
  EXPECT_EQ(subscriptions_of(shop.buyer).size(), 0u);
  EXPECT_EQ(told_of("Not for a browser that somebody has logged out of").size(), 0u);
  EXPECT_EQ(world->transact([](Tx& tx) { return sweep_subscriptions(tx); }), 1);
}

TEST_F(PushOutcomes, ASubscriptionEndsWhenItsOwnerIsSuspended) {
  world->transact([&](Tx& tx) {
    identity::set_account_state(tx, shop.buyer.account, identity::AccountState::suspended);
  });
  EXPECT_EQ(told_of("Not now").size(), 0u);
}

TEST_F(PushOutcomes, TheSameBrowserAgainIsOneAndBelongsToWhoeverUsesIt) {
  subscribe(shop.buyer, "full", "https://push.example/shared");
  subscribe(shop.buyer, "none", "https://push.example/shared");
  EXPECT_EQ(subscriptions_of(shop.buyer).size(), 2u) << "and the one of the fixture";
  subscribe(shop.owner, "full", "https://push.example/shared");
  EXPECT_EQ(subscriptions_of(shop.buyer).size(), 1u);
  EXPECT_EQ(subscriptions_of(shop.owner).size(), 1u);
}

TEST_F(PushOutcomes, AnAccountHasTwentyDevicesAndTheNewestStay) {
  std::vector<SubscriptionId> ids;
  for (int i = 0; i < 25; ++i) ids.push_back(subscribe(shop.owner).id);
  const auto kept = subscriptions_of(shop.owner);
  ASSERT_EQ(kept.size(), 20u);
  EXPECT_EQ(kept.front().id, ids[5]);
  EXPECT_EQ(kept.back().id, ids[24]);
}

TEST_F(PushOutcomes, ADeviceIsItsOwnersToRemove) {
  const auto id = subscriptions_of(shop.buyer).at(0).id;
  const auto remove = [&](const identity::Who& who) {
    return code_of([&] { world->transact([&](Tx& tx) { unsubscribe(tx, who.account, id); }); });
  };
  EXPECT_EQ(remove(shop.owner), Code::not_found);
  EXPECT_EQ(remove(shop.buyer), std::nullopt);
  EXPECT_EQ(remove(shop.buyer), Code::not_found);
}

TEST_F(PushOutcomes, AddressesMustBeHttpsUnlessTheNetworkIsPrivate) {
  const auto given = from_json<NewSubscription>(Device().subscription("http://push.example/x"));
  const auto refusal = code_of([&] {
    world->transact(
        [&](Tx& tx) { notifications::subscribe(tx, shop.buyer, given, Network::public_only); });
  });
  EXPECT_EQ(refusal, Code::invalid);
  world->transact([&](Tx& tx) {
    EXPECT_EQ(notifications::subscribe(tx, shop.buyer, given, Network::any).service,
              "http://push.example");
  });
}

TEST_F(PushOutcomes, EveryFaultOfASubscriptionIsNamed) {
  const Json bad = {{"endpoint", "ftp://push.example"},
                    {"keys", {{"p256dh", "AAAA"}, {"auth", "short"}}},
                    {"content", "some"}};
  try {
    from_json<NewSubscription>(bad);
    FAIL() << "was taken";
  } catch (const Error& error) {
    std::vector<std::string> pointers;
    for (const auto& fault : error.faults()) pointers.push_back(fault.pointer);
    EXPECT_EQ(pointers,
              (std::vector<std::string>{"/endpoint", "/keys/p256dh", "/keys/auth", "/content"}));
  }
}

}  // namespace notifier_outcomes_test
}  // namespace bottega::test
