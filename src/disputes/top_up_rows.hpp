#pragma once
// What the files about disputes of top-ups share.
#include "bottega/disputes/top_ups.hpp"

#include "disputes/rows.hpp"

namespace bottega::disputes {

// The top-up and the dispute, locked in this order.
struct LockedTopUp {
  wallet::TopUp top_up;
  TopUpDispute dispute;
};
LockedTopUp lock_top_up_dispute(Tx& tx, DisputeId id);
void write_dispute(Tx& tx, TopUpDispute& dispute);
// Moves it on, with all that follows for the money.
TopUpDispute move_dispute(Tx& tx, LockedTopUp locked, Event on);
// Plans that it is contested before the deadline.
void plan(Tx& tx, const TopUpDispute& dispute);
void forget_plan(Tx& tx, const TopUpDispute& dispute);

}  // namespace bottega::disputes
