// Conversations as their members see them: opened, looked at, and listed by activity.
#include "conversations/rows.hpp"

namespace bottega::conversations {
namespace {

struct Place {
  MerchantId merchant_id;
  ConversationId id;
  std::optional<Instant> last_entry_at = {};  // as it was where the list was made
};
BOOST_DESCRIBE_STRUCT(Place, (), (merchant_id, id, last_entry_at))

struct Overview {
  ConversationId id;
  std::int64_t number = 0;
  MerchantId merchant_id;
  std::string merchant_name;
  AccountId buyer_id;
  std::string buyer_name;
  std::int64_t last_seq = 0, forgotten_seq = 0;
  Instant last_entry_at{}, created_at{};
  std::int64_t unread = 0;
  Status status{};
  std::optional<Instant> snoozed_until;
  std::optional<AccountId> assignee_id;
  std::vector<std::string> labels;
};
BOOST_DESCRIBE_STRUCT(Overview, (),
                      (id, number, merchant_id, merchant_name, buyer_id, buyer_name, last_seq,
                       forgotten_seq, last_entry_at, created_at, unread, status, snoozed_until,
                       assignee_id, labels))

const Sql<void(MerchantId, ConversationId, AccountId, Instant)> kOpen{"conversations.open", R"(
    INSERT INTO conversations (merchant_id, id, buyer_id, last_entry_at, created_at)
    VALUES ($1, $2, $3, $4, $4) ON CONFLICT (merchant_id, buyer_id) DO NOTHING)"};

const Sql<Place(MerchantId, AccountId)> kOfPair{"conversations.of_pair", R"(
    SELECT merchant_id, id, last_entry_at FROM conversations
    WHERE merchant_id = $1 AND buyer_id = $2)"};

const Sql<Overview(std::vector<MerchantId>, std::vector<ConversationId>, AccountId)> kOverview{
    "conversations.overview", R"(
    SELECT c.id, c.number, c.merchant_id, m.name AS merchant_name, c.buyer_id, a.name AS buyer_name,
           c.last_seq, c.forgotten_seq, c.last_entry_at, c.created_at,
           CASE WHEN c.buyer_id = $3
                  THEN c.for_buyer - greatest(k.read_count, c.forgotten_for_buyer)
                ELSE c.for_merchant - greatest(k.read_count, c.forgotten_for_merchant)
                END AS unread,
           c.status, c.snoozed_until, c.assignee_id,
           (SELECT coalesce(jsonb_agg(l.label ORDER BY l.label), '[]') FROM conversation_labels l
            WHERE l.merchant_id = c.merchant_id AND l.conversation_id = c.id) AS labels
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS g (merchant_id, id, n)
         JOIN conversations c ON c.merchant_id = g.merchant_id AND c.id = g.id
         JOIN merchants m ON m.id = c.merchant_id
         JOIN accounts a ON a.id = c.buyer_id
         LEFT JOIN markers k ON k.merchant_id = c.merchant_id AND k.conversation_id = c.id
                                AND k.account_id = $3
    ORDER BY g.n)"};

const Sql<EntryRow(std::vector<MerchantId>, std::vector<ConversationId>, std::vector<std::int64_t>)>
    kEntriesAt{"conversations.entries_at", R"(
    SELECT e.event, e.conversation_id, e.seq, e.id, e.author, e.author_id, e.data, e.at
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS g (merchant_id, id, seq)
         JOIN entries e ON e.merchant_id = g.merchant_id AND e.conversation_id = g.id
                           AND e.seq = g.seq)"};

// Of the latest activity, which the index has by the second.
const Sql<Place(AccountId, Instant, ConversationId, std::int64_t)> kOfBuyer{
    "conversations.of_buyer", R"(
    SELECT merchant_id, id, last_entry_at FROM conversations
    WHERE buyer_id = $1 AND (active_second, last_entry_at, id) < (second_of($2), $2, $3)
    ORDER BY active_second DESC, last_entry_at DESC, id DESC LIMIT $4)"};

const Sql<Place(MerchantId, Instant, ConversationId, std::int64_t, std::optional<Status>,
                std::optional<AccountId>, bool, std::optional<std::string>)>
    kOfMerchant{"conversations.of_merchant", R"(
    SELECT c.merchant_id, c.id, c.last_entry_at FROM conversations c
    WHERE c.merchant_id = $1
      AND (c.active_second, c.last_entry_at, c.id) < (second_of($2), $2, $3)
      AND ($5::text IS NULL OR c.status = $5)
      AND ($6::uuid IS NULL OR c.assignee_id = $6)
      AND (NOT $7 OR c.assignee_id IS NULL)
      AND ($8::text IS NULL OR EXISTS (
            SELECT FROM conversation_labels l
            WHERE l.merchant_id = c.merchant_id AND l.conversation_id = c.id AND l.label = $8))
    ORDER BY c.active_second DESC, c.last_entry_at DESC, c.id DESC LIMIT $4)"};

Conversation shown(const Overview& row, AccountId viewer) {
  Conversation out{
      row.id,         row.number,   row.merchant_id,   row.merchant_name, row.buyer_id,
      row.buyer_name, row.last_seq, row.forgotten_seq, row.last_entry_at, row.created_at,
      row.unread,     std::nullopt, std::nullopt};
  if (row.buyer_id != viewer)
    out.inbox = Inbox{row.status, row.snoozed_until, row.assignee_id, row.labels};
  return out;
}

// The places in full, in the same order.
std::vector<Conversation> look_at(Tx& tx, const std::vector<Place>& places, AccountId viewer) {
  std::vector<MerchantId> merchants;
  std::vector<ConversationId> ids;
  for (const auto& place : places) {
    merchants.push_back(place.merchant_id);
    ids.push_back(place.id);
  }
  const auto rows = tx.all(kOverview, merchants, ids, viewer);
  merchants.clear();
  ids.clear();
  std::vector<Conversation> out;
  std::vector<std::int64_t> lasts;
  for (const auto& row : rows) {
    out.push_back(shown(row, viewer));
    merchants.push_back(row.merchant_id);
    ids.push_back(row.id);
    lasts.push_back(row.last_seq);
  }
  std::map<ConversationId, Json> entries;
  for (const auto& row : tx.all(kEntriesAt, merchants, ids, lasts))
    entries[row.conversation_id] = to_frame(event_of(row));
  for (auto& conversation : out) {
    if (const auto found = entries.find(conversation.id); found != entries.end())
      conversation.last_entry = std::move(found->second);
    // Somebody may have written meanwhile: the list is in the order in which it was read.
    const auto place = std::ranges::find(places, conversation.id, &Place::id);
    if (place->last_entry_at) conversation.last_entry_at = *place->last_entry_at;
  }
  return out;
}

Position start_of(std::optional<Position> after) {
  if (after) return *after;
  return {Instant(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31)),
          ConversationId::newest()};
}

}  // namespace

