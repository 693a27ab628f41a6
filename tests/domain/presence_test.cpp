// Who is there: written in batches, told to the other side, not more often than useful, and not at
// all of those who do not show it.
#include "bottega/notifications/presence.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "support/world.hpp"
#include "bottega/conversations/safety.hpp"

namespace bottega::test {
namespace presence_test {

using namespace std::chrono_literals;
using namespace notifications;
using identity::Preferences;

const Sql<void(NodeId)> kDie{"test.node_dies",
                             "UPDATE nodes SET until = now() - interval '1 s' WHERE id = $1"};
const Sql<void(NodeId)> kVanish{"test.node_vanishes", "DELETE FROM nodes WHERE id = $1"};
const Sql<std::int64_t(NodeId)> kCount{"test.presences_of_node",
                                       "SELECT count(*) FROM presences WHERE node_id = $1"};

class PresenceOfPeople : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }
  void SetUp() override {
    shop = world->shop();
    world->notices.clear();
  }
  void TearDown() override {
    // A node that is gone, so that the next test's have nothing to bury.
    for (const auto id : {node, other}) world->transact([&](Tx& tx) { tx.run(kVanish, id); });
  }

  void flush(std::chrono::milliseconds after = 0ms) { run(presence.flush(start + after)); }
  void arrive(const identity::Who& who) { presence.arrived(who.account); }
  void leave(const identity::Who& who, std::chrono::milliseconds after = 0ms) {
    presence.left(who.account, start + after);
  }
  void show(const identity::Who& who, bool shows) {
    Preferences given;
    given.show_presence = shows;
    world->transact([&](Tx& tx) {
      identity::set_preferences(tx, who.account, given);
      tell_visibility(tx, who.account, given);
    });
  }
  ConversationPresence seen_by(const identity::Who& who) {
    return world->transact([&](Tx& tx) { return presence_in(tx, who, shop.conversation); });
  }
  // What has been told of this conversation since the last time, as "side state".
  std::vector<std::string> told() {
    std::vector<std::string> out;
    for (const auto& notice : world->notices) {
      if (notice.stream != text_of(shop.conversation)) continue;
      const auto frame = Json::parse(notice.text);
      if (frame["event"] != "presence.changed") continue;
      EXPECT_EQ(notice.position, 0);
      const bool is_buyers = frame["data"]["side"] == "buyer";
      const auto topic = is_buyers ? identity::merchant_topic(shop.merchant)
                                   : identity::account_topic(shop.buyer.account);
      EXPECT_EQ(notice.topics, std::vector<std::string>{topic}) << "the other side alone";
      EXPECT_EQ(frame["data"]["account_id"],
                is_buyers ? Json(text_of(shop.buyer.account)) : Json(nullptr));
      out.push_back(frame["data"]["side"].get<std::string>() + ' ' +
                    frame["data"]["state"].get<std::string>());
    }
    world->notices.clear();
    return out;
  }
  using Words = std::vector<std::string>;

  static std::unique_ptr<World> world;
  Shop shop;
  const NodeId node = NodeId::make(), other = NodeId::make();
  const PresenceOptions options{60s, 8s, 10s};
  Presence presence{world->db, node, options}, elsewhere{world->db, other, options};
  const Presence::Time start = std::chrono::steady_clock::now();
};
std::unique_ptr<World> PresenceOfPeople::world;

TEST_F(PresenceOfPeople, IsSeenByTheOtherSideAndByNobodyElse) {
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::offline);
  arrive(shop.buyer);
  flush();
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::online);
  EXPECT_EQ(seen_by(shop.owner).buyer.last_seen_at, std::nullopt);
  EXPECT_EQ(seen_by(shop.buyer).merchant.state, State::offline);
  const auto stranger = world->person();
  EXPECT_EQ(code_of([&] { seen_by(stranger); }), Code::not_found);
}

TEST_F(PresenceOfPeople, IsToldToWhoeverIsThereToHearIt) {
  arrive(shop.owner);
  flush();
  EXPECT_EQ(told(), Words{}) << "the buyer is not there";
  arrive(shop.buyer);
  flush(1s);
  EXPECT_EQ(told(), Words{"buyer online"});
}

