#pragma once
// The hot path of a sale's beginning: payments that begin at once are written together, and so are
// those that were charged.
#include "gateway/group_commit.hpp"
#include "bottega/payments/payments.hpp"

namespace bottega::gateway {

// For the GroupCommits of App; the rules outlive them.
GroupCommit::Write beginning_writer(const payments::Rules& rules);
GroupCommit::Write settlement_writer(const payments::Rules& rules);

// How long the flow of a payment is taken to be at work: one call to the processor, and what is
// around it.
std::chrono::seconds patience_of(const payments::Rules& rules);

}  // namespace bottega::gateway
