#pragma once
// Entries that are written together: of however many conversations, in one statement.
#include <map>

#include "bottega/conversations/conversations.hpp"

namespace bottega::conversations {

class Log {
 public:
  // What comes next in this conversation, behind what was gathered of it before. Whoever holds its
  // row may know the seq already; write() makes sure of it.
  void append(MerchantId merchant, ConversationId conversation, Draft draft,
              std::optional<std::int64_t> seq = std::nullopt);
  // How many entries of this conversation were gathered: the next one has the seq that is so many,
  // and one, behind the last that is written.
  std::int64_t gathered(ConversationId conversation) const;
  // Writes all of it, and tells both sides of each conversation after the commit. Answers the
  // entries in the order in which they were gathered, and forgets them. The conversations' rows are
  // held from here on, taken in the order of their ids. Throws Error(not_found) where one of them
  // is not there.
  std::vector<Event> write(Tx& tx);

 private:
  struct Place {
    MerchantId merchant;
    std::int64_t number = 0;  // among the conversations, from 1
    std::int64_t entries = 0, for_buyer = 0, for_merchant = 0;
    bool is_from_buyer = false;
  };
  struct Entry {
    ConversationId conversation;
    Draft draft;
    std::int64_t nth = 0;  // of its conversation, from 1
    std::optional<std::int64_t> seq;
  };
  struct Columns;
  Columns columns_of(Instant at);

  std::map<ConversationId, Place> places_;
  std::vector<Entry> entries_;
};

}  // namespace bottega::conversations
