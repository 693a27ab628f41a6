// What whoever asked and the shop's members do to a case.
#include <algorithm>
#include <boost/asio/use_awaitable.hpp>

#include "support/parts.hpp"
#include "bottega/conversations/safety.hpp"

namespace bottega::support {
namespace {

constexpr std::int64_t kClosedAtOnce = 100;

// Somebody of the shop has written since, without minding the case.
const Sql<bool(MerchantId, ConversationId, std::int64_t)> kIsAnswered{"support_cases.is_answered",
                                                                      R"(
    SELECT EXISTS (SELECT FROM entries
                   WHERE merchant_id = $1 AND conversation_id = $2 AND seq > $3
                     AND author = 'merchant' AND event = 'message.created'
                     AND NOT data ? 'automatic'))"};

const Sql<bool(Instant)> kIsDue{"support_cases.is_due", R"(
    SELECT EXISTS (SELECT FROM support_cases WHERE state = 'solved' AND solved_at <= $1))"};

// Of whichever shop; what somebody replies to right now is not due any more.
const Sql<Row(Instant, std::int64_t)> kDue{"support_cases.due", R"(
    SELECT merchant_id, id, kind, opened_by, conversation_id, order_id, subject, state, priority,
           desk, assignee_id, waiting_since, due_at, hand_over_from, first_seq, asked_seq,
           first_answered_at, ops_since, ops_answered_at, solved_at, closed_at, rating, comment,
           created_at, updated_at
    FROM support_cases WHERE state = 'solved' AND solved_at <= $1
    ORDER BY solved_at LIMIT $2 FOR UPDATE SKIP LOCKED)"};

struct Held {
  Row row;
  Part part{};
};

Held hold(Tx& tx, const Who& who, CaseId id) {
  Held held{lock_row(tx, id), {}};
  held.part = part_of(tx, who, held.row, identity::Scope::chat);
  held.row.updated_at = tx.now();
  return held;
}

// A case that the shop's members work on.
Row hold_for_desk(Tx& tx, const Who& who, CaseId id) {
  auto held = hold(tx, who, id);
  if (held.part != Part::desk) throw Error(Code::forbidden, "only those who answer may do that");
  if (held.row.desk != Desk::merchant)
    throw Error(Code::conflict, "the platform's staff has this case now");
  return std::move(held.row);
}

Speaker speaker_of(const Held& held, const Who& who) {
  if (held.part == Part::asker) return asker_of(held.row, who);
  return {conversations::Author::merchant, who.account};
}

// What was bought, and what the platform has taken on, goes on whoever blocks whom.
void require_may_write(Tx& tx, const Held& held) {
  const auto& row = held.row;
  if (!row.conversation_id || row.order_id || row.desk == Desk::ops) return;
  conversations::Seat seat;
  seat.merchant = row.merchant_id;
  seat.conversation = *row.conversation_id;
  seat.side = held.part == Part::asker ? conversations::Side::buyer : conversations::Side::merchant;
  conversations::require_not_blocked(tx, seat);
}

// By a message that did not mind the case.
bool is_answered(Tx& tx, const Row& row) {
  return row.desk == Desk::merchant &&
         tx.one(kIsAnswered, row.merchant_id, row.conversation_id.value(), row.asked_seq);
}

void ask_again(Tx& tx, const Who& who, Held& held, const NewCaseReply& given) {
  auto& row = held.row;
  const bool is_reopened = row.state == State::solved;
  kLifecycle.advance(row.state, Event::ask);
  // What the shop said in the conversation was an answer: the buyer waits for the next.
  if (row.waiting_since && is_answered(tx, row)) wait_no_more(row);
  const bool is_waiting = row.waiting_since.has_value();
  row.solved_at.reset();
  wait(tx, row);
  const auto seq =
      tell(tx, row, is_reopened ? "support_case.reopened" : "support_case.replied",
           asker_of(row, who), is_reopened ? "The case is open again." : "A reply to the case.");
  if (!is_waiting) row.asked_seq = seq;
  write_row(tx, row);
  say_as_asker(tx, row, who, given.text.value, given.attachments);
}

void answer(Tx& tx, const Who& who, Held& held, const NewCaseReply& given) {
  auto& row = held.row;
  if (row.desk != Desk::merchant)
    throw Error(Code::conflict, "the platform's staff has this case now; write a message");
  take_answer(tx, row,
              who.kind == identity::Kind::person ? std::optional(who.account) : std::nullopt);
  write_row(tx, row);
  const Speaker speaker{conversations::Author::merchant, who.account};
  tell(tx, row, "support_case.replied", speaker, "An answer to the case.");
  say(tx, row, speaker, given.text.value, given.attachments);
}

// Throws unless the buyer has waited long enough.
void require_overdue(Tx& tx, const Row& row) {
  if (!row.hand_over_from)
    throw Error(Code::conflict, "the shop has answered; reply to it where that is no help");
  if (tx.now() < *row.hand_over_from)
    throw Error(Code::conflict,
                "the shop has until " + text_of(*row.hand_over_from) + " to answer");
  if (is_answered(tx, row))
    throw Error(Code::conflict, "the shop has answered in the conversation");
}

void close(Tx& tx, Row row) {
  row.state = kLifecycle.advance(row.state, Event::close);
  row.closed_at = tx.now();
  write_row(tx, row);
  tell(tx, row, "support_case.closed", {}, "The case is closed.");
}

}  // namespace

SupportCase reply(Tx& tx, const Who& who, CaseId id, const NewCaseReply& given) {
  auto held = hold(tx, who, id);
  require_may_write(tx, held);
  if (held.part == Part::asker)
    ask_again(tx, who, held, given);
  else
    answer(tx, who, held, given);
  return seen_by(held.part, held.row);
}

SupportCase solve(Tx& tx, const Who& who, CaseId id) {
  auto held = hold(tx, who, id);
  if (held.part == Part::desk && held.row.desk != Desk::merchant)
    throw Error(Code::conflict, "the platform's staff has this case now");
  set_solved(tx, held.row, speaker_of(held, who));
  return seen_by(held.part, held.row);
}

SupportCase assign(Tx& tx, const Who& who, CaseId id, const NewAssignee& given) {
  auto row = hold_for_desk(tx, who, id);
  if (given.account_id) {
    Who other;
    other.kind = identity::Kind::person;
    other.account = *given.account_id;
    if (!identity::is_member(tx, other, row.merchant_id, identity::Role::agent,
                             identity::Scope::chat))
      throw Error(Code::invalid, "only members of the merchant have its cases",
                  {{"/account_id", "must be a member of the merchant"}});
  }
  set_assignee(tx, row, given.account_id);
  return for_shop(row);
}

SupportCase prioritize(Tx& tx, const Who& who, CaseId id, const NewCasePriority& given) {
  auto row = hold_for_desk(tx, who, id);
  set_priority(tx, row, given.priority);
  return for_shop(row);
}

SupportCase hand_over(Tx& tx, const Who& who, CaseId id, const NewHandOver& given) {
  auto held = hold(tx, who, id);
  auto& row = held.row;
  const auto next = kLifecycle.advance(row.state, Event::hand_over);
  if (row.desk == Desk::ops) throw Error(Code::conflict, "the platform's staff has it already");
  if (held.part == Part::asker) require_overdue(tx, row);
  row.state = next;
  row.desk = Desk::ops;
  row.ops_since = tx.now();
  row.assignee_id.reset();
  // The staff's own time begins here.
  row.waiting_since = tx.now();
  set_due(tx, row);
  write_row(tx, row);
  if (given.note) {
    const auto voice = held.part == Part::asker ? Voice::asker : Voice::merchant;
    auto note = new_message(tx, row, voice, who.account, given.note->value);
    note.internal = true;
    add_message(tx, row, note);
  }
  tell(tx, row, "support_case.handed_over", speaker_of(held, who),
       "The platform's Help has taken over.");
  return seen_by(held.part, row);
}

SupportCase rate(Tx& tx, const Who& who, CaseId id, const NewCaseRating& given) {
  auto held = hold(tx, who, id);
  auto& row = held.row;
  if (held.part != Part::asker) throw Error(Code::forbidden, "only who asked may do that");
  row.state = kLifecycle.advance(row.state, Event::rate);
  if (row.rating) throw Error(Code::conflict, "the case has been rated already");
  row.rating = given.rating.value;
  if (given.comment) row.comment = given.comment->value;
  write_row(tx, row);
  tell_desk(tx, row);
  return shown(row);
}

std::int64_t close_due(Tx& tx, std::chrono::days after, std::int64_t limit) {
  auto rows = tx.all(kDue, tx.now() - after, limit);
  // Two nodes that close cases of the same conversations take them in the same order.
  std::ranges::sort(rows, {}, &Row::conversation_id);
  for (const auto& row : rows) close(tx, row);
  return static_cast<std::int64_t>(rows.size());
}

asio::awaitable<void> close_all_due(Database& db, std::chrono::days after) {
  // A server at rest writes nothing.
  const bool is_due = co_await db.read([&](Tx& tx) { return tx.one(kIsDue, tx.now() - after); });
  if (!is_due) co_return;
  for (auto closed = kClosedAtOnce; closed == kClosedAtOnce;)
    closed = co_await db.transact([&](Tx& tx) { return close_due(tx, after, kClosedAtOnce); });
}

}  // namespace bottega::support
