#include "bottega/risk/reviews.hpp"

#include "bottega/payouts/payouts.hpp"

namespace bottega::risk {
namespace {

const Sql<Review(MerchantId, ReviewId, orders::PaymentId, orders::OrderId, AccountId, std::int64_t,
                 Currency, std::vector<Concern>, Instant)>
    kInsert{"risk.insert_review", R"(
    INSERT INTO reviews (merchant_id, id, payment_id, order_id, buyer_id, amount, currency, reasons,
                         state, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9)
    RETURNING id, merchant_id, payment_id, order_id, buyer_id, amount, currency,
              to_jsonb(reasons) AS reasons, state, created_at, decided_at, decided_by, decision)"};

const Sql<Review(MerchantId, ReviewId)> kFetch{"risk.fetch_review", R"(
    SELECT id, merchant_id, payment_id, order_id, buyer_id, amount, currency,
           to_jsonb(reasons) AS reasons, state, created_at, decided_at, decided_by, decision
    FROM reviews WHERE merchant_id = $1 AND id = $2)"};

const Sql<Review(MerchantId, ReviewId)> kLock{"risk.lock_review", R"(
    SELECT id, merchant_id, payment_id, order_id, buyer_id, amount, currency,
           to_jsonb(reasons) AS reasons, state, created_at, decided_at, decided_by, decision
    FROM reviews WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<void(MerchantId, ReviewId, ReviewState, Instant, std::string, std::string)> kDecide{
    "risk.decide_review", R"(
    UPDATE reviews SET state = $3, decided_at = $4, decided_by = $5, decision = $6
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<std::int64_t()> kCountOpen{"risk.count_open_reviews", R"(
    SELECT count(*) FROM reviews WHERE state = 'open')"};

const Sql<ReviewId(MerchantId, orders::PaymentId)> kRejected{"risk.rejected_review", R"(
    SELECT id FROM reviews WHERE merchant_id = $1 AND payment_id = $2 AND state = 'rejected')"};

bool is_above(std::int64_t amount, std::int64_t units, Currency currency) {
  return units > 0 && amount > in_minor(units, currency).amount;
}

std::vector<Concern> concerns_of(Tx& tx, const orders::Order& order, const Rules& rules) {
  const auto& [amount, currency] = order.total;
  std::vector<Concern> found;
  if (is_above(amount, rules.review_first_sale, currency) &&
      orders::is_first_of_merchant(tx, order.merchant_id, order.id))
    found.push_back(Concern::first_sale);
  if (is_above(amount, rules.review_amount, currency)) found.push_back(Concern::amount);
  if (rules.review_week > 0 &&
      is_above(taken_in_week(tx, order.merchant_id, currency), rules.review_week, currency))
    found.push_back(Concern::merchant_week);
  return found;
}

payouts::Hold hold_of(const Review& review) { return {payouts::Cause::risk, review.id.uuid}; }

}  // namespace

std::optional<Review> assess(Tx& tx, const orders::Order& order, const Rules& rules) {
  const auto concerns = concerns_of(tx, order, rules);
  if (concerns.empty()) return std::nullopt;
  const auto id = ReviewId::make();
  identity::enter_directory(tx, id.uuid, order.merchant_id);
  const auto review =
      tx.one(kInsert, order.merchant_id, id, order.payment_id, order.id, order.buyer_id,
             order.total.amount, order.total.currency, concerns, tx.now());
  payouts::hold(tx, order.merchant_id, order.id, hold_of(review), "the payment is being reviewed");
  return review;
}

Review fetch_review(Tx& tx, ReviewId id) {
  return tx.one(kFetch, identity::merchant_of(tx, id.uuid), id);
}

bool is_rejected(Tx& tx, MerchantId merchant, orders::PaymentId payment) {
  return tx.find(kRejected, merchant, payment).has_value();
}

std::int64_t count_open(Tx& tx) { return tx.one(kCountOpen); }

Review lock_review(Tx& tx, ReviewId id) {
  return tx.one(kLock, identity::merchant_of(tx, id.uuid), id);
}

Review decide(Tx& tx, Review review, const Decision& decision) {
  review.state = kReviewLifecycle.advance(review.state, decision.event);
  review.decided_at = tx.now();
  review.decided_by = decision.by;
  review.decision = decision.reason;
  tx.run(kDecide, review.merchant_id, review.id, review.state, tx.now(), decision.by,
         decision.reason);
  if (review.state == ReviewState::approved)
    payouts::lift(tx, review.merchant_id, review.order_id, hold_of(review));
  return review;
}

}  // namespace bottega::risk
