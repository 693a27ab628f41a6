#pragma once
// The devices on which a person wants to hear of messages while no socket is open: Web Push
// subscriptions (W3C Push API, RFC 8030). A subscription ends with the session that it came with.
#include "bottega/identity/preferences.hpp"

namespace bottega::notifications {

using identity::AccountId, identity::Content, identity::Who;
using SubscriptionId = Id<"push">;

// An account has at most so many; one more takes the place of the oldest, which is most likely a
// browser that was forgotten.
inline constexpr std::int64_t kSubscriptionsMax = 20;

// The address at a push service, as the browser gives it: an absolute URL without a user.
struct Endpoint {
  std::string value;
};
// A point of P-256, uncompressed (65 bytes), in base64url.
struct PublicKey {
  std::string value;
};

struct SubscriptionKeys {
  PublicKey p256dh;
  SecretText<22, 24> auth;  // 16 bytes in base64url
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(SubscriptionKeys, (), (p256dh, auth))

struct NewSubscription {
  Endpoint endpoint;
  SubscriptionKeys keys;
  std::optional<Content> content;  // full where it is left out
};
BOOST_DESCRIBE_STRUCT(NewSubscription, (), (endpoint, keys, content))

// As its owner sees it: the address and the keys are not shown again.
struct Subscription {
  SubscriptionId id;
  std::string service;  // the origin of the push service
  Content content{};
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(Subscription, (), (id, service, content, created_at))

// Whether push services may be in private networks, and speak plain http there.
enum class Network : std::uint8_t { public_only, any };

// The same endpoint again replaces what there was, whoever it belonged to: a shared browser must
// not go on getting somebody else's messages. Throws Error(invalid) for an http: address, Error(
// unauthenticated) where the session has ended.
Subscription subscribe(Tx& tx, const Who& who, const NewSubscription& given, Network network);
std::vector<Subscription> list_subscriptions(Tx& tx, AccountId account);
// Throws Error(not_found).
void unsubscribe(Tx& tx, AccountId account, SubscriptionId id);
// Removes those whose session has ended; answers how many.
std::int64_t sweep_subscriptions(Tx& tx);

}  // namespace bottega::notifications

namespace bottega {

template <>
struct Form<notifications::Endpoint> {
  using T = notifications::Endpoint;
  static std::string text(const T& value) { return value.value; }
  static std::optional<T> parse(std::string_view text);
  static std::string expected() { return "an https address of at most 2048 characters"; }
  static Json schema() { return schemas::text_of_format("uri", 2048); }
};

template <>
struct Form<notifications::PublicKey> {
  using T = notifications::PublicKey;
  static std::string text(const T& value) { return value.value; }
  static std::optional<T> parse(std::string_view text);
  static std::string expected() { return "an uncompressed point of P-256 in base64url"; }
  static Json schema() { return schemas::text_like("^[A-Za-z0-9_-]{87}=?$"); }
};

}  // namespace bottega
