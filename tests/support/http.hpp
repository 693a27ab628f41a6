#pragma once
// A client as simple as a client can be: blocking, one connection, everything has a time limit.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "bottega/core/json.hpp"

namespace bottega::test {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  // The body as JSON; null where it is none.
  Json json() const;
  std::string header(const std::string& name) const;
};

using HeaderList = std::map<std::string, std::string>;

class Client {
 public:
  explicit Client(std::uint16_t port, std::string token = "");

  Answer get(const std::string& path, const HeaderList& headers = {});
  // A POST gets a random Idempotency-Key unless one is given; "" leaves it out.
  Answer post(const std::string& path, const Json& body = nullptr, const HeaderList& headers = {});
  Answer put(const std::string& path, const Json& body);
  Answer patch(const std::string& path, const Json& body);
  Answer remove(const std::string& path, const HeaderList& headers = {});
  Answer send(const std::string& method, const std::string& path, const std::string& body,
              const HeaderList& headers);

  const std::string& token() const { return token_; }
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_;
  std::string token_;
};

// Sends bytes as they are on a new connection and reads until the other side closes it or has been
// silent for `quiet_ms` after its first byte.
std::string exchange(std::uint16_t port, const std::string& bytes, int quiet_ms = 300);

// A key that was never used.
std::string new_key();

// A chat client. Frames that were read while waiting for another kind are kept in order.
class Socket {
 public:
  // Connects and speaks bottega.v1; the token goes into the Authorization header unless it is
  // empty. Throws where the upgrade is refused.
  Socket(std::uint16_t port, const std::string& token);

  void send(const Json& frame);
  void send_text(const std::string& text);
  void send_binary(const std::string& bytes);
  // A request frame with a new id; its reply.
  Json call(const std::string& method, const std::string& path, const Json& body = nullptr,
            const std::string& key = new_key());
  // The reply to the frame with this id.
  Json reply(const std::string& id);
  // The next pushed event, or the next of this name; throws after 10 s without one.
  Json event(const std::string& name = "");
  // The close code that the other side sends within 10 s; frames before it are kept.
  int close_code();
  void close();

 private:
  std::optional<Json> read();  // none when the other side closed
  template <class Start>
  boost::system::error_code run(Start start);

  boost::asio::io_context io_;
  boost::beast::websocket::stream<boost::beast::tcp_stream> stream_;
  std::deque<Json> events_, replies_;
  int next_id_ = 1;
};

}  // namespace bottega::test
