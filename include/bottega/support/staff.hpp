#pragma once
// The platform's desk: what was handed over to it, and what shops ask. No other case exists here.
// Whoever calls these writes each look and each act into the audit log.
#include "bottega/support/support.hpp"

namespace bottega::support::staff {

using conversations::CannedReply, conversations::CannedReplyId, conversations::NewCannedReply;

struct NewCaseAnswer {
  Text<1, 4096> text;
};
BOOST_DESCRIBE_STRUCT(NewCaseAnswer, (), (text))

SupportCase fetch(Tx& tx, CaseId id);
std::vector<SupportCase> queue(Tx& tx, std::optional<MerchantId> merchant, const Filter& filter,
                               const Position& after, std::int64_t limit);

// The conversation of a buyer's case from the entry on with which the case began, for as long as
// the case is not closed.
std::vector<conversations::Event> entries(Tx& tx, CaseId id, std::int64_t after,
                                          std::int64_t limit);
// The thread with the internal notes.
std::vector<CaseMessage> messages(Tx& tx, CaseId id, std::optional<CaseMessageId> after,
                                  std::int64_t limit);

// In the conversation of a buyer's case, and in the thread of a shop's. The name of who answers is
// told to nobody outside.
SupportCase answer(Tx& tx, const Who& who, CaseId id, const NewCaseAnswer& given);
CaseMessage add_note(Tx& tx, const Who& who, CaseId id, const NewCaseAnswer& given);
// Throws Error(invalid) for somebody who is not of the staff that answers.
SupportCase assign(Tx& tx, CaseId id, const NewAssignee& given);
SupportCase prioritize(Tx& tx, CaseId id, const NewCasePriority& given);
SupportCase solve(Tx& tx, CaseId id);

// Answers kept ready; by their shortcut, of which there is one.
std::vector<CannedReply> canned_answers(Tx& tx);
CannedReply add_canned_answer(Tx& tx, const Who& who, const NewCannedReply& given);
CannedReply change_canned_answer(Tx& tx, const Who& who, CannedReplyId id,
                                 const NewCannedReply& given);
void remove_canned_answer(Tx& tx, CannedReplyId id);

}  // namespace bottega::support::staff
