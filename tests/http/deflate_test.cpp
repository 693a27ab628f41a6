// permessage-deflate (RFC 7692): off by default, agreed on where it is on, and no way to make the
// server hold more than a message may be.
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "http/story.hpp"

namespace bottega::test {
namespace deflate_test {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;

// An upgrade that offers the extension; what comes is looked at byte by byte.
class Raw {
 public:
  Raw(const Server& server, const std::string& token, const std::string& offer) : socket_(io_) {
    socket_.connect({asio::ip::address_v4::loopback(), server.port()});
    const std::string request =
        "GET /v1/socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Extensions: " +
        offer + "\r\nAuthorization: Bearer " + token + "\r\n\r\n";
    asio::write(socket_, asio::buffer(request));
    const auto size = asio::read_until(socket_, asio::dynamic_buffer(bytes_), "\r\n\r\n");
    head = bytes_.substr(0, size);
    bytes_.erase(0, size);
  }
  struct Frame {
    unsigned char first = 0;
    std::string payload;
  };
  // The next frame; those of a server are not masked.
  Frame frame() {
    need(2);
    const auto first = static_cast<unsigned char>(bytes_[0]);
    std::size_t size = static_cast<unsigned char>(bytes_[1]), header = 2;
    if (size == 126) {
      need(4);
      header = 4;
      size = static_cast<unsigned char>(bytes_[2]) * 256u + static_cast<unsigned char>(bytes_[3]);
    }
    need(header + size);
    Frame frame{first, bytes_.substr(header, size)};
    bytes_.erase(0, header + size);
    return frame;
  }

  // The next that is about the long message below, compressed or not.
  Frame message() {
    for (;;) {
      auto next = frame();
      if (next.first == 0xc1 || next.payload.find("aaaa") != std::string::npos) return next;
    }
  }

  std::string head;

 private:
  void need(std::size_t size) {
    if (bytes_.size() < size)
      asio::read(socket_, asio::dynamic_buffer(bytes_),
                 asio::transfer_exactly(size - bytes_.size()));
  }

  asio::io_context io_;
  tcp::socket socket_;
  std::string bytes_;
};

class Deflate : public testing::Test {
 protected:
  static void SetUpTestSuite() { house = new House({"socket.deflate=yes"}); }
  static void TearDownTestSuite() {
    delete house;
    house = nullptr;
  }
  static const Server& server() { return house->server; }
  static House* house;
};
House* Deflate::house = nullptr;

constexpr auto kOffer = "permessage-deflate; client_max_window_bits";
const std::string kLong(3'000, 'a');

TEST(DeflateByDefault, IsNotAgreedOn) {
  const auto shop = chat(Server::shared());
  Raw raw(Server::shared(), shop.buyer.api.token(), kOffer);
  EXPECT_TRUE(raw.head.starts_with("HTTP/1.1 101")) << raw.head;
  EXPECT_EQ(raw.head.find("Extensions"), std::string::npos) << raw.head;
  send_text(shop, shop.owner.api, kLong);
  EXPECT_EQ(raw.message().first, 0x81);
}

TEST_F(Deflate, MakesLongMessagesShortAndLeavesShortOnesAlone) {
  const auto shop = chat(server());
  Raw raw(server(), shop.buyer.api.token(), kOffer);
  EXPECT_NE(raw.head.find("server_no_context_takeover"), std::string::npos) << raw.head;
  EXPECT_NE(raw.head.find("client_no_context_takeover"), std::string::npos) << raw.head;
  send_text(shop, shop.owner.api, kLong);
  const auto frame = raw.message();
  EXPECT_EQ(frame.first, 0xc1) << "final, RSV1, text";
  EXPECT_LT(frame.payload.size(), 400u);
  EXPECT_NE(frame.payload.substr(frame.payload.size() - 4), std::string("\0\0\xff\xff", 4));
}

TEST_F(Deflate, IsLeftOutWhereTheWindowWouldBeTooSmallForUs) {
  const auto shop = chat(server());
  Raw raw(server(), shop.buyer.api.token(), "permessage-deflate; server_max_window_bits=9");
  send_text(shop, shop.owner.api, kLong);
  EXPECT_EQ(raw.message().first, 0x81) << raw.head;
}

// Beast's client, which inflates what it gets and deflates what it sends.
class Deflating {
 public:
  Deflating(const Server& server, const std::string& token) : stream_(io_) {
    beast::get_lowest_layer(stream_).connect({asio::ip::address_v4::loopback(), server.port()});
    websocket::permessage_deflate deflate;
    deflate.client_enable = true;
    stream_.set_option(deflate);
    stream_.set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
      request.set(beast::http::field::authorization, "Bearer " + token);
    }));
    stream_.handshake("127.0.0.1", "/v1/socket");
  }
  void send(const std::string& text) { stream_.write(asio::buffer(text)); }
  std::string read() {
    beast::flat_buffer buffer;
    stream_.read(buffer);
    return beast::buffers_to_string(buffer.data());
  }
  int close_code() {
    try {
      for (;;) read();
    } catch (const boost::system::system_error&) {
      return stream_.reason().code;
    }
  }

 private:
  asio::io_context io_;
  websocket::stream<beast::tcp_stream> stream_;
};

TEST_F(Deflate, CarriesMessagesBothWays) {
  const auto shop = chat(server());
  Deflating buyer(server(), shop.buyer.api.token());
  for (int i = 1; i <= 3; ++i) {
    const auto text = kLong + std::to_string(i);
    const Json frame = {{"id", std::to_string(i)},
                        {"method", "POST"},
                        {"path", shop.path("/messages")},
                        {"body", {{"text", text}}}};
    buyer.send(frame.dump());
    bool has_reply = false, has_event = false;
    while (!has_reply || !has_event) {
      const auto came = Json::parse(buyer.read());
      const auto& body = came.contains("id") ? came["body"] : came;
      EXPECT_EQ(body["data"]["text"], text);
      (came.contains("id") ? has_reply : has_event) = true;
    }
  }
}

TEST_F(Deflate, ABombIsNotInflatedBeyondWhatAMessageMayBe) {
  const auto shop = chat(server());
  Deflating bomber(server(), shop.buyer.api.token());
  bomber.send("{\"id\":\"1\",\"method\":\"" + std::string(1'000'000, 'A'));
  EXPECT_EQ(bomber.close_code(), 1009);
  Socket other(server().port(), shop.owner.api.token());
  EXPECT_EQ(other.call("GET", "/healthz")["status"], 200);
}

}  // namespace deflate_test
}  // namespace bottega::test
