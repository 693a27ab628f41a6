// The conversation with a push service, RFC 8030.
#include <algorithm>

#include "notifications/web_push.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/core/error.hpp"
#include "bottega/notifications/pusher.hpp"

namespace bottega::notifications {
namespace {

std::string_view words_of(outbound::Failure failure) {
  switch (failure) {
    case outbound::Failure::unresolved:
      return "its name is not known";
    case outbound::Failure::private_address:
      return "it is at a private address";
    case outbound::Failure::unreachable:
      return "it cannot be reached";
    case outbound::Failure::untrusted:
      return "its certificate is not trusted";
    case outbound::Failure::late:
      return "it did not answer in time";
    case outbound::Failure::none:
      break;
  }
  return "it did not answer";
}

// Only the seconds of RFC 9110, 10.2.3; a date is as good as nothing said.
std::optional<std::chrono::seconds> wait_of(const outbound::Answer& answer) {
  const auto seconds = Form<std::int64_t>::parse(answer.header("retry-after"));
  if (!seconds || *seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min<std::int64_t>(*seconds, 86'400));
}

Outcome outcome_of(const outbound::Answer& answer) {
  const auto status = answer.status;
  if (status == 0) {
    const bool hopeless = answer.failure == outbound::Failure::private_address;
    return {hopeless ? Fate::failed : Fate::retry, std::nullopt,
            std::string(words_of(answer.failure))};
  }
  const auto words = "status " + std::to_string(status);
  if (status >= 200 && status < 300) return {Fate::delivered, std::nullopt, words};
  if (status == 404 || status == 410) return {Fate::gone, std::nullopt, words};
  if (status == 429 || status >= 500) return {Fate::retry, wait_of(answer), words};
  return {Fate::failed, std::nullopt, words};
}

class WebPusher final : public Pusher {
 public:
  WebPusher(const WebPushOptions& options, const Clock& clock)
      : clock_(clock),
        vapid_(options.vapid_private_key, options.vapid_subject),
        client_(options.network),
        timeout_(options.timeout) {}

  asio::awaitable<Outcome> send(const Notification& notification) override {
    const auto url = outbound::parse_url(notification.target.endpoint);
    const auto point = from_base64url(notification.target.p256dh);
    const auto auth = from_base64url(notification.target.auth);
    if (!url || !point || !auth) throw Error(Code::internal, "a subscription cannot be read");
    Receiver receiver;
    receiver.public_key = *point;
    receiver.auth = *auth;
    outbound::Request request;
    request.url = *url;
    request.timeout = timeout_;
    request.body = encrypt(receiver, notification.payload);
    // Push services know nothing of a test clock.
    const auto now = clock_.now() - clock_.offset();
    request.headers = headers_of(notification, vapid_.authorization(url->origin(), now));
    const auto answer = co_await client_.send(request);
    co_return outcome_of(answer);
  }

 private:
  static std::vector<std::pair<std::string, std::string>> headers_of(
      const Notification& notification, std::string authorization) {
    std::vector<std::pair<std::string, std::string>> headers;
    headers.emplace_back("Authorization", std::move(authorization));
    headers.emplace_back("Content-Type", "application/octet-stream");
    headers.emplace_back("Content-Encoding", "aes128gcm");
    headers.emplace_back("TTL", std::to_string(notification.ttl.count()));
    headers.emplace_back("Urgency", text_of(notification.urgency));
    headers.emplace_back("Topic", notification.topic);
    return headers;
  }

  const Clock& clock_;
  Vapid vapid_;
  outbound::Client client_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace

std::unique_ptr<Pusher> make_web_push(const WebPushOptions& options, const Clock& clock) {
  return std::make_unique<WebPusher>(options, clock);
}

VapidKeys make_vapid_keys() {
  const auto pair = KeyPair::make();
  return {base64url(pair.public_key()), Secret(base64url(pair.scalar().reveal()))};
}

std::string vapid_public_key(const Secret& private_key) {
  return Vapid(private_key, "mailto:nobody@localhost").public_key();
}

}  // namespace bottega::notifications
