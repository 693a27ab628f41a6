#pragma once
// One HTTP/1.1 exchange with an S3-compatible store, plain or by TLS: as much of HTTP as it takes,
// with a limit on silence.
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace bottega::attachments {
namespace asio = boost::asio;

struct S3Address {
  bool tls = false;
  std::string host, port;
  std::string authority;  // as the Host header has it
};
// Of "https://host[:port]"; none for anything else.
std::optional<S3Address> s3_address(std::string_view url);

struct S3Answer {
  unsigned status = 0;
  std::optional<std::uint64_t> length;  // of the body
};

// Thrown where there is no answer, or one that is none.
struct NoAnswer {
  std::string why;
};

class S3Link {
 public:
  S3Link(const asio::any_io_executor& executor, S3Address address,
         std::chrono::milliseconds timeout);
  ~S3Link();

  asio::awaitable<void> connect();
  asio::awaitable<void> send(std::string_view bytes);
  asio::awaitable<S3Answer> receive();
  // The next bytes of the answer's body; none where the other side ended it.
  asio::awaitable<std::string_view> read();

 private:
  struct Parts;
  std::shared_ptr<Parts> parts_;  // shared with the timer, which may fire late
};

}  // namespace bottega::attachments
