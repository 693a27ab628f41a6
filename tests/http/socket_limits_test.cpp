// When a socket is closed, and with which code: the code tells the client what to do next.
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <deque>

#include "http/story.hpp"

namespace bottega::test {
namespace socket_limits_test {

namespace asio = boost::asio;
using asio::ip::tcp;

class SocketLimits : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house = new House({"socket.auth_s=1", "socket.ping_s=1", "socket.pong_s=1",
                       "socket.queue_max_bytes=65536", "socket.in_flight_max=2",
                       "socket.resume_max=10", "sandbox.slow_ms=400"});
  }
  static void TearDownTestSuite() {
    delete house;
    house = nullptr;
  }
  static const Server& server() { return house->server; }
  static void write(const Storefront& shop, int count, const std::string& text) {
    for (int i = 0; i < count; ++i) send_text(shop, shop.owner.api, text);
  }
  static House* house;
};
House* SocketLimits::house = nullptr;

// A client that opens a socket and then never reads what comes, nor answers a ping.
class Deaf {
 public:
  Deaf(const Server& server, const std::string& token) : socket_(io_) {
    socket_.open(tcp::v4());
    socket_.set_option(asio::socket_base::receive_buffer_size(4'096));
    socket_.connect({asio::ip::address_v4::loopback(), server.port()});
    std::string request =
        "GET /v1/socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    request += "Authorization: Bearer " + token + "\r\n\r\n";
    asio::write(socket_, asio::buffer(request));
    asio::read_until(socket_, asio::dynamic_buffer(head_), "\r\n\r\n");
  }
  // So that live events come as they are written: RFC 6455, 5.2, masked with zeros.
  void resume() {
    const std::string frame = R"({"method":"RESUME"})";
    const std::string head{'\x81', static_cast<char>(0x80U + frame.size()), '\0', '\0', '\0', '\0'};
    asio::write(socket_, asio::buffer(head + frame));
  }
  // All that comes until the other side closes.
  std::string rest() {
    std::string text = head_.substr(head_.find("\r\n\r\n") + 4);
    for (char buffer[4096];;) {
      pollfd waiting{socket_.native_handle(), POLLIN, 0};
      if (poll(&waiting, 1, 20'000) != 1) return "nothing came in time";
      const auto got = ::recv(socket_.native_handle(), buffer, sizeof buffer, 0);
      if (got <= 0) return text;
      text.append(buffer, static_cast<std::size_t>(got));
    }
  }

 private:
  asio::io_context io_;
  tcp::socket socket_;
  std::string head_;
};

TEST_F(SocketLimits, CloseASocketOnWhichNobodySignsIn) {
  Socket nobody(server().port(), "");
  EXPECT_EQ(nobody.close_code(), 3500);
}

TEST_F(SocketLimits, KeepASocketOnWhichSomebodySignedInInTime) {
  const auto who = person(server());
  Socket socket(server().port(), "");
  socket.send({{"id", "a"}, {"method", "AUTH"}, {"token", who.api.token()}});
  EXPECT_EQ(socket.reply("a")["status"], 200);
  Socket nobody(server().port(), "");
  EXPECT_EQ(nobody.close_code(),
            3500);  // opened later and ended: so the first has outlived its time
  EXPECT_EQ(socket.call("GET", "/v1/accounts/me")["status"], 200);
}

TEST_F(SocketLimits, EndAConnectionThatDoesNotAnswerAPing) {
  Deaf deaf(server(), person(server()).api.token());
  const auto came = deaf.rest();
  EXPECT_EQ(came.substr(0, 2), std::string("\x89\0", 2)) << "a ping came first";
}

TEST_F(SocketLimits, RefuseMoreRequestsThanMayBeInFlight) {
  const auto shop = test::shop(server());
  const auto first = ask(shop), second = ask(shop);
  Socket buyer(server().port(), shop.buyer.api.token());
  const auto pay = [&](const Json& request) {
    const auto id = request["id"].get<std::string>();
    buyer.send({{"id", id},
                {"method", "POST"},
                {"path", "/v1/payment_requests/" + id + "/accept"},
                {"idempotency_key", new_key()},
                {"body", pay_with("tok_slow")}});
  };
  pay(first);
  pay(second);
  buyer.send({{"id", "third"}, {"method", "GET"}, {"path", "/healthz"}});
  EXPECT_TRUE(is_problem(buyer.reply("third"), 429, "rate_limited"));
  EXPECT_EQ(buyer.reply(first["id"])["status"], 200);
  EXPECT_EQ(buyer.reply(second["id"])["status"], 200);
  EXPECT_EQ(buyer.call("GET", "/healthz")["status"], 200) << "and then there is room again";
}

TEST_F(SocketLimits, SayThatAResumeOfTooMuchIsNotOne) {
  const auto shop = chat(server());
  write(shop, 11, "Hello");
  Socket buyer(server().port(), shop.buyer.api.token());
  buyer.send({{"method", "RESUME"}, {"positions", {{shop.conversation, 0}}}});
  const auto done = buyer.event();
  EXPECT_EQ(done["event"], "resumed") << "nothing is sent of what cannot be sent whole";
  const auto one = done["data"]["conversations"][0];
  EXPECT_EQ(one["recovered"], false);
  EXPECT_EQ(one["position"], 11);
  write(shop, 1, "Live");
  EXPECT_EQ(buyer.event()["seq"], 12) << "live events go on behind it";
  Socket other(server().port(), shop.buyer.api.token());
  other.send({{"method", "RESUME"}, {"positions", {{shop.conversation, 2}}}});
  EXPECT_EQ(other.event()["seq"], 3) << "ten are not too much";
}

TEST_F(SocketLimits, DoNotCutOffAReaderForWhatItsOwnResumeWants) {
  const auto shop = chat(server());
  write(shop, 9, std::string(4'000, 'a') + std::string(90, 'b'));
  std::string wide;
  for (int i = 0; i < 4'000; ++i) wide += "\xf0\x9f\x8e\x81";
  write(shop, 1, wide);
  for (int i = 0; i < 3; ++i) write(shop, 1, wide);
  Socket buyer(server().port(), shop.buyer.api.token());
  buyer.send({{"method", "RESUME"}, {"positions", {{shop.conversation, 4}}}});
  std::vector<Json> seen;
  for (auto event = buyer.event(); event["event"] != "resumed"; event = buyer.event())
    seen.push_back(event["seq"]);
  EXPECT_EQ(buyer.call("GET", "/healthz")["status"], 200);
}

// More listeners than the database has room for at once: none is left out.
TEST(CrowdedSockets, AllHearAnEventThatTheDatabaseHasNoRoomForAtOnce) {
  House house({"database.threads=1", "database.waiting_max=4"});
  const auto shop = chat(house.server);
  send_text(shop, shop.owner.api, "Before");
  std::deque<Socket> listeners;
  for (int i = 0; i < 30; ++i)
    listen(listeners.emplace_back(house.server.port(), shop.buyer.api.token()));
  ASSERT_EQ(send_text(shop, shop.owner.api, "For all").status, 201);
  for (auto& socket : listeners) EXPECT_EQ(socket.event("message.created")["seq"], 2);
}

// Without the quick pings of the others: what the system buffers must not take longer than they do.
TEST(SlowReaders, AreCutOff) {
  House house({"socket.queue_max_bytes=65536"});
  const auto& server = house.server;
  const auto shop = chat(server);
  const auto closed = [&] {
    const auto page = Client(server.port()).get("/metrics").body;
    const auto at = page.find("bottega_load{kind=\"sockets_closed_slow\"} ");
    return at == page.npos ? 0 : std::stoi(page.substr(page.find("} ", at) + 2));
  };
  ASSERT_EQ(closed(), 0);
  std::string wide;
  for (int i = 0; i < 4'000; ++i) wide += "\xf0\x9f\x8e\x81";
  Deaf deaf(server, shop.buyer.api.token());
  deaf.resume();
  EXPECT_TRUE(soon([&] {
    send_text(shop, shop.owner.api, wide);
    return closed() == 1;
  }));
}

TEST_F(SocketLimits, CloseASocketWhoseTokenHasExpired) {
  const auto busy = person(server()), silent = person(server());
  Socket first(server().port(), busy.api.token()), second(server().port(), silent.api.token());
  EXPECT_EQ(first.call("GET", "/v1/accounts/me")["status"], 200);
  EXPECT_EQ(second.call("GET", "/v1/accounts/me")["status"], 200);
  staff(server()).post("/v1/admin/clock/advance", {{"advance_s", 901}});
  first.send({{"id", "1"}, {"method", "GET"}, {"path", "/v1/accounts/me"}});
  EXPECT_EQ(first.close_code(), 3005);
  EXPECT_EQ(second.close_code(), 3005) << "also where it says nothing";
}

TEST_F(SocketLimits, GoOnWithAFreshTokenOnTheSameSocket) {
  const auto who = person(server());
  Socket socket(server().port(), who.api.token());
  Client nobody(server().port());
  const auto next =
      nobody.post("/v1/sessions/refresh", {{"refresh_token", who.refresh}}).json()["access_token"];
  socket.send({{"id", "a"}, {"method", "AUTH"}, {"token", next}});
  EXPECT_EQ(socket.reply("a")["status"], 200);
  EXPECT_EQ(socket.call("GET", "/v1/accounts/me")["body"]["id"], who.id);
}

}  // namespace socket_limits_test
}  // namespace bottega::test
