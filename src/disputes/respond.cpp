// What the merchant says to a dispute, and how it reaches the processor in time.
#include <set>

#include "disputes/rows.hpp"

namespace bottega::disputes {
namespace {

using processors::Outcome;

Json of_merchant(const Dispute& dispute) { return {{"merchant_id", text_of(dispute.merchant_id)}}; }

Locked lock_for_answer(Tx& tx, const Who& who, DisputeId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::payments);
  auto locked = lock_dispute(tx, merchant, id);
  require_unanswered(locked.dispute.state, locked.dispute.response);
  return locked;
}

// Only what both sides have seen: a file that is in a message of this conversation.
void check_files(Tx& tx, const Dispute& dispute, const Files& files) {
  Faults faults;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < files.items.size(); ++i) {
    const auto& id = files.items[i];
    bool fits = seen.insert(text_of(id)).second;
    try {
      const auto stored = attachments::fetch(tx, id);
      fits = fits && stored.merchant_id == dispute.merchant_id &&
             stored.conversation_id == dispute.conversation_id &&
             stored.state == attachments::State::attached;
    } catch (const Error& error) {
      if (error.code() != Code::not_found) throw;
      fits = false;
    }
    if (!fits)
      faults.push_back({"/attachments/" + std::to_string(i),
                        "must be in a message of the conversation, and named once"});
  }
  if (!faults.empty()) throw Error(Code::invalid, "some files cannot be evidence", faults);
}

Dispute begin_answer(Tx& tx, Dispute dispute, Stance stance) {
  dispute.response = stance;
  dispute.failure.reset();
  dispute.submitted_at = tx.now();
  write_dispute(tx, dispute);
  if (stance == Stance::contest) keep_evidence(tx, dispute);
  attempts::begin(tx, dispute.merchant_id, processors::Operation::dispute, dispute.id.uuid,
                  {dispute.processor, ""}, dispute.amount);
  jobs::enqueue(tx, kRespondJob, text_of(dispute.id), of_merchant(dispute), tx.now());
  forget_plans(tx, dispute);
  return dispute;
}

struct Work {
  Dispute dispute;
  attempts::Attempt attempt;
  std::string evidence;
};

Work work_of(Tx& tx, MerchantId merchant, DisputeId id, const payments::Rules& rules) {
  auto dispute = lock_dispute(tx, merchant, id).dispute;
  auto attempt = attempts::take_up(tx, merchant, id.uuid, rules.call_timeout);
  std::string evidence;
  if (dispute.response == Stance::contest) evidence = fetch_evidence(tx, id).document;
  return {std::move(dispute), std::move(attempt), std::move(evidence)};
}

}  // namespace

void require_unanswered(State state, const std::optional<Stance>& response) {
  if (is_closed(state) || state == State::under_review)
    throw Error(Code::conflict, "cannot answer what is " + text_of(state));
  if (response) throw Error(Code::conflict, "it was answered already");
}

bool is_settled(const attempts::Attempt& attempt) {
  return attempt.state == attempts::State::succeeded || attempt.state == attempts::State::failed;
}

asio::awaitable<Outcome> carry_out(processors::Processor& processor,
                                   const attempts::Attempt& attempt,
                                   const processors::DisputeAnswer& answer, bool is_wanted) {
  if (!is_wanted) co_return co_await attempts::find_out(processor, attempt);
  const attempts::Send send = [&] { return processor.respond_dispute(answer); };
  co_return co_await attempts::carry_out(processor, attempt, send);
}

void plan(Tx& tx, const Dispute& dispute) {
  if (!dispute.evidence_due_at) return;
  forget_plans(tx, dispute);
  const auto due = *dispute.evidence_due_at;
  jobs::enqueue(tx, kSubmitJob, text_of(dispute.id), of_merchant(dispute),
                std::max(due - kMargin, tx.now()));
  jobs::enqueue(tx, kRemindJob, text_of(dispute.id), of_merchant(dispute),
                std::max(due - kRemindBefore, tx.now()));
}

void forget_plans(Tx& tx, const Dispute& dispute) {
  jobs::cancel(tx, kSubmitJob, text_of(dispute.id));
  jobs::cancel(tx, kRemindJob, text_of(dispute.id));
}

Dispute add_evidence(Tx& tx, const Who& who, DisputeId id, const NewEvidence& given) {
  auto dispute = lock_for_answer(tx, who, id).dispute;
  if (given.text) dispute.text = given.text->value;
  if (given.attachments) {
    check_files(tx, dispute, *given.attachments);
    dispute.attachments = *given.attachments;
  }
  write_dispute(tx, dispute);
  return dispute;
}

Dispute submit(Tx& tx, const Who& who, DisputeId id) {
  return begin_answer(tx, lock_for_answer(tx, who, id).dispute, Stance::contest);
}

Dispute accept(Tx& tx, const Who& who, DisputeId id) {
  return begin_answer(tx, lock_for_answer(tx, who, id).dispute, Stance::accept);
}

void submit_in_time(Tx& tx, MerchantId merchant, DisputeId id) {
  auto dispute = lock_dispute(tx, merchant, id).dispute;
  if (dispute.state != State::evidence_due || dispute.response) return;
  begin_answer(tx, std::move(dispute), Stance::contest);
}

void remind(Tx& tx, MerchantId merchant, DisputeId id) {
  const auto dispute = lock_dispute(tx, merchant, id).dispute;
  if (dispute.state != State::evidence_due || dispute.response) return;
  conversations::Seat seat;
  seat.merchant = merchant;
  seat.conversation = dispute.conversation_id;
  conversations::tell_merchant(
      tx, seat, "dispute.reminder",
      {{"dispute_id", text_of(id)}, {"evidence_due_at", to_json(dispute.evidence_due_at)}});
}

Dispute settle_response(Tx& tx, MerchantId merchant, DisputeId id, const Outcome& outcome,
                        const payments::Rules& rules) {
  auto locked = lock_dispute(tx, merchant, id);
  const auto before = attempts::lock_latest(tx, merchant, id.uuid, {});
  const auto attempt = attempts::settle_latest(tx, merchant, id.uuid, outcome);
  if (!attempt || is_settled(before) || is_closed(locked.dispute.state)) return locked.dispute;
  if (attempt->state == attempts::State::failed) not_taken(tx, locked.dispute, *attempt);
  if (attempt->state != attempts::State::succeeded) return locked.dispute;
  const auto on = locked.dispute.response == Stance::accept ? Event::lose : Event::review;
  return move_dispute(tx, std::move(locked), on, rules);
}

asio::awaitable<void> respond(Database& db, const processors::Registry& registry,
                              MerchantId merchant, DisputeId id, const payments::Rules& rules) {
  const auto work = co_await db.transact([&](Tx& tx) { return work_of(tx, merchant, id, rules); });
  if (is_settled(work.attempt)) co_return;
  const processors::DisputeAnswer answer{work.attempt.key(), work.dispute.reference,
                                         work.dispute.response.value_or(Stance::contest),
                                         work.evidence};
  auto& processor = registry.get(work.dispute.processor);
  const bool is_wanted = !is_closed(work.dispute.state);
  const auto outcome = co_await carry_out(processor, work.attempt, answer, is_wanted);
  const auto attempt = co_await db.transact([&](Tx& tx) {
    settle_response(tx, merchant, id, outcome, rules);
    return attempts::lock_latest(tx, merchant, id.uuid, {});
  });
  if (!is_settled(attempt)) throw Error(Code::busy, "no definite outcome yet");
}

}  // namespace bottega::disputes
