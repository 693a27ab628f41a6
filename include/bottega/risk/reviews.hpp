#pragma once
// Payments that a person looks at: the money is charged, and the merchant is not paid before
// somebody of the staff has approved it. Rejecting gives the money back (payments/reviews.hpp).
#include "bottega/orders/orders.hpp"
#include "bottega/risk/limits.hpp"

namespace bottega::risk {

using ReviewId = Id<"rev">;

enum class ReviewState : std::uint8_t { open, approved, rejected };
BOOST_DESCRIBE_ENUM(ReviewState, open, approved, rejected)
enum class ReviewEvent : std::uint8_t { approve, reject };
BOOST_DESCRIBE_ENUM(ReviewEvent, approve, reject)

inline constexpr Machine kReviewLifecycle{std::to_array<Edge<ReviewState, ReviewEvent>>({
    {ReviewState::open, ReviewEvent::approve, ReviewState::approved},
    {ReviewState::open, ReviewEvent::reject, ReviewState::rejected},
})};
static_assert(kReviewLifecycle.deterministic());

// Why a payment is reviewed.
enum class Concern : std::uint8_t {
  first_sale,     // the merchant's first, and a large one
  amount,         // a large one
  merchant_week,  // the merchant has taken much in 7 days
};
BOOST_DESCRIBE_ENUM(Concern, first_sale, amount, merchant_week)

struct Review {
  ReviewId id;
  MerchantId merchant_id;
  orders::PaymentId payment_id;
  orders::OrderId order_id;
  AccountId buyer_id;
  Money amount;
  std::vector<Concern> reasons;
  ReviewState state{};
  Instant created_at{};
  std::optional<Instant> decided_at;
  std::optional<std::string> decided_by, decision;  // decision: the reason in words
};
BOOST_DESCRIBE_STRUCT(Review, (),
                      (id, merchant_id, payment_id, order_id, buyer_id, amount, reasons, state,
                       created_at, decided_at, decided_by, decision))

// Looks at what a captured payment has just made: where there is a concern, a review is opened and
// the order's payout held.
std::optional<Review> assess(Tx& tx, const orders::Order& order, const Rules& rules);
// The same for many that were made together, one after the other.
std::vector<std::optional<Review>> assess(Tx& tx, const std::vector<orders::Order>& orders,
                                          const Rules& rules);

Review fetch_review(Tx& tx, ReviewId id);
// Whether somebody has rejected this payment.
bool is_rejected(Tx& tx, MerchantId merchant, orders::PaymentId payment);
// Reviews that nobody has decided yet.
std::int64_t count_open(Tx& tx);
Review lock_review(Tx& tx, ReviewId id);
// Writes down a decision, and lifts the hold of what is approved. The caller holds the locks of the
// review and of its order. Throws Error(conflict) for what is decided already.
struct Decision {
  ReviewEvent event{};
  std::string by, reason;
};
Review decide(Tx& tx, Review review, const Decision& decision);

}  // namespace bottega::risk
