// Who sits in a conversation, what they send, and what they read of it.
#include "bottega/conversations/conversations.hpp"

#include <algorithm>

#include "conversations/rows.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/conversations/safety.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/identity/preferences.hpp"

namespace bottega::conversations {
namespace {

const Sql<SeatRow(MerchantId, ConversationId, AccountId)> kSeat{"conversations.seat", R"(
    SELECT c.buyer_id, c.last_seq, c.forgotten_seq, m.account_id IS NOT NULL AS is_member
    FROM conversations c
    LEFT JOIN merchant_members m ON m.merchant_id = c.merchant_id AND m.account_id = $3
    WHERE c.merchant_id = $1 AND c.id = $2)"};

const Sql<SeatRow(MerchantId, ConversationId, AccountId)> kLockSeat{"conversations.lock_seat", R"(
    SELECT c.buyer_id, c.last_seq, c.forgotten_seq, m.account_id IS NOT NULL AS is_member
    FROM conversations c
    LEFT JOIN merchant_members m ON m.merchant_id = c.merchant_id AND m.account_id = $3
    WHERE c.merchant_id = $1 AND c.id = $2 FOR UPDATE OF c)"};

const Sql<EntryRow(MerchantId, ConversationId, ClientKey)> kByClientKey{
    "conversations.by_client_key", R"(
    SELECT event, conversation_id, seq, id, author, author_id, data, at FROM entries
    WHERE merchant_id = $1 AND conversation_id = $2 AND client_key = $3)"};

const Sql<std::int64_t(MerchantId, ConversationId, std::int64_t)> kIsMessage{
    "conversations.is_message", R"(
    SELECT seq FROM entries WHERE merchant_id = $1 AND conversation_id = $2 AND seq = $3
      AND event = 'message.created' AND NOT data ? 'deleted_at')"};

const Sql<EntryRow(MerchantId, ConversationId, std::int64_t, std::int64_t)> kLog{
    "conversations.log", R"(
    SELECT event, conversation_id, seq, id, author, author_id, data, at FROM entries
    WHERE merchant_id = $1 AND conversation_id = $2 AND seq > $3 ORDER BY seq LIMIT $4)"};

const Sql<EntryRow(MerchantId, ConversationId, std::int64_t, std::int64_t)> kLogBefore{
    "conversations.log_before", R"(
    SELECT event, conversation_id, seq, id, author, author_id, data, at FROM entries
    WHERE merchant_id = $1 AND conversation_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4)"};

const Sql<EntryRow(MerchantId, ConversationId, std::int64_t, Instant, std::int64_t)> kLogSince{
    "conversations.log_since", R"(
    SELECT event, conversation_id, seq, id, author, author_id, data, at FROM entries
    WHERE merchant_id = $1 AND conversation_id = $2 AND seq < $3 AND at >= $4
    ORDER BY seq DESC LIMIT $5)"};

const Sql<Marker(MerchantId, ConversationId, AccountId, Side, std::int64_t, std::int64_t, Instant)>
    kMark{"conversations.mark", R"(
    INSERT INTO markers (merchant_id, conversation_id, account_id, side, delivered_seq, read_seq,
                         read_count, updated_at)
    SELECT $1, $2, $3, $4, greatest($5::bigint, $6::bigint), $6,
           CASE WHEN $6 = 0 THEN 0
                ELSE CASE WHEN $4 = 'buyer' THEN c.for_buyer ELSE c.for_merchant END
                     - (SELECT count(*) FROM entries e
                        WHERE e.merchant_id = $1 AND e.conversation_id = $2 AND e.seq > $6
                          AND e.author <> $4 AND e.event NOT IN (
                            'message.edited', 'message.deleted', 'message.reacted')) END, $7
    FROM conversations c WHERE c.merchant_id = $1 AND c.id = $2
    ON CONFLICT (merchant_id, conversation_id, account_id) DO UPDATE
    SET delivered_seq = greatest(markers.delivered_seq, excluded.delivered_seq),
        read_seq = greatest(markers.read_seq, excluded.read_seq),
        read_count = greatest(markers.read_count, excluded.read_count),
        updated_at = excluded.updated_at
    RETURNING account_id, side, delivered_seq, read_seq, updated_at)"};

const Sql<Marker(MerchantId, ConversationId)> kMarkers{"conversations.markers", R"(
    SELECT account_id, side, delivered_seq, read_seq, updated_at FROM markers
    WHERE merchant_id = $1 AND conversation_id = $2 ORDER BY account_id LIMIT 1000)"};

// The newest entries tell the position: nobody has all of a long log read by a time long ago.
const Sql<Missed(AccountId, std::optional<MerchantId>, Instant, std::int64_t, std::int64_t)>
    kActiveSince{"conversations.active_since", R"(
    SELECT c.id, c.merchant_id, c.last_seq,
           greatest(c.forgotten_seq, coalesce(n.first - 1, c.last_seq)) AS position
    FROM conversations c CROSS JOIN LATERAL (
           SELECT min(seq) FILTER (WHERE at >= $3) AS first
           FROM (SELECT e.seq, e.at FROM entries e
                 WHERE e.merchant_id = c.merchant_id AND e.conversation_id = c.id
                 ORDER BY e.seq DESC LIMIT $5) newest) n
    WHERE c.active_second >= second_of($3) AND c.last_entry_at >= $3
      AND (CASE WHEN $2::uuid IS NULL
                THEN c.buyer_id = $1 OR c.merchant_id IN (
                  SELECT m.merchant_id FROM merchant_members m WHERE m.account_id = $1)
                ELSE c.merchant_id = $2 END)
    ORDER BY c.active_second DESC, c.last_entry_at DESC LIMIT $4)"};

// For a node that may have missed news of any merchant: the one query here that names none.
const Sql<Moved(Instant, Instant, Instant, ConversationId, std::int64_t)> kMovedIn{
    "conversations.moved_in", R"(
    SELECT c.id, c.merchant_id, c.buyer_id, e.seq, e.at
    FROM (SELECT merchant_id, conversation_id, max(seq) AS seq, max(at) AS at FROM entries
          WHERE at >= $1 AND at < $2 GROUP BY merchant_id, conversation_id
          HAVING (max(at), conversation_id) > ($3, $4)
          ORDER BY max(at), conversation_id LIMIT $5) e
         JOIN conversations c ON c.merchant_id = e.merchant_id AND c.id = e.conversation_id
    ORDER BY e.at, c.id)"};

std::vector<Event> events_of(const std::vector<EntryRow>& rows) {
  std::vector<Event> events;
  events.reserve(rows.size());
  for (const auto& row : rows) events.push_back(event_of(row));
  return events;
}

void require_message(Tx& tx, const Seat& seat, std::int64_t seq) {
  if (!tx.find(kIsMessage, seat.merchant, seat.conversation, seq))
    throw Error(Code::invalid, "there is no such message to reply to",
                {{"/reply_to", "must be the seq of a message of this conversation"}});
}

std::optional<Event> sent_before(Tx& tx, const Seat& seat, const Who& who,
                                 const NewMessage& given) {
  if (!given.client_id) return std::nullopt;
  const auto sent = tx.find(kByClientKey, seat.merchant, seat.conversation,
                            client_key_of(who.account, given.client_id->value));
  if (!sent) return std::nullopt;
  if (!is_same(*sent, given))
    throw Error(Code::conflict, "another message was sent with this client_id",
                {{"/client_id", "must be new for a new message"}});
  return event_of(*sent);
}

constexpr std::string_view kTraces[] = {"message.edited", "message.deleted", "message.reacted"};

}  // namespace

bool is_news(std::string_view event) { return std::ranges::count(kTraces, event) == 0; }

std::optional<Side> find_side(const Who& who, const SeatRow& row) {
  if (row.is_member || who.kind == identity::Kind::api_key) return Side::merchant;
  if (row.buyer_id == who.account) return Side::buyer;
  return std::nullopt;
}

Side side_of(const Who& who, const SeatRow& row) {
  if (const auto side = find_side(who, row)) return *side;
  throw Error(Code::not_found, "there is no such thing, or it is not yours");
}

Author author_of(Side side) { return side == Side::buyer ? Author::buyer : Author::merchant; }

Event event_of(EntryRow row) {
  row.data["id"] = text_of(row.id);
  row.data["author"] = text_of(row.author);
  row.data["author_id"] = to_json(row.author_id);
  return {std::move(row.event), row.conversation_id, row.seq, row.at, std::move(row.data)};
}

std::string frame_text(const EntryRow& row, std::string_view data_text) {
  std::string out = "{\"at\":\"" + text_of(row.at) + "\",\"conversation\":\"" +
                    text_of(row.conversation_id) + "\",\"data\":{\"author\":\"" +
                    text_of(row.author) + "\",\"author_id\":";
  out += row.author_id ? '"' + text_of(*row.author_id) + '"' : "null";
  out += ",\"id\":\"" + text_of(row.id) + '"';
  if (data_text.size() > 2) out += ',';
  out += data_text.substr(1);
  out += ",\"event\":\"" + row.event + "\",\"seq\":" + std::to_string(row.seq) + '}';
  return out;
}

bool is_same(const EntryRow& sent, const NewMessage& again) {
  if (sent.data.contains("edited_at") || sent.data.contains("deleted_at")) return true;
  const auto of = [&](const char* name) { return sent.data.value(name, Json()); };
  Json files = Json::array(), wanted = Json::array();
  for (const auto& file : of("attachments")) files.push_back(file.at("id"));
  if (again.attachments) wanted = to_json(*again.attachments);
  return of("text") == to_json(again.text) && of("reply_to") == to_json(again.reply_to) &&
         files == wanted && is_same_offer(sent.data, again);
}

ClientKey client_key_of(AccountId author, std::string_view client_id) {
  const auto sum = sha256(uuid_text(author.uuid) + ' ' + std::string(client_id));
  ClientKey key;
  std::copy_n(sum.begin(), key.uuid.bytes.size(), key.uuid.bytes.begin());
  return key;
}

Notice notice_of(MerchantId merchant, AccountId buyer, ConversationId conversation,
                 std::int64_t seq, std::string text) {
  return {{identity::account_topic(buyer), identity::merchant_topic(merchant)},
          text_of(conversation),
          seq,
          std::move(text)};
}

void tell(Tx& tx, MerchantId merchant, AccountId buyer, const Event& event) {
  auto notice = notice_of(merchant, buyer, event.conversation, event.seq, to_frame(event).dump());
  notice.rewrites = !is_news(event.event);
  tx.announce(std::move(notice));
}

void tell_merchant(Tx& tx, const Seat& seat, const std::string& event, Json data) {
  const Event news{event, seat.conversation, 0, tx.now(), std::move(data)};
  tx.announce({{identity::merchant_topic(seat.merchant)},
               text_of(seat.conversation),
               0,
               to_frame(news).dump()});
}

void tell_both(Tx& tx, const Seat& seat, const std::string& event, Json data) {
  auto notice =
      notice_of(seat.merchant, seat.buyer, seat.conversation, 0,
                to_frame({event, seat.conversation, 0, tx.now(), std::move(data)}).dump());
  if (has_block(tx, seat))
    notice.topics = {seat.side == Side::buyer ? identity::account_topic(seat.buyer)
                                              : identity::merchant_topic(seat.merchant)};
  tx.announce(std::move(notice));
}

Seat enter(Tx& tx, const Who& who, ConversationId id, identity::Scope scope, Lock lock) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  if (who.kind == identity::Kind::api_key)
    identity::require_member(tx, who, merchant, identity::Role::agent, scope);
  const auto row = tx.one(lock == Lock::yes ? kLockSeat : kSeat, merchant, id, who.account);
  return {merchant, id, row.buyer_id, row.last_seq, side_of(who, row), row.forgotten_seq};
}

