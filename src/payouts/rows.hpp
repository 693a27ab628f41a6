#pragma once
// What the files of this module share: the rows' moves.
#include "bottega/payouts/payouts.hpp"

namespace bottega::payouts {

void write(Tx& tx, const Payout& payout);
Payout move(Tx& tx, Payout payout, Event on);
void want_payment(Tx& tx, const Payout& payout, Instant at);

}  // namespace bottega::payouts
