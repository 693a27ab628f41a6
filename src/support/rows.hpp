#pragma once
// A case as it is stored, shared by whoever moves one and whoever reads it.
#include "bottega/support/support.hpp"

namespace bottega::support {

struct Row {
  MerchantId merchant_id;
  CaseId id;
  Kind kind{};
  AccountId opened_by;
  std::optional<ConversationId> conversation_id;
  std::optional<OrderId> order_id;
  Subject subject{};
  State state{};
  Priority priority{};
  Desk desk{};
  std::optional<AccountId> assignee_id;
  std::optional<Instant> waiting_since, due_at, hand_over_from;
  std::int64_t first_seq = 0, asked_seq = 0;
  std::optional<Instant> first_answered_at, ops_since, ops_answered_at, solved_at, closed_at;
  std::optional<std::int64_t> rating;
  std::optional<std::string> comment;
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(Row, (),
                      (merchant_id, id, kind, opened_by, conversation_id, order_id, subject, state,
                       priority, desk, assignee_id, waiting_since, due_at, hand_over_from,
                       first_seq, asked_seq, first_answered_at, ops_since, ops_answered_at,
                       solved_at, closed_at, rating, comment, created_at, updated_at))

Row fetch_row(Tx& tx, CaseId id);
Row lock_row(Tx& tx, CaseId id);
void write_row(Tx& tx, Row& row);
// Throws Error(not_found) for what is not at the platform's desk.
Row at_ops(Row row);

// As whoever asked sees it, and as those who answer do.
SupportCase shown(const Row& row);
SupportCase whole(const Row& row);
// As the shop's members see it: who of the staff has it is not told.
SupportCase for_shop(const Row& row);

// In whose name an entry is written; the platform's staff has none there.
struct Speaker {
  conversations::Author author = conversations::Author::system;
  std::optional<AccountId> account;
};
// Who asked, as a speaker.
Speaker asker_of(const Row& row, const Who& who);

// Tells both sides in the conversation, and those who answer with what only they see; answers the
// entry's number, 0 where the case is in no conversation.
std::int64_t tell(Tx& tx, const Row& row, const std::string& event, const Speaker& speaker,
                  const std::string& fallback, Json more = Json::object());
// Only those who answer.
void tell_desk(Tx& tx, const Row& row);

// Writes down a case that begins, told by the entry `support_case.created`.
struct Opening {
  MerchantId merchant;
  Kind kind{};
  std::optional<ConversationId> conversation;
  std::optional<OrderId> order;
  Subject subject{};
};
Row begin(Tx& tx, const Who& who, const Opening& opening);

// An answer is due from now on, if none was before; by the calendar of the shop's country.
void wait(Tx& tx, Row& row);
// What is due, after another priority or at another desk.
void set_due(Tx& tx, Row& row);
void wait_no_more(Row& row);
// What both desks do, each to its own cases.
void take_answer(Tx& tx, Row& row, std::optional<AccountId> by);
void set_solved(Tx& tx, Row& row, const Speaker& speaker);
void set_assignee(Tx& tx, Row& row, std::optional<AccountId> assignee);
void set_priority(Tx& tx, Row& row, Priority priority);

void add_message(Tx& tx, const Row& row, const CaseMessage& message);
CaseMessage new_message(Tx& tx, const Row& row, Voice voice, AccountId author,
                        const std::string& text);

}  // namespace bottega::support
