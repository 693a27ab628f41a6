// Live events: to every device of both sides, in order, each once, and nothing of anybody else's.
#include <future>
#include <set>

#include "http/seqs.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace delivery_test {

const Server& server() { return Server::shared(); }

void resume(Socket& socket, const Json& positions) {
  socket.send({{"id", "r"}, {"method", "RESUME"}, {"positions", positions}});
}

void write(const Storefront& shop, const Client& who, int count) {
  for (int i = 0; i < count; ++i)
    ASSERT_EQ(send_text(shop, who, "Text " + std::to_string(i)).status, 201);
}

TEST(Delivery, ReachesEveryDeviceOfBothSidesTheSendersOtherAmongThem) {
  const auto shop = chat(server());
  const auto second_login = log_in(server(), shop.buyer.email);
  Socket phone(server().port(), shop.buyer.api.token()),
      laptop(server().port(), second_login.api.token()),
      till(server().port(), shop.owner.api.token());
  for (auto* socket : {&phone, &laptop, &till}) listen(*socket);
  const auto sent = phone.call("POST", shop.path("/messages"), {{"text", "Hello"}});
  for (auto* socket : {&phone, &laptop, &till}) {
    const auto event = socket->event("message.created");
    EXPECT_EQ(event, sent["body"]) << "the event is the log's entry";
    EXPECT_EQ(event["data"]["author_id"], shop.buyer.id);
    EXPECT_EQ(event["seq"], 1);
  }
}

TEST(Delivery, TellsNobodyElse) {
  const auto shop = chat(server()), other = chat(server());
  Socket stranger(server().port(), other.buyer.api.token()),
      rival(server().port(), other.owner.api.token());
  listen(stranger);
  listen(rival);
  send_text(shop, shop.buyer.api, "A secret of ours");
  send_text(other, other.buyer.api, "The first thing that they may hear");
  for (auto* socket : {&stranger, &rival}) {
    const auto event = socket->event();
    EXPECT_EQ(event["conversation"], other.conversation) << event.dump();
  }
}

TEST(Delivery, DoesNotShowTheMerchantWhereTheBuyerLivesBeforeThereIsAnOrder) {
  const auto shop = test::shop(server());
  Socket owner(server().port(), shop.owner.api.token());
  listen(owner);
  const auto order = sell(shop);
  const auto told = owner.event("order.created");
  EXPECT_EQ(told["data"]["order"]["id"], order["id"]);
  EXPECT_EQ(told.dump().find("1 Main St"), std::string::npos) << told.dump();
  auto api = shop.owner.api;
  EXPECT_EQ(api.get("/v1/orders/" + order["id"].get<std::string>()).json()["ship_to"]["street"],
            "1 Main St");
}

TEST(Delivery, KeepsTheOrderOfFiftyMessagesThatWereSentAtOnce) {
  const auto shop = chat(server());
  Socket buyer(server().port(), shop.buyer.api.token()),
      owner(server().port(), shop.owner.api.token());
  listen(owner);
  for (int i = 0; i < 50; ++i)
    buyer.send({{"id", "m" + std::to_string(i)},
                {"method", "POST"},
                {"path", shop.path("/messages")},
                {"body", {{"text", std::to_string(i)}}}});
  for (int i = 0; i < 50; ++i) {
    const auto event = owner.event("message.created");
    EXPECT_EQ(event["seq"], i + 1);
    EXPECT_EQ(event["data"]["text"], std::to_string(i));
    EXPECT_EQ(buyer.reply("m" + std::to_string(i))["body"]["seq"], i + 1);
  }
}

TEST(Delivery, SendsTypingAndReceiptsWithoutASequenceNumber) {
  const auto shop = chat(server());
  write(shop, shop.buyer.api, 3);
  Socket buyer(server().port(), shop.buyer.api.token());
  listen(buyer);
  auto owner = shop.owner.api;
  EXPECT_EQ(owner.post(shop.path("/typing")).status, 204);
  const auto typing = buyer.event();
  EXPECT_EQ(typing["event"], "typing.started");
  EXPECT_EQ(typing["data"], (Json{{"account_id", shop.owner.id}, {"side", "merchant"}}));
  EXPECT_FALSE(typing.contains("seq"));
  EXPECT_EQ(owner.post(shop.path("/receipts"), {{"read_seq", 2}}).status, 200);
  const auto receipt = buyer.event();
  EXPECT_EQ(receipt["event"], "receipt.updated");
  EXPECT_EQ(receipt["data"]["read_seq"], 2);
  EXPECT_EQ(receipt["data"]["delivered_seq"], 2) << "what was read was delivered";
  EXPECT_FALSE(receipt.contains("seq"));
  EXPECT_EQ(owner.get(shop.path()).json()["last_seq"], 3) << "neither is in the log";
}

