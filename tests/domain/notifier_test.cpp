// Who is told of what: members without a live socket, of what the other side wrote, once.
#include "domain/notifier.hpp"

#include <thread>

#include "bottega/conversations/messages.hpp"
#include "bottega/conversations/safety.hpp"

namespace bottega::test {
namespace notifier_test {

using namespace std::chrono_literals;
using namespace notifications;

const Sql<void(NodeId)> kDie{"test.node_ends",
                             "UPDATE nodes SET until = now() - interval '1 s' WHERE id = $1"};
const Sql<std::int64_t()> kWaiting{"test.deliveries_waiting",
                                   "SELECT count(*) FROM push_deliveries"};

std::int64_t waiting(World& world) {
  return world.transact([](Tx& tx) { return tx.one(kWaiting); });
}

TEST_F(Notifications, TellAMemberWithoutASocketOfAMessage) {
  const auto told = told_of("Your lamp is ready");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0], (Json{{"type", "message"},
                           {"conversation", text_of(shop.conversation)},
                           {"event", "message.created"},
                           {"title", "Ada's Lamps"},
                           {"text", "Your lamp is ready"}}));
  const auto& sent = node->pusher->sent.front();
  EXPECT_EQ(sent.urgency, Urgency::high);
  EXPECT_EQ(sent.topic.size(), 32u) << "RFC 8030, 5.4";
  EXPECT_GT(sent.ttl, 86'000s);
  EXPECT_EQ(waiting(*world), 0);
  node->round();
  EXPECT_EQ(node->count(), 0u) << "once";
}

TEST_F(Notifications, AreForTheOtherSideOnly) {
  auto agent = world->member(shop, identity::Role::agent);
  sign_in(agent);
  subscribe(agent);
  subscribe(shop.owner);
  EXPECT_EQ(told_of("From the owner").size(), 1u) << "the buyer, not the owner's colleague";
  say(shop.buyer, "From the buyer");
  node->hear();
  node->round();
  const auto told = node->take();
  ASSERT_EQ(told.size(), 2u) << "both members, not the buyer's own devices";
  for (const auto& one : told) {
    EXPECT_EQ(one["title"], "Bea Buyer");
    EXPECT_EQ(one["text"], "From the buyer");
  }
}

TEST_F(Notifications, TellOfThingsThatHappenWithoutAnAuthor) {
  const conversations::Draft draft{"order.shipped",
                                   conversations::Author::system,
                                   std::nullopt,
                                   std::nullopt,
                                   {{"order", {{"id", "…"}}}}};
  subscribe(shop.owner);
  world->transact(
      [&](Tx& tx) { return conversations::append(tx, shop.merchant, shop.conversation, draft); });
  node->hear();
  node->round();
  const auto told = node->take();
  ASSERT_EQ(told.size(), 2u) << "both sides";
  EXPECT_EQ(told[0]["event"], "order.shipped");
  EXPECT_FALSE(told[0].contains("text"));
  EXPECT_FALSE(told[0].contains("order")) << "no more than what happened";
}

TEST_F(Notifications, SayOnlyThatThereIsSomethingWhereThatIsWanted) {
  const Json bare = {{"type", "message"}, {"conversation", text_of(shop.conversation)}};
  auto agent = world->member(shop, identity::Role::agent);
  sign_in(agent);
  subscribe(agent, "none");
  say(shop.buyer, "My address is 1 Main St");
  node->hear();
  node->round();
  EXPECT_EQ(node->take(), std::vector<Json>{bare}) << "for this device";
  identity::Preferences given;
  given.push_content = identity::Content::none;
  world->transact([&](Tx& tx) { identity::set_preferences(tx, shop.buyer.account, given); });
  EXPECT_EQ(told_of("Your secret is safe"), std::vector<Json>{bare}) << "for all devices";
}

TEST_F(Notifications, ShowTheBeginningOfALongText) {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += "ü";
  const auto told = told_of(text);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]["text"].get<std::string>().size(), 400u) << "200 characters of two bytes";
}

