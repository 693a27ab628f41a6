#pragma once
// What the files of this module share.
#include "bottega/core/log.hpp"
#include "bottega/disputes/disputes.hpp"

namespace bottega::disputes {

// The payment, its order and the dispute, locked in this order.
struct Locked {
  payments::Sale sale;
  Dispute dispute;
};
Locked lock_dispute(Tx& tx, MerchantId merchant, DisputeId id);
void write_dispute(Tx& tx, Dispute& dispute);
// Moves it on, with all that follows for the money, the payout and the conversation.
Dispute move_dispute(Tx& tx, Locked locked, Event on, const payments::Rules& rules);
bool is_closed(State state);
// What follows from how far it has come at the processor.
std::optional<Event> event_of(State told);
// Throws Error(conflict) for news that cannot be about what was charged.
void require_fitting(const processors::DisputeNews& news, const Money& charged);
// Throws Error(conflict) where it was answered or decided.
void require_unanswered(State state, const std::optional<Stance>& response);
bool is_settled(const attempts::Attempt& attempt);
// Sends the answer; it is asked about before it is sent again, and sent again under the same key
// only.
asio::awaitable<processors::Outcome> carry_out(processors::Processor& processor,
                                               const attempts::Attempt& attempt,
                                               const processors::DisputeAnswer& answer,
                                               bool is_wanted);
// Plans the submission before the deadline, and the reminder.
void plan(Tx& tx, const Dispute& dispute);
void forget_plans(Tx& tx, const Dispute& dispute);

// The export that goes with a submission, made, signed and kept; answers its document.
void keep_evidence(Tx& tx, const Dispute& dispute);
std::string evidence_document(Tx& tx, const Dispute& dispute);
// A part of a document, with the hash of its canonical form (RFC 8785).
Json evidence_part(const char* name, Json content);

// What both kinds of disputes are named by in such a document.
template <class AnyDispute>
Json named_in_evidence(const AnyDispute& dispute) {
  return {{"id", text_of(dispute.id)},
          {"processor", dispute.processor},
          {"reference", dispute.reference},
          {"amount", to_json(dispute.amount)},
          {"reason", dispute.reason}};
}

// The processor did not take the answer: it can be given again, as long as there is time.
template <class AnyDispute>
void not_taken(Tx& tx, AnyDispute& dispute, const attempts::Attempt& attempt) {
  dispute.response.reset();
  dispute.submitted_at.reset();
  dispute.failure = attempt.reason.value_or("refused");
  write_dispute(tx, dispute);
  log::error("dispute.answer_refused",
             {{"dispute", text_of(dispute.id)}, {"reason", *dispute.failure}});
  if (dispute.evidence_due_at && *dispute.evidence_due_at - kMargin > tx.now()) plan(tx, dispute);
}

// The signature over a document, in hexadecimal.
std::string sign(Tx& tx, std::string_view document);

}  // namespace bottega::disputes