TEST_F(PresenceOfPeople, IsNotToldToEitherSideWhereOneHasBlockedTheOther) {
  using conversations::block, conversations::unblock;
  for (const auto& who : {shop.buyer, shop.owner}) {
    world->transact([&](Tx& tx) { block(tx, who, shop.conversation); });
    arrive(shop.owner);
    arrive(shop.buyer);
    flush();
    EXPECT_EQ(told(), Words{});
    EXPECT_EQ(seen_by(shop.owner).buyer.state, State::unknown);
    EXPECT_EQ(seen_by(shop.buyer).merchant.state, State::unknown);
    EXPECT_EQ(seen_by(shop.buyer).buyer.state, State::online) << "of oneself";
    show(shop.buyer, false);
    show(shop.buyer, true);
    EXPECT_EQ(told(), Words{});
    leave(shop.owner, 11s);
    leave(shop.buyer, 11s);
    flush(30s);
    EXPECT_EQ(told(), Words{});
    EXPECT_EQ(seen_by(shop.owner).buyer.last_seen_at, std::nullopt);
    world->transact([&](Tx& tx) { unblock(tx, who, shop.conversation); });
    EXPECT_EQ(seen_by(shop.owner).buyer.state, State::offline);
  }
}

TEST_F(PresenceOfPeople, EndsAfterAGraceInWhichNobodyNotices) {
  arrive(shop.owner);
  arrive(shop.buyer);
  flush();
  told();
  leave(shop.buyer, 11s);
  flush(12s);
  EXPECT_EQ(told(), Words{});
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::online);
  arrive(shop.buyer);  // the phone changed from one network to another
  flush(20s);
  EXPECT_EQ(told(), Words{});
  leave(shop.buyer, 21s);
  flush(30s);
  EXPECT_EQ(told(), Words{"buyer offline"});
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::offline);
}

TEST_F(PresenceOfPeople, IsTheSameWithTwoSocketsAsWithOne) {
  arrive(shop.owner);
  arrive(shop.buyer);
  arrive(shop.buyer);
  flush();
  told();
  leave(shop.buyer, 1s);
  flush(30s);
  EXPECT_EQ(told(), Words{});
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::online);
}

TEST_F(PresenceOfPeople, IsToldAtMostOnceInAWhileAndThenAsItIs) {
  arrive(shop.owner);
  arrive(shop.buyer);
  flush();
  told();
  leave(shop.buyer);
  flush(9s);
  EXPECT_EQ(told(), Words{}) << "offline, but told online 9 s ago";
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::offline) << "who asks gets the truth";
  flush(10s);
  EXPECT_EQ(told(), Words{"buyer offline"});
  arrive(shop.buyer);
  flush(11s);
  leave(shop.buyer, 11s);
  flush(19s + 500ms);
  flush(40s);
  EXPECT_EQ(told(), Words{}) << "came and went between two tellings";
}

TEST_F(PresenceOfPeople, SaysToFiveMinutesWhenSomebodyWasLastThere) {
  arrive(shop.owner);
  arrive(shop.buyer);
  flush();
  leave(shop.buyer);
  flush(20s);
  const auto seen = seen_by(shop.owner).buyer.last_seen_at;
  ASSERT_TRUE(seen);
  EXPECT_LE(*seen, world->clock.now());
  EXPECT_GT(*seen, world->clock.now() - 6min);
  EXPECT_EQ(seen->time_since_epoch() % 5min, 0us);
}

TEST_F(PresenceOfPeople, OfAShopIsThatOfAnyMember) {
  const auto agent = world->member(shop, identity::Role::agent);
  arrive(shop.buyer);
  flush();
  arrive(agent);
  flush(1s);
  EXPECT_EQ(told(), Words{"merchant online"});
  arrive(shop.owner);
  flush(2s);
  EXPECT_EQ(told(), Words{}) << "the shop was there already";
  leave(agent, 20s);
  flush(40s);
  EXPECT_EQ(told(), Words{});
  EXPECT_EQ(seen_by(shop.buyer).merchant.state, State::online);
  leave(shop.owner, 41s);
  flush(60s);
  EXPECT_EQ(told(), Words{"merchant offline"});
}