std::optional<Event> find_sent(Tx& tx, const Who& who, ConversationId id, const NewMessage& given) {
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::no);
  return sent_before(tx, seat, who, given);
}

Event send(Tx& tx, const Who& who, ConversationId id, const NewMessage& given) {
  require_looked_up(given);
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::yes);
  Draft draft{"message.created", author_of(seat.side), who.account, std::nullopt, Json::object()};
  if (auto sent = sent_before(tx, seat, who, given)) return *std::move(sent);
  if (given.client_id) draft.client_id = given.client_id->value;
  if (given.offer) draft.data = data_of(*given.offer);
  if (given.text) draft.data["text"] = given.text->value;
  require_not_blocked(tx, seat);
  if (given.reply_to) {
    require_message(tx, seat, given.reply_to->value);
    draft.data["reply_to"] = given.reply_to->value;
  }
  if (given.attachments) {
    const auto files =
        attachments::take(tx, seat.merchant, id, who.account, given.attachments->items);
    draft.data["attachments"] = to_json(files);
    if (!given.offer) draft.fallback = "File: " + files.front().name;
  }
  auto event = append(tx, seat.merchant, id, draft);
  if (seat.side == Side::buyer) answer_if_away(tx, seat.merchant, id);
  return event;
}

Marker mark(Tx& tx, const Who& who, ConversationId id, const Receipt& receipt) {
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::no);
  if (who.kind != identity::Kind::person)
    throw Error(Code::forbidden, "only people read: a program would do it in its maker's name");
  const std::int64_t read = receipt.read_seq ? receipt.read_seq->value : 0;
  const std::int64_t delivered = receipt.delivered_seq ? receipt.delivered_seq->value : 0;
  if (read > seat.last_seq || delivered > seat.last_seq)
    throw Error(
        Code::invalid, "the conversation is not that long",
        {{read > seat.last_seq ? "/read_seq" : "/delivered_seq", "is after the last entry"}});
  const auto marker =
      tx.one(kMark, seat.merchant, id, who.account, seat.side, delivered, read, tx.now());
  tell_both(tx, seat, "receipt.updated", to_json(marker));
  return marker;
}

