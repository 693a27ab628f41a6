#pragma once
// What a person is given of the rows that no other module shows in this form.
#include "bottega/conversations/inbox.hpp"
#include "bottega/conversations/safety.hpp"
#include "bottega/orders/orders.hpp"
#include "bottega/support/support.hpp"

namespace bottega::privacy {

using conversations::ConversationId;
using identity::AccountId, identity::MerchantId;

// What somebody said of themselves as a guest.
struct GuestWords {
  AccountId id;
  std::string name, email;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(GuestWords, (), (id, name, email, created_at))

struct Preferences {
  AccountId id;
  bool show_presence = false, show_typing = false;
  std::string push_content;
};
BOOST_DESCRIBE_STRUCT(Preferences, (), (id, show_presence, show_typing, push_content))

struct LastSeen {
  AccountId id;
  Instant at{};
};
BOOST_DESCRIBE_STRUCT(LastSeen, (), (id, at))

struct Session {
  identity::SessionId id;
  std::string user_agent, address;
  Instant created_at{}, last_used_at{}, expires_at{};
  std::optional<Instant> revoked_at;
};
BOOST_DESCRIBE_STRUCT(Session, (),
                      (id, user_agent, address, created_at, last_used_at, expires_at, revoked_at))

struct Device {
  Id<"push"> id;
  std::string kind, origin, content;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(Device, (), (id, kind, origin, content, created_at))

struct Membership {
  MerchantId id;
  std::string name, role;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(Membership, (), (id, name, role, created_at))

struct Key {
  identity::ApiKeyId id;
  MerchantId merchant_id;
  std::string name, last_four;
  Instant created_at{};
  std::optional<Instant> last_used_at, revoked_at;
};
BOOST_DESCRIBE_STRUCT(Key, (),
                      (id, merchant_id, name, last_four, created_at, last_used_at, revoked_at))

struct Talk {
  ConversationId id;
  MerchantId merchant_id;
  std::string merchant_name;
  std::int64_t last_seq = 0;
  Instant created_at{}, last_entry_at{};
  bool blocked_by_buyer = false;
  std::optional<std::int64_t> delivered_seq, read_seq;
};
BOOST_DESCRIBE_STRUCT(Talk, (),
                      (id, merchant_id, merchant_name, last_seq, created_at, last_entry_at,
                       blocked_by_buyer, delivered_seq, read_seq))

struct Written {
  conversations::EntryId id;
  MerchantId merchant_id;
  ConversationId conversation_id;
  std::int64_t seq = 0;
  Instant at{};
  std::optional<std::string> text;
};
BOOST_DESCRIBE_STRUCT(Written, (), (id, merchant_id, conversation_id, seq, at, text))

struct OwnNote {
  conversations::NoteId id;
  MerchantId merchant_id;
  ConversationId conversation_id;
  std::string text;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(OwnNote, (), (id, merchant_id, conversation_id, text, created_at))

struct OwnOrderNote {
  orders::NoteId id;
  MerchantId merchant_id;
  orders::OrderId order_id;
  std::string text;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(OwnOrderNote, (), (id, merchant_id, order_id, text, created_at))

struct OwnReport {
  conversations::ReportId id;
  ConversationId conversation_id;
  std::string reason;
  std::optional<std::string> text;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(OwnReport, (), (id, conversation_id, reason, text, created_at))

struct OwnCase {
  support::CaseId id;
  MerchantId merchant_id;
  std::string kind, subject, state;
  std::optional<orders::OrderId> order_id;
  std::optional<std::int64_t> rating;
  std::optional<std::string> comment;
  Instant created_at{};
  std::optional<Instant> solved_at, closed_at;
};
BOOST_DESCRIBE_STRUCT(OwnCase, (),
                      (id, merchant_id, kind, subject, state, order_id, rating, comment, created_at,
                       solved_at, closed_at))

struct CaseWords {
  support::CaseMessageId id;
  support::CaseId case_id;
  std::string text;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(CaseWords, (), (id, case_id, text, created_at))

struct OwnCart {
  ConversationId id;
  MerchantId merchant_id;
  Json lines;
  Instant updated_at{};
};
BOOST_DESCRIBE_STRUCT(OwnCart, (), (id, merchant_id, lines, updated_at))

// By the order, of which there is one.
struct Withdrawn {
  orders::OrderId id;
  MerchantId merchant_id;
  Money refund;
  std::string content;
  Instant declared_at{};
};
BOOST_DESCRIBE_STRUCT(Withdrawn, (), (id, merchant_id, refund, content, declared_at))

}  // namespace bottega::privacy
