// Both statements read rows of several merchants: they begin with people, not with a shop. With a
// true third parameter neither what somebody shows nor where else they are is asked. Where either
// side has blocked the other, neither is told anything of the other.
#include "notifications/audience.hpp"

namespace bottega::notifications {
namespace {

using Accounts = std::vector<AccountId>;

// One conversation whose other side is there.
struct Heard {
  MerchantId merchant_id;
  ConversationId conversation_id;
  AccountId buyer_id;
  std::optional<Instant> last_seen_at;
};
BOOST_DESCRIBE_STRUCT(Heard, (), (merchant_id, conversation_id, buyer_id, last_seen_at))

// A buyer's last 50 conversations, where a member of the shop is there.
const Sql<Heard(Accounts, NodeId, bool)> kOfBuyers{"notifications.audience_of_buyers", R"(
    SELECT c.merchant_id, c.id AS conversation_id, c.buyer_id, l.at AS last_seen_at
    FROM unnest($1::uuid[]) AS g (account_id)
         LEFT JOIN preferences f ON f.account_id = g.account_id
         LEFT JOIN last_seen l ON l.account_id = g.account_id
         CROSS JOIN LATERAL (
           SELECT merchant_id, id, buyer_id FROM conversations
           WHERE buyer_id = g.account_id AND NOT blocked_by_buyer AND NOT blocked_by_merchant
           ORDER BY active_second DESC, last_entry_at DESC, id DESC LIMIT 50) c
    WHERE ($3 OR coalesce(f.show_presence, true))
      AND ($3 OR NOT EXISTS (
        SELECT FROM presences p JOIN nodes n ON n.id = p.node_id
        WHERE p.account_id = g.account_id AND p.node_id <> $2 AND n.until > clock_timestamp()))
      AND EXISTS (
        SELECT FROM merchant_members m JOIN presences p ON p.account_id = m.account_id
             JOIN nodes n ON n.id = p.node_id
        WHERE m.merchant_id = c.merchant_id AND n.until > clock_timestamp()))"};

// The buyers who are there among a shop's last 1,000 conversations, where no other member is there
// who shows it: the shop is one to them.
const Sql<Heard(Accounts, NodeId, bool)> kOfShops{"notifications.audience_of_shops", R"(
    WITH shops AS (
      SELECT m.merchant_id, max(l.at) AS last_seen_at
      FROM merchant_members m LEFT JOIN preferences f ON f.account_id = m.account_id
           LEFT JOIN last_seen l ON l.account_id = m.account_id
      WHERE m.account_id = ANY ($1::uuid[]) AND ($3 OR coalesce(f.show_presence, true))
        AND NOT EXISTS (
          SELECT FROM merchant_members o JOIN presences p ON p.account_id = o.account_id
               JOIN nodes n ON n.id = p.node_id
               LEFT JOIN preferences s ON s.account_id = o.account_id
          WHERE o.merchant_id = m.merchant_id AND n.until > clock_timestamp()
            AND coalesce(s.show_presence, true)
            AND NOT (($3 OR p.node_id = $2) AND o.account_id = ANY ($1::uuid[])))
      GROUP BY m.merchant_id)
    SELECT c.merchant_id, c.id AS conversation_id, c.buyer_id, s.last_seen_at
    FROM shops s CROSS JOIN LATERAL (
           SELECT merchant_id, id, buyer_id FROM conversations
           WHERE merchant_id = s.merchant_id AND NOT blocked_by_buyer AND NOT blocked_by_merchant
           ORDER BY active_second DESC, last_entry_at DESC, id DESC LIMIT 1000) c
    WHERE EXISTS (
      SELECT FROM presences p JOIN nodes n ON n.id = p.node_id
      WHERE p.account_id = c.buyer_id AND n.until > clock_timestamp()))"};

void announce(Tx& tx, const Heard& heard, conversations::Side side, State state) {
  const bool buyer = side == conversations::Side::buyer;
  Present present;
  present.state = state;
  if (state == State::offline && heard.last_seen_at)
    present.last_seen_at = coarse(*heard.last_seen_at);
  auto data = to_json(present);
  data["side"] = text_of(side);
  data["account_id"] = buyer ? Json(text_of(heard.buyer_id)) : Json(nullptr);
  const conversations::Event event{"presence.changed", heard.conversation_id, 0, tx.now(), data};
  const auto topic =
      buyer ? identity::merchant_topic(heard.merchant_id) : identity::account_topic(heard.buyer_id);
  tx.announce({{topic}, text_of(heard.conversation_id), 0, to_frame(event).dump()});
}

void tell(Tx& tx, const Accounts& accounts, NodeId node, bool anyway, State state) {
  for (const auto& heard : tx.all(kOfBuyers, accounts, node, anyway))
    announce(tx, heard, conversations::Side::buyer, state);
  for (const auto& heard : tx.all(kOfShops, accounts, node, anyway))
    announce(tx, heard, conversations::Side::merchant, state);
}

}  // namespace

Instant coarse(Instant instant) {
  using Five = std::chrono::duration<std::int64_t, std::ratio<300>>;
  return std::chrono::floor<Five>(instant);
}

void tell_change(Tx& tx, const Accounts& accounts, NodeId node, State state) {
  if (!accounts.empty()) tell(tx, accounts, node, false, state);
}

void tell_anyway(Tx& tx, AccountId account, State state) {
  tell(tx, {account}, NodeId{}, true, state);
}

}  // namespace bottega::notifications
