#pragma once
// What the files of this module share.
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
// Plans the submission before the deadline, and the reminder.
void plan(Tx& tx, const Dispute& dispute);
void forget_plans(Tx& tx, const Dispute& dispute);

// The export that goes with a submission, made, signed and kept; answers its document.
void keep_evidence(Tx& tx, const Dispute& dispute);
std::string evidence_document(Tx& tx, const Dispute& dispute);

// The signature over a document, in hexadecimal.
std::string sign(Tx& tx, std::string_view document);

}  // namespace bottega::disputes