TEST_F(PresenceOfPeople, IsNotSeenWhereTheyDoNotShowIt) {
  show(shop.buyer, false);
  arrive(shop.owner);
  arrive(shop.buyer);
  flush();
  EXPECT_EQ(told(), Words{"merchant online"}) << "who does not show it still sees others";
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::unknown);
  leave(shop.buyer);
  flush(20s);
  EXPECT_EQ(told(), Words{});
  EXPECT_EQ(seen_by(shop.owner).buyer.last_seen_at, std::nullopt);
  show(shop.buyer, true);
  EXPECT_EQ(seen_by(shop.owner).buyer.last_seen_at, std::nullopt) << "nothing was kept";
}

TEST_F(PresenceOfPeople, IsToldWhenTheyDecideToShowItOrNoLonger) {
  arrive(shop.owner);
  arrive(shop.buyer);
  flush();
  told();
  show(shop.buyer, false);
  EXPECT_EQ(told(), Words{"buyer unknown"});
  show(shop.buyer, true);
  EXPECT_EQ(told(), Words{"buyer online"});
  show(shop.owner, false);
  EXPECT_EQ(told(), Words{"merchant unknown"});
  EXPECT_EQ(seen_by(shop.buyer).merchant.state, State::unknown);
}

TEST_F(PresenceOfPeople, OnAnotherNodeCountsAsWell) {
  arrive(shop.owner);
  arrive(shop.buyer);
  flush();
  told();
  elsewhere.arrived(shop.buyer.account);
  run(elsewhere.flush(start));
  leave(shop.buyer);
  flush(20s);
  EXPECT_EQ(told(), Words{}) << "the other device is there";
  elsewhere.left(shop.buyer.account, start);
  run(elsewhere.flush(start + 20s));
  EXPECT_EQ(told(), Words{"buyer offline"});
}

TEST_F(PresenceOfPeople, EndsWithANodeThatDies) {
  arrive(shop.owner);
  flush();
  elsewhere.arrived(shop.buyer.account);
  run(elsewhere.flush(start));
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::online);
  told();
  world->transact([&](Tx& tx) { tx.run(kDie, other); });
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::offline) << "at once";
  flush(20s);
  EXPECT_EQ(told(), Words{"buyer offline"}) << "told by whoever finds it dead";
  EXPECT_TRUE(seen_by(shop.owner).buyer.last_seen_at);
}

TEST_F(PresenceOfPeople, ComesBackWithANodeThatWasTakenForDead) {
  arrive(shop.buyer);
  flush();
  world->transact([&](Tx& tx) { tx.run(kVanish, node); });
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::offline);
  flush(20s);
  flush(21s);
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::online);
}

TEST_F(PresenceOfPeople, OfANodeThatStopsLastsForTheGrace) {
  arrive(shop.buyer);
  flush();
  world->transact([&](Tx& tx) { presence.end(tx); });
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::online) << "they come back elsewhere";
}

TEST_F(PresenceOfPeople, OfThousandsThatComeAtOnceIsWrittenAtOnce) {
  std::vector<identity::Who> crowd;
  for (int i = 0; i < 300; ++i) crowd.push_back(world->person());
  for (const auto& who : crowd) arrive(who);
  flush();
  const auto written = [&] {
    return world->transact([&](Tx& tx) { return tx.one(kCount, node); });
  };
  EXPECT_EQ(written(), 300);
  for (const auto& who : crowd) leave(who);
  flush(20s);
  EXPECT_EQ(written(), 0);
}

TEST_F(PresenceOfPeople, OfConcurrentSocketsIsCountedRight) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) {
        arrive(shop.buyer);
        leave(shop.buyer);
      }
      arrive(shop.buyer);
    });
  for (int i = 0; i < 5; ++i) flush(i * 1s);
  for (auto& thread : threads) thread.join();
  flush(10s);
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::online);
  for (int i = 0; i < 4; ++i) leave(shop.buyer);
  flush(60s);
  EXPECT_EQ(seen_by(shop.owner).buyer.state, State::offline);
}

}  // namespace presence_test
}  // namespace bottega::test
