#pragma once
// How the staff decides about a payment that is reviewed: the money goes to the merchant as any
// other, or back to the buyer.
#include "bottega/payments/refunds.hpp"
#include "bottega/risk/reviews.hpp"

namespace bottega::payments {

// Lifts the hold of the order's payout. Both throw Error(conflict) for what is decided already.
risk::Review approve(Tx& tx, const Who& who, risk::ReviewId id, const std::string& reason);

// Begins the refund of all that is left, at the merchant's cost, and cancels an order that was not
// sent; the payout stays held. The reason is the staff's: neither side of the sale is told it.
struct Rejected {
  risk::Review review;
  std::optional<Refund> refund;  // none where everything was given back before, or is disputed
};
Rejected reject(Tx& tx, const Who& who, risk::ReviewId id, const std::string& reason,
                const Rules& rules);

}  // namespace bottega::payments