TEST(Delivery, MovesMarkersForwardOnly) {
  const auto shop = chat(server());
  write(shop, shop.buyer.api, 3);
  auto owner = shop.owner.api;
  owner.post(shop.path("/receipts"), {{"read_seq", 3}});
  EXPECT_EQ(owner.post(shop.path("/receipts"), {{"read_seq", 1}}).json()["read_seq"], 3);
  const auto ahead = owner.post(shop.path("/receipts"), {{"delivered_seq", 4}});
  EXPECT_TRUE(is_problem(ahead, 422, "invalid"));
  EXPECT_TRUE(points_at(ahead.json(), "/delivered_seq"));
  const auto markers = owner.get(shop.path("/receipts")).json()["data"];
  ASSERT_EQ(markers.size(), 1u);
  EXPECT_EQ(markers[0]["account_id"], shop.owner.id);
}

TEST(Delivery, BeginsForAShopThatWasOpenedAfterTheSocket) {
  const auto owner = person(server()), buyer = person(server());
  Socket socket(server().port(), owner.api.token());
  listen(socket);
  auto selling = owner.api, buying = buyer.api;
  const auto merchant =
      selling.post("/v1/merchants", {{"name", "New"}, {"country", "US"}, {"currency", "USD"}})
          .json()["id"];
  const auto conversation =
      buying.post("/v1/conversations", {{"merchant_id", merchant}}).json()["id"];
  const auto path = "/v1/conversations/" + conversation.get<std::string>() + "/messages";
  buying.post(path, {{"text", "The first of all"}});
  EXPECT_EQ(socket.event("message.created")["data"]["text"], "The first of all");
}

// ---- coming back --------------------------------------------------------------------------------

TEST(Resume, SendsExactlyWhatIsMissingAndThenLiveEvents) {
  const auto shop = chat(server());
  write(shop, shop.owner.api, 7);
  Socket buyer(server().port(), shop.buyer.api.token());
  resume(buyer, {{shop.conversation, 3}});
  for (std::int64_t seq = 4; seq <= 7; ++seq) EXPECT_EQ(buyer.event()["seq"], seq);
  const auto done = buyer.event();
  EXPECT_EQ(done["event"], "resumed");
  EXPECT_EQ(done["id"], "r");
  EXPECT_EQ(
      done["data"]["conversations"],
      Json::array({{{"conversation", shop.conversation}, {"recovered", true}, {"position", 7}}}));
  write(shop, shop.owner.api, 1);
  EXPECT_EQ(buyer.event()["seq"], 8);
}

TEST(Resume, SendsNothingToAClientThatHasEverything) {
  const auto shop = chat(server());
  write(shop, shop.owner.api, 2);
  Socket buyer(server().port(), shop.buyer.api.token());
  resume(buyer, {{shop.conversation, 2}});
  EXPECT_EQ(buyer.event()["event"], "resumed");
}

// And of the seconds before it: nodes have clocks of their own.
TEST(Resume, SendsWhatCameSinceATimeOfAllConversations) {
  House house;
  const auto first = chat(house.server);
  auto buyer = first.buyer.api, admin = staff(house.server);
  const auto other = chat(house.server);
  const auto made = buyer.post("/v1/conversations", {{"merchant_id", other.merchant}}).json();
  auto second = other;
  second.conversation = made["id"];
  const auto advance = [&](int seconds) {
    ASSERT_EQ(admin.post("/v1/admin/clock/advance", {{"advance_s", seconds}}).status, 200);
  };
  write(first, first.owner.api, 1);
  advance(20);
  write(first, first.owner.api, 1);
  advance(5);
  write(first, first.owner.api, 1);
  const auto since = buyer.get(first.path("/messages?after=2")).json()["data"][0]["at"];
  write(second, second.owner.api, 2);
  Socket socket(house.server.port(), buyer.token());
  socket.send({{"method", "RESUME"}, {"since", since}});
  std::multiset<std::string> seen;
  for (auto event = socket.event(); event["event"] != "resumed"; event = socket.event())
    seen.insert(event["conversation"].get<std::string>() + ' ' + event["seq"].dump());
  const std::multiset<std::string> expected = {first.conversation + " 2", first.conversation + " 3",
                                               second.conversation + " 1",
                                               second.conversation + " 2"};
  EXPECT_EQ(seen, expected);
}

