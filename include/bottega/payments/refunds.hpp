#pragma once
// Money back to the buyer: any part of what was paid, with a reason, before and after the order was
// sent and the merchant was paid for it; each an object of its own, with its own attempts.
#include "bottega/payments/payments.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::payments {

using RefundId = Id<"rfnd">;

enum class RefundState : std::uint8_t { pending, succeeded, failed, unknown };
BOOST_DESCRIBE_ENUM(RefundState, pending, succeeded, failed, unknown)

struct Refund {
  RefundId id;
  MerchantId merchant_id;
  PaymentId payment_id;
  orders::OrderId order_id;
  Money amount;
  std::string reason;
  RefundState state{};
  std::optional<std::string> reference, failure;  // failure: the processor's code of its no
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(Refund, (),
                      (id, merchant_id, payment_id, order_id, amount, reason, state, reference,
                       failure, created_at, updated_at))

struct NewRefund {
  std::optional<Count<1, kAmountMax>> amount;  // minor units; all that is left where none is given
  Text<1, 255> reason;
};
BOOST_DESCRIBE_STRUCT(NewRefund, (), (amount, reason))

// Who bears a refund. The platform's goodwill leaves the merchant's share as it is.
enum class Funder : std::uint8_t { merchant, platform };
BOOST_DESCRIBE_ENUM(Funder, merchant, platform)
// Where a refund's money is when it begins: still held, released to the merchant, or the
// platform's.
enum class Source : std::uint8_t { held, released, platform };
BOOST_DESCRIBE_ENUM(Source, held, released, platform)

struct StaffRefund {
  std::optional<Count<1, kAmountMax>> amount;
  Text<1, 255> reason;
  Funder funded_by{};
};
BOOST_DESCRIBE_STRUCT(StaffRefund, (), (amount, reason, funded_by))

// Begins a refund, which a job carries out. Money that is held is set aside; the payout of the
// order waits for the outcome. What was released already is taken from the fee's share, from the
// merchant's balance, and the rest is advanced by the platform and recovered from later payouts.
// All that is left of an order that was not sent cancels the order. For managers and owners; throws
// Error(conflict) for a payment that was not captured or is too old, Error(invalid) for more than
// is left.
Refund give_back(Tx& tx, const Who& who, PaymentId id, const NewRefund& given, const Rules& rules);
// The same for what was sent back, whatever the payment's age is by now: it is not for what was
// never sent.
Refund give_back_returned(Tx& tx, const Who& who, PaymentId id, const NewRefund& given,
                          const Rules& rules);
// The same by the staff, whatever the order's state and the payment's age.
Refund give_back(Tx& tx, const Who& who, PaymentId id, const StaffRefund& given,
                 const Rules& rules);

// Cancels an order of which nothing was sent, and begins the refund of all that is left, which is
// nothing where the platform has given it back. For managers and owners; an API key needs both
// scopes, payments and orders.
struct Cancelled {
  orders::Order order;
  std::optional<Refund> refund;
};
// Whether what was taken from the stock for it is there again.
enum class Restock : std::uint8_t { yes, no };
struct NewCancellation {
  Text<1, 255> reason;
  std::optional<bool> restock;  // yes where nothing is said
};
BOOST_DESCRIBE_STRUCT(NewCancellation, (), (reason, restock))
Cancelled cancel_order(Tx& tx, const Who& who, orders::OrderId id, const std::string& reason,
                       const Rules& rules, Restock restock = Restock::yes);
// For the job, at the order's limit: what was not sent is cancelled, and what was sent in part is
// closed.
void cancel_unsent(Tx& tx, MerchantId merchant, orders::OrderId id, const Rules& rules,
                   const payouts::Rules& payout_rules);

// Gives the rest of an order back of which a part was sent: the order counts as shipped with that
// part, and what is left of the money is paid out. What goes back is the share that the unsent
// pieces have in the prices of all lines, of everything that was paid, less what went back before;
// or the amount, which may be 0. For those who may cancel.
struct NewClosing {
  Text<1, 255> reason;
  std::optional<Count<0, kAmountMax>> amount;  // minor units
};
BOOST_DESCRIBE_STRUCT(NewClosing, (), (reason, amount))
struct Closed {
  orders::Order order;
  std::optional<Refund> refund;
  std::optional<payouts::Payout> payout;
};
BOOST_DESCRIBE_STRUCT(Closed, (), (order, refund, payout))
Closed close_rest(Tx& tx, const Who& who, orders::OrderId id, const NewClosing& given,
                  const Rules& rules, const payouts::Rules& payout_rules);

Refund fetch_refund(Tx& tx, const Who& who, RefundId id);
// For whoever knows it already.
Refund refund_now(Tx& tx, MerchantId merchant, RefundId id);
std::vector<Refund> list_refunds(Tx& tx, const Who& who, PaymentId payment);

// For the job: carries a refund to its end. Throws Error(busy) to be called again.
asio::awaitable<void> refund(Database& db, const processors::Registry& registry,
                             MerchantId merchant, RefundId id, const Rules& rules);
// Writes down what the processor said about a refund; hearing it again changes nothing.
Refund settle_refund(Tx& tx, MerchantId merchant, RefundId id, const processors::Outcome& outcome,
                     const Rules& rules);

inline constexpr std::string_view kRefundJob = "payments.refund";
// A refund has ended, or has come back, of an order of which something was sent back.
inline constexpr std::string_view kRefundEndedJob = "payments.refund_ended";

}  // namespace bottega::payments
