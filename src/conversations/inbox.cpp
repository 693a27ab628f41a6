// Whose a conversation is, how far it has come, and its labels.
#include "bottega/conversations/inbox.hpp"

#include <set>

#include "conversations/rows.hpp"
#include "conversations/seats.hpp"
#include "bottega/jobs/job.hpp"

namespace bottega::conversations {
namespace {

constexpr auto kSnoozeMax = std::chrono::days(366);
constexpr std::int64_t kReleasedAtOnce = 200;

const Sql<Inbox(MerchantId, ConversationId)> kInbox{"conversations.inbox", R"(
    SELECT c.status, c.snoozed_until, c.assignee_id,
           (SELECT coalesce(jsonb_agg(l.label ORDER BY l.label), '[]') FROM conversation_labels l
            WHERE l.merchant_id = c.merchant_id AND l.conversation_id = c.id) AS labels
    FROM conversations c WHERE c.merchant_id = $1 AND c.id = $2)"};

const Sql<void(MerchantId, ConversationId, Status, std::optional<Instant>)> kSetStatus{
    "conversations.set_status", R"(
    UPDATE conversations SET status = $3, snoozed_until = $4 WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, ConversationId, Instant)> kWake{"conversations.wake", R"(
    UPDATE conversations SET status = 'open', snoozed_until = NULL
    WHERE merchant_id = $1 AND id = $2 AND status = 'snoozed' AND snoozed_until <= $3)"};

const Sql<void(MerchantId, ConversationId, std::optional<AccountId>)> kSetAssignee{
    "conversations.set_assignee", R"(
    UPDATE conversations SET assignee_id = $3 WHERE merchant_id = $1 AND id = $2)"};

// Locked in the order in which messages lock them, and few: messages wait for them.
const Sql<ConversationId(MerchantId, AccountId, std::int64_t)> kRelease{"conversations.release", R"(
    WITH held AS MATERIALIZED (
      SELECT merchant_id, id FROM conversations
      WHERE merchant_id = $1 AND assignee_id = $2 ORDER BY id LIMIT $3 FOR UPDATE)
    UPDATE conversations c SET assignee_id = NULL
    FROM held h WHERE c.merchant_id = h.merchant_id AND c.id = h.id
    RETURNING c.id)"};

const Sql<void(MerchantId, ConversationId)> kForgetLabels{"conversations.forget_labels", R"(
    DELETE FROM conversation_labels WHERE merchant_id = $1 AND conversation_id = $2)"};

const Sql<void(MerchantId, ConversationId, std::vector<std::string>)> kAddLabels{
    "conversations.add_labels", R"(
    INSERT INTO conversation_labels (merchant_id, conversation_id, label)
    SELECT $1, $2, unnest($3::text[]))"};

const Sql<LabelCount(MerchantId)> kLabels{"conversations.labels", R"(
    SELECT label, count(*) AS conversations FROM conversation_labels
    WHERE merchant_id = $1 GROUP BY label ORDER BY label LIMIT 1000)"};

Inbox tell(Tx& tx, const Seat& seat) {
  auto inbox = tx.one(kInbox, seat.merchant, seat.conversation);
  tell_merchant(tx, seat, "conversation.updated", to_json(inbox));
  return inbox;
}

void check_until(Tx& tx, StatusEvent on, std::optional<Instant> until) {
  if (on != StatusEvent::snooze) return;
  if (!until || *until <= tx.now() || *until > tx.now() + kSnoozeMax)
    throw Error(Code::invalid, "a snooze ends in the future",
                {{"/until", "must be a time within the next year"}});
}

// Throws unless this member may give the conversation away like that.
void check_assignment(Tx& tx, const Who& who, const Seat& seat, std::optional<AccountId> current,
                      std::optional<AccountId> wanted) {
  if (wanted) {
    Who other;
    other.kind = identity::Kind::person;
    other.account = *wanted;
    if (!identity::is_member(tx, other, seat.merchant, identity::Role::agent,
                             identity::Scope::chat))
      throw Error(Code::invalid, "only members of the merchant have conversations",
                  {{"/account_id", "must be a member of the merchant"}});
  }
  if (identity::is_member(tx, who, seat.merchant, identity::Role::manager, identity::Scope::chat))
    return;
  if (current && *current != who.account)
    throw Error(Code::conflict, "somebody else has this conversation");
  if (!current && wanted != who.account)
    throw Error(Code::forbidden, "giving it to somebody takes the role of manager");
}

}  // namespace

Seat enter_inbox(Tx& tx, const Who& who, ConversationId id, identity::Scope scope, Lock lock) {
  const auto seat = enter(tx, who, id, scope, lock);
  if (seat.side == Side::merchant) return seat;
  throw Error(Code::not_found, "there is no such thing, or it is not yours");
}

Inbox move_status(Tx& tx, const Who& who, ConversationId id, StatusEvent on,
                  std::optional<Instant> until) {
  const auto seat = enter_inbox(tx, who, id, identity::Scope::chat, Lock::yes);
  const auto now = tx.one(kInbox, seat.merchant, id);
  const auto next = kStatusLifecycle.advance(now.status, on);
  check_until(tx, on, until);
  if (next == now.status && now.snoozed_until == until) return now;
  tx.run(kSetStatus, seat.merchant, id, next, until);
  jobs::cancel(tx, kWakeJob, text_of(id));
  if (until) jobs::enqueue(tx, kWakeJob, text_of(id), Json::object(), *until);
  return tell(tx, seat);
}

void wake(Tx& tx, ConversationId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  if (tx.run(kWake, merchant, id, tx.now()) > 0) {
    tell(tx, {merchant, id, {}, 0, Side::merchant});
    return;
  }
  const auto inbox = tx.one(kInbox, merchant, id);
  if (inbox.snoozed_until)
    jobs::enqueue(tx, kWakeJob, text_of(id), Json::object(), *inbox.snoozed_until);
}

Inbox assign(Tx& tx, const Who& who, ConversationId id, const NewAssignee& given) {
  const auto seat = enter_inbox(tx, who, id, identity::Scope::chat, Lock::yes);
  const auto now = tx.one(kInbox, seat.merchant, id);
  if (now.assignee_id == given.account_id) return now;
  check_assignment(tx, who, seat, now.assignee_id, given.account_id);
  tx.run(kSetAssignee, seat.merchant, id, given.account_id);
  return tell(tx, seat);
}

void release_all(Tx& tx, MerchantId merchant, AccountId account) {
  const auto released = tx.all(kRelease, merchant, account, kReleasedAtOnce);
  for (const auto& id : released) tell(tx, {merchant, id, {}, 0, Side::merchant});
  if (static_cast<std::int64_t>(released.size()) < kReleasedAtOnce) return;
  const Json arguments = {{"merchant_id", text_of(merchant)}, {"account_id", text_of(account)}};
  jobs::enqueue(tx, kReleaseJob, text_of(merchant) + ' ' + text_of(account), arguments, tx.now());
}

Inbox set_labels(Tx& tx, const Who& who, ConversationId id, const NewLabels& given) {
  const auto seat = enter_inbox(tx, who, id, identity::Scope::chat, Lock::yes);
  std::set<std::string> labels;
  Faults faults;
  for (std::size_t i = 0; i < given.labels.size(); ++i)
    if (!labels.insert(given.labels.items[i].value).second)
      faults.push_back({"/labels/" + std::to_string(i), "is there twice"});
  if (!faults.empty()) throw Error(Code::invalid, "a label is there twice", faults);
  tx.run(kForgetLabels, seat.merchant, id);
  tx.run(kAddLabels, seat.merchant, id, {labels.begin(), labels.end()});
  return tell(tx, seat);
}

std::vector<LabelCount> labels_of(Tx& tx, MerchantId merchant) { return tx.all(kLabels, merchant); }

}  // namespace bottega::conversations