TEST(Resume, SaysSoWhereAConversationIsNotOnes) {
  const auto shop = chat(server()), other = chat(server());
  write(shop, shop.owner.api, 2);
  Socket stranger(server().port(), other.buyer.api.token());
  resume(stranger, {{shop.conversation, 0}, {"conv_01h2xcejqtf2nbrexx3vqjhp41", 0}});
  const auto done = stranger.event();
  ASSERT_EQ(done["event"], "resumed") << done.dump();
  for (const auto& one : done["data"]["conversations"]) {
    EXPECT_EQ(one["recovered"], false);
    EXPECT_EQ(one["position"], 0);
  }
}

TEST(Resume, SaysSoWhereTheClientIsAheadOfTheLog) {
  const auto shop = chat(server());
  write(shop, shop.owner.api, 2);
  Socket buyer(server().port(), shop.buyer.api.token());
  resume(buyer, {{shop.conversation, 9}});
  const auto one = buyer.event("resumed")["data"]["conversations"][0];
  EXPECT_EQ(one["recovered"], false);
  EXPECT_EQ(one["position"], 2);
}

TEST(Resume, NeedsToKnowWhoAsks) {
  Socket nobody(server().port(), "");
  nobody.send({{"id", "r"}, {"method", "RESUME"}, {"positions", Json::object()}});
  EXPECT_TRUE(is_problem(nobody.reply("r"), 401, "unauthenticated"));
}

TEST(Resume, HasNeitherGapsNorDoublesWhileOthersWriteConcurrently) {
  const auto shop = chat(server());
  write(shop, shop.owner.api, 5);
  constexpr int kWriters = 3, kEach = 20;
  std::vector<std::future<void>> writers;
  for (int w = 0; w < kWriters; ++w)
    writers.push_back(std::async(std::launch::async, [&shop, w] {
      const auto& who = w % 2 == 0 ? shop.owner.api : shop.buyer.api;
      for (int i = 0; i < kEach; ++i) send_text(shop, who, "Concurrent");
    }));
  constexpr std::int64_t last = 5 + kWriters * kEach;
  std::int64_t position = 2;
  // Comes and goes while it is written to, each time from where it was.
  while (position < last) {
    Socket buyer(server().port(), shop.buyer.api.token());
    resume(buyer, {{shop.conversation, position}});
    const auto upto = std::min<std::int64_t>(position + 9, last);
    const auto seqs = seqs_upto(buyer, upto);
    EXPECT_EQ(seqs, from_to(position + 1, seqs.back()));
    position = seqs.back();
  }
  for (auto& writer : writers) writer.get();
  EXPECT_EQ(position, last);
}

TEST(Delivery, HasNeitherGapsNorDoublesForALiveListenerWhileOthersWriteConcurrently) {
  const auto shop = chat(server());
  Socket owner(server().port(), shop.owner.api.token());
  listen(owner);
  constexpr int kWriters = 4, kEach = 15;
  std::vector<std::future<void>> writers;
  for (int w = 0; w < kWriters; ++w)
    writers.push_back(std::async(std::launch::async, [&shop] {
      Socket socket(server().port(), shop.buyer.api.token());
      for (int i = 0; i < kEach; ++i)
        socket.call("POST", shop.path("/messages"), {{"text", "Concurrent"}});
    }));
  EXPECT_EQ(seqs_upto(owner, kWriters * kEach), from_to(1, kWriters * kEach));
  for (auto& writer : writers) writer.get();
}

