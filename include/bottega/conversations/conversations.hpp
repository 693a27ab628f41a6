#pragma once
// A conversation between a buyer and a merchant: an append-only log of entries whose sequence
// number has no gaps and never goes back. The log is the truth; live events are a faster copy of
// it.
#include "bottega/conversations/offers.hpp"
#include "bottega/identity/merchants.hpp"

namespace bottega::conversations {

using identity::AccountId, identity::MerchantId, identity::Who;
using ConversationId = Id<"conv">;
using EntryId = Id<"msg">;

enum class Author : std::uint8_t { buyer, merchant, system };
BOOST_DESCRIBE_ENUM(Author, buyer, merchant, system)
enum class Side : std::uint8_t { buyer, merchant };
BOOST_DESCRIBE_ENUM(Side, buyer, merchant)

// How far the merchant's work on a conversation has come.
enum class Status : std::uint8_t { open, pending, snoozed, closed };
BOOST_DESCRIBE_ENUM(Status, open, pending, snoozed, closed)

// What only the merchant's side sees of a conversation.
struct Inbox {
  Status status{};
  std::optional<Instant> snoozed_until;
  std::optional<AccountId> assignee_id;
  std::vector<std::string> labels;
};
BOOST_DESCRIBE_STRUCT(Inbox, (), (status, snoozed_until, assignee_id, labels))

// A conversation as one of its members sees it.
struct Conversation {
  ConversationId id;
  std::int64_t number = 0;
  MerchantId merchant_id;
  std::string merchant_name;
  AccountId buyer_id;
  std::string buyer_name;
  std::int64_t last_seq = 0;
  std::int64_t forgotten_seq = 0;  // entries up to here have been deleted for good
  Instant last_entry_at{}, created_at{};
  std::int64_t unread = 0;         // entries of others that are news and that one has not read
  std::optional<Json> last_entry;  // as an event of the log
  std::optional<Inbox> inbox;      // nothing for the buyer
};
BOOST_DESCRIBE_STRUCT(Conversation, (),
                      (id, number, merchant_id, merchant_name, buyer_id, buyer_name, last_seq,
                       forgotten_seq, last_entry_at, created_at, unread, last_entry, inbox))

// An entry of the log as clients see it, over GET and as a live event alike.
struct Event {
  std::string event;  // "message.created", "payment_request.paid", …
  ConversationId conversation;
  std::int64_t seq = 0;  // 0 for a passing event, which is in no log
  Instant at{};
  Json data;
};

struct NewConversation {
  MerchantId merchant_id;
};
BOOST_DESCRIBE_STRUCT(NewConversation, (), (merchant_id))

// A message says something, brings files, offers something or asks about it.
struct NewMessage {
  std::optional<Text<1, 4096>> text;
  // The sender's own id: the same one again is the same message, not another.
  std::optional<Opaque<64>> client_id;
  std::optional<Count<1, INT64_MAX>> reply_to;  // the seq of the message that it answers
  std::optional<List<attachments::AttachmentId, 1, attachments::kPerMessageMax>> attachments;
  // The merchant's side offers one of these; the buyer's side asks about a product.
  std::optional<ProductRef> product;
  std::optional<NewProductList> products;
  std::optional<bool> catalogue;  // the whole of it
  std::optional<ProductRef> about;
  void check(Faults& faults, const std::string& pointer) const;

