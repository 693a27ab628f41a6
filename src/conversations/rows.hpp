#pragma once
// An entry of the log as it is stored, shared by whoever writes one and whoever reads it.
#include "bottega/conversations/conversations.hpp"

namespace bottega::conversations {

struct EntryRow {
  std::string event;
  ConversationId conversation_id;
  std::int64_t seq = 0;
  EntryId id;
  Author author{};
  std::optional<AccountId> author_id;
  Json data;
  Instant at{};
};
BOOST_DESCRIBE_STRUCT(EntryRow, (), (event, conversation_id, seq, id, author, author_id, data, at))

// The sender's own id of a message, as it is looked up: the same size whatever they call it.
using ClientKey = Id<"client">;
ClientKey client_key_of(AccountId author, std::string_view client_id);

// Where somebody may sit, as the database tells it.
struct SeatRow {
  AccountId buyer_id;
  std::int64_t last_seq = 0, forgotten_seq = 0;
  bool is_member = false;
};
BOOST_DESCRIBE_STRUCT(SeatRow, (), (buyer_id, last_seq, forgotten_seq, is_member))

// The side on which the asker sits; an API key has been checked before. The second throws
// Error(not_found) where it is none.
std::optional<Side> find_side(const Who& who, const SeatRow& row);
Side side_of(const Who& who, const SeatRow& row);
Author author_of(Side side);

Event event_of(EntryRow row);
// Text of the event's frame; the same document as to_frame(event_of(row)) for data without the
// members that event_of adds.
std::string frame_text(const EntryRow& row, std::string_view data_text);

// Whether what was sent before with this client_id is the same message.
bool is_same(const EntryRow& sent, const NewMessage& again);
bool is_same_offer(const Json& sent, const NewMessage& again);

// What the entry's data says of an offer. The other throws where one was not looked up: our bug.
Json data_of(const Offer& offer);
void require_looked_up(const NewMessage& message);

Notice notice_of(MerchantId merchant, AccountId buyer, ConversationId conversation,
                 std::int64_t seq, std::string text);
// Tells both sides of an event after the commit.
void tell(Tx& tx, MerchantId merchant, AccountId buyer, const Event& event);

}  // namespace bottega::conversations
