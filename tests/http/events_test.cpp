// The event stream (WHATWG HTML, 9.2): the same events as a socket's, for whoever cannot use one.
#include <future>

#include "http/story.hpp"
#include "support/event_reader.hpp"

namespace bottega::test {
namespace events_test {

using Seen = std::vector<std::pair<std::string, std::int64_t>>;

class EventStreams : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house = std::make_unique<House>(
        std::vector<std::string>{"socket.ping_s=1", "socket.queue_max_bytes=65536",
                                 "socket.resume_max=10", "stop.grace_s=2"});
  }
  static void TearDownTestSuite() { house.reset(); }
  static const Server& server() { return house->server; }

  static EventReader opened(const Client& who, const std::string& last_id = "") {
    EventReader::Options options;
    options.last_event_id = last_id;
    return EventReader(server().port(), who.token(), options);
  }
  // Conversations of one buyer with shops of their own.
  static std::vector<Storefront> shops_of_one_buyer(std::size_t count) {
    std::vector<Storefront> shops{chat(server())};
    while (shops.size() < count) {
      auto shop = chat(server());
      shop.buyer = shops[0].buyer;
      shop.conversation =
          shop.buyer.api.post("/v1/conversations", {{"merchant_id", shop.merchant}}).json()["id"];
      shops.push_back(shop);
    }
    return shops;
  }
  static void write(const Storefront& shop, const std::string& text = "Hello") {
    ASSERT_EQ(send_text(shop, shop.owner.api, text).status, 201);
  }
  static std::pair<std::string, std::int64_t> place_of(const Json& event) {
    return {event["conversation"], event["seq"]};
  }
  // The messages up to the event of this name, whose data is given back.
  static Json collect(EventReader& reader, const std::string& upto, Seen& seen) {
    while (const auto event = reader.next()) {
      if (event->name == upto) return event->data;
      if (event->name == "message.created") seen.push_back(place_of(event->data));
    }
    return nullptr;
  }
  static int count(const std::string& kind) {
    const auto page = Client(server().port()).get("/metrics").body;
    const auto series = "bottega_load{kind=\"" + kind + "\"} ";
    const auto at = page.find(series);
    return at == page.npos ? 0 : std::stoi(page.substr(at + series.size()));
  }

  static inline std::unique_ptr<House> house;
};

TEST_F(EventStreams, SayInTheirHeadWhatTheyAre) {
  const auto shop = chat(server());
  auto reader = opened(shop.buyer.api);
  EXPECT_EQ(reader.status(), 200);
  EXPECT_EQ(reader.header("content-type"), "text/event-stream");
  EXPECT_EQ(reader.header("cache-control"), "no-store");
  EXPECT_EQ(reader.header("x-accel-buffering"), "no");
  EXPECT_EQ(reader.header("transfer-encoding"), "chunked");
  EXPECT_EQ(reader.header("content-length"), "");
  EXPECT_EQ(reader.header("etag"), "");
  EXPECT_EQ(reader.event("ready")["complete"], true);
  EXPECT_GT(reader.retry_ms(), 0);
  EXPECT_FALSE(reader.last_id().empty()) << "also where nothing has happened yet";
}

TEST_F(EventStreams, BringTheEventsOfAllConversationsAsASocketDoes) {
  const auto shops = shops_of_one_buyer(2);
  auto reader = opened(shops[0].buyer.api);
  Socket socket(server().port(), shops[0].buyer.api.token());
  listen(socket);
  reader.event("ready");
  for (const auto* shop : {&shops[0], &shops[1], &shops[0]}) {
    write(*shop);
    const auto event = reader.event("message.created");
    EXPECT_EQ(event["conversation"], shop->conversation);
    EXPECT_EQ(event, socket.event("message.created"));
  }
  auto owner = shops[0].owner.api;
  EXPECT_EQ(owner.post(shops[0].path("/typing")).status, 204);
  const auto before = reader.last_id();
  EXPECT_FALSE(reader.event("typing.started").contains("seq"));
  EXPECT_EQ(reader.last_id(), before) << "what passes is no place to go on from";
}

