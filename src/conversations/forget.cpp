#include "bottega/conversations/forget.hpp"

namespace bottega::conversations {
namespace {

// Whoever holds this row takes the conversation into the search, and nobody else: what is deleted
// under it does not come back into the search.
const Sql<void(MerchantId, ConversationId, Instant)> kHoldSearch{"conversations.hold_search", R"(
    INSERT INTO search_due (merchant_id, conversation_id, since) VALUES ($1, $2, $3)
    ON CONFLICT (merchant_id, conversation_id) DO UPDATE SET since = search_due.since)"};

// The last of the entries at the beginning of the log that are old enough, or 0.
const Sql<std::int64_t(MerchantId, ConversationId, Instant, std::int64_t)> kOldest{
    "conversations.oldest", R"(
    SELECT coalesce(min(seq) FILTER (WHERE at >= $3) - 1, max(seq), 0) AS upto
    FROM (SELECT e.seq, e.at FROM entries e
          WHERE e.merchant_id = $1 AND e.conversation_id = $2
          ORDER BY e.seq LIMIT $4) oldest)"};

const Sql<std::string(MerchantId, ConversationId, std::int64_t)> kFiles{"conversations.files_upto",
                                                                        R"(
    SELECT f->>'id' AS id
    FROM entries e CROSS JOIN LATERAL jsonb_array_elements(e.data->'attachments') f
    WHERE e.merchant_id = $1 AND e.conversation_id = $2 AND e.seq <= $3
      AND e.event = 'message.created' AND e.data ? 'attachments')"};

const Sql<std::int64_t(MerchantId, ConversationId, std::int64_t)> kForget{"conversations.forget",
                                                                          R"(
    SELECT forget_entries($1, $2, $3))"};

const Sql<void(MerchantId, ConversationId, Instant)> kForgetNotes{"notes.forget", R"(
    DELETE FROM notes WHERE merchant_id = $1 AND conversation_id = $2 AND created_at < $3)"};

}  // namespace

std::int64_t forget(Tx& tx, MerchantId merchant, ConversationId id, Instant before,
                    std::int64_t limit) {
  tx.run(kHoldSearch, merchant, id, tx.now());
  tx.run(kForgetNotes, merchant, id, before);
  const auto upto = tx.one(kOldest, merchant, id, before, limit);
  if (upto == 0) return 0;
  std::vector<attachments::AttachmentId> files;
  for (const auto& file : tx.all(kFiles, merchant, id, upto))
    files.push_back(from_text<attachments::AttachmentId>(file));
  attachments::remove(tx, merchant, files);
  return tx.one(kForget, merchant, id, upto);
}

}  // namespace bottega::conversations
