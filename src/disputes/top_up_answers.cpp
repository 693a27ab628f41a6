// What the staff says to a dispute about a top-up, and how it reaches the processor in time.
#include "disputes/top_up_rows.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/wallet/transfers.hpp"

namespace bottega::disputes {
namespace {

using processors::Outcome;
using wallet::kPlatformMerchant;

constexpr std::int64_t kMovementsMax = 2'000;  // the oldest since the top-up

const Sql<void(DisputeId, std::string, std::string, std::string, Instant)> kKeep{
    "disputes.keep_top_up_evidence", R"(
    INSERT INTO top_up_evidence (dispute_id, document, sha256, signature, created_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (dispute_id)
    DO UPDATE SET document = excluded.document, sha256 = excluded.sha256,
                  signature = excluded.signature, created_at = excluded.created_at)"};

const Sql<Evidence(DisputeId)> kEvidence{"disputes.top_up_evidence", R"(
    SELECT dispute_id, document, sha256, signature, created_at FROM top_up_evidence
    WHERE dispute_id = $1)"};

Json transfer_of(Tx& tx, const wallet::TopUp& top_up) {
  if (!top_up.transfer_id) return nullptr;
  auto transfer = wallet::fetch_transfer(tx, top_up.account_id, *top_up.transfer_id);
  transfer.note.reset();  // what one person wrote to another is no bank's
  return to_json(transfer);
}

// What has moved in the wallet since then, in its currency.
Json movements_of(Tx& tx, const wallet::TopUp& top_up) {
  Json all = Json::array();
  const ledger::Account account{ledger::Kind::wallet, ledger::owner_of(top_up.account_id)};
  const auto moved = ledger::movements(tx, account, top_up.created_at, tx.now(), kMovementsMax);
  for (const auto& one : moved)
    if (one.id && one.currency == top_up.amount.currency.code())
      all.push_back({{"at", to_json(one.at)},
                     {"why", to_json(one.why)},
                     {"about", to_json(one.about)},
                     {"amount", one.amount}});
  return all;
}

std::string document_of(Tx& tx, const LockedTopUp& locked) {
  const auto& [top_up, dispute] = locked;
  auto shown = top_up;
  shown.action_url.reset();
  Json parts = Json::array();
  parts.push_back(evidence_part("statement", to_json(dispute.text)));
  parts.push_back(evidence_part("top_up", to_json(shown)));
  parts.push_back(evidence_part("transfer", transfer_of(tx, top_up)));
  parts.push_back(evidence_part("movements", movements_of(tx, top_up)));
  const Json document = {{"format", "bottega.top_up_evidence.1"},
                         {"dispute", named_in_evidence(dispute)},
                         {"made_at", text_of(tx.now())},
                         {"parts", std::move(parts)}};
  return canonical_json(document);
}

void keep_evidence(Tx& tx, const LockedTopUp& locked) {
  const auto document = document_of(tx, locked);
  tx.run(kKeep, locked.dispute.id, document, sha256_hex(document), sign(tx, document), tx.now());
}

TopUpDispute begin_answer(Tx& tx, LockedTopUp locked, Stance stance) {
  auto& dispute = locked.dispute;
  dispute.response = stance;
  dispute.failure.reset();
  dispute.submitted_at = tx.now();
  write_dispute(tx, dispute);
  if (stance == Stance::contest) keep_evidence(tx, locked);
  attempts::begin(tx, kPlatformMerchant, processors::Operation::dispute, dispute.id.uuid,
                  {dispute.processor, ""}, dispute.amount);
  jobs::enqueue(tx, kRespondTopUpJob, text_of(dispute.id), Json::object(), tx.now());
  forget_plan(tx, dispute);
  return dispute;
}

struct Work {
  TopUpDispute dispute;
  attempts::Attempt attempt;
  std::string evidence;
};

Work work_of(Tx& tx, DisputeId id, std::chrono::milliseconds call_timeout) {
  auto dispute = lock_top_up_dispute(tx, id).dispute;
  auto attempt = attempts::take_up(tx, kPlatformMerchant, id.uuid, call_timeout);
  std::string evidence;
  if (dispute.response == Stance::contest) evidence = tx.one(kEvidence, id).document;
  return {std::move(dispute), std::move(attempt), std::move(evidence)};
}

}  // namespace

TopUpDispute submit_top_up_dispute(Tx& tx, DisputeId id, const TopUpStatement& given) {
  auto locked = lock_top_up_dispute(tx, id);
  require_unanswered(locked.dispute.state, locked.dispute.response);
  if (given.text) locked.dispute.text = given.text->value;
  return begin_answer(tx, std::move(locked), Stance::contest);
}

TopUpDispute accept_top_up_dispute(Tx& tx, DisputeId id) {
  auto locked = lock_top_up_dispute(tx, id);
  require_unanswered(locked.dispute.state, locked.dispute.response);
  return begin_answer(tx, std::move(locked), Stance::accept);
}

Evidence fetch_top_up_evidence(Tx& tx, DisputeId id) { return tx.one(kEvidence, id); }

void submit_top_up_in_time(Tx& tx, DisputeId id) {
  auto locked = lock_top_up_dispute(tx, id);
  if (locked.dispute.state != State::evidence_due || locked.dispute.response) return;
  begin_answer(tx, std::move(locked), Stance::contest);
}

TopUpDispute settle_top_up_response(Tx& tx, DisputeId id, const Outcome& outcome) {
  auto locked = lock_top_up_dispute(tx, id);
  const auto before = attempts::lock_latest(tx, kPlatformMerchant, id.uuid, {});
  const auto attempt = attempts::settle_latest(tx, kPlatformMerchant, id.uuid, outcome);
  if (!attempt || is_settled(before) || is_closed(locked.dispute.state)) return locked.dispute;
  if (attempt->state == attempts::State::failed) not_taken(tx, locked.dispute, *attempt);
  if (attempt->state != attempts::State::succeeded) return locked.dispute;
  const auto on = locked.dispute.response == Stance::accept ? Event::lose : Event::review;
  return move_dispute(tx, std::move(locked), on);
}

asio::awaitable<void> respond_of_top_up(Database& db, const processors::Registry& registry,
                                        DisputeId id, std::chrono::milliseconds call_timeout) {
  const auto work = co_await db.transact([&](Tx& tx) { return work_of(tx, id, call_timeout); });
  if (is_settled(work.attempt)) co_return;
  const processors::DisputeAnswer answer{work.attempt.key(), work.dispute.reference,
                                         work.dispute.response.value_or(Stance::contest),
                                         work.evidence};
  auto& processor = registry.get(work.dispute.processor);
  const bool is_wanted = !is_closed(work.dispute.state);
  const auto outcome = co_await carry_out(processor, work.attempt, answer, is_wanted);
  const auto attempt = co_await db.transact([&](Tx& tx) {
    settle_top_up_response(tx, id, outcome);
    return attempts::lock_latest(tx, kPlatformMerchant, id.uuid, {});
  });
  if (!is_settled(attempt)) throw Error(Code::busy, "no definite outcome yet");
}

}  // namespace bottega::disputes
