// What every move of a case has in common: its row, when its next answer is due, and who is told.
#include "support/rows.hpp"

#include "bottega/core/calendar.hpp"

namespace bottega::support {
namespace {

// Of a case that is urgent; the others' are business days.
constexpr std::chrono::hours kUrgent{4};

const Sql<Row(MerchantId, CaseId)> kFetch{"support_cases.fetch", R"(
    SELECT merchant_id, id, kind, opened_by, conversation_id, order_id, subject, state, priority,
           desk, assignee_id, waiting_since, due_at, hand_over_from, first_seq, asked_seq,
           first_answered_at, ops_since, ops_answered_at, solved_at, closed_at, rating, comment,
           created_at, updated_at
    FROM support_cases WHERE merchant_id = $1 AND id = $2)"};

const Sql<Row(MerchantId, CaseId)> kLock{"support_cases.lock", R"(
    SELECT merchant_id, id, kind, opened_by, conversation_id, order_id, subject, state, priority,
           desk, assignee_id, waiting_since, due_at, hand_over_from, first_seq, asked_seq,
           first_answered_at, ops_since, ops_answered_at, solved_at, closed_at, rating, comment,
           created_at, updated_at
    FROM support_cases WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

// Nothing where a case of the same person about the same is under way.
const Sql<void(MerchantId, CaseId, Kind, AccountId, std::optional<ConversationId>,
               std::optional<OrderId>, Subject, Desk, Instant, std::optional<Instant>,
               std::optional<Instant>, std::int64_t, std::optional<Instant>)>
    kInsert{"support_cases.insert", R"(
    INSERT INTO support_cases (merchant_id, id, kind, opened_by, conversation_id, order_id, subject,
                               state, priority, desk, waiting_since, due_at, hand_over_from,
                               first_seq, asked_seq, ops_since, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', 'normal', $8, $9, $10, $11, $12, $12, $13, $9, $9)
    ON CONFLICT DO NOTHING)"};

const Sql<void(MerchantId, CaseId, State, Priority, Desk, std::optional<AccountId>,
               std::optional<Instant>, std::optional<Instant>, std::optional<Instant>, std::int64_t,
               std::optional<Instant>, std::optional<Instant>, std::optional<Instant>,
               std::optional<Instant>, std::optional<Instant>, std::optional<std::int64_t>,
               std::optional<std::string>, Instant)>
    kWrite{"support_cases.write", R"(
    UPDATE support_cases
    SET state = $3, priority = $4, desk = $5, assignee_id = $6, waiting_since = $7, due_at = $8,
        hand_over_from = $9, asked_seq = $10, first_answered_at = $11, ops_since = $12,
        ops_answered_at = $13, solved_at = $14, closed_at = $15, rating = $16, comment = $17,
        updated_at = $18
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, CaseId, CaseMessageId, AccountId, Voice, bool, std::string, Instant)>
    kAddMessage{"case_messages.add", R"(
    INSERT INTO case_messages (merchant_id, case_id, id, author_id, voice, internal, text,
                               created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))"};

std::optional<std::int64_t> seconds(std::optional<Instant> from, std::optional<Instant> to) {
  if (!from || !to) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(*to - *from).count();
}

// Whoever answered first, of the two desks.
std::optional<Instant> first_answer(const Row& row) {
  if (!row.first_answered_at || !row.ops_answered_at)
    return row.first_answered_at ? row.first_answered_at : row.ops_answered_at;
  return std::min(*row.first_answered_at, *row.ops_answered_at);
}

const Calendar& calendar_of(Tx& tx, MerchantId merchant) {
  return Calendars::built_in().of(identity::fetch_merchant(tx, merchant).country.value);
}

Instant due_of(const Calendar& calendar, Instant since, Priority priority) {
  switch (priority) {
    case Priority::urgent:
      return since + kUrgent;
    case Priority::high:
      return calendar.add_business_days(since, 1);
    case Priority::normal:
      return calendar.add_business_days(since, 2);
    case Priority::low:
      break;
  }
  return calendar.add_business_days(since, 3);
}

}  // namespace

Row fetch_row(Tx& tx, CaseId id) { return tx.one(kFetch, identity::merchant_of(tx, id.uuid), id); }

Row lock_row(Tx& tx, CaseId id) { return tx.one(kLock, identity::merchant_of(tx, id.uuid), id); }

void write_row(Tx& tx, Row& row) {
  row.updated_at = tx.now();
  tx.run(kWrite, row.merchant_id, row.id, row.state, row.priority, row.desk, row.assignee_id,
         row.waiting_since, row.due_at, row.hand_over_from, row.asked_seq, row.first_answered_at,
         row.ops_since, row.ops_answered_at, row.solved_at, row.closed_at, row.rating, row.comment,
         row.updated_at);
}

Row at_ops(Row row) {
  if (row.desk == Desk::ops) return row;
  throw Error(Code::not_found, "there is no such thing, or it is not yours");
}

SupportCase shown(const Row& row) {
  SupportCase out;
  out.id = row.id;
  out.merchant_id = row.merchant_id;
  out.kind = row.kind;
  out.opened_by = row.opened_by;
  out.conversation_id = row.conversation_id;
  out.order_id = row.order_id;
  out.subject = row.subject;
  out.state = row.state;
  out.desk = row.desk;
  out.hand_over_from = row.hand_over_from;
  out.rating = row.rating;
  out.created_at = row.created_at;
  out.updated_at = row.updated_at;
  out.ops_since = row.ops_since;
  out.solved_at = row.solved_at;
  out.closed_at = row.closed_at;
  return out;
}

SupportCase whole(const Row& row) {
  auto out = shown(row);
  CaseWork work;
  work.priority = row.priority;
  work.assignee_id = row.assignee_id;
  work.due_at = row.due_at;
  work.first_answer_s = seconds(row.created_at, first_answer(row));
  work.ops_answer_s = seconds(row.ops_since, row.ops_answered_at);
  work.solve_s = seconds(row.created_at, row.solved_at);
  work.comment = row.comment;
  out.work = std::move(work);
  return out;
}

SupportCase for_shop(const Row& row) {
  auto out = whole(row);
  if (row.desk == Desk::ops) out.work->assignee_id.reset();
  return out;
}

Speaker asker_of(const Row& row, const Who& who) {
  return {row.kind == Kind::buyer ? conversations::Author::buyer : conversations::Author::merchant,
          who.account};
}

std::int64_t tell(Tx& tx, const Row& row, const std::string& event, const Speaker& speaker,
                  const std::string& fallback, Json more) {
  tell_desk(tx, row);
  if (!row.conversation_id) return 0;
  more["support_case"] = to_json(shown(row));
  return conversations::append(
             tx, row.merchant_id, *row.conversation_id,
             {event, speaker.author, speaker.account, std::nullopt, std::move(more), fallback})
      .seq;
}

void tell_desk(Tx& tx, const Row& row) {
  if (row.conversation_id) {
    const conversations::Seat seat{row.merchant_id, *row.conversation_id, row.opened_by, 0, {}, 0};
    conversations::tell_merchant(tx, seat, "support_case.updated",
                                 {{"support_case", to_json(for_shop(row))}});
    return;
  }
  // The shop asked: to its members it is their own question.
  const Json frame = {{"event", "platform_case.updated"},
                      {"conversation", nullptr},
                      {"at", text_of(tx.now())},
                      {"data", {{"support_case", to_json(shown(row))}}}};
  tx.announce({{identity::merchant_topic(row.merchant_id)}, text_of(row.id), 0, frame.dump()});
}

Row begin(Tx& tx, const Who& who, const Opening& opening) {
  Row row;
  row.merchant_id = opening.merchant;
  row.id = CaseId::make();
  row.kind = opening.kind;
  row.opened_by = who.account;
  row.conversation_id = opening.conversation;
  row.order_id = opening.order;
  row.subject = opening.subject;
  row.priority = Priority::normal;
  row.desk = opening.kind == Kind::buyer ? Desk::merchant : Desk::ops;
  if (row.desk == Desk::ops) row.ops_since = tx.now();
  row.created_at = row.updated_at = tx.now();
  wait(tx, row);
  row.first_seq = tell(tx, row, "support_case.created", asker_of(row, who),
                       "Help was asked for: " + text_of(row.subject) + ".");
  row.asked_seq = row.first_seq;
  if (tx.run(kInsert, row.merchant_id, row.id, row.kind, row.opened_by, row.conversation_id,
             row.order_id, row.subject, row.desk, row.created_at, row.due_at, row.hand_over_from,
             row.first_seq, row.ops_since) == 0)
    throw Error(Code::conflict, "a case about this is under way; reply to it");
  identity::enter_directory(tx, row.id.uuid, row.merchant_id);
  return row;
}

void wait(Tx& tx, Row& row) {
  row.state = State::open;
  if (row.waiting_since) return;
  row.waiting_since = tx.now();
  set_due(tx, row);
}

void set_due(Tx& tx, Row& row) {
  row.hand_over_from.reset();
  if (!row.waiting_since) return;
  const auto& calendar = calendar_of(tx, row.merchant_id);
  row.due_at = due_of(calendar, *row.waiting_since, row.priority);
  if (row.desk == Desk::merchant)
    row.hand_over_from = calendar.add_business_days(*row.waiting_since, kHandOverDays);
}

void wait_no_more(Row& row) {
  row.waiting_since.reset();
  row.due_at.reset();
  row.hand_over_from.reset();
}

void take_answer(Tx& tx, Row& row, std::optional<AccountId> by) {
  row.state = kLifecycle.advance(row.state, Event::answer);
  auto& answered_at = row.desk == Desk::ops ? row.ops_answered_at : row.first_answered_at;
  if (!answered_at) answered_at = tx.now();
  if (!row.assignee_id) row.assignee_id = by;
  wait_no_more(row);
}

void set_solved(Tx& tx, Row& row, const Speaker& speaker) {
  row.state = kLifecycle.advance(row.state, Event::solve);
  row.solved_at = tx.now();
  wait_no_more(row);
  write_row(tx, row);
  tell(tx, row, "support_case.solved", speaker, "The case is solved.");
}

void set_assignee(Tx& tx, Row& row, std::optional<AccountId> assignee) {
  row.state = kLifecycle.advance(row.state, Event::arrange);
  if (row.assignee_id == assignee) return;
  row.assignee_id = assignee;
  write_row(tx, row);
  tell_desk(tx, row);
}

void set_priority(Tx& tx, Row& row, Priority priority) {
  row.state = kLifecycle.advance(row.state, Event::arrange);
  if (row.priority == priority) return;
  row.priority = priority;
  set_due(tx, row);
  write_row(tx, row);
  tell_desk(tx, row);
}

void add_message(Tx& tx, const Row& row, const CaseMessage& message) {
  tx.run(kAddMessage, row.merchant_id, row.id, message.id, message.author_id.value(), message.voice,
         message.internal, message.text, message.created_at);
}

CaseMessage new_message(Tx& tx, const Row& row, Voice voice, AccountId author,
                        const std::string& text) {
  return {CaseMessageId::make(), row.id, voice, author, false, text, tx.now()};
}

}  // namespace bottega::support
