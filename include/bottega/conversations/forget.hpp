#pragma once
// Deleting the beginning of a log for good. The numbers of what is left stay, and the conversation
// says behind which one its log begins.
#include "bottega/conversations/conversations.hpp"

namespace bottega::conversations {

// Deletes entries from the beginning of the log on that were written before a time, at most so
// many, with their files, what the search has of them, and the notes of that time. Answers how many
// entries it deleted: fewer than `limit` where nothing more is that old.
std::int64_t forget(Tx& tx, MerchantId merchant, ConversationId id, Instant before,
                    std::int64_t limit);

}  // namespace bottega::conversations
