// The conversation's row is the lock of its log: whoever holds it writes the next number.
#include "bottega/conversations/conversations.hpp"

#include <algorithm>

#include "conversations/rows.hpp"

namespace bottega::conversations {
namespace {

struct Numbered {
  std::int64_t seq = 0;
  AccountId buyer_id;
};
BOOST_DESCRIBE_STRUCT(Numbered, (), (seq, buyer_id))

const Sql<void(MerchantId, ConversationId, AccountId, Instant)> kOpen{"conversations.open", R"(
    INSERT INTO conversations (merchant_id, id, buyer_id, last_entry_at, created_at)
    VALUES ($1, $2, $3, $4, $4) ON CONFLICT (merchant_id, buyer_id) DO NOTHING)"};

const Sql<Conversation(MerchantId, AccountId)> kOfPair{"conversations.of_pair", R"(
    SELECT c.id, c.number, c.merchant_id, m.name AS merchant_name, c.buyer_id, a.name AS buyer_name,
           c.last_seq, c.last_entry_at, c.created_at
    FROM conversations c JOIN merchants m ON m.id = c.merchant_id
         JOIN accounts a ON a.id = c.buyer_id
    WHERE c.merchant_id = $1 AND c.buyer_id = $2)"};

const Sql<SeatRow(MerchantId, ConversationId, AccountId)> kSeat{"conversations.seat", R"(
    SELECT c.buyer_id, c.last_seq, m.account_id IS NOT NULL AS is_member
    FROM conversations c
    LEFT JOIN merchant_members m ON m.merchant_id = c.merchant_id AND m.account_id = $3
    WHERE c.merchant_id = $1 AND c.id = $2)"};

const Sql<SeatRow(MerchantId, ConversationId, AccountId)> kLockSeat{"conversations.lock_seat", R"(
    SELECT c.buyer_id, c.last_seq, m.account_id IS NOT NULL AS is_member
    FROM conversations c
    LEFT JOIN merchant_members m ON m.merchant_id = c.merchant_id AND m.account_id = $3
    WHERE c.merchant_id = $1 AND c.id = $2 FOR UPDATE OF c)"};

const Sql<EntryRow(MerchantId, ConversationId, AccountId, std::string)> kByClientId{
    "conversations.by_client_id", R"(
    SELECT event, conversation_id, seq, id, author, author_id, client_id, data, at FROM entries
    WHERE merchant_id = $1 AND conversation_id = $2 AND author_id = $3 AND client_id = $4)"};

const Sql<Numbered(MerchantId, ConversationId, EntryId, std::string, Author,
                   std::optional<AccountId>, std::optional<std::string>, Json, Instant)>
    kAppend{"conversations.append", R"(
    WITH next AS (
      UPDATE conversations SET last_seq = last_seq + 1, last_entry_at = greatest(last_entry_at, $9)
      WHERE merchant_id = $1 AND id = $2 RETURNING last_seq, buyer_id),
    written AS (
      INSERT INTO entries (merchant_id, conversation_id, seq, id, event, author, author_id,
                           client_id, data, at)
      SELECT $1, $2, last_seq, $3, $4, $5, $6, $7, $8, $9 FROM next)
    SELECT last_seq AS seq, buyer_id FROM next)"};

const Sql<EntryRow(MerchantId, ConversationId, std::int64_t, std::int64_t)> kLog{
    "conversations.log", R"(
    SELECT event, conversation_id, seq, id, author, author_id, client_id, data, at FROM entries
    WHERE merchant_id = $1 AND conversation_id = $2 AND seq > $3 ORDER BY seq LIMIT $4)"};

const Sql<EntryRow(MerchantId, ConversationId, std::int64_t, Instant, std::int64_t)> kLogSince{
    "conversations.log_since", R"(
    SELECT event, conversation_id, seq, id, author, author_id, client_id, data, at FROM entries
    WHERE merchant_id = $1 AND conversation_id = $2 AND seq < $3 AND at >= $4
    ORDER BY seq DESC LIMIT $5)"};

const Sql<Marker(MerchantId, ConversationId, AccountId, Side, std::int64_t, std::int64_t, Instant)>
    kMark{"conversations.mark", R"(
    INSERT INTO markers (merchant_id, conversation_id, account_id, side, delivered_seq, read_seq,
                         updated_at)
    VALUES ($1, $2, $3, $4, greatest($5::bigint, $6::bigint), $6, $7)
    ON CONFLICT (merchant_id, conversation_id, account_id) DO UPDATE
    SET delivered_seq = greatest(markers.delivered_seq, excluded.delivered_seq),
        read_seq = greatest(markers.read_seq, excluded.read_seq), updated_at = excluded.updated_at
    RETURNING account_id, side, delivered_seq, read_seq, updated_at)"};

const Sql<Marker(MerchantId, ConversationId)> kMarkers{"conversations.markers", R"(
    SELECT account_id, side, delivered_seq, read_seq, updated_at FROM markers
    WHERE merchant_id = $1 AND conversation_id = $2 ORDER BY account_id LIMIT 1000)"};

const Sql<Conversation(AccountId, Instant, ConversationId, std::int64_t)> kOfBuyer{
    "conversations.of_buyer", R"(
    SELECT c.id, c.number, c.merchant_id, m.name AS merchant_name, c.buyer_id, a.name AS buyer_name,
           c.last_seq, c.last_entry_at, c.created_at
    FROM conversations c JOIN merchants m ON m.id = c.merchant_id
         JOIN accounts a ON a.id = c.buyer_id
    WHERE c.buyer_id = $1 AND (c.last_entry_at, c.id) < ($2, $3)
    ORDER BY c.last_entry_at DESC, c.id DESC LIMIT $4)"};

const Sql<Conversation(MerchantId, Instant, ConversationId, std::int64_t)> kOfMerchant{
    "conversations.of_merchant", R"(
    SELECT c.id, c.number, c.merchant_id, m.name AS merchant_name, c.buyer_id, a.name AS buyer_name,
           c.last_seq, c.last_entry_at, c.created_at
    FROM conversations c JOIN merchants m ON m.id = c.merchant_id
         JOIN accounts a ON a.id = c.buyer_id
    WHERE c.merchant_id = $1 AND (c.last_entry_at, c.id) < ($2, $3)
    ORDER BY c.last_entry_at DESC, c.id DESC LIMIT $4)"};

const Sql<Missed(AccountId, std::optional<MerchantId>, Instant, std::int64_t)> kActiveSince{
    "conversations.active_since", R"(
    SELECT c.id, c.merchant_id,
           coalesce((SELECT max(e.seq) FROM entries e WHERE e.merchant_id = c.merchant_id
                     AND e.conversation_id = c.id AND e.at < $3), 0) AS position
    FROM conversations c
    WHERE c.last_entry_at >= $3
      AND (CASE WHEN $2::uuid IS NULL
                THEN c.buyer_id = $1 OR c.merchant_id IN (
                  SELECT m.merchant_id FROM merchant_members m WHERE m.account_id = $1)
                ELSE c.merchant_id = $2 END)
    ORDER BY c.last_entry_at DESC LIMIT $4)"};

std::vector<Event> events_of(const std::vector<EntryRow>& rows) {
  std::vector<Event> events;
  events.reserve(rows.size());
  for (const auto& row : rows) events.push_back(event_of(row));
  return events;
}

void tell(Tx& tx, MerchantId merchant, AccountId buyer, const Event& event) {
  tx.announce(notice_of(merchant, buyer, event.conversation, event.seq, to_frame(event).dump()));
}

Position start_of(std::optional<Position> after) {
  if (after) return *after;
  ConversationId last;
  last.uuid.bytes.fill(0xff);
  return {Instant(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31)), last};
}

}  // namespace

