// Two nodes on one database with NATS between them: whoever is where, everybody sees the same, and
// whatever dies, nobody misses anything.
#include <future>
#include <set>

#include "bus/envelope.hpp"
#include "http/seqs.hpp"
#include "http/story.hpp"
#include "support/event_reader.hpp"
#include "support/nats.hpp"
#include "support/shared.hpp"

namespace bottega::test {
namespace nodes_test {

using std::chrono::seconds;
using std::chrono::steady_clock;

// The nodes that the tests share. Whoever kills something brings it back.
struct Pair {
  TempDir dir;
  NatsServer nats;
  Urls urls = Cluster::shared().fresh_database();
  std::unique_ptr<Server> here = node("here"), there = node("there");

  std::unique_ptr<Server> node(const std::string& name, std::vector<std::string> more = {}) {
    more.insert(more.end(),
                {"database.url=" + urls.app, "database.owner_url=" + urls.owner,
                 "sandbox.url=" + urls.sandbox, "bus.url=" + nats.url(), "bus.subject=shop.test"});
    return std::make_unique<Server>(dir.path() / name, more);
  }
};

class Nodes : public testing::Test {
 protected:
  static void SetUpTestSuite() { pair = new Pair; }
  static void TearDownTestSuite() {
    delete pair;
    pair = nullptr;
  }
  void SetUp() override {
    ASSERT_TRUE(soon([] { return connected(*pair->here) && connected(*pair->there); }));
  }

  static const Server& here() { return *pair->here; }
  static const Server& there() { return *pair->there; }

  static double value_of(const Server& server, const std::string& series) {
    const auto page = Client(server.port()).get("/metrics").body;
    const auto at = page.find("\n" + series + " ");
    return at == page.npos ? -1 : std::stod(page.substr(at + series.size() + 2));
  }
  static double events(const Server& server, const std::string& outcome) {
    return value_of(server, "bottega_bus_events_total{outcome=\"" + outcome + "\"}");
  }
  static bool connected(const Server& server) {
    return value_of(server, "bottega_bus_connected") == 1;
  }
  static Client at(const Server& server, const Person& who) {
    return Client(server.port(), who.api.token());
  }

  // Typing is in no log: where it arrives, the bus has carried it.
  static bool typing_crosses(const Storefront& shop, Socket& listener) {
    auto owner = at(here(), shop.owner);
    EXPECT_EQ(owner.post(shop.path("/typing")).status, 204);
    return listener.event("typing.started")["data"]["account_id"] == shop.owner.id;
  }

