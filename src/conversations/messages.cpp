#include "bottega/conversations/messages.hpp"

#include "conversations/rows.hpp"
#include "bottega/conversations/safety.hpp"

namespace bottega::conversations {
namespace {

const Sql<EntryRow(MerchantId, ConversationId, std::int64_t)> kMessage{"conversations.message", R"(
    SELECT event, conversation_id, seq, id, author, author_id, data, at FROM entries
    WHERE merchant_id = $1 AND conversation_id = $2 AND seq = $3 AND event = 'message.created')"};

const Sql<void(MerchantId, ConversationId, std::int64_t, Json)> kSetDataOfEntry{
    "conversations.set_data_of_entry",
    R"(
    UPDATE entries SET data = $4 WHERE merchant_id = $1 AND conversation_id = $2 AND seq = $3)"};

// One walk over what comes after the first of the messages, however many there are.
const Sql<void(MerchantId, ConversationId, std::int64_t, std::vector<std::int64_t>)>
    kForgetTextsOfEdits{"conversations.forget_texts_of_edits", R"(
    UPDATE entries SET data = data - 'text'
    WHERE merchant_id = $1 AND conversation_id = $2 AND seq > $3 AND event = 'message.edited'
      AND (data->>'message_seq')::bigint = ANY ($4::bigint[]))"};

const Sql<SeatRow(MerchantId, ConversationId, AccountId)> kHoldForErasing{
    "conversations.hold_for_erasing", R"(
    SELECT buyer_id, last_seq, forgotten_seq, buyer_id <> $3 AS is_member FROM conversations
    WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<EntryRow(MerchantId, ConversationId, AccountId, std::int64_t, std::int64_t)> kWrittenBy{
    "conversations.written_by", R"(
    SELECT event, conversation_id, seq, id, author, author_id, data, at FROM entries
    WHERE merchant_id = $1 AND conversation_id = $2 AND author_id = $3
      AND event = 'message.created' AND NOT data ? 'deleted_at' AND seq > $4
    ORDER BY seq LIMIT $5)"};

const Sql<void(MerchantId, ConversationId, std::vector<std::int64_t>)> kForgetTexts{
    "conversations.forget_texts", R"(
    DELETE FROM entry_texts
    WHERE merchant_id = $1 AND conversation_id = $2 AND seq = ANY ($3::bigint[]))"};

// A message under the lock of its conversation.
struct Held {
  Seat seat;
  EntryRow row;
};

Held hold(Tx& tx, const Who& who, ConversationId id, std::int64_t seq) {
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::yes);
  return {seat, tx.one(kMessage, seat.merchant, id, seq)};
}

bool is_deleted(const EntryRow& row) { return row.data.contains("deleted_at"); }

void require_own(const EntryRow& row, const Who& who) {
  if (row.author_id != who.account)
    throw Error(Code::forbidden, "only who wrote a message may change it");
}

void require_recent(Tx& tx, const EntryRow& row, std::chrono::seconds window) {
  if (tx.now() - row.at > window) throw Error(Code::conflict, "the message is too old for that");
}

std::vector<attachments::AttachmentId> files_of(const EntryRow& row) {
  std::vector<attachments::AttachmentId> ids;
  for (const auto& file : row.data.value("attachments", Json::array()))
    ids.push_back(from_text<attachments::AttachmentId>(file.at("id").get<std::string>()));
  return ids;
}

// Stores how the message is now, and the trace of what was done to it.
Event change(Tx& tx, const Who& who, Held held, const std::string& event, Json trace,
             const std::string& fallback) {
  tx.run(kSetDataOfEntry, held.seat.merchant, held.seat.conversation, held.row.seq, held.row.data);
  trace["message_seq"] = held.row.seq;
  append(tx, held.seat.merchant, held.seat.conversation,
         {event, author_of(held.seat.side), who.account, std::nullopt, std::move(trace), fallback});
  return event_of(held.row);
}

}  // namespace

Event edit(Tx& tx, const Who& who, ConversationId id, std::int64_t seq, const NewText& given,
           std::chrono::seconds window) {
  auto held = hold(tx, who, id, seq);
  require_own(held.row, who);
  if (is_deleted(held.row)) throw Error(Code::conflict, "the message has been deleted");
  if (held.row.data.value("text", "") == given.text.value) return event_of(held.row);
  require_not_blocked(tx, held.seat);
  require_recent(tx, held.row, window);
  held.row.data["text"] = given.text.value;
  held.row.data["edited_at"] = text_of(tx.now());
  return change(tx, who, std::move(held), "message.edited", {{"text", given.text.value}},
                "A message was edited.");
}

Event remove(Tx& tx, const Who& who, ConversationId id, std::int64_t seq,
             std::chrono::seconds window) {
  auto held = hold(tx, who, id, seq);
  require_own(held.row, who);
  if (is_deleted(held.row)) return event_of(held.row);
  require_recent(tx, held.row, window);
  attachments::remove(tx, held.seat.merchant, files_of(held.row));
  Json left = {{"deleted_at", text_of(tx.now())}};
  if (held.row.data.contains("client_id")) left["client_id"] = held.row.data["client_id"];
  held.row.data = std::move(left);
  tx.run(kForgetTextsOfEdits, held.seat.merchant, id, seq, {seq});
  return change(tx, who, std::move(held), "message.deleted", Json::object(),
                "A message was deleted.");
}

Event react(Tx& tx, const Who& who, ConversationId id, std::int64_t seq,
            const std::optional<Emoji>& emoji) {
  auto held = hold(tx, who, id, seq);
  if (is_deleted(held.row)) throw Error(Code::conflict, "the message has been deleted");
  auto reactions = held.row.data.value("reactions", Json::object());
  const auto account = text_of(who.account);
  const Json wanted = emoji ? Json(emoji->value) : Json();
  if (reactions.value(account, Json()) == wanted) return event_of(held.row);
  if (emoji) require_not_blocked(tx, held.seat);
  if (emoji)
    reactions[account] = wanted;
  else
    reactions.erase(account);
  held.row.data["reactions"] = std::move(reactions);
  const auto fallback =
      emoji ? "Reacted with " + emoji->value + " to a message." : "A reaction was taken back.";
  return change(tx, who, std::move(held), "message.reacted", {{"emoji", wanted}}, fallback);
}

std::optional<std::int64_t> erase_written(Tx& tx, AccountId author, MerchantId merchant,
                                          ConversationId id, std::int64_t after,
                                          std::int64_t limit) {
  const auto held = tx.find(kHoldForErasing, merchant, id, author);
  if (!held) return std::nullopt;
  const auto side = held->is_member ? Side::merchant : Side::buyer;
  const auto rows = tx.all(kWrittenBy, merchant, id, author, after, limit);
  if (rows.empty()) return std::nullopt;
  std::vector<std::int64_t> seqs;
  for (const auto& row : rows) {
    seqs.push_back(row.seq);
    attachments::remove(tx, merchant, files_of(row));
    tx.run(kSetDataOfEntry, merchant, id, row.seq, {{"deleted_at", text_of(tx.now())}});
    append(tx, merchant, id,
           {"message.deleted",
            author_of(side),
            author,
            std::nullopt,
            {{"message_seq", row.seq}},
            "A message was deleted."});
  }
  tx.run(kForgetTextsOfEdits, merchant, id, seqs.front(), seqs);
  tx.run(kForgetTexts, merchant, id, seqs);
  return seqs.back();
}

}  // namespace bottega::conversations