// Its outbox follows at once, and is not waited for.
TEST(Resume, ComesBeforeWhatTheClientItselfSaysNext) {
  const auto shop = chat(server());
  write(shop, shop.owner.api, 40);
  for (int round = 0; round < 10; ++round) {
    Socket buyer(server().port(), shop.buyer.api.token());
    resume(buyer, {{shop.conversation, 0}});
    buyer.send({{"id", "m"},
                {"method", "POST"},
                {"path", shop.path("/messages")},
                {"body", {{"text", "From the outbox"}}}});
    const auto last = 41 + round;
    for (std::int64_t seq = 1; seq <= last; ++seq)
      ASSERT_EQ(buyer.event("message.created")["seq"], seq);
  }
}

TEST(Resume, IsForKeysThatMayReadOnly) {
  const auto shop = chat(server());
  write(shop, shop.owner.api, 2);
  auto owner = shop.owner.api;
  const auto made = owner.post("/v1/merchants/" + shop.merchant + "/api_keys",
                               {{"name", "Till"}, {"scopes", {"chat"}}});
  Socket bot(server().port(), made.json()["secret"]);
  bot.send({{"id", "r"}, {"method", "RESUME"}, {"since", "2020-01-01T00:00:00Z"}});
  EXPECT_TRUE(is_problem(bot.reply("r"), 403, "forbidden"));
  bot.send({{"id", "s"}, {"method", "RESUME"}, {"positions", {{shop.conversation, 0}}}});
  EXPECT_TRUE(is_problem(bot.reply("s"), 403, "forbidden"));
}

TEST(Resume, CountsLikeTheReadsItStandsFor) {
  House house({"limits.requests_per_minute=30"});
  const auto shop = chat(house.server);
  Socket socket(house.server.port(), shop.buyer.api.token());
  socket.send({{"id", "r"}, {"method", "RESUME"}, {"positions", {{shop.conversation, 0}}}});
  EXPECT_EQ(socket.event("resumed")["id"], "r");
  for (int i = 0; i < 30; ++i)
    socket.send({{"id", std::to_string(i)}, {"method", "RESUME"}, {"positions", Json::object()}});
  EXPECT_TRUE(is_problem(socket.reply("29"), 429, "rate_limited"));
}

TEST(Resume, TakesManyPositionsAtOnce) {
  const auto shop = chat(server()), other = chat(server());
  write(shop, shop.owner.api, 2);
  write(other, other.owner.api, 2);
  Json positions = {{shop.conversation, 1}, {other.conversation, 1}};
  for (int i = 0; i < 12; ++i)
    positions["conv_01h2xcejqtf2nbrexx3vqjhp" + std::to_string(10 + i)] = 0;
  Socket buyer(server().port(), shop.buyer.api.token());
  resume(buyer, positions);
  EXPECT_EQ(buyer.event()["seq"], 2);
  const auto done = buyer.event();
  ASSERT_EQ(done["event"], "resumed") << done.dump();
  for (const auto& one : done["data"]["conversations"])
    EXPECT_EQ(one["recovered"], one["conversation"] == shop.conversation) << one.dump();
  EXPECT_EQ(done["data"]["conversations"].size(), 14u);
}

// More had news than one RESUME looks at: then it says so.
TEST(Resume, NeverLeavesOutAConversationInSilence) {
  House house;
  const auto shop = chat(house.server);
  const auto& url = house.urls.superuser;
  execute(url,
          "INSERT INTO bottega.accounts (id, email, name, password_hash, created_at) "
          "SELECT gen_random_uuid(), 'seed' || n || '@people.example', 'S', 'x', now() "
          "FROM generate_series(1, 1000) AS n");
  execute(
      url,
      "INSERT INTO bottega.conversations (merchant_id, id, buyer_id, last_entry_at, created_at) "
      "SELECT m.id, gen_random_uuid(), a.id, now(), now() FROM bottega.merchants m, "
      "bottega.accounts a WHERE a.email LIKE 'seed%'");
  const auto resume = [&](const std::string& since) {
    Socket socket(house.server.port(), shop.owner.api.token());
    socket.send({{"method", "RESUME"}, {"since", since}});
    return socket.event("resumed")["data"];
  };
  const auto all = resume("2020-01-01T00:00:00Z");
  EXPECT_EQ(all["complete"], false);
  EXPECT_EQ(all["conversations"].size(), 1'000u);
  EXPECT_EQ(resume("2100-01-01T00:00:00Z")["complete"], true);
}

}  // namespace delivery_test
}  // namespace bottega::test
