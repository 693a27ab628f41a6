#pragma once
// Help. A buyer asks a shop from an order or a conversation and never leaves the conversation: the
// case is told there as entries, its words are messages. What the shop does not answer goes on to
// the platform's staff. A shop asks the platform in a thread of its own.
#include <boost/asio/awaitable.hpp>

#include "bottega/conversations/inbox.hpp"
#include "bottega/core/machine.hpp"
#include "bottega/orders/orders.hpp"

namespace bottega::support {

using attachments::AttachmentId, conversations::ConversationId, conversations::NewAssignee;
using identity::AccountId, identity::MerchantId, identity::Who;
using orders::OrderId;
using CaseId = Id<"case">;
using CaseMessageId = Id<"cmsg">;

// Who asks: a buyer a shop, or a shop the platform.
enum class Kind : std::uint8_t { buyer, merchant };
BOOST_DESCRIBE_ENUM(Kind, buyer, merchant)
// Who answers.
enum class Desk : std::uint8_t { merchant, ops };
BOOST_DESCRIBE_ENUM(Desk, merchant, ops)
// `withdrawal` is not chosen: withdrawing from a contract makes such a case.
enum class Subject : std::uint8_t {
  not_received,
  damaged,
  wrong_item,
  refund,
  payment,
  account,
  withdrawal,
  other
};
BOOST_DESCRIBE_ENUM(Subject, not_received, damaged, wrong_item, refund, payment, account,
                    withdrawal, other)
enum class Priority : std::uint8_t { low, normal, high, urgent };
BOOST_DESCRIBE_ENUM(Priority, low, normal, high, urgent)

// open: an answer is due. pending: whoever asked has one. closed is for good.
enum class State : std::uint8_t { open, pending, solved, closed };
BOOST_DESCRIBE_ENUM(State, open, pending, solved, closed)
// `ask` is a reply of whoever asked, `answer` one of whoever answers; `arrange` is who has it and
// how urgent it is.
enum class Event : std::uint8_t { ask, answer, hand_over, arrange, solve, rate, close };
BOOST_DESCRIBE_ENUM(Event, ask, answer, hand_over, arrange, solve, rate, close)

inline constexpr Machine kLifecycle{std::to_array<Edge<State, Event>>({
    {State::open, Event::ask, State::open},
    {State::pending, Event::ask, State::open},
    {State::solved, Event::ask, State::open},
    {State::open, Event::answer, State::pending},
    {State::pending, Event::answer, State::pending},
    {State::open, Event::hand_over, State::open},
    {State::pending, Event::hand_over, State::open},
    {State::open, Event::arrange, State::open},
    {State::pending, Event::arrange, State::pending},
    {State::solved, Event::arrange, State::solved},
    {State::open, Event::solve, State::solved},
    {State::pending, Event::solve, State::solved},
    {State::solved, Event::rate, State::solved},
    {State::closed, Event::rate, State::closed},
    {State::solved, Event::close, State::closed},
})};
static_assert(kLifecycle.deterministic());

// What only those who answer see of a case. The times are seconds: until the first answer and until
// it was solved, both from its beginning; the staff's from when it came to them.
struct CaseWork {
  Priority priority{};
  std::optional<AccountId> assignee_id;
  std::optional<Instant> due_at;
  std::optional<std::int64_t> first_answer_s, ops_answer_s, solve_s;
  std::optional<std::string> comment;  // a word that came with the rating
};
BOOST_DESCRIBE_STRUCT(CaseWork, (),
                      (priority, assignee_id, due_at, first_answer_s, ops_answer_s, solve_s,
                       comment))

struct SupportCase {
  CaseId id;
  MerchantId merchant_id;
  Kind kind{};
  AccountId opened_by;
  std::optional<ConversationId> conversation_id;
  std::optional<OrderId> order_id;
  Subject subject{};
  State state{};
  Desk desk{};
  std::optional<Instant> hand_over_from;  // when the buyer may hand it over, unless answered
  std::optional<std::int64_t> rating;
  Instant created_at{}, updated_at{};
  std::optional<Instant> ops_since, solved_at, closed_at;
  std::optional<CaseWork> work;  // nothing for whoever asked
};
BOOST_DESCRIBE_STRUCT(SupportCase, (),
                      (id, merchant_id, kind, opened_by, conversation_id, order_id, subject, state,
                       desk, hand_over_from, rating, created_at, updated_at, ops_since, solved_at,
                       closed_at, work))

using Files = List<AttachmentId, 1, attachments::kPerMessageMax>;

// From an order, from a conversation, or of a shop about the platform.
struct NewCase {
  Subject subject{};
  Text<1, 4096> text;
  std::optional<Files> attachments;
  std::optional<OrderId> order_id;
  std::optional<ConversationId> conversation_id;
  std::optional<MerchantId> merchant_id;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewCase, (),
                      (subject, text, attachments, order_id, conversation_id, merchant_id))

struct NewCaseReply {
  Text<1, 4096> text;
  std::optional<Files> attachments;
};
BOOST_DESCRIBE_STRUCT(NewCaseReply, (), (text, attachments))

struct NewCasePriority {
  Priority priority{};
};
BOOST_DESCRIBE_STRUCT(NewCasePriority, (), (priority))

struct NewHandOver {
  std::optional<Text<1, 1000>> note;  // to the platform's staff, and nobody else
};
BOOST_DESCRIBE_STRUCT(NewHandOver, (), (note))

struct NewCaseRating {
  Count<1, 5> rating;
  std::optional<Text<1, 1000>> comment;
};
BOOST_DESCRIBE_STRUCT(NewCaseRating, (), (rating, comment))

// How many cases of one person may be under way.
inline constexpr std::int64_t kUnderWayMax = 50;
// How long a buyer waits for the shop before they may turn to the platform.
inline constexpr int kHandOverDays = 2;

// Throws Error(not_found) for an order or conversation of somebody else, Error(conflict) where a
// case of this person about it is under way.
SupportCase open(Tx& tx, const Who& who, const NewCase& given);
// For whoever asked and for the shop's members: throws Error(not_found) for others.
SupportCase fetch(Tx& tx, const Who& who, CaseId id);

// What one has asked, newest first.
std::vector<SupportCase> list_of_person(Tx& tx, AccountId person, std::optional<CaseId> after,
                                        std::int64_t limit);
// What a shop has asked the platform, newest first.
std::vector<SupportCase> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<CaseId> after,
                                          std::int64_t limit);
