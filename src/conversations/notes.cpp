// What members of a merchant keep for themselves: notes on a conversation, and replies kept ready.
#include "conversations/seats.hpp"
#include "bottega/conversations/inbox.hpp"

namespace bottega::conversations {
namespace {

const Sql<void(MerchantId, ConversationId, NoteId, AccountId, std::string, std::int64_t, Instant)>
    kAddNote{"notes.add", R"(
    INSERT INTO notes (merchant_id, conversation_id, id, author_id, text, after_seq, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7))"};

const Sql<Note(MerchantId, ConversationId, std::optional<NoteId>, std::int64_t)> kNotes{
    "notes.of_conversation", R"(
    SELECT n.id, n.author_id, a.name AS author_name, n.text, n.after_seq, n.created_at
    FROM notes n JOIN accounts a ON a.id = n.author_id
    WHERE n.merchant_id = $1 AND n.conversation_id = $2 AND ($3::uuid IS NULL OR n.id > $3)
    ORDER BY n.id LIMIT $4)"};

const Sql<Note(MerchantId, ConversationId, NoteId)> kNote{"notes.one", R"(
    SELECT n.id, n.author_id, a.name AS author_name, n.text, n.after_seq, n.created_at
    FROM notes n JOIN accounts a ON a.id = n.author_id
    WHERE n.merchant_id = $1 AND n.conversation_id = $2 AND n.id = $3)"};

const Sql<void(MerchantId, ConversationId, NoteId)> kRemoveNote{"notes.remove", R"(
    DELETE FROM notes WHERE merchant_id = $1 AND conversation_id = $2 AND id = $3)"};

// None where the shortcut is taken.
const Sql<CannedReply(MerchantId, CannedReplyId, std::string, std::string, AccountId, Instant)>
    kAddReply{"canned_replies.add", R"(
    INSERT INTO canned_replies (merchant_id, id, shortcut, text, updated_by, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (merchant_id, shortcut) DO NOTHING
    RETURNING id, shortcut, text, updated_by, updated_at)"};

const Sql<CannedReply(MerchantId, CannedReplyId, std::string, std::string, AccountId, Instant)>
    kChangeReply{"canned_replies.change", R"(
    UPDATE canned_replies SET shortcut = $3, text = $4, updated_by = $5, updated_at = $6
    WHERE merchant_id = $1 AND id = $2
    RETURNING id, shortcut, text, updated_by, updated_at)"};

const Sql<CannedReplyId(MerchantId, std::string)> kReplyOfShortcut{"canned_replies.of_shortcut", R"(
    SELECT id FROM canned_replies WHERE merchant_id = $1 AND shortcut = $2)"};

const Sql<void(MerchantId, CannedReplyId)> kRemoveReply{"canned_replies.remove", R"(
    DELETE FROM canned_replies WHERE merchant_id = $1 AND id = $2)"};

const Sql<CannedReply(MerchantId)> kReplies{"canned_replies.all", R"(
    SELECT id, shortcut, text, updated_by, updated_at FROM canned_replies
    WHERE merchant_id = $1 ORDER BY shortcut)"};

[[noreturn]] void taken() {
  throw Error(Code::conflict, "another reply has this shortcut",
              {{"/shortcut", "must be one that is not taken"}});
}

}  // namespace

Note add_note(Tx& tx, const Who& who, ConversationId id, const NewNote& given) {
  const auto seat = enter_inbox(tx, who, id, identity::Scope::chat, Lock::no);
  const auto note = NoteId::make();
  tx.run(kAddNote, seat.merchant, id, note, who.account, given.text.value, seat.last_seq, tx.now());
  auto added = tx.one(kNote, seat.merchant, id, note);
  tell_merchant(tx, seat, "note.created", to_json(added));
  return added;
}

std::vector<Note> notes(Tx& tx, const Who& who, ConversationId id, std::optional<NoteId> after,
                        std::int64_t limit) {
  const auto seat = enter_inbox(tx, who, id, identity::Scope::read, Lock::no);
  return tx.all(kNotes, seat.merchant, id, after, limit);
}

void remove_note(Tx& tx, const Who& who, ConversationId id, NoteId note) {
  const auto seat = enter_inbox(tx, who, id, identity::Scope::chat, Lock::no);
  if (tx.one(kNote, seat.merchant, id, note).author_id != who.account)
    throw Error(Code::forbidden, "only who wrote a note may take it back");
  tx.run(kRemoveNote, seat.merchant, id, note);
  tell_merchant(tx, seat, "note.deleted", {{"id", text_of(note)}});
}

CannedReply add_canned_reply(Tx& tx, const Who& who, MerchantId merchant,
                             const NewCannedReply& given) {
  if (canned_replies(tx, merchant).size() >= kCannedRepliesMax)
    throw Error(Code::conflict, "no more replies can be kept; remove some first");
  const auto added = tx.find(kAddReply, merchant, CannedReplyId::make(), given.shortcut.value,
                             given.text.value, who.account, tx.now());
  if (!added) taken();
  return *added;
}

CannedReply change_canned_reply(Tx& tx, const Who& who, MerchantId merchant, CannedReplyId id,
                                const NewCannedReply& given) {
  const auto holder = tx.find(kReplyOfShortcut, merchant, given.shortcut.value);
  if (holder && *holder != id) taken();
  return tx.one(kChangeReply, merchant, id, given.shortcut.value, given.text.value, who.account,
                tx.now());
}

void remove_canned_reply(Tx& tx, MerchantId merchant, CannedReplyId id) {
  if (tx.run(kRemoveReply, merchant, id) == 0)
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
}

std::vector<CannedReply> canned_replies(Tx& tx, MerchantId merchant) {
  return tx.all(kReplies, merchant);
}

}  // namespace bottega::conversations
