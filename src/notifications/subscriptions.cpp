// The row is the capability: whoever has the endpoint may write to that browser.
#include "bottega/notifications/subscriptions.hpp"

#include "notifications/web_push.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/outbound/http.hpp"

namespace bottega::notifications {
namespace {

const Sql<void(std::string)> kForgetEndpoint{"notifications.forget_endpoint", R"(
    DELETE FROM push_subscriptions WHERE endpoint_hash = $1)"};

const Sql<Subscription(SubscriptionId, AccountId, identity::SessionId, std::string, std::string,
                       std::string, std::string, std::string, Content, Instant)>
    kAdd{"notifications.subscribe", R"(
    INSERT INTO push_subscriptions (id, account_id, session_id, kind, endpoint, endpoint_hash,
                                    origin, p256dh, auth, content, created_at)
    VALUES ($1, $2, $3, 'web', $4, $5, $6, $7, $8, $9, $10)
    RETURNING id, origin AS service, content, created_at)"};

const Sql<void(AccountId, std::int64_t)> kDropOldest{"notifications.drop_oldest", R"(
    DELETE FROM push_subscriptions WHERE account_id = $1 AND id NOT IN (
      SELECT id FROM push_subscriptions WHERE account_id = $1 ORDER BY id DESC LIMIT $2))"};

const Sql<Subscription(AccountId, Instant)> kList{"notifications.subscriptions", R"(
    SELECT p.id, p.origin AS service, p.content, p.created_at
    FROM push_subscriptions p JOIN sessions s ON s.id = p.session_id
    WHERE p.account_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 ORDER BY p.id)"};

const Sql<void(AccountId, SubscriptionId)> kRemove{"notifications.unsubscribe", R"(
    DELETE FROM push_subscriptions WHERE account_id = $1 AND id = $2)"};

const Sql<void(Instant)> kSweep{"notifications.sweep_subscriptions", R"(
    DELETE FROM push_subscriptions p USING sessions s
    WHERE s.id = p.session_id AND (s.revoked_at IS NOT NULL OR s.expires_at <= $1))"};

std::string without_padding(std::string_view text) {
  return std::string(text.substr(0, text.find('=')));
}

}  // namespace

void SubscriptionKeys::check(Faults& faults, const std::string& pointer) const {
  const auto bytes = from_base64url(without_padding(auth.value.reveal()));
  if (!bytes || bytes->size() != 16)
    faults.push_back({pointer + "/auth", "expected 16 bytes in base64url"});
}

Subscription subscribe(Tx& tx, const Who& who, const NewSubscription& given, Network network) {
  const auto url = outbound::parse_url(given.endpoint.value);
  if (!url || (url->scheme != "https" && network != Network::any))
    throw Error(Code::invalid, "1 field(s) are not valid",
                {{"/endpoint", "expected an https address"}});
  // Two devices that subscribe at once are counted one after the other.
  identity::hold_account(tx, who.account);
  identity::require_current(tx, who);
  const auto hash = sha256_hex(given.endpoint.value);
  tx.run(kForgetEndpoint, hash);
  const auto added =
      tx.one(kAdd, SubscriptionId::make(), who.account, who.session, given.endpoint.value, hash,
             url->origin(), without_padding(given.keys.p256dh.value),
             without_padding(given.keys.auth.value.reveal()), given.content.value_or(Content::full),
             tx.now());
  tx.run(kDropOldest, who.account, kSubscriptionsMax);
  return added;
}

std::vector<Subscription> list_subscriptions(Tx& tx, AccountId account) {
  return tx.all(kList, account, tx.now());
}

void unsubscribe(Tx& tx, AccountId account, SubscriptionId id) {
  if (tx.run(kRemove, account, id) == 0)
    throw Error(Code::not_found, "there is no such subscription");
}

std::int64_t sweep_subscriptions(Tx& tx) {
  return static_cast<std::int64_t>(tx.run(kSweep, tx.now()));
}

}  // namespace bottega::notifications

namespace bottega {

using notifications::Endpoint, notifications::PublicKey;

std::optional<Endpoint> Form<Endpoint>::parse(std::string_view text) {
  if (!outbound::parse_url(text)) return std::nullopt;
  return Endpoint{std::string(text)};
}

std::optional<PublicKey> Form<PublicKey>::parse(std::string_view text) {
  if (text.size() > 88) return std::nullopt;
  const auto bytes = from_base64url(text.substr(0, text.find('=')));
  if (!bytes || !notifications::is_public_key(*bytes)) return std::nullopt;
  return PublicKey{std::string(text)};
}

}  // namespace bottega
