// The statements about what is to be sent. They read and write rows of several merchants at once,
// always by merchant_id: conversations come in batches, as they are heard of.
#include "notifications/outbox.hpp"

#include <algorithm>

namespace bottega::notifications {
namespace {

template <class T>
using Column = std::vector<T>;

// Somebody with a live socket who says how far they have received is looked at again when a socket
// that had died unnoticed would have been found out.
constexpr auto kSecondLook = std::chrono::seconds(45);

// Two nodes that hear of one conversation ask one after the other whom to tell: each sees what the
// other has written down. It is not the lock of the conversation's log, which messages wait for.
const Sql<void(Column<ConversationId>)> kOneAtATime{"notifications.one_at_a_time", R"(
    SELECT pg_advisory_xact_lock(hashtextextended(g.id::text, 0))
    FROM (SELECT id FROM unnest($1::uuid[]) AS u (id) ORDER BY id) g)"};

// Whom to tell, in one statement for many conversations. News is an entry after what somebody has
// received or been told of, that the other side wrote, or nobody did. A device hears of nothing
// older than itself. Whoever has muted the conversation is left out, and is not told later of what
// was written meanwhile.
const Sql<void(Column<ConversationId>, Instant, Instant, Instant)> kQueue{
    "notifications.queue_news", R"(
    WITH talks AS (
      SELECT c.merchant_id, c.id, c.buyer_id, c.last_seq
      FROM unnest($1::uuid[]) AS g (id) JOIN directory d ON d.id = g.id
           JOIN conversations c ON c.merchant_id = d.merchant_id AND c.id = d.id),
    people AS (
      SELECT merchant_id, id, last_seq, buyer_id AS account_id, 'buyer' AS side FROM talks
      UNION ALL
      SELECT t.merchant_id, t.id, t.last_seq, m.account_id, 'merchant'
      FROM talks t JOIN merchant_members m ON m.merchant_id = t.merchant_id),
    due AS (
      SELECT p.merchant_id, p.id, p.last_seq, p.account_id, p.side,
             greatest(k.delivered_seq, n.seq, 0) AS known,
             k.account_id IS NOT NULL AS marks,
             EXISTS (SELECT FROM presences a JOIN nodes o ON o.id = a.node_id
                     WHERE a.account_id = p.account_id AND NOT a.is_leaving
                       AND o.until > clock_timestamp()) AS is_there
      FROM people p
           LEFT JOIN markers k ON k.merchant_id = p.merchant_id AND k.conversation_id = p.id
                AND k.account_id = p.account_id
           LEFT JOIN push_positions n ON n.merchant_id = p.merchant_id
                AND n.conversation_id = p.id AND n.account_id = p.account_id
      WHERE EXISTS (SELECT FROM push_subscriptions s WHERE s.account_id = p.account_id)
        AND NOT EXISTS (
          SELECT FROM mutes q
          WHERE q.merchant_id = p.merchant_id AND q.conversation_id = p.id
            AND q.account_id = p.account_id AND (q.until IS NULL OR q.until > $2::timestamptz))),
    news AS (
      SELECT u.merchant_id, u.id, u.account_id, u.is_there, e.seq, e.at
      FROM due u CROSS JOIN LATERAL (
             SELECT e.seq, e.at FROM entries e
             WHERE e.merchant_id = u.merchant_id AND e.conversation_id = u.id AND e.seq > u.known
               AND e.author_id IS DISTINCT FROM u.account_id
               AND e.event NOT IN ('message.edited', 'message.deleted', 'message.reacted')
               AND NOT e.data ? 'deleted_at'
               AND e.author <> u.side
               AND NOT EXISTS (
                 SELECT FROM mutes q
                 WHERE q.merchant_id = u.merchant_id AND q.conversation_id = u.id
                   AND q.account_id = u.account_id AND e.at < q.until)
             ORDER BY e.seq DESC LIMIT 1) e
      WHERE u.last_seq > u.known AND (u.marks OR NOT u.is_there)),
    told AS (
      INSERT INTO push_positions AS t (merchant_id, conversation_id, account_id, seq)
      SELECT merchant_id, id, account_id, seq FROM news ORDER BY merchant_id, id, account_id
      ON CONFLICT (merchant_id, conversation_id, account_id)
      DO UPDATE SET seq = greatest(t.seq, excluded.seq))
    INSERT INTO push_deliveries AS d (merchant_id, conversation_id, subscription_id, seq, origin,
                                      run_at, expires_at)
    SELECT n.merchant_id, n.id, s.id, n.seq, s.origin,
           CASE WHEN n.is_there THEN $3::timestamptz ELSE $2::timestamptz END, $4::timestamptz
    FROM news n JOIN push_subscriptions s
         ON s.account_id = n.account_id AND s.created_at <= n.at
    ORDER BY n.merchant_id, n.id, s.id
    ON CONFLICT (merchant_id, conversation_id, subscription_id) DO UPDATE
    SET seq = excluded.seq, expires_at = excluded.expires_at,
        run_at = CASE WHEN d.attempts = 0 THEN least(d.run_at, excluded.run_at)
                      ELSE d.run_at END)"};

// Due by the product's clock, leased by the machine's. At most so many of each service, so that one
// with a long queue leaves room for the others.
const Sql<Delivery(Instant, std::int64_t, std::int64_t, Column<std::string>, Column<std::int64_t>,
                   std::int64_t)>
    kClaim{"notifications.claim", R"(
    WITH rooms AS (
      SELECT r.origin, r.room FROM unnest($4::text[], $5::bigint[]) AS r (origin, room)),
    first AS (
      SELECT merchant_id, conversation_id, subscription_id, origin, run_at FROM push_deliveries
      WHERE run_at <= $1 AND (locked_until IS NULL OR locked_until < clock_timestamp())
        AND origin NOT IN (SELECT origin FROM rooms WHERE room = 0)
      ORDER BY run_at LIMIT 1000),
    ranked AS (
      SELECT f.merchant_id, f.conversation_id, f.subscription_id, f.run_at,
             row_number() OVER (PARTITION BY f.origin ORDER BY f.run_at) AS nth,
             coalesce(r.room, $3) AS room
      FROM first f LEFT JOIN rooms r ON r.origin = f.origin),
    taken AS (
      SELECT d.merchant_id, d.conversation_id, d.subscription_id
      FROM ranked k JOIN push_deliveries d ON d.merchant_id = k.merchant_id
           AND d.conversation_id = k.conversation_id AND d.subscription_id = k.subscription_id
      WHERE k.nth <= k.room AND (d.locked_until IS NULL OR d.locked_until < clock_timestamp())
      ORDER BY k.run_at LIMIT $2 FOR UPDATE OF d SKIP LOCKED)
    UPDATE push_deliveries d SET attempts = d.attempts + 1,
           locked_until = clock_timestamp() + make_interval(secs => $6)
    FROM taken t
    WHERE d.merchant_id = t.merchant_id AND d.conversation_id = t.conversation_id
      AND d.subscription_id = t.subscription_id
    RETURNING d.merchant_id, d.conversation_id, d.subscription_id, d.seq, d.origin, d.attempts,
              d.expires_at)"};

const Sql<void(MerchantId, ConversationId, SubscriptionId, std::int64_t, Instant)> kFinish{
    "notifications.finish", R"(
    WITH gone AS (
      DELETE FROM push_deliveries
      WHERE merchant_id = $1 AND conversation_id = $2 AND subscription_id = $3 AND seq = $4)
    UPDATE push_deliveries SET attempts = 0, locked_until = NULL, run_at = $5
    WHERE merchant_id = $1 AND conversation_id = $2 AND subscription_id = $3 AND seq <> $4)"};

const Sql<void(MerchantId, ConversationId, SubscriptionId, Instant)> kAgain{
    "notifications.try_again", R"(
    UPDATE push_deliveries SET locked_until = NULL, run_at = $4
    WHERE merchant_id = $1 AND conversation_id = $2 AND subscription_id = $3)"};

const Sql<void(SubscriptionId)> kForget{"notifications.forget", R"(
    DELETE FROM push_subscriptions WHERE id = $1)"};

const Sql<bool()> kHas{"notifications.has_subscriptions", R"(
    SELECT EXISTS (SELECT FROM push_subscriptions))"};

struct Found {
  AccountId account_id;
  std::optional<ConversationId> conversation_id;
};
BOOST_DESCRIBE_STRUCT(Found, (), (account_id, conversation_id))

// All conversations of these people, whichever merchant they are with.
const Sql<Found(Instant, AccountId, std::int64_t)> kSearch{"notifications.search_news", R"(
    SELECT a.account_id, c.id AS conversation_id
    FROM (SELECT DISTINCT account_id FROM push_subscriptions WHERE account_id > $2
          ORDER BY account_id LIMIT $3) a
         LEFT JOIN LATERAL (
           SELECT id FROM conversations
           WHERE buyer_id = a.account_id AND active_second >= second_of($1) AND last_entry_at >= $1
           UNION ALL
           SELECT o.id FROM merchant_members m
                JOIN conversations o
                  ON o.merchant_id = m.merchant_id AND o.active_second >= second_of($1)
                     AND o.last_entry_at >= $1
           WHERE m.account_id = a.account_id) c ON true)"};

const Sql<Instant(NodeId)> kPosition{"notifications.node_position", R"(
    SELECT heard_until FROM nodes WHERE id = $1)"};

const Sql<void(NodeId, Instant, Instant)> kMovePosition{"notifications.move_node_position", R"(
    UPDATE nodes SET heard_until = $3 WHERE id = $1 AND heard_until = $2)"};

constexpr std::int64_t kPeopleAtOnce = 100;

}  // namespace

void queue_news(Tx& tx, Column<ConversationId> conversations, std::chrono::seconds ttl) {
  // In one order, so that two nodes that hear of the same do not wait for each other.
  std::ranges::sort(conversations);
  tx.run(kOneAtATime, conversations);
  tx.run(kQueue, conversations, tx.now(), tx.now() + kSecondLook, tx.now() + kSecondLook + ttl);
}

Column<Delivery> claim(Tx& tx, const ClaimOptions& options) {
  return tx.all(kClaim, tx.now(), options.limit, options.service_max, options.origins,
                options.rooms, options.lease.count());
}

void finish(Tx& tx, const Delivery& delivery) {
  tx.run(kFinish, delivery.merchant_id, delivery.conversation_id, delivery.subscription_id,
         delivery.seq, tx.now());
}

void try_again(Tx& tx, const Delivery& delivery, std::chrono::seconds after) {
  tx.run(kAgain, delivery.merchant_id, delivery.conversation_id, delivery.subscription_id,
         tx.now() + after);
}

void forget(Tx& tx, SubscriptionId subscription) { tx.run(kForget, subscription); }

bool has_subscriptions(Tx& tx) { return tx.one(kHas); }

Searched search_news(Tx& tx, Instant since, AccountId after) {
  Searched out;
  for (const auto& found : tx.all(kSearch, since, after, kPeopleAtOnce)) {
    if (!out.last || *out.last < found.account_id) out.last = found.account_id;
    if (found.conversation_id) out.conversations.push_back(*found.conversation_id);
  }
  std::ranges::sort(out.conversations);
  const auto last = std::unique(out.conversations.begin(), out.conversations.end());
  out.conversations.erase(last, out.conversations.end());
  return out;
}

std::optional<Instant> position_of(Tx& tx, NodeId node) { return tx.find(kPosition, node); }

void move_position(Tx& tx, NodeId node, Instant known, Instant to) {
  tx.run(kMovePosition, node, known, to);
}

}  // namespace bottega::notifications
