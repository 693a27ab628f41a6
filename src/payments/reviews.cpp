// The review is locked before its payment, its order and its payout.
#include "bottega/payments/reviews.hpp"

#include "payments/refund_rows.hpp"

namespace bottega::payments {

risk::Review approve(Tx& tx, const Who& who, risk::ReviewId id, const std::string& reason) {
  auto review = risk::lock_review(tx, id);
  orders::lock(tx, review.merchant_id, review.order_id);
  return risk::decide(tx, std::move(review), {risk::ReviewEvent::approve, who.actor(), reason});
}

Rejected reject(Tx& tx, const Who& who, risk::ReviewId id, const std::string& reason,
                const Rules& rules) {
  auto review = risk::lock_review(tx, id);
  review = risk::decide(tx, std::move(review), {risk::ReviewEvent::reject, who.actor(), reason});
  const auto refund = take_back(tx, review.merchant_id, review.payment_id,
                                "the payment was not approved", who.actor(), rules);
  return {review, refund};
}

}  // namespace bottega::payments