TEST_F(EventStreams, GoOnWhereTheyWereCutInEveryConversation) {
  const auto shops = shops_of_one_buyer(3);
  Seen seen;
  std::string id;
  {
    auto reader = opened(shops[0].buyer.api);
    reader.event("ready");
    for (const int i : {0, 1, 0}) {
      write(shops[static_cast<std::size_t>(i)]);
      seen.push_back(place_of(reader.event("message.created")));
    }
    id = reader.last_id();
  }
  for (const int i : {1, 2, 0, 2, 1}) write(shops[static_cast<std::size_t>(i)]);
  auto reader = opened(shops[0].buyer.api, id);
  const auto told = collect(reader, "resumed", seen);
  EXPECT_EQ(told["complete"], true);
  for (const auto& one : told["conversations"]) EXPECT_EQ(one["recovered"], true) << one.dump();
  write(shops[2]);
  seen.push_back(place_of(reader.event("message.created")));
  std::map<std::string, std::int64_t> last;
  for (const auto& [conversation, seq] : seen) EXPECT_EQ(seq, ++last[conversation]);
  EXPECT_EQ(last[shops[0].conversation], 3);
  EXPECT_EQ(last[shops[1].conversation], 3);
  EXPECT_EQ(last[shops[2].conversation], 3);
}

TEST_F(EventStreams, GoOnBehindWhicheverEventWasTheLastToArrive) {
  const auto shops = shops_of_one_buyer(2);
  std::vector<std::string> ids;
  Seen all;
  {
    auto reader = opened(shops[0].buyer.api);
    reader.event("ready");
    ids.push_back(reader.last_id());
    for (const int i : {0, 1, 1, 0, 1}) {
      write(shops[static_cast<std::size_t>(i)]);
      all.push_back(place_of(reader.event("message.created")));
      ids.push_back(reader.last_id());
    }
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto reader = opened(shops[0].buyer.api, ids[i]);
    Seen seen;
    collect(reader, "resumed", seen);
    Seen rest(all.begin() + static_cast<std::ptrdiff_t>(i), all.end());
    std::ranges::sort(rest);
    std::ranges::sort(seen);
    EXPECT_EQ(seen, rest) << "behind event " << i;
    // And what it says then is behind all of them.
    auto again = opened(shops[0].buyer.api, reader.last_id());
    Seen nothing;
    collect(again, "resumed", nothing);
    EXPECT_TRUE(nothing.empty());
  }
}

TEST_F(EventStreams, SayWhereTooMuchWasMissedAndGoOnBehindIt) {
  const auto shop = chat(server());
  std::string id;
  {
    auto reader = opened(shop.buyer.api);
    reader.event("ready");
    id = reader.last_id();
  }
  for (int i = 0; i < 11; ++i) write(shop);
  auto reader = opened(shop.buyer.api, id);
  Seen seen;
  const auto told = collect(reader, "resumed", seen);
  EXPECT_TRUE(seen.empty()) << "nothing is sent of what cannot be sent whole";
  EXPECT_EQ(told["conversations"][0]["recovered"], false);
  EXPECT_EQ(told["conversations"][0]["position"], 11);
  write(shop);
  EXPECT_EQ(reader.event("message.created")["seq"], 12);
  auto again = opened(shop.buyer.api, reader.last_id());
  EXPECT_EQ(collect(again, "resumed", seen)["complete"], true);
  EXPECT_TRUE(seen.empty());
}

TEST_F(EventStreams, DoNotCutOffAReaderForWhatItsOwnResumeWants) {
  const auto shops = shops_of_one_buyer(20);
  std::string id;
  {
    auto reader = opened(shops[0].buyer.api);
    reader.event("ready");
    id = reader.last_id();
  }
  for (const auto& shop : shops)
    for (int i = 0; i < 5; ++i) write(shop, "12345678901234567890");
  auto reader = opened(shops[0].buyer.api, id);
  Seen seen;
  const auto told = collect(reader, "resumed", seen);
  for (const auto& one : told["conversations"]) EXPECT_EQ(one["recovered"], true);
  EXPECT_EQ(seen.size(), 100u);
  auto again = opened(shops[0].buyer.api, reader.last_id());
  seen.clear();
  collect(again, "resumed", seen);
  EXPECT_TRUE(seen.empty());
}

