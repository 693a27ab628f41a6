// What a device is told: as little as its owner wants, and never what they have no right to.
#include "notifications/outbox.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::notifications {
namespace {

constexpr std::size_t kTopicSize = 32;                            // RFC 8030, 5.4
constexpr std::chrono::seconds kTtlMost = std::chrono::weeks(4);  // what services take at most

struct Told {
  std::string endpoint, p256dh, auth;
  Content content{};
  bool is_buyer = false, is_seen = false;
  std::string merchant_name, buyer_name, event;
  std::optional<std::string> text;
};
BOOST_DESCRIBE_STRUCT(Told, (),
                      (endpoint, p256dh, auth, content, is_buyer, is_seen, merchant_name,
                       buyer_name, event, text))

// The device, where its session lives, its owner still belongs to the conversation, and what is
// told has not been taken back. Seen is what they have received, or get by a live socket.
const Sql<Told(MerchantId, ConversationId, SubscriptionId, std::int64_t, Instant)> kCompose{
    "notifications.compose", R"(
    SELECT s.endpoint, s.p256dh, s.auth,
           CASE WHEN 'none' IN (s.content, f.push_content) THEN 'none' ELSE 'full' END AS content,
           c.buyer_id = s.account_id AS is_buyer,
           coalesce(k.delivered_seq >= $4, false) OR EXISTS (
             SELECT FROM presences p JOIN nodes n ON n.id = p.node_id
             WHERE p.account_id = s.account_id AND NOT p.is_leaving
               AND n.until > clock_timestamp()) AS is_seen,
           m.name AS merchant_name, b.name AS buyer_name, e.event,
           left(coalesce(e.data ->> 'text', e.data ->> 'fallback'), 200) AS text
    FROM push_subscriptions s
         JOIN sessions i ON i.id = s.session_id
         JOIN accounts a ON a.id = s.account_id
         JOIN conversations c ON c.merchant_id = $1 AND c.id = $2
         JOIN merchants m ON m.id = c.merchant_id
         JOIN accounts b ON b.id = c.buyer_id
         JOIN entries e ON e.merchant_id = $1 AND e.conversation_id = $2 AND e.seq = $4
              AND NOT e.data ? 'deleted_at'
         LEFT JOIN preferences f ON f.account_id = s.account_id
         LEFT JOIN markers k ON k.merchant_id = $1 AND k.conversation_id = $2
              AND k.account_id = s.account_id
    WHERE s.id = $3 AND i.revoked_at IS NULL AND i.expires_at > $5 AND a.state = 'active'
      AND (c.buyer_id = s.account_id OR EXISTS (
             SELECT FROM merchant_members o
             WHERE o.merchant_id = $1 AND o.account_id = s.account_id))
      AND NOT EXISTS (
            SELECT FROM mutes q
            WHERE q.merchant_id = $1 AND q.conversation_id = $2 AND q.account_id = s.account_id
              AND (q.until IS NULL OR q.until > $5)))"};

Json payload_of(const Told& told, ConversationId conversation) {
  Json payload = {{"type", "message"}, {"conversation", text_of(conversation)}};
  if (told.content == Content::none) return payload;
  payload["event"] = told.event;
  payload["title"] = told.is_buyer ? told.merchant_name : told.buyer_name;
  if (told.text) payload["text"] = *told.text;
  return payload;
}

// The push service learns from it which messages belong together on one device, and nothing that it
// could compare with another's.
std::string topic_of(const Delivery& delivery) {
  return sha256_hex(text_of(delivery.subscription_id) + text_of(delivery.conversation_id))
      .substr(0, kTopicSize);
}

}  // namespace

std::optional<Notification> compose(Tx& tx, const Delivery& delivery) {
  if (delivery.expires_at <= tx.now()) return std::nullopt;
  const auto told = tx.find(kCompose, delivery.merchant_id, delivery.conversation_id,
                            delivery.subscription_id, delivery.seq, tx.now());
  if (!told || told->is_seen) return std::nullopt;
  Notification out;
  out.target = {told->endpoint, told->p256dh, told->auth};
  auto payload = payload_of(*told, delivery.conversation_id);
  if (payload.dump().size() > kPayloadMax) payload.erase("text");
  out.payload = payload.dump();
  out.topic = topic_of(delivery);
  out.urgency = told->event == "message.created" ? Urgency::high : Urgency::normal;
  const auto left = std::chrono::ceil<std::chrono::seconds>(delivery.expires_at - tx.now());
  out.ttl = std::min(left, kTtlMost);
  return out;
}

}  // namespace bottega::notifications
