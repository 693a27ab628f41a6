#pragma once
// The hot path of the wallet: transfers between people are written together.
#include "gateway/group_commit.hpp"
#include "bottega/wallet/transfers.hpp"

namespace bottega::gateway {

// For the GroupCommit of App; the rules outlive it.
GroupCommit::Write transfer_writer(const wallet::Rules& rules);

}  // namespace bottega::gateway