std::vector<Marker> markers(Tx& tx, const Who& who, ConversationId id) {
  const auto seat = enter(tx, who, id, identity::Scope::read, Lock::no);
  auto all = tx.all(kMarkers, seat.merchant, id);
  // Where one side has blocked the other, neither learns when the other reads.
  if (has_block(tx, seat))
    std::erase_if(all, [&](const Marker& marker) { return marker.side != seat.side; });
  return all;
}

void type(Tx& tx, const Who& who, ConversationId id) {
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::no);
  // What a shop's program does is the shop's; a person may keep it to themselves.
  const bool is_person = who.kind == identity::Kind::person;
  if (is_person && !identity::preferences_of(tx, who.account).show_typing) return;
  const Json data = {{"account_id", text_of(who.account)}, {"side", text_of(seat.side)}};
  if (has_block(tx, seat)) return;
  tell(tx, seat.merchant, seat.buyer, {"typing.started", id, 0, tx.now(), data});
}

std::vector<Event> log_after(Tx& tx, const Who& who, ConversationId id, std::int64_t after,
                             std::int64_t limit) {
  const auto seat = enter(tx, who, id, identity::Scope::read, Lock::no);
  return log_of(tx, seat.merchant, id, after, limit);
}

std::vector<Event> log_before(Tx& tx, const Who& who, ConversationId id, std::int64_t before,
                              std::int64_t limit) {
  const auto seat = enter(tx, who, id, identity::Scope::read, Lock::no);
  return events_of(tx.all(kLogBefore, seat.merchant, id, before, limit));
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

std::vector<Missed> active_since(Tx& tx, const Who& who, Instant since, std::int64_t limit,
                                 std::int64_t entries_max) {
  std::optional<MerchantId> only;
  if (who.kind == identity::Kind::api_key) {
    identity::require_member(tx, who, who.merchant, identity::Role::agent, identity::Scope::read);
    only = who.merchant;
  }
  return tx.all(kActiveSince, who.account, only, since, limit, entries_max);
}

std::vector<Moved> moved_in(Tx& tx, const Span& span, std::int64_t limit) {
  return tx.all(kMovedIn, span.from, span.upto, span.after_at, span.after_id, limit);
}

Notice notice_of(const Moved& moved) {
  return notice_of(moved.merchant_id, moved.buyer_id, moved.id, moved.seq, "");
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
