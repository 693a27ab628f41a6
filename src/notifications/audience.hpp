#pragma once
// Whom a change of presence is told: the other sides of somebody's conversations, as far as they
// are there to hear it.
#include "bottega/notifications/presence.hpp"

namespace bottega::notifications {

// Tells that these accounts came or went by this node: not of those who are there by another one,
// nor of those who do not show it.
void tell_change(Tx& tx, const std::vector<AccountId>& accounts, NodeId node, State state);
// Tells of one account, whatever it shows and wherever it is.
void tell_anyway(Tx& tx, AccountId account, State state);

// To five minutes: when exactly somebody looked is their own business.
Instant coarse(Instant instant);

}  // namespace bottega::notifications