TEST_F(EventStreams, AreKeptAliveByCommentsThatCarryTheId) {
  const auto shop = chat(server());
  auto reader = opened(shop.buyer.api);
  reader.event("ready");
  for (int i = 0; i < 2; ++i) {
    const auto block = reader.next(EventReader::Upto::comment);
    ASSERT_TRUE(block && block->name.empty()) << "nothing has happened";
  }
  write(shop);
  auto again = opened(shop.buyer.api, reader.last_id());
  EXPECT_EQ(again.event("message.created")["seq"], 1);
}

TEST_F(EventStreams, AreForWhoeverMayRead) {
  const auto shop = chat(server());
  const auto key = [&](const Json& scopes) {
    auto owner = shop.owner.api;
    const auto made = owner.post("/v1/merchants/" + shop.merchant + "/api_keys",
                                 {{"name", "Till"}, {"scopes", scopes}});
    return Client(server().port(), made.json()["secret"]);
  };
  EXPECT_EQ(opened(Client(server().port())).status(), 401);
  EXPECT_EQ(opened(Client(server().port(), "bat_garbage")).status(), 401);
  EXPECT_EQ(opened(key({"chat"})).status(), 403);
  auto bot = opened(key({"read"}));
  bot.event("ready");
  write(shop, "For the shop");
  EXPECT_EQ(bot.event("message.created")["data"]["text"], "For the shop");
  const auto own = chat(server());
  auto member = opened(own.owner.api);
  member.event("ready");
  write(own, "For the other");
  EXPECT_EQ(member.event("message.created")["data"]["text"], "For the other");
  auto again = opened(key({"read"}));
  again.event("ready");
  write(shop, "Once more");
  EXPECT_EQ(again.event("message.created")["data"]["text"], "Once more");
  EXPECT_EQ(bot.event("message.created")["data"]["text"], "Once more")
      << "the other shop's was not for it";
}

