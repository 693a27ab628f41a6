// What the platform's staff does, and what it may see for that.
#include "bottega/support/staff.hpp"

#include "support/parts.hpp"

namespace bottega::support::staff {
namespace {

constexpr std::size_t kAnswersMax = 500;
// What stands where the name of whoever answered would.
constexpr const char* kHelp = "Help";

const Sql<Row(std::optional<MerchantId>, std::optional<State>, std::optional<Priority>,
              std::optional<Subject>, std::optional<AccountId>, bool, std::optional<Instant>,
              CaseId, std::int64_t)>
    kQueue{"support_cases.queue_of_ops", R"(
    SELECT merchant_id, id, kind, opened_by, conversation_id, order_id, subject, state, priority,
           desk, assignee_id, waiting_since, due_at, hand_over_from, first_seq, asked_seq,
           first_answered_at, ops_since, ops_answered_at, solved_at, closed_at, rating, comment,
           created_at, updated_at
    FROM support_cases
    WHERE desk = 'ops' AND ($1::uuid IS NULL OR merchant_id = $1)
      AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR priority = $3)
      AND ($4::text IS NULL OR subject = $4) AND ($5::uuid IS NULL OR assignee_id = $5)
      AND (NOT $6::boolean OR assignee_id IS NULL)
      AND (coalesce(due_at, 'infinity'::timestamptz), id)
          > (coalesce($7::timestamptz, 'infinity'::timestamptz), $8::uuid)
    ORDER BY coalesce(due_at, 'infinity'::timestamptz), id LIMIT $9)"};

const Sql<CaseMessage(MerchantId, CaseId, std::optional<CaseMessageId>, std::int64_t)> kMessages{
    "case_messages.all", R"(
    SELECT id, case_id, voice, author_id, internal, text, created_at FROM case_messages
    WHERE merchant_id = $1 AND case_id = $2 AND ($3::uuid IS NULL OR id > $3)
    ORDER BY id LIMIT $4)"};

const Sql<bool(AccountId)> kAnswers{"support_cases.is_staff", R"(
    SELECT EXISTS (SELECT FROM accounts
                   WHERE id = $1 AND staff_role IN ('support', 'admin') AND state = 'active'))"};

const Sql<CannedReply()> kCanned{"canned_answers.all", R"(
    SELECT id, shortcut, text, updated_by, updated_at FROM canned_answers ORDER BY shortcut)"};

// None where the shortcut is taken.
const Sql<CannedReply(CannedReplyId, std::string, std::string, AccountId, Instant)> kAdd{
    "canned_answers.add", R"(
    INSERT INTO canned_answers (id, shortcut, text, updated_by, updated_at)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (shortcut) DO NOTHING
    RETURNING id, shortcut, text, updated_by, updated_at)"};

const Sql<CannedReplyId(std::string)> kOfShortcut{"canned_answers.of_shortcut", R"(
    SELECT id FROM canned_answers WHERE shortcut = $1)"};

const Sql<CannedReply(CannedReplyId, std::string, std::string, AccountId, Instant)> kChange{
    "canned_answers.change", R"(
    UPDATE canned_answers SET shortcut = $2, text = $3, updated_by = $4, updated_at = $5
    WHERE id = $1 RETURNING id, shortcut, text, updated_by, updated_at)"};

const Sql<void(CannedReplyId)> kRemove{"canned_answers.remove", R"(
    DELETE FROM canned_answers WHERE id = $1)"};

[[noreturn]] void taken() {
  throw Error(Code::conflict, "another answer has this shortcut",
              {{"/shortcut", "must be one that is not taken"}});
}

Row hold(Tx& tx, CaseId id) {
  auto row = at_ops(lock_row(tx, id));
  row.updated_at = tx.now();
  return row;
}

}  // namespace

SupportCase fetch(Tx& tx, CaseId id) { return whole(at_ops(fetch_row(tx, id))); }

std::vector<SupportCase> queue(Tx& tx, std::optional<MerchantId> merchant, const Filter& filter,
                               const Position& after, std::int64_t limit) {
  std::vector<SupportCase> out;
  for (const auto& row :
       tx.all(kQueue, merchant, filter.state, filter.priority, filter.subject, filter.assignee,
              filter.only_unassigned, after.due_at, after.id, limit))
    out.push_back(whole(row));
  return out;
}

std::vector<conversations::Event> entries(Tx& tx, CaseId id, std::int64_t after,
                                          std::int64_t limit) {
  const auto row = at_ops(fetch_row(tx, id));
  if (!row.conversation_id) return {};
  if (row.state == State::closed)
    throw Error(Code::conflict, "the case is closed, and its conversation is their own again");
  return conversations::log_of(tx, row.merchant_id, *row.conversation_id,
                               std::max(after, row.first_seq - 1), limit);
}

std::vector<CaseMessage> messages(Tx& tx, CaseId id, std::optional<CaseMessageId> after,
                                  std::int64_t limit) {
  const auto row = at_ops(fetch_row(tx, id));
  return tx.all(kMessages, row.merchant_id, id, after, limit);
}

SupportCase answer(Tx& tx, const Who& who, CaseId id, const NewCaseAnswer& given) {
  auto row = hold(tx, id);
  take_answer(tx, row, who.account);
  write_row(tx, row);
  if (row.kind == Kind::merchant)
    add_message(tx, row, new_message(tx, row, Voice::help, who.account, given.text.value));
  tell(tx, row, "support_case.replied", {}, std::string(kHelp) + ": " + given.text.value,
       {{"text", given.text.value}, {"from", kHelp}});
  return whole(row);
}

CaseMessage add_note(Tx& tx, const Who& who, CaseId id, const NewCaseAnswer& given) {
  const auto row = hold(tx, id);
  auto note = new_message(tx, row, Voice::help, who.account, given.text.value);
  note.internal = true;
  add_message(tx, row, note);
  return note;
}

SupportCase assign(Tx& tx, CaseId id, const NewAssignee& given) {
  auto row = hold(tx, id);
  if (given.account_id && !tx.one(kAnswers, *given.account_id))
    throw Error(Code::invalid, "only the staff has these cases",
                {{"/account_id", "must be of the staff, with the role support or admin"}});
  set_assignee(tx, row, given.account_id);
  return whole(row);
}

SupportCase prioritize(Tx& tx, CaseId id, const NewCasePriority& given) {
  auto row = hold(tx, id);
  set_priority(tx, row, given.priority);
  return whole(row);
}

SupportCase solve(Tx& tx, CaseId id) {
  auto row = hold(tx, id);
  set_solved(tx, row, {});
  return whole(row);
}

std::vector<CannedReply> canned_answers(Tx& tx) { return tx.all(kCanned); }

CannedReply add_canned_answer(Tx& tx, const Who& who, const NewCannedReply& given) {
  if (canned_answers(tx).size() >= kAnswersMax)
    throw Error(Code::conflict, "no more answers can be kept; remove some first");
  const auto added = tx.find(kAdd, CannedReplyId::make(), given.shortcut.value, given.text.value,
                             who.account, tx.now());
  if (!added) taken();
  return *added;
}

CannedReply change_canned_answer(Tx& tx, const Who& who, CannedReplyId id,
                                 const NewCannedReply& given) {
  const auto holder = tx.find(kOfShortcut, given.shortcut.value);
  if (holder && *holder != id) taken();
  return tx.one(kChange, id, given.shortcut.value, given.text.value, who.account, tx.now());
}

void remove_canned_answer(Tx& tx, CannedReplyId id) {
  if (tx.run(kRemove, id) == 0)
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
}

}  // namespace bottega::support::staff
