#pragma once
// The hot path of a sale's end: orders that are marked as sent are written together.
#include "gateway/group_commit.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::gateway {

// For the GroupCommit of App; the rules outlive it.
GroupCommit::Write shipment_writer(const payouts::Rules& rules);

}  // namespace bottega::gateway