TEST_F(EventStreams, RefuseAnIdThatIsNotTheirs) {
  const auto shop = chat(server()), other = chat(server());
  auto theirs = opened(other.buyer.api);
  theirs.event("ready");
  auto api = shop.buyer.api;
  for (const auto& id : {std::string("yesterday"), std::string("!"), theirs.last_id(),
                         std::string(7'000, 'A'), theirs.last_id().substr(0, 12)})
    EXPECT_TRUE(
        is_problem(api.get("/v1/events/stream", {{"Last-Event-ID", id}}), 400, "bad_cursor"))
        << id.substr(0, 20);
}

TEST_F(EventStreams, AreNotThereOverASocketNorWithAParameter) {
  const auto shop = chat(server());
  Socket socket(server().port(), shop.buyer.api.token());
  EXPECT_TRUE(is_problem(socket.call("GET", "/v1/events/stream"), 406, "not_acceptable"));
  auto api = shop.buyer.api;
  EXPECT_TRUE(is_problem(api.get("/v1/events/stream?token=x"), 400, "malformed"));
  EXPECT_EQ(api.send("HEAD", "/v1/events/stream", "", {}).status, 200);
}

TEST_F(EventStreams, EndWithTheirSession) {
  const auto who = person(server());
  auto reader = opened(who.api);
  reader.event("ready");
  auto other = log_in(server(), who.email).api;
  EXPECT_EQ(other.remove("/v1/sessions/" + who.session).status, 204);
  const auto why = reader.event("closing");
  EXPECT_EQ(why["code"], 3500);
  EXPECT_EQ(why["reconnect"], false);
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.is_whole());
  EXPECT_EQ(opened(who.api).status(), 401) << "and does not begin again";
}

TEST_F(EventStreams, BeginToHearOfAMerchantThatOneJoins) {
  const auto shop = chat(server());
  const auto guest = person(server());
  auto reader = opened(guest.api);
  reader.event("ready");
  auto owner = shop.owner.api;
  auto api = guest.api;
  const auto invited = owner.post("/v1/merchants/" + shop.merchant + "/invitations",
                                  {{"name", "Guest"}, {"role", "agent"}});
  ASSERT_EQ(invited.status, 201) << invited.body;
  ASSERT_LT(api.post("/v1/invitations/accept", {{"code", invited.json()["code"]}}).status, 300);
  // It hears of it a moment later.
  auto heard = std::async(std::launch::async, [&] { return reader.event("message.created"); });
  EXPECT_TRUE(soon([&] {
    send_text(shop, shop.buyer.api, "Is anybody there?");
    return heard.wait_for(std::chrono::milliseconds(20)) == std::future_status::ready;
  }));
  EXPECT_EQ(heard.get()["conversation"], shop.conversation);
}

TEST_F(EventStreams, CutOffAReaderThatIsTooSlow) {
  const auto shop = chat(server());
  EventReader::Options options;
  options.receive_buffer = 4'096;
  const EventReader deaf(server().port(), shop.buyer.api.token(), options);
  const auto before = count("sockets_closed_slow");
  std::string wide;
  for (int i = 0; i < 4'000; ++i) wide += "\xf0\x9f\x8e\x81";
  EXPECT_TRUE(soon([&] {
    send_text(shop, shop.owner.api, wide);
    return count("sockets_closed_slow") > before;
  }));
  EXPECT_TRUE(soon([] { return count("sockets") == 0; })) << "it is let go though it never reads";
}

TEST_F(EventStreams, AreLetGoWhenTheClientGoes) {
  const auto who = person(server());
  ASSERT_TRUE(soon([] { return count("sockets") == 0; }));
  {
    auto reader = opened(who.api);
    reader.event("ready");
    EXPECT_EQ(count("sockets"), 1);
  }
  EXPECT_TRUE(soon([] { return count("sockets") == 0; }));
}

TEST_F(EventStreams, EndWithTheirToken) {
  const auto who = person(server());
  auto reader = opened(who.api);
  reader.event("ready");
  staff(server()).post("/v1/admin/clock/advance", {{"advance_s", 901}});
  const auto why = reader.event("closing");
  EXPECT_EQ(why["code"], 3005);
  EXPECT_EQ(why["reconnect"], true);
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.is_whole());
}

TEST(EventStreamsOfAServer, EndInOrderWhenItStops) {
  House house;
  const auto shop = chat(house.server);
  EventReader reader(house.server.port(), shop.buyer.api.token());
  reader.event("ready");
  house.server.signal(SIGTERM);
  const auto why = reader.event("closing");
  EXPECT_EQ(why["code"], 3010);
  EXPECT_EQ(why["reconnect"], true);
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.is_whole());
  EXPECT_EQ(house.server.wait(), 0);
}

TEST(EventStreamsOfAServer, AreCarriedByTls) {
  TempDir keys;
  EventReader::Options options;
  options.certificate = (keys.path() / "certificate.pem").string();
  const auto key = (keys.path() / "key.pem").string();
  const auto made = run_program(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
      "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout " +
      key + " -out " + options.certificate);
  ASSERT_EQ(made.status, 0) << made.output;
  House house({"tls.certificate=" + options.certificate, "tls.key=" + key});
  const auto shop = chat(house.server);
  EventReader reader(house.server.tls_port(), shop.buyer.api.token(), options);
  reader.event("ready");
  send_text(shop, shop.owner.api, "Over TLS");
  EXPECT_EQ(reader.event("message.created")["data"]["text"], "Over TLS");
  house.server.signal(SIGTERM);
  EXPECT_EQ(reader.event("closing")["code"], 3010);
  EXPECT_EQ(house.server.wait(), 0);
}

}  // namespace events_test
}  // namespace bottega::test