TEST_F(Notifications, AreNotForWhoeverHasALiveSocket) {
  node->presence.arrived(shop.buyer.account);
  node->flush();
  EXPECT_EQ(told_of("You are here").size(), 0u);
  EXPECT_EQ(waiting(*world), 0);
}

// Others still see them as online, so that they do not flicker; but they have not got it.
TEST_F(Notifications, AreForWhoeverHasJustLostTheirSocket) {
  node->presence.arrived(shop.buyer.account);
  node->flush();
  node->presence.left(shop.buyer.account, node->now);
  node->flush();
  EXPECT_EQ(world->transact([&](Tx& tx) { return presence_in(tx, shop.owner, shop.conversation); })
                .buyer.state,
            State::online);
  EXPECT_EQ(told_of("In the tunnel").size(), 1u);
}

TEST_F(Notifications, AreNotForWhatWasReceived) {
  mark(shop.buyer, say(shop.owner, "You have seen it"));
  node->hear();
  node->round();
  EXPECT_EQ(node->count(), 0u);
}

TEST_F(Notifications, AreNotForWhatIsReceivedWhileTheyWait) {
  node->pusher->script = {{Fate::retry, 60s, "busy"}};
  EXPECT_EQ(told_of("Soon seen").size(), 1u);
  mark(shop.buyer, world->last_seq(shop));
  world->advance(61s);
  node->round();
  EXPECT_EQ(node->count(), 0u);
  EXPECT_EQ(waiting(*world), 0);
}

// Somebody whose client says what it has received, and whose socket has died without a word.
TEST_F(Notifications, LookAgainWhereASocketHasNotConfirmedWhatItGot) {
  mark(shop.buyer, say(shop.owner, "Seen"));
  node->presence.arrived(shop.buyer.account);
  node->flush();
  EXPECT_EQ(told_of("Into the void").size(), 0u);
  EXPECT_EQ(waiting(*world), 1);
  node->presence.left(shop.buyer.account, node->now);
  node->now += 30s;
  node->flush();
  world->advance(46s);
  node->round();
  const auto told = node->take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]["text"], "Into the void");
}

TEST_F(Notifications, LookAgainAndAreSilentWhereTheSocketLives) {
  mark(shop.buyer, say(shop.owner, "Seen"));
  node->presence.arrived(shop.buyer.account);
  node->flush();
  told_of("Slow to confirm");
  world->advance(46s);
  node->round();
  EXPECT_EQ(node->count(), 0u);
  EXPECT_EQ(waiting(*world), 0);
}

TEST_F(Notifications, OfSeveralMessagesAreOneAboutTheNewest) {
  for (const auto* text : {"One", "Two", "Three"}) say(shop.owner, text);
  node->hear();
  node->round();
  const auto told = node->take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]["text"], "Three");
  EXPECT_EQ(told_of("Four").size(), 1u) << "and of the next another";
  EXPECT_EQ(node->pusher->sent[0].topic, node->pusher->sent[1].topic)
      << "in the place of the first";
}

TEST_F(Notifications, AreNotForWhatWasWrittenWhileItWasMuted) {
  world->transact(
      [&](Tx& tx) { return conversations::mute(tx, shop.buyer, shop.conversation, {}); });
  say(shop.owner, "Not now");
  world->advance(1s);
  world->transact([&](Tx& tx) { return conversations::unmute(tx, shop.buyer, shop.conversation); });
  say(shop.buyer, "I am back");
  node->hear();
  node->round();
  EXPECT_EQ(node->count(), 0u);
  EXPECT_EQ(told_of("Welcome").size(), 1u);
}

TEST_F(Notifications, AreNotForWhatWasTakenBack) {
  const auto seq = say(shop.owner, "A mistake");
  node->hear();
  world->transact(
      [&](Tx& tx) { return conversations::remove(tx, shop.owner, shop.conversation, seq, 1h); });
  node->round();
  EXPECT_EQ(node->count(), 0u);
  EXPECT_EQ(waiting(*world), 0);
}

