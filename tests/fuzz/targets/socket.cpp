// The bytes of a socket, through the real framing and with our limits: what comes out as text is
// UTF-8 and not too long, and is then read as a frame. The first byte says in which pieces they
// come.
#include <boost/asio/io_context.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "fuzz/fuzz.hpp"
#include "gateway/frames.hpp"

namespace bottega::fuzz {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

constexpr std::size_t kMessageMax = 1'024;
constexpr std::string_view kUpgrade =
    "GET /v1/socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

void check_message(std::string_view text, bool is_text) {
  check(text.size() <= kMessageMax, "a message is not longer than it may be");
  if (!is_text) return;
  check(is_utf8(text), "text is UTF-8");
  const auto frame = answer_of([&] { return gateway::read_frame(text); });
  if (frame) gateway::lane_of(*frame);
}

}  // namespace

void run(std::string_view input) {
  Input in(input);
  const auto piece = in.number();
  asio::io_context io;
  beast::test::stream client(io);
  websocket::stream<beast::test::stream, false> server(io);
  client.connect(server.next_layer());
  server.next_layer().append({kUpgrade.data(), kUpgrade.size()});
  server.accept();
  server.read_message_max(kMessageMax);
  server.control_callback([](websocket::frame_type, beast::string_view payload) {
    check(payload.size() <= 125, "what is in a control frame is short");
  });
  server.next_layer().read_size(piece == 0 ? 65'536 : piece);
  server.next_layer().append({in.rest().data(), in.rest().size()});
  client.close();
  beast::flat_buffer buffer;
  for (;;) {
    boost::system::error_code failed;
    server.read(buffer, failed);
    if (failed) break;
    const auto data = buffer.cdata();
    check_message({static_cast<const char*>(data.data()), data.size()}, server.got_text());
    buffer.clear();
  }
}

}  // namespace bottega::fuzz