struct Filter {
  std::optional<State> state;
  std::optional<Priority> priority;
  std::optional<Subject> subject;
  std::optional<AccountId> assignee;
  bool only_unassigned = false;
};
// A shop's queue has what its buyers asked, in the order in which answers are due; what waits for
// none comes last.
struct Position {
  std::optional<Instant> due_at = Instant{};
  CaseId id;
};
std::vector<SupportCase> queue_of_merchant(Tx& tx, MerchantId merchant, const Filter& filter,
                                           const Position& after, std::int64_t limit);

// By whoever asked, or by the desk that has it. All throw Error(conflict) for a move that the table
// has not, or where it is at the other desk.
SupportCase reply(Tx& tx, const Who& who, CaseId id, const NewCaseReply& given);
SupportCase solve(Tx& tx, const Who& who, CaseId id);
// By the shop's members.
SupportCase assign(Tx& tx, const Who& who, CaseId id, const NewAssignee& given);
SupportCase prioritize(Tx& tx, const Who& who, CaseId id, const NewCasePriority& given);
// What was theirs is nobody's: they have left the shop. Before anything locks a conversation.
void release_all(Tx& tx, MerchantId merchant, AccountId account);
// To the platform: by the shop at any time, by the buyer after kHandOverDays business days without
// an answer.
SupportCase hand_over(Tx& tx, const Who& who, CaseId id, const NewHandOver& given);
// Once, by whoever asked.
SupportCase rate(Tx& tx, const Who& who, CaseId id, const NewCaseRating& given);

// Closes what was solved this long ago, some at a time; answers how many.
std::int64_t close_due(Tx& tx, std::chrono::days after, std::int64_t limit);
asio::awaitable<void> close_all_due(Database& db, std::chrono::days after);

// The thread of a shop's own case, oldest first.
enum class Voice : std::uint8_t { asker, merchant, help };
BOOST_DESCRIBE_ENUM(Voice, asker, merchant, help)
struct CaseMessage {
  CaseMessageId id;
  CaseId case_id;
  Voice voice{};
  std::optional<AccountId> author_id;  // the staff's is not told
  bool internal = false;
  std::string text;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(CaseMessage, (), (id, case_id, voice, author_id, internal, text, created_at))
std::vector<CaseMessage> messages(Tx& tx, const Who& who, CaseId id,
                                  std::optional<CaseMessageId> after, std::int64_t limit);

}  // namespace bottega::support
