// How a dispute about a top-up begins, goes on and ends, and what of the money follows.
#include "disputes/top_up_rows.hpp"

namespace bottega::disputes {
namespace {

using processors::DisputeNews;

const Sql<TopUpDispute(DisputeId, TopUpId, AccountId, std::string, std::string, std::int64_t,
                       Currency, std::int64_t, std::int64_t, std::int64_t, std::string,
                       std::optional<Instant>, Instant)>
    kInsert{"disputes.insert_of_top_up", R"(
    INSERT INTO top_up_disputes (id, top_up_id, account_id, processor, reference, amount, currency,
                                 reserved, from_balance, advanced, reason, state, evidence_due_at,
                                 created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'opened', $12, $13, $13)
    RETURNING id, top_up_id, account_id, processor, reference, amount, currency, reserved, advanced,
              reason, state, evidence_due_at, text, response, failure, submitted_at, closed_at,
              created_at, updated_at)"};

const Sql<TopUpDispute(DisputeId)> kFetch{"disputes.fetch_of_top_up", R"(
    SELECT id, top_up_id, account_id, processor, reference, amount, currency, reserved, advanced,
           reason, state, evidence_due_at, text, response, failure, submitted_at, closed_at,
           created_at, updated_at
    FROM top_up_disputes WHERE id = $1)"};

const Sql<TopUpDispute(DisputeId)> kLock{"disputes.lock_of_top_up", R"(
    SELECT id, top_up_id, account_id, processor, reference, amount, currency, reserved, advanced,
           reason, state, evidence_due_at, text, response, failure, submitted_at, closed_at,
           created_at, updated_at
    FROM top_up_disputes WHERE id = $1 FOR UPDATE)"};

const Sql<TopUpDispute(std::string, std::string)> kLockNamed{"disputes.lock_named_of_top_up", R"(
    SELECT id, top_up_id, account_id, processor, reference, amount, currency, reserved, advanced,
           reason, state, evidence_due_at, text, response, failure, submitted_at, closed_at,
           created_at, updated_at
    FROM top_up_disputes WHERE processor = $1 AND reference = $2 FOR UPDATE)"};

const Sql<TopUpDispute(std::optional<AccountId>, std::optional<State>, DisputeId, std::int64_t)>
    kList{"disputes.list_of_top_ups", R"(
    SELECT id, top_up_id, account_id, processor, reference, amount, currency, reserved, advanced,
           reason, state, evidence_due_at, text, response, failure, submitted_at, closed_at,
           created_at, updated_at
    FROM top_up_disputes
    WHERE ($1::uuid IS NULL OR account_id = $1) AND ($2::text IS NULL OR state = $2) AND id < $3
    ORDER BY id DESC LIMIT $4)"};

const Sql<void(DisputeId, State, std::optional<Instant>, std::optional<std::string>,
               std::optional<Stance>, std::optional<std::string>, std::optional<Instant>,
               std::optional<Instant>, Instant)>
    kUpdate{"disputes.update_of_top_up", R"(
    UPDATE top_up_disputes SET state = $2, evidence_due_at = $3, text = $4, response = $5,
           failure = $6, submitted_at = $7, closed_at = $8, updated_at = $9
    WHERE id = $1)"};

const Sql<void(DisputeId, std::int64_t, std::int64_t, std::int64_t)> kClaimed{
    "disputes.claimed_of_top_up", R"(
    UPDATE top_up_disputes SET reserved = $2, from_balance = $3, advanced = $4 WHERE id = $1)"};

// To the person alone: why, and what is said about it, is between the platform and the bank.
void tell(Tx& tx, const TopUpDispute& dispute, const std::string& event) {
  const TopUpDisputeShown shown{dispute.id, dispute.top_up_id, dispute.amount, dispute.state};
  wallet::tell_owner(tx, dispute.account_id, event, text_of(dispute.id),
                     {{"dispute", to_json(shown)}});
}

TopUpDispute open(Tx& tx, const wallet::TopUp& top_up, const std::string& processor,
                  const DisputeNews& news) {
  require_fitting(news, top_up.amount);
  const auto id = DisputeId::make();
  const auto claim = wallet::claim(tx, top_up, id.uuid, news.amount.amount);
  const auto dispute =
      tx.one(kInsert, id, top_up.id, top_up.account_id, processor, news.reference,
             news.amount.amount, news.amount.currency, claim.reserved, claim.from_balance,
             claim.advanced, news.reason, news.evidence_due_at, tx.now());
  tell(tx, dispute, "top_up.disputed");
  return dispute;
}

void lose(Tx& tx, LockedTopUp& locked, const wallet::Claim& claim) {
  auto& [top_up, dispute] = locked;
  const auto claimed = wallet::claim_lost(tx, top_up, dispute.id.uuid, claim);
  if (claimed.reserved == claim.reserved) return;
  dispute.reserved = claimed.reserved;
  dispute.advanced = claimed.advanced;
  tx.run(kClaimed, dispute.id, claimed.reserved, claimed.from_balance, claimed.advanced);
}

void close(Tx& tx, LockedTopUp& locked) {
  const auto& [top_up, dispute] = locked;
  const wallet::Claim claim{dispute.reserved, dispute.reserved - dispute.advanced, dispute.advanced,
                            dispute.amount.amount - dispute.reserved};
  if (dispute.state == State::lost)
    lose(tx, locked, claim);
  else
    wallet::claim_won(tx, top_up, dispute.id.uuid, claim);
  forget_plan(tx, dispute);
  tell(tx, dispute, "top_up.dispute_closed");
}

// The processor may give more time, or set it only now.
void set_deadline(Tx& tx, TopUpDispute& dispute, const DisputeNews& news) {
  const bool is_news = news.evidence_due_at && news.evidence_due_at != dispute.evidence_due_at;
  if (!is_news || is_closed(dispute.state)) return;
  dispute.evidence_due_at = news.evidence_due_at;
  write_dispute(tx, dispute);
  if (dispute.state == State::evidence_due && !dispute.response) plan(tx, dispute);
}

}  // namespace

LockedTopUp lock_top_up_dispute(Tx& tx, DisputeId id) {
  const auto known = tx.one(kFetch, id);
  auto top_up = wallet::lock_disputed(tx, known.top_up_id);
  return {std::move(top_up), tx.one(kLock, id)};
}

void write_dispute(Tx& tx, TopUpDispute& dispute) {
  dispute.updated_at = tx.now();
  tx.run(kUpdate, dispute.id, dispute.state, dispute.evidence_due_at, dispute.text,
         dispute.response, dispute.failure, dispute.submitted_at, dispute.closed_at,
         dispute.updated_at);
}

TopUpDispute move_dispute(Tx& tx, LockedTopUp locked, Event on) {
  auto& dispute = locked.dispute;
  const auto before = dispute.state;
  dispute.state = kLifecycle.advance(before, on);
  if (dispute.state == before) return dispute;
  if (is_closed(dispute.state)) dispute.closed_at = tx.now();
  write_dispute(tx, dispute);
  if (dispute.state == State::evidence_due) plan(tx, dispute);
  if (is_closed(dispute.state)) close(tx, locked);
  return dispute;
}

void plan(Tx& tx, const TopUpDispute& dispute) {
  if (!dispute.evidence_due_at) return;
  forget_plan(tx, dispute);
  jobs::enqueue(tx, kSubmitTopUpJob, text_of(dispute.id), Json::object(),
                std::max(*dispute.evidence_due_at - kMargin, tx.now()));
}

void forget_plan(Tx& tx, const TopUpDispute& dispute) {
  jobs::cancel(tx, kSubmitTopUpJob, text_of(dispute.id));
}

TopUpDispute hear_of_top_up(Tx& tx, const std::string& processor, const DisputeNews& news) {
  const auto subject = attempts::subject_of(tx, processor, news.charge);
  auto top_up = wallet::lock_disputed(tx, TopUpId{subject.subject_id.uuid});
  auto dispute = tx.find(kLockNamed, processor, news.reference);
  if (!dispute) dispute = open(tx, top_up, processor, news);
  set_deadline(tx, *dispute, news);
  const auto on = event_of(news.state);
  if (!on) return *dispute;
  return move_dispute(tx, {std::move(top_up), std::move(*dispute)}, *on);
}

TopUpDispute fetch_top_up_dispute(Tx& tx, DisputeId id) { return tx.one(kFetch, id); }

std::vector<TopUpDispute> list_top_up_disputes(Tx& tx, std::optional<AccountId> account,
                                               std::optional<State> state,
                                               std::optional<DisputeId> after, std::int64_t limit) {
  DisputeId newest;
  newest.uuid.bytes.fill(0xff);
  return tx.all(kList, account, state, after.value_or(newest), limit);
}

}  // namespace bottega::disputes