Opened open(Tx& tx, const Who& who, const NewConversation& given) {
  const auto merchant = identity::fetch_merchant(tx, given.merchant_id);
  identity::hold_account(tx, who.account);
  if (identity::is_member(tx, who, merchant.id, identity::Role::agent, identity::Scope::read))
    throw Error(Code::conflict, "a shop's own member cannot be its buyer");
  const auto fresh = ConversationId::make();
  const bool is_new = tx.run(kOpen, merchant.id, fresh, who.account, tx.now()) == 1;
  if (is_new) identity::enter_directory(tx, fresh.uuid, merchant.id);
  return {*find_of_buyer(tx, merchant.id, who.account), is_new};
}

std::optional<Conversation> find_of_buyer(Tx& tx, MerchantId merchant, AccountId buyer) {
  const auto places = tx.all(kOfPair, merchant, buyer);
  if (places.empty()) return std::nullopt;
  return look_at(tx, places, buyer).front();
}

Conversation fetch(Tx& tx, const Who& who, ConversationId id) {
  const auto seat = enter(tx, who, id, identity::Scope::read, Lock::no);
  return look_at(tx, {{seat.merchant, id}}, who.account).front();
}

std::vector<Conversation> list_of_buyer(Tx& tx, AccountId buyer, std::optional<Position> after,
                                        std::int64_t limit) {
  const auto start = start_of(after);
  return look_at(tx, tx.all(kOfBuyer, buyer, start.last_entry_at, start.id, limit), buyer);
}

std::vector<Conversation> list_of_merchant(Tx& tx, MerchantId merchant, AccountId viewer,
                                           const Filter& filter, std::optional<Position> after,
                                           std::int64_t limit) {
  const auto start = start_of(after);
  const auto places = tx.all(kOfMerchant, merchant, start.last_entry_at, start.id, limit,
                             filter.status, filter.assignee, filter.only_unassigned, filter.label);
  return look_at(tx, places, viewer);
}

}  // namespace bottega::conversations