  static Pair* pair;
};
Pair* Nodes::pair = nullptr;

void write(const Storefront& shop, const Client& who, int count) {
  for (int i = 0; i < count; ++i)
    ASSERT_EQ(send_text(shop, who, "Text " + std::to_string(i)).status, 201);
}

TEST_F(Nodes, LetABuyerAndAMerchantSeeEachOtherLive) {
  const auto shop = chat(here());
  Socket buyer(here().port(), shop.buyer.api.token()),
      owner(there().port(), shop.owner.api.token());
  listen(buyer);
  listen(owner);
  const auto before = events(there(), "received");
  const auto asked = buyer.call("POST", shop.path("/messages"), {{"text", "Is it brass?"}});
  EXPECT_EQ(owner.event("message.created"), asked["body"]) << "the same frame as on one node";
  const auto told = owner.call("POST", shop.path("/messages"), {{"text", "It is."}});
  for (auto* socket : {&buyer, &owner}) {
    auto event = socket->event("message.created");
    if (event["seq"] == 1) event = socket->event("message.created");
    EXPECT_EQ(event, told["body"]);
  }
  EXPECT_GE(events(there(), "received"), before + 1);
}

TEST_F(Nodes, CarryTypingAndReceipts) {
  const auto shop = chat(here());
  write(shop, shop.buyer.api, 1);
  Socket buyer(there().port(), shop.buyer.api.token());
  listen(buyer);
  EXPECT_TRUE(typing_crosses(shop, buyer));
  auto owner = shop.owner.api;
  EXPECT_EQ(owner.post(shop.path("/receipts"), {{"read_seq", 1}}).status, 200);
  EXPECT_EQ(buyer.event("receipt.updated")["data"]["read_seq"], 1);
}

TEST_F(Nodes, KeepTheOrderOnBothSidesWhileBothWriteConcurrently) {
  const auto shop = chat(here());
  Socket left(here().port(), shop.buyer.api.token()), right(there().port(), shop.owner.api.token());
  listen(left);
  listen(right);
  constexpr int kWriters = 4, kEach = 40;
  std::vector<std::future<void>> writers;
  for (int w = 0; w < kWriters; ++w)
    writers.push_back(std::async(std::launch::async, [&shop, w] {
      Socket socket(w % 2 == 0 ? here().port() : there().port(),
                    (w < 2 ? shop.buyer : shop.owner).api.token());
      for (int i = 0; i < kEach; ++i)
        socket.send({{"id", std::to_string(i)},
                     {"method", "POST"},
                     {"path", shop.path("/messages")},
                     {"body", {{"text", "Concurrent"}}}});
      for (int i = 0; i < kEach; ++i) EXPECT_EQ(socket.reply(std::to_string(i))["status"], 201);
    }));
  for (auto* socket : {&left, &right})
    EXPECT_EQ(seqs_upto(*socket, kWriters * kEach), from_to(1, kWriters * kEach));
  for (auto& writer : writers) writer.get();
}

TEST_F(Nodes, LoseNothingWhenNatsDiesAndAreLiveAgainWhenItIsBack) {
  const auto shop = chat(here());
  Socket owner(there().port(), shop.owner.api.token());
  listen(owner);
  write(shop, shop.buyer.api, 2);
  EXPECT_EQ(seqs_upto(owner, 2), from_to(1, 2));
  pair->nats.kill();
  EXPECT_TRUE(soon([] { return !connected(here()) && !connected(there()); }));
  for (std::int64_t seq = 3; seq <= 5; ++seq) {
    write(shop, shop.buyer.api, 1);
    EXPECT_EQ(owner.event("message.created")["seq"], seq) << "the same socket, without NATS";
  }
  EXPECT_GE(events(there(), "healed"), 1);
  EXPECT_GE(events(here(), "dropped"), 1);
  for (const auto* server : {&here(), &there()})
    EXPECT_EQ(Client(server->port()).get("/readyz").status, 200);
  pair->nats.start();
  EXPECT_TRUE(soon([] { return connected(here()) && connected(there()); }));
  EXPECT_TRUE(typing_crosses(shop, owner));
  write(shop, shop.buyer.api, 5);
  EXPECT_EQ(seqs_upto(owner, 10), from_to(6, 10));
}

TEST_F(Nodes, LoseAndDoubleNothingWhileNatsDiesAndComesBackConcurrently) {
  const auto shop = chat(here());
  Socket buyer(here().port(), shop.buyer.api.token()),
      owner(there().port(), shop.owner.api.token());
  listen(buyer);
  listen(owner);
  constexpr int kEach = 60;
  std::promise<void> under_way;
  std::vector<std::future<void>> writers;
  for (int w = 0; w < 2; ++w)
    writers.push_back(std::async(std::launch::async, [&shop, &under_way, w] {
      auto api = w == 0 ? at(here(), shop.buyer) : at(there(), shop.owner);
      for (int i = 0; i < kEach; ++i) {
        EXPECT_EQ(send_text(shop, api, "Concurrent").status, 201);
        if (w == 0 && i == kEach / 3) under_way.set_value();
      }
    }));
  under_way.get_future().get();
  pair->nats.kill();
  pair->nats.start();
  for (auto* socket : {&buyer, &owner})
    EXPECT_EQ(seqs_upto(*socket, 2 * kEach), from_to(1, 2 * kEach));
  for (auto& writer : writers) writer.get();
}

// An entry that is committed and of which no node has said anything: its writer died just then.
TEST_F(Nodes, FindWhatANodeThatDiedCouldNotTell) {
  const auto shop = chat(here());
  Socket owner(there().port(), shop.owner.api.token());
  listen(owner);
  write(shop, shop.buyer.api, 1);
  EXPECT_EQ(owner.event()["seq"], 1);
  pair->nats.kill();
  pair->nats.start();
  EXPECT_TRUE(soon([] { return connected(here()) && connected(there()); }));
  execute(pair->urls.superuser,
          "WITH c AS (UPDATE bottega.conversations SET last_seq = 2 WHERE number = (SELECT "
          "max(number) FROM bottega.conversations) RETURNING merchant_id, id) "
          "INSERT INTO bottega.entries (merchant_id, conversation_id, seq, id, event, author, "
          "data, at) SELECT merchant_id, id, 2, gen_random_uuid(), 'message.created', 'buyer', "
          "'{\"text\": \"My last\"}', now() FROM c");
  const auto event = owner.event("message.created");
  EXPECT_EQ(event["seq"], 2);
  EXPECT_EQ(event["data"]["text"], "My last");
  write(shop, shop.buyer.api, 1);
  EXPECT_EQ(owner.event()["seq"], 3);
}

// What was said before a client came is not news to it, also where the node finds it again while
// it looks for what it may have missed.
TEST_F(Nodes, DoNotTellANewcomerWhatIsOldWhileTheyHeal) {
  const auto old = chat(here());
  const auto other = chat(here());
  auto buying = old.buyer.api;
  auto fresh = other;
  fresh.conversation =
      buying.post("/v1/conversations", {{"merchant_id", other.merchant}}).json()["id"];
  write(old, old.owner.api, 1);
  pair->nats.kill();
  EXPECT_TRUE(soon([] { return !connected(there()); }));
  Socket buyer(there().port(), old.buyer.api.token());
  listen(buyer);
  write(fresh, fresh.owner.api, 1);
  const auto first = buyer.event();
  EXPECT_EQ(first["conversation"], fresh.conversation) << first.dump();
  write(old, old.owner.api, 1);
  EXPECT_EQ(buyer.event()["seq"], 2);
  pair->nats.start();
}

TEST_F(Nodes, EndASocketWhoseSessionEndedOnTheOther) {
  const auto who = person(here());
  Socket socket(there().port(), who.api.token());
  listen(socket);
  auto elsewhere = at(there(), who);
  EXPECT_EQ(elsewhere.get("/v1/accounts/me").status, 200) << "the token is known there now";
  auto api = who.api;
  EXPECT_EQ(api.remove("/v1/sessions/" + who.session).status, 204);
  const auto ended = steady_clock::now();
  EXPECT_EQ(socket.close_code(), 3500);
  EXPECT_TRUE(is_problem(elsewhere.get("/v1/accounts/me"), 401, "unauthenticated"));
  EXPECT_LT(steady_clock::now() - ended, seconds(4)) << "sooner than a token is forgotten anyway";
}

TEST_F(Nodes, EndASocketWhoseSessionEndedWhileNatsWasAway) {
  const auto who = person(here()), stays = person(here());
  Socket socket(there().port(), who.api.token()), other(there().port(), stays.api.token());
  listen(socket);
  listen(other);
  pair->nats.kill();
  EXPECT_TRUE(soon([] { return !connected(here()) && !connected(there()); }));
  auto api = who.api;
  EXPECT_EQ(api.remove("/v1/sessions/" + who.session).status, 204);
  pair->nats.start();
  EXPECT_EQ(socket.close_code(), 3500);
  EXPECT_EQ(other.call("GET", "/v1/accounts/me")["status"], 200) << "the others stay";
}

TEST_F(Nodes, BeginToListenToAShopThatWasOpenedOnTheOther) {
  const auto owner = person(here()), buyer = person(here());
  Socket socket(there().port(), owner.api.token());
  listen(socket);
  auto selling = owner.api, buying = buyer.api;
  const auto merchant =
      selling.post("/v1/merchants", {{"name", "New"}, {"country", "US"}, {"currency", "USD"}})
          .json()["id"];
  const auto conversation =
      buying.post("/v1/conversations", {{"merchant_id", merchant}}).json()["id"];
  const auto path = "/v1/conversations/" + conversation.get<std::string>() + "/messages";
  EXPECT_EQ(buying.post(path, {{"text", "The first of all"}}).status, 201);
  EXPECT_EQ(socket.event("message.created")["data"]["text"], "The first of all");
}

TEST_F(Nodes, AreNotHurtByGarbageOnTheirSubject) {
  const auto shop = chat(here());
  Socket owner(there().port(), shop.owner.api.token());
  listen(owner);
  const auto before = events(there(), "refused");
  const std::string head = "BTGA\x01";
  for (const auto& bytes : {std::string("garbage"), head, head + std::string(24, '\x7f') + "more",
                            std::string(500'000, '\xff')})
    pair->nats.say("shop.test", bytes);
  write(shop, shop.buyer.api, 3);
  EXPECT_EQ(seqs_upto(owner, 3), from_to(1, 3));
  EXPECT_TRUE(soon([&] { return events(there(), "refused") == before + 4; }));
}

TEST_F(Nodes, LetAClientGoOnAtTheOtherWhenItsNodeDies) {
  const auto shop = chat(here());
  {
    Socket owner(there().port(), shop.owner.api.token());
    listen(owner);
    write(shop, shop.buyer.api, 4);
    EXPECT_EQ(seqs_upto(owner, 4), from_to(1, 4));
    pair->there->kill();
  }
  write(shop, shop.buyer.api, 3);
  Socket owner(here().port(), shop.owner.api.token());
  owner.send({{"id", "r"}, {"method", "RESUME"}, {"positions", {{shop.conversation, 4}}}});
  EXPECT_EQ(seqs_upto(owner, 7), from_to(5, 7));
  EXPECT_EQ(owner.event()["event"], "resumed");
  pair->there = pair->node("there");
  Socket back(there().port(), shop.owner.api.token());
  back.send({{"id", "r"}, {"method", "RESUME"}, {"positions", {{shop.conversation, 6}}}});
  EXPECT_EQ(seqs_upto(back, 7), from_to(7, 7));
  EXPECT_TRUE(soon([] { return connected(there()); }));
  auto api = at(there(), shop.owner);
  write(shop, api, 2);
  for (auto* socket : {&owner, &back}) EXPECT_EQ(seqs_upto(*socket, 9).back(), 9);
}

TEST_F(Nodes, StopAndSayTheirLast) {
  const auto shop = chat(here());
  Socket owner(there().port(), shop.owner.api.token());
  listen(owner);
  auto other = pair->node("other");
  EXPECT_TRUE(soon([&] { return connected(*other); }));
  write(shop, at(*other, shop.buyer), 3);
  EXPECT_EQ(other->stop(), 0) << read_file(other->log_file());
  EXPECT_EQ(seqs_upto(owner, 3), from_to(1, 3));
}

TEST(NodeAlone, ServesWithoutTheNatsItWasToldOfAndSaysSoOnce) {
  House house({"bus.url=nats://bottega:hush-hush@127.0.0.1:1", "stop.grace_s=2"});
  const auto shop = chat(house.server);
  Socket owner(house.server.port(), shop.owner.api.token());
  listen(owner);
  write(shop, shop.buyer.api, 3);
  EXPECT_EQ(seqs_upto(owner, 3), from_to(1, 3));
  EXPECT_EQ(Client(house.server.port()).get("/readyz").status, 200);
  const auto begun = steady_clock::now();
  EXPECT_EQ(house.server.stop(), 0);
  EXPECT_LT(steady_clock::now() - begun, seconds(6));
  const auto log = read_file(house.server.log_file());
  const auto first = log.find("bus.away");
  ASSERT_NE(first, log.npos) << log;
  EXPECT_EQ(log.find("bus.away", first + 1), log.npos) << "once, not at each try";
  EXPECT_EQ(log.find("hush-hush"), log.npos);
}

TEST(NodeAlone, RefusesABusThatCannotBeWithWords) {
  House good;
  const auto ran = run_program(
      std::string("'") + BOTTEGA_BINARY + "' serve --set http.port=0 --set sandbox.port=0 --set '" +
      "bus.url=http://bottega:hush-hush@nats' --set 'database.url=" + good.urls.app +
      "' --set 'sandbox.url=" + good.urls.sandbox + "'");
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.output.find("bus.url: "), ran.output.npos) << ran.output;
  EXPECT_EQ(ran.output.find("hush-hush"), ran.output.npos);
}

// Whoever reaches NATS can say anything.
TEST_F(Nodes, ListenersTakeNothingFromNatsThatIsNoEvent) {
  const auto shop = chat(here());
  EventReader stream(there().port(), shop.buyer.api.token());
  stream.event("ready");
  std::uint64_t number = 0;
  for (const std::string text : {"{x", "{}", R"({"event":7})", R"({"event":"e","seq":"x"})",
                                 R"({"event":"e","seq":1,"conversation":"c","at":"now"})"}) {
    const bus::NodeId stranger = {'s'};
    const auto event = bus::pack({shop.buyer.id}, {shop.conversation, 0, text}, 10'000);
    ASSERT_FALSE(event.empty()) << text;
    pair->nats.say("shop.test", bus::open_envelope(stranger, ++number) + event);
  }
  send_text(shop, shop.owner.api, "Still here?");
  EXPECT_EQ(stream.event("message.created")["data"]["text"], "Still here?");
}

}  // namespace nodes_test
}  // namespace bottega::test
