#include "domain/notifier.hpp"

#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace {

using namespace std::chrono_literals;
using namespace notifications;

const Sql<void()> kClearDevices{"test.clear_devices", "DELETE FROM push_subscriptions"};
const Sql<void()> kClearNodes{"test.clear_nodes", "DELETE FROM nodes"};

std::unique_ptr<Scripted> scripted(Scripted** where) {
  auto made = std::make_unique<Scripted>();
  *where = made.get();
  return made;
}

}  // namespace

std::unique_ptr<World> Notifications::world;

TestNode::TestNode(World& given, NotifierOptions options)
    : world(given),
      presence(given.db, id, {}),
      notifier(given.db, given.clock, id, options, scripted(&pusher)),
      heard(given.notices.size()) {
  flush();
  round();  // Looks whether anybody has subscribed.
}

void TestNode::hear() {
  for (; heard < world.notices.size(); ++heard) notifier.hear(world.notices[heard]);
}

void TestNode::round() {
  now += 10s;
  run(notifier.round(now));
}

std::vector<Json> TestNode::take() {
  std::vector<Json> out;
  for (; taken < pusher->sent.size(); ++taken)
    out.push_back(Json::parse(pusher->sent[taken].payload));
  return out;
}

void Notifications::SetUp() {
  world->transact([](Tx& tx) {
    tx.run(kClearDevices);
    tx.run(kClearNodes);
  });
  shop = world->shop();
  sign_in(shop.buyer);
  sign_in(shop.owner);
  subscribe(shop.buyer);
  node = std::make_unique<TestNode>(*world);
}

void Notifications::sign_in(identity::Who& who) {
  who.session = world
                    ->transact([&](Tx& tx) {
                      return identity::open_session(tx, who.account, {"a browser", "127.0.0.1"},
                                                    {900s, 86'400s});
                    })
                    .session_id;
}

Subscription Notifications::subscribe(const identity::Who& who, const std::string& content,
                                      const std::string& endpoint) {
  const auto address = endpoint.empty() ? "https://push.example/" + random_token(16) : endpoint;
  const auto given = from_json<NewSubscription>(Device().subscription(address, content));
  return world->transact(
      [&](Tx& tx) { return notifications::subscribe(tx, who, given, Network::public_only); });
}

std::vector<Subscription> Notifications::subscriptions_of(const identity::Who& who) {
  return world->transact([&](Tx& tx) { return list_subscriptions(tx, who.account); });
}

std::int64_t Notifications::say(const identity::Who& who, const std::string& text) {
  const auto given = from_json<conversations::NewMessage>({{"text", text}});
  return world
      ->transact([&](Tx& tx) { return conversations::send(tx, who, shop.conversation, given); })
      .seq;
}

void Notifications::mark(const identity::Who& who, std::int64_t delivered) {
  conversations::Receipt receipt;
  receipt.delivered_seq = Count<0, INT64_MAX>{delivered};
  world->transact([&](Tx& tx) { return conversations::mark(tx, who, shop.conversation, receipt); });
}

std::vector<Json> Notifications::told_of(const std::string& text) {
  say(shop.owner, text);
  node->hear();
  node->round();
  return node->take();
}

}  // namespace bottega::test