  // What these are now: looked up by whoever may read the catalogue, never given by a client.
  std::optional<Offer> offer;
};
BOOST_DESCRIBE_STRUCT(NewMessage, (),
                      (text, client_id, reply_to, attachments, product, products, catalogue, about))
// Whether something must be looked up before it is sent.
bool has_offer(const NewMessage& message);

struct Receipt {
  std::optional<Count<0, INT64_MAX>> delivered_seq, read_seq;
};
BOOST_DESCRIBE_STRUCT(Receipt, (), (delivered_seq, read_seq))

struct Marker {
  AccountId account_id;
  Side side{};
  std::int64_t delivered_seq = 0, read_seq = 0;
  Instant updated_at{};
};
BOOST_DESCRIBE_STRUCT(Marker, (), (account_id, side, delivered_seq, read_seq, updated_at))

// Where somebody sits in a conversation.
struct Seat {
  MerchantId merchant;
  ConversationId conversation;
  AccountId buyer;
  std::int64_t last_seq = 0;
  Side side{};
  std::int64_t forgotten_seq = 0;
};

// Something that only listeners of the merchant's side hear of, and that is in no log.
void tell_merchant(Tx& tx, const Seat& seat, const std::string& event, Json data);

// The same for both sides; where one has blocked the other, only the seat's own side hears of it.
void tell_both(Tx& tx, const Seat& seat, const std::string& event, Json data);

// What is to be written into the log. `fallback` is what a client shows that does not know the
// event; a message needs none.
struct Draft {
  std::string event;
  Author author = Author::system;
  std::optional<AccountId> author_id;
  std::optional<std::string> client_id;
  Json data;
  std::string fallback = {};
};

// Whether an entry is news, which others have not read until they say so; a trace of what was done
// to a message is not.
bool is_news(std::string_view event);

// The conversation with a merchant, made on the first call: one per buyer and merchant.
struct Opened {
  Conversation conversation;
  bool is_new = false;
};
Opened open(Tx& tx, const Who& who, const NewConversation& given);

// The conversation that this buyer has with the merchant.
std::optional<Conversation> find_of_buyer(Tx& tx, MerchantId merchant, AccountId buyer);

// Throws Error(not_found) unless the one who asks is the buyer or belongs to the merchant (an API
// key with the scope). With Lock::yes the conversation's row is held to the end of the transaction.
enum class Lock : std::uint8_t { no, yes };
Seat enter(Tx& tx, const Who& who, ConversationId id, identity::Scope scope, Lock lock);
// The same for reading many of them at once: those that are not there, or not theirs, are left out.
std::vector<Seat> seats_of(Tx& tx, const Who& who, const std::vector<ConversationId>& ids);
Conversation fetch(Tx& tx, const Who& who, ConversationId id);

// Writes the next entry and tells both sides after the commit.
Event append(Tx& tx, MerchantId merchant, ConversationId conversation, const Draft& draft);
Event send(Tx& tx, const Who& who, ConversationId id, const NewMessage& given);
// What was sent before with the message's client_id. Throws Error(conflict) where that was another.
std::optional<Event> find_sent(Tx& tx, const Who& who, ConversationId id, const NewMessage& given);

// Moves the asker's marker forward, never back; tells both sides.
Marker mark(Tx& tx, const Who& who, ConversationId id, const Receipt& receipt);
std::vector<Marker> markers(Tx& tx, const Who& who, ConversationId id);
// Tells that somebody types, unless they do not show it.
void type(Tx& tx, const Who& who, ConversationId id);

// Conversations by their latest activity, newest first.
struct Position {
  Instant last_entry_at{};
  ConversationId id;
};
std::vector<Conversation> list_of_buyer(Tx& tx, AccountId buyer, std::optional<Position> after,
                                        std::int64_t limit);
struct Filter {
  std::optional<Status> status;
  std::optional<AccountId> assignee;
  bool only_unassigned = false;
  std::optional<std::string> label;
};
// `viewer` is whose unread entries are counted.
std::vector<Conversation> list_of_merchant(Tx& tx, MerchantId merchant, AccountId viewer,
                                           const Filter& filter, std::optional<Position> after,
                                           std::int64_t limit);

// The entries after a position, oldest first; or before it, newest first.
std::vector<Event> log_after(Tx& tx, const Who& who, ConversationId id, std::int64_t after,
                             std::int64_t limit);
std::vector<Event> log_before(Tx& tx, const Who& who, ConversationId id, std::int64_t before,
                              std::int64_t limit);
// The same for a reader who was let in before, and from a time on.
std::vector<Event> log_of(Tx& tx, MerchantId merchant, ConversationId id, std::int64_t after,
                          std::int64_t limit);
std::vector<Event> log_since(Tx& tx, MerchantId merchant, ConversationId id, std::int64_t before,
                             Instant since, std::int64_t limit);

// A conversation that has entries after a time, with the last position before it.
struct Missed {
  ConversationId id;
  MerchantId merchant_id;
  std::int64_t position = 0, last_seq = 0;
};
BOOST_DESCRIBE_STRUCT(Missed, (), (id, merchant_id, position, last_seq))
// Of a conversation with more than `entries_max` entries since then the position is before these.
std::vector<Missed> active_since(Tx& tx, const Who& who, Instant since, std::int64_t limit,
                                 std::int64_t entries_max);

// Conversations that have entries in a span of time, by the latest of these entries.
struct Span {
  Instant from{}, upto{};  // `upto` itself no longer
  Instant after_at{};      // goes on behind this one, where it is a later page
  ConversationId after_id{};
};
struct Moved {
  ConversationId id;
  MerchantId merchant_id;
  AccountId buyer_id;
  std::int64_t seq = 0;  // of the latest of these entries
  Instant at{};          // of the same
};
BOOST_DESCRIBE_STRUCT(Moved, (), (id, merchant_id, buyer_id, seq, at))
std::vector<Moved> moved_in(Tx& tx, const Span& span, std::int64_t limit);
// What tells the conversation's listeners how far its log has got, and no more.
Notice notice_of(const Moved& moved);

// The event as a frame or an item of a list.
Json to_frame(const Event& event);

}  // namespace bottega::conversations