Side side_of(const Who& who, const SeatRow& row) {
  if (row.is_member || who.kind == identity::Kind::api_key) return Side::merchant;
  if (row.buyer_id == who.account) return Side::buyer;
  throw Error(Code::not_found, "there is no such thing, or it is not yours");
}

Author author_of(Side side) { return side == Side::buyer ? Author::buyer : Author::merchant; }

Event event_of(const EntryRow& row) {
  Json data = row.data;
  data["id"] = text_of(row.id);
  data["author"] = text_of(row.author);
  data["author_id"] = to_json(row.author_id);
  if (row.client_id) data["client_id"] = *row.client_id;
  return {row.event, row.conversation_id, row.seq, row.at, std::move(data)};
}

std::string frame_text(const EntryRow& row, std::string_view data_text) {
  const auto quoted = [](const std::string& text) { return Json(text).dump(); };
  std::string out = "{\"at\":\"" + text_of(row.at) + "\",\"conversation\":\"" +
                    text_of(row.conversation_id) + "\",\"data\":{\"author\":\"" +
                    text_of(row.author) + "\",\"author_id\":";
  out += row.author_id ? '"' + text_of(*row.author_id) + '"' : "null";
  if (row.client_id) out += ",\"client_id\":" + quoted(*row.client_id);
  out += ",\"id\":\"" + text_of(row.id) + '"';
  if (data_text.size() > 2) out += ',';
  out += data_text.substr(1);
  out += ",\"event\":\"" + row.event + "\",\"seq\":" + std::to_string(row.seq) + '}';
  return out;
}

