#pragma once
// Reads an event stream as WHATWG HTML, 9.2.6 says, over plain TCP or TLS, and checks the framing
// of HTTP/1.1 underneath.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "bottega/core/json.hpp"

namespace bottega::test {

class EventReader {
 public:
  struct Options {
    std::string last_event_id, certificate;
    int receive_buffer = 0;  // the system's own
  };
  EventReader(std::uint16_t port, const std::string& token) : EventReader(port, token, Options()) {}
  EventReader(std::uint16_t port, const std::string& token, const Options& options);

  int status() const { return status_; }
  std::string header(const std::string& name) const;  // in lower case

  struct Event {
    std::string name;
    Json data;
  };
  // The next event, or the next block with a comment, which is one without a name; none at the end
  // of the stream. Throws after 20 s without one.
  enum class Upto : std::uint8_t { event, comment };
  std::optional<Event> next(Upto upto = Upto::event);
  // The next one of this name, whatever comes before it; throws where the stream ends.
  Json event(const std::string& name);

  const std::string& last_id() const { return last_id_; }
  int retry_ms() const { return retry_ms_; }
  // Whether the last chunk has come: the stream was ended, not cut.
  bool is_whole() const { return is_whole_; }

 private:
  bool read_more();
  bool take_chunk();
  std::optional<std::string> line();

  boost::asio::io_context io_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
  boost::asio::ip::tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  std::string wire_, text_;  // chunked, and without the chunks
  std::chrono::steady_clock::time_point until_;
  int status_ = 0, retry_ms_ = 0;
  std::map<std::string, std::string> headers_;
  std::string id_buffer_, last_id_;
  bool is_whole_ = false;
};

}  // namespace bottega::test
