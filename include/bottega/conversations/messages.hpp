#pragma once
// What may be done to a message after it was sent. The log keeps a trace of each act as an entry of
// its own; the entry of the message shows how it is now. All of it takes effect in the order of the
// conversation, and doing the same again changes nothing.
#include "bottega/conversations/conversations.hpp"

namespace bottega::conversations {

struct NewText {
  Text<1, 4096> text;
};
BOOST_DESCRIBE_STRUCT(NewText, (), (text))

struct NewReaction {
  Emoji emoji;
};
BOOST_DESCRIBE_STRUCT(NewReaction, (), (emoji))

// All answer the message as it is now. They throw Error(not_found) where there is no such message,
// Error(forbidden) where somebody else wrote it, Error(conflict) where it has been deleted or was
// sent longer ago than `window`.
Event edit(Tx& tx, const Who& who, ConversationId id, std::int64_t seq, const NewText& given,
           std::chrono::seconds window);
// For everybody: what it said is gone, also from the traces of its edits.
Event remove(Tx& tx, const Who& who, ConversationId id, std::int64_t seq,
             std::chrono::seconds window);
// Everybody in the conversation has at most one reaction to a message; nothing takes it back.
Event react(Tx& tx, const Who& who, ConversationId id, std::int64_t seq,
            const std::optional<Emoji>& emoji);

// Takes back what somebody wrote in a conversation, whatever its age, for whoever erases a person:
// at most so many messages after a position; answers the position of the last, or none where there
// was nothing left.
std::optional<std::int64_t> erase_written(Tx& tx, AccountId author, MerchantId merchant,
                                          ConversationId id, std::int64_t after,
                                          std::int64_t limit);

}  // namespace bottega::conversations