void require_same(const EntryRow& sent, const NewMessage& again) {
  if (sent.data.value("text", "") == again.text.value) return;
  throw Error(Code::conflict, "another message was sent with this client_id",
              {{"/client_id", "must be new for a new message"}});
}

Notice notice_of(MerchantId merchant, AccountId buyer, ConversationId conversation,
                 std::int64_t seq, std::string text) {
  return {{identity::account_topic(buyer), identity::merchant_topic(merchant)},
          text_of(conversation),
          seq,
          std::move(text)};
}

Opened open(Tx& tx, const Who& who, const NewConversation& given) {
  const auto merchant = identity::fetch_merchant(tx, given.merchant_id);
  identity::hold_account(tx, who.account);
  for (const auto& member : identity::list_members(tx, merchant.id))
    if (member.account_id == who.account)
      throw Error(Code::conflict, "a shop's own member cannot be its buyer");
  const auto fresh = ConversationId::make();
  const bool is_new = tx.run(kOpen, merchant.id, fresh, who.account, tx.now()) == 1;
  if (is_new) identity::enter_directory(tx, fresh.uuid, merchant.id);
  return {tx.one(kOfPair, merchant.id, who.account), is_new};
}

std::optional<Conversation> find_of_buyer(Tx& tx, MerchantId merchant, AccountId buyer) {
  return tx.find(kOfPair, merchant, buyer);
}

Seat enter(Tx& tx, const Who& who, ConversationId id, identity::Scope scope, Lock lock) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  if (who.kind == identity::Kind::api_key)
    identity::require_member(tx, who, merchant, identity::Role::agent, scope);
  const auto row = tx.one(lock == Lock::yes ? kLockSeat : kSeat, merchant, id, who.account);
  return {merchant, id, row.buyer_id, row.last_seq, side_of(who, row)};
}

Conversation fetch(Tx& tx, const Who& who, ConversationId id) {
  const auto seat = enter(tx, who, id, identity::Scope::read, Lock::no);
  return tx.one(kOfPair, seat.merchant, seat.buyer);
}

Event append(Tx& tx, MerchantId merchant, ConversationId conversation, const Draft& draft) {
  EntryRow row;
  row.event = draft.event;
  row.conversation_id = conversation;
  row.id = EntryId::make();
  row.author = draft.author;
  row.author_id = draft.author_id;
  row.client_id = draft.client_id;
  row.data = draft.data;
  row.at = tx.now();
  const auto numbered = tx.one(kAppend, merchant, conversation, row.id, row.event, row.author,
                               row.author_id, row.client_id, row.data, row.at);
  row.seq = numbered.seq;
  auto event = event_of(row);
  tell(tx, merchant, numbered.buyer_id, event);
  return event;
}