TEST_F(Notifications, HaveTopicsThatTwoDevicesDoNotShare) {
  subscribe(shop.buyer);
  EXPECT_EQ(told_of("Twice").size(), 2u);
  EXPECT_NE(node->pusher->sent[0].topic, node->pusher->sent[1].topic);
}

TEST_F(Notifications, WaitUntilSomebodyMayHaveSeenIt) {
  NotifierOptions patient;
  patient.delay = 3'600s;
  TestNode other(*world, patient);
  say(shop.owner, "Not yet");
  other.hear();
  other.round();
  EXPECT_EQ(other.count(), 0u);
  other.now += 3'600s;
  other.round();
  EXPECT_EQ(other.count(), 1u);
}

TEST_F(Notifications, DoNotTellANewDeviceOfWhatIsOlderThanIt) {
  say(shop.buyer, "Before");
  world->advance(1s);
  subscribe(shop.owner);
  node->hear();
  node->round();
  EXPECT_EQ(node->count(), 0u);
  say(shop.buyer, "After");
  node->hear();
  node->round();
  EXPECT_EQ(node->take().size(), 1u);
}

TEST_F(Notifications, DoNotReachSomebodyWhoHasLeftTheShop) {
  auto agent = world->member(shop, identity::Role::agent);
  sign_in(agent);
  subscribe(agent);
  node->pusher->script = {{Fate::retry, 60s, "busy"}};
  say(shop.buyer, "For members");
  node->hear();
  node->round();
  EXPECT_EQ(node->take().size(), 1u);
  world->transact([&](Tx& tx) { identity::remove_member(tx, shop.merchant, agent.account); });
  world->advance(61s);
  node->round();
  EXPECT_EQ(node->count(), 0u);
}

TEST_F(Notifications, AreFoundInTheLogWhereTooManyWereHeardOf) {
  const auto second = world->transact([&](Tx& tx) {
    return conversations::open(tx, shop.buyer, {world->merchant(shop.owner).id});
  });
  NotifierOptions narrow;
  narrow.waiting_max = 1;
  TestNode other(*world, narrow);
  say(shop.owner, "The first");
  const auto given = from_json<conversations::NewMessage>({{"text", "The second"}});
  world->transact(
      [&](Tx& tx) { return conversations::send(tx, shop.owner, second.conversation.id, given); });
  other.hear();
  other.round();
  EXPECT_EQ(other.count(), 2u);
}

TEST_F(Notifications, OfANodeThatDiesAreSentByAnother) {
  auto doomed = std::make_unique<TestNode>(*world);
  say(shop.owner, "Heard by one node alone");
  doomed->hear();
  world->transact([&](Tx& tx) { tx.run(kDie, doomed->id); });
  doomed.reset();
  node->round();
  EXPECT_EQ(node->count(), 0u);
  node->now += 60s;
  node->flush();
  node->round();
  const auto told = node->take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]["text"], "Heard by one node alone");
  node->round();
  EXPECT_EQ(node->count(), 0u);
}

TEST_F(Notifications, OfANodeThatStopsAreWrittenDownAndSentByAnother) {
  TestNode stopping(*world);
  say(shop.owner, "Just before the end");
  stopping.hear();
  world->transact([&](Tx& tx) {
    stopping.notifier.end(tx);
    stopping.presence.end(tx);
  });
  node->round();
  EXPECT_EQ(node->count(), 1u);
}

TEST_F(Notifications, OfConcurrentNodesReachEachDeviceOnce) {
  TestNode other(*world);
  constexpr int kRounds = 10;
  for (int i = 0; i < kRounds; ++i) {
    say(shop.owner, "Message " + std::to_string(i));
    node->hear();
    other.hear();
    std::thread neighbour([&] { other.round(); });
    node->round();
    neighbour.join();
  }
  node->round();
  EXPECT_EQ(node->count() + other.count(), static_cast<std::size_t>(kRounds));
}

}  // namespace notifier_test
}  // namespace bottega::test
