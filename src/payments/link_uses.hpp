#pragma once
// How often a payment link was paid with: counted as a payment begins, and given back when it
// fails.
#include "bottega/payments/payments.hpp"

namespace bottega::payments {

// Counts a use, once for each request, however often it is tried. One statement, which locks the
// link until the commit: the later in a transaction, the better. Throws Error(conflict) with the
// reason `link_not_usable` where it is disabled, used up or too old; however many pay at the same
// moment, no more than `uses_max` do.
void use_link(Tx& tx, MerchantId merchant, LinkId id, RequestId request);
// What was to be paid for was not; no effect where nothing was counted for it.
void unuse_link(Tx& tx, MerchantId merchant, RequestId request);

}  // namespace bottega::payments