Event send(Tx& tx, const Who& who, ConversationId id, const NewMessage& given) {
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::yes);
  Draft draft{"message.created",
              author_of(seat.side),
              who.account,
              std::nullopt,
              {{"text", given.text.value}}};
  if (given.client_id) {
    const auto sent = tx.find(kByClientId, seat.merchant, id, who.account, given.client_id->value);
    if (sent) {
      require_same(*sent, given);
      return event_of(*sent);
    }
    draft.client_id = given.client_id->value;
  }
  return append(tx, seat.merchant, id, draft);
}

Marker mark(Tx& tx, const Who& who, ConversationId id, const Receipt& receipt) {
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::no);
  const std::int64_t read = receipt.read_seq ? receipt.read_seq->value : 0;
  const std::int64_t delivered = receipt.delivered_seq ? receipt.delivered_seq->value : 0;
  if (read > seat.last_seq || delivered > seat.last_seq)
    throw Error(
        Code::invalid, "the conversation is not that long",
        {{read > seat.last_seq ? "/read_seq" : "/delivered_seq", "is after the last entry"}});
  const auto marker =
      tx.one(kMark, seat.merchant, id, who.account, seat.side, delivered, read, tx.now());
  tell(tx, seat.merchant, seat.buyer, {"receipt.updated", id, 0, tx.now(), to_json(marker)});
  return marker;
}

std::vector<Marker> markers(Tx& tx, const Who& who, ConversationId id) {
  const auto seat = enter(tx, who, id, identity::Scope::read, Lock::no);
  return tx.all(kMarkers, seat.merchant, id);
}

void type(Tx& tx, const Who& who, ConversationId id) {
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::no);
  const Json data = {{"account_id", text_of(who.account)}, {"side", text_of(seat.side)}};
  tell(tx, seat.merchant, seat.buyer, {"typing.started", id, 0, tx.now(), data});
}

std::vector<Conversation> list_of_buyer(Tx& tx, AccountId buyer, std::optional<Position> after,
                                        std::int64_t limit) {
  const auto start = start_of(after);
  return tx.all(kOfBuyer, buyer, start.last_entry_at, start.id, limit);
}

std::vector<Conversation> list_of_merchant(Tx& tx, MerchantId merchant,
                                           std::optional<Position> after, std::int64_t limit) {
  const auto start = start_of(after);
  return tx.all(kOfMerchant, merchant, start.last_entry_at, start.id, limit);
}

std::vector<Event> log_after(Tx& tx, const Who& who, ConversationId id, std::int64_t after,
                             std::int64_t limit) {
  const auto seat = enter(tx, who, id, identity::Scope::read, Lock::no);
  return log_of(tx, seat.merchant, id, after, limit);
}

std::vector<Event> log_of(Tx& tx, MerchantId merchant, ConversationId id, std::int64_t after,
                          std::int64_t limit) {
  return events_of(tx.all(kLog, merchant, id, after, limit));
}

std::vector<Event> log_since(Tx& tx, MerchantId merchant, ConversationId id, std::int64_t before,
                             Instant since, std::int64_t limit) {
  auto events = events_of(tx.all(kLogSince, merchant, id, before, since, limit));
  std::ranges::reverse(events);
  return events;
}

std::vector<Missed> active_since(Tx& tx, const Who& who, Instant since, std::int64_t limit) {
  std::optional<MerchantId> only;
  if (who.kind == identity::Kind::api_key) only = who.merchant;
  return tx.all(kActiveSince, who.account, only, since, limit);
}

Json to_frame(const Event& event) {
  Json frame = {{"event", event.event},
                {"conversation", text_of(event.conversation)},
                {"at", text_of(event.at)},
                {"data", event.data}};
  if (event.seq > 0) frame["seq"] = event.seq;
  return frame;
}

}  // namespace bottega::conversations
