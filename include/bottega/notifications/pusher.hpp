#pragma once
// A way to a device that has no socket. Web Push is one; FCM and APNs would be others, each with a
// row in push_subscriptions of its own kind.
#include <boost/asio/awaitable.hpp>
#include <boost/describe/enum.hpp>
#include <chrono>

#include "bottega/core/clock.hpp"
#include "bottega/core/scalar.hpp"
#include "bottega/core/text.hpp"
#include "bottega/outbound/http.hpp"

namespace bottega::notifications {
namespace asio = boost::asio;

enum class Urgency : std::uint8_t { normal, high };
BOOST_DESCRIBE_ENUM(Urgency, normal, high)

// Where a device is, as it said itself. All of it is secret.
struct Target {
  std::string endpoint, p256dh, auth;
};

struct Notification {
  Target target;
  std::string payload;  // JSON for the device, at most kPayloadMax bytes
  std::string topic;    // a later one of the same topic takes the place of an earlier one
  Urgency urgency{};
  std::chrono::seconds ttl{0};  // how long it is of use
};
inline constexpr std::size_t kPayloadMax = 3'900;

// `gone`: the device is not there any more and never will be. `retry`: the same may go well later.
enum class Fate : std::uint8_t { delivered, gone, retry, failed };
BOOST_DESCRIBE_ENUM(Fate, delivered, gone, retry, failed)

struct Outcome {
  Fate fate = Fate::retry;
  std::optional<std::chrono::seconds> after;  // not before, where the service said so
  std::string why;                            // for the log: never an address or a key
};

class Pusher {
 public:
  virtual ~Pusher() = default;
  // Ends within the time limit that it was made with; throws only where the server itself is at
  // fault.
  virtual asio::awaitable<Outcome> send(const Notification& notification) = 0;
};

struct WebPushOptions {
  Secret vapid_private_key;
  std::string vapid_subject;
  outbound::Options network;
  std::chrono::milliseconds timeout{10'000};
};
// RFC 8030, 8291 and 8292. Throws Error(internal) where the key, the subject or the file of
// authorities is not valid.
std::unique_ptr<Pusher> make_web_push(const WebPushOptions& options, const Clock& clock);

// The key pair of an operator, both in base64url.
struct VapidKeys {
  std::string public_key;
  Secret private_key;
};
VapidKeys make_vapid_keys();
// The public key that belongs to a private one; throws Error(internal) where it is none.
std::string vapid_public_key(const Secret& private_key);

}  // namespace bottega::notifications
