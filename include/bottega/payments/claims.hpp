#pragma once
// What a dispute claims of a payment: it can no longer be refunded, and is taken from where the
// money is. Who moves it in the ledger is for the module of disputes to say.
#include "bottega/payments/refunds.hpp"

namespace bottega::payments {

// A payment and its order, both locked, in this order.
struct Sale {
  Payment payment;
  orders::Order order;
};
// Throws Error(conflict) for a payment that was not captured: its own news may be on its way. The
// word says what cannot be done then.
Sale lock_sale(Tx& tx, MerchantId merchant, PaymentId id, std::string_view to);
// What can still be given back; what is disputed, or was lost in a dispute, cannot.
std::int64_t left_of(const Payment& payment);
// What the merchant has given back, or lost, beyond what is due for what was never sent.
std::int64_t given_for_sent(Tx& tx, const orders::Order& order);

// How much could be claimed, which is less than the dispute where the rest was given back or is on
// its way back; and where it is, as with a refund (fee_returned goes back of the platform's fee).
struct Claim {
  Source source{};
  std::int64_t reserved = 0, fee_returned = 0, from_balance = 0, advanced = 0;
};
BOOST_DESCRIBE_STRUCT(Claim, (), (source, reserved, fee_returned, from_balance, advanced))
// Locks the merchant's balances where the money was released.
Claim claim(Tx& tx, const Sale& sale, std::int64_t amount, const Rules& rules);
// The money is gone, for the merchant as if it had been refunded; an unsent order of which nothing
// is left is cancelled.
void claim_lost(Tx& tx, const Sale& sale, const Claim& claim, const Rules& rules);
// The money is back, after its transfers: what belongs to an order that was cancelled meanwhile, or
// of which the payment was not approved, is refunded.
void claim_won(Tx& tx, const Sale& sale, const Claim& claim, const Rules& rules);

}  // namespace bottega::payments
