// How a case begins, and who may look at which.
#include "support/parts.hpp"
#include "bottega/conversations/safety.hpp"

namespace bottega::support {
namespace {

const Sql<std::int64_t(AccountId, std::int64_t)> kUnderWay{"support_cases.under_way", R"(
    SELECT count(*) FROM (SELECT FROM support_cases
                          WHERE opened_by = $1 AND state <> 'closed' LIMIT $2) c)"};

const Sql<Row(AccountId, CaseId, std::int64_t)> kOfPerson{"support_cases.of_person", R"(
    SELECT merchant_id, id, kind, opened_by, conversation_id, order_id, subject, state, priority,
           desk, assignee_id, waiting_since, due_at, hand_over_from, first_seq, asked_seq,
           first_answered_at, ops_since, ops_answered_at, solved_at, closed_at, rating, comment,
           created_at, updated_at
    FROM support_cases WHERE opened_by = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<Row(MerchantId, CaseId, std::int64_t)> kOfMerchant{"support_cases.of_merchant", R"(
    SELECT merchant_id, id, kind, opened_by, conversation_id, order_id, subject, state, priority,
           desk, assignee_id, waiting_since, due_at, hand_over_from, first_seq, asked_seq,
           first_answered_at, ops_since, ops_answered_at, solved_at, closed_at, rating, comment,
           created_at, updated_at
    FROM support_cases WHERE merchant_id = $1 AND kind = 'merchant' AND id < $2
    ORDER BY id DESC LIMIT $3)"};

// What waits for no answer is behind all that does.
const Sql<Row(MerchantId, std::optional<State>, std::optional<Priority>, std::optional<Subject>,
              std::optional<AccountId>, bool, std::optional<Instant>, CaseId, std::int64_t)>
    kQueue{"support_cases.queue_of_merchant", R"(
    SELECT merchant_id, id, kind, opened_by, conversation_id, order_id, subject, state, priority,
           desk, assignee_id, waiting_since, due_at, hand_over_from, first_seq, asked_seq,
           first_answered_at, ops_since, ops_answered_at, solved_at, closed_at, rating, comment,
           created_at, updated_at
    FROM support_cases
    WHERE merchant_id = $1 AND kind = 'buyer' AND ($2::text IS NULL OR state = $2)
      AND ($3::text IS NULL OR priority = $3) AND ($4::text IS NULL OR subject = $4)
      AND ($5::uuid IS NULL OR assignee_id = $5) AND (NOT $6::boolean OR assignee_id IS NULL)
      AND (coalesce(due_at, 'infinity'::timestamptz), id)
          > (coalesce($7::timestamptz, 'infinity'::timestamptz), $8::uuid)
    ORDER BY coalesce(due_at, 'infinity'::timestamptz), id LIMIT $9)"};

// What is for the platform's staff alone is not told, nor who of it answered.
const Sql<CaseMessage(MerchantId, CaseId, std::optional<CaseMessageId>, std::int64_t)> kMessages{
    "case_messages.shown", R"(
    SELECT id, case_id, voice, CASE WHEN voice <> 'help' THEN author_id END AS author_id, internal,
           text, created_at
    FROM case_messages
    WHERE merchant_id = $1 AND case_id = $2 AND NOT internal AND ($3::uuid IS NULL OR id > $3)
    ORDER BY id LIMIT $4)"};

const Sql<void(MerchantId, AccountId)> kRelease{"support_cases.release", R"(
    UPDATE support_cases SET assignee_id = NULL
    WHERE merchant_id = $1 AND assignee_id = $2 AND desk = 'merchant' AND state <> 'closed')"};

constexpr const char* kNotYours = "there is no such thing, or it is not yours";

std::vector<SupportCase> all_shown(const std::vector<Row>& rows) {
  std::vector<SupportCase> out;
  out.reserve(rows.size());
  for (const auto& row : rows) out.push_back(shown(row));
  return out;
}

Opening from_order(Tx& tx, const Who& who, const NewCase& given) {
  const auto order = orders::fetch(tx, who, *given.order_id);
  if (who.kind != identity::Kind::person || order.buyer_id != who.account)
    throw Error(Code::not_found, kNotYours);
  return {order.merchant_id, Kind::buyer, order.conversation_id, order.id, given.subject};
}

Opening from_conversation(Tx& tx, const Who& who, const NewCase& given) {
  const auto seat = conversations::enter(tx, who, *given.conversation_id, identity::Scope::chat,
                                         conversations::Lock::no);
  if (seat.side != conversations::Side::buyer)
    throw Error(Code::invalid, "a shop asks the platform, not itself",
                {{"/conversation_id", "must be one in which you are the buyer"}});
  // What was bought is not in question here; of an order one may ask in any case.
  conversations::require_not_blocked(tx, seat);
  return {seat.merchant, Kind::buyer, seat.conversation, std::nullopt, given.subject};
}

Opening from_shop(Tx& tx, const Who& who, const NewCase& given) {
  identity::require_member(tx, who, *given.merchant_id, identity::Role::agent,
                           identity::Scope::chat);
  if (who.kind != identity::Kind::person) throw Error(Code::forbidden, "only people ask for help");
  if (given.attachments) refuse_files();
  return {*given.merchant_id, Kind::merchant, std::nullopt, std::nullopt, given.subject};
}

Opening opening_of(Tx& tx, const Who& who, const NewCase& given) {
  if (given.order_id) return from_order(tx, who, given);
  if (given.conversation_id) return from_conversation(tx, who, given);
  return from_shop(tx, who, given);
}

}  // namespace

Part part_of(Tx& tx, const Who& who, const Row& row, identity::Scope scope) {
  const bool is_buyers = row.kind == Kind::buyer;
  if (is_buyers && who.kind == identity::Kind::person && who.account == row.opened_by)
    return Part::asker;
  identity::require_member(tx, who, row.merchant_id, identity::Role::agent, scope);
  return is_buyers ? Part::desk : Part::asker;
}

SupportCase seen_by(Part part, const Row& row) {
  return part == Part::desk ? for_shop(row) : shown(row);
}

void refuse_files() {
  throw Error(Code::invalid, "files are sent in conversations only",
              {{"/attachments", "must not be there"}});
}

void say(Tx& tx, const Row& row, const Speaker& speaker, const std::string& text,
         const std::optional<Files>& files) {
  const auto conversation = row.conversation_id.value();
  conversations::Draft draft{"message.created",
                             speaker.author,
                             speaker.account,
                             std::nullopt,
                             {{"text", text}, {"support_case_id", text_of(row.id)}}};
  if (files)
    draft.data["attachments"] = to_json(attachments::take(tx, row.merchant_id, conversation,
                                                          speaker.account.value(), files->items));
  conversations::append(tx, row.merchant_id, conversation, draft);
}

void say_as_asker(Tx& tx, const Row& row, const Who& who, const std::string& text,
                  const std::optional<Files>& files) {
  if (row.kind == Kind::merchant) {
    if (files) refuse_files();
    add_message(tx, row, new_message(tx, row, Voice::asker, who.account, text));
    return;
  }
  say(tx, row, asker_of(row, who), text, files);
  if (row.desk == Desk::merchant)
    conversations::answer_if_away(tx, row.merchant_id, row.conversation_id.value());
}

SupportCase open(Tx& tx, const Who& who, const NewCase& given) {
  const auto opening = opening_of(tx, who, given);
  if (tx.one(kUnderWay, who.account, kUnderWayMax) >= kUnderWayMax)
    throw Error(Code::conflict, "your other cases must be closed first");
  const auto row = begin(tx, who, opening);
  say_as_asker(tx, row, who, given.text.value, given.attachments);
  return shown(row);
}

SupportCase fetch(Tx& tx, const Who& who, CaseId id) {
  const auto row = fetch_row(tx, id);
  return seen_by(part_of(tx, who, row, identity::Scope::read), row);
}

std::vector<SupportCase> list_of_person(Tx& tx, AccountId person, std::optional<CaseId> after,
                                        std::int64_t limit) {
  return all_shown(tx.all(kOfPerson, person, after.value_or(CaseId::newest()), limit));
}

std::vector<SupportCase> queue_of_merchant(Tx& tx, MerchantId merchant, const Filter& filter,
                                           const Position& after, std::int64_t limit) {
  std::vector<SupportCase> out;
  for (const auto& row :
       tx.all(kQueue, merchant, filter.state, filter.priority, filter.subject, filter.assignee,
              filter.only_unassigned, after.due_at, after.id, limit))
    out.push_back(for_shop(row));
  return out;
}

std::vector<SupportCase> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<CaseId> after,
                                          std::int64_t limit) {
  return all_shown(tx.all(kOfMerchant, merchant, after.value_or(CaseId::newest()), limit));
}

void release_all(Tx& tx, MerchantId merchant, AccountId account) {
  tx.run(kRelease, merchant, account);
}

std::vector<CaseMessage> messages(Tx& tx, const Who& who, CaseId id,
                                  std::optional<CaseMessageId> after, std::int64_t limit) {
  const auto row = fetch_row(tx, id);
  part_of(tx, who, row, identity::Scope::read);
  return tx.all(kMessages, row.merchant_id, id, after, limit);
}

}  // namespace bottega::support
