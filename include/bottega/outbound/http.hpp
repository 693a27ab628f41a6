#pragma once
// Calls to other people's servers over HTTP/1.1 and TLS. An address that a user gave may lead into
// the operator's own network, so the address is judged after its name was resolved, and the one
// that was judged is the one that is connected to. Redirects are not followed.
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bottega::outbound {
namespace asio = boost::asio;

struct Url {
  std::string scheme;  // "https" or "http"
  std::string host;    // a name or an address, in lower case, IPv6 without brackets
  std::uint16_t port = 443;
  std::string target;  // path and query, at least "/"

  // RFC 6454: scheme, host, and the port where it is not the scheme's own.
  std::string origin() const;
};
// An absolute http or https URL of printable ASCII without a user or a fragment; none where the
// text is no such thing or longer than 2,048 characters.
std::optional<Url> parse_url(std::string_view text);

// Whether an address (as text) is one of the public Internet: not private, loopback, link-local
// (where clouds keep their metadata), shared, multicast, reserved or for documentation (IANA's
// special-purpose registries, RFC 6890).
bool is_public_address(std::string_view address);

struct Request {
  std::string method = "POST";
  Url url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds timeout{10'000};  // for the whole exchange
};

// Why there was no answer.
enum class Failure : std::uint8_t {
  none,
  unresolved,
  private_address,
  unreachable,
  untrusted,
  late
};

struct Answer {
  unsigned status = 0;  // 0 where there was no answer
  Failure failure = Failure::none;
  std::string body;  // at most Options::answer_max bytes
  // A header's value; the name in lower case.
  std::string_view header(std::string_view name) const;
  std::vector<std::pair<std::string, std::string>> headers;
};

enum class Reach : std::uint8_t { public_only, anywhere };

struct Options {
  Reach reach = Reach::public_only;
  std::string ca_file;  // PEM; empty: the system's authorities
  std::size_t answer_max = 65'536;
};

class Client {
 public:
  // Throws Error(internal) that names the file which cannot be read.
  explicit Client(Options options);
  ~Client();

  // One exchange on a connection of its own. Throws nothing for what the other side does.
  asio::awaitable<Answer> send(const Request& request);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bottega::outbound
