#include "bottega/payments/claims.hpp"

#include "payments/refund_rows.hpp"
#include "payments/rows.hpp"
#include "bottega/payouts/payouts.hpp"
#include "bottega/risk/reviews.hpp"

namespace bottega::payments {
namespace {

const Sql<void(MerchantId, PaymentId, std::int64_t, std::int64_t, Instant)> kDispute{
    "payments.dispute", R"(
    UPDATE payments SET disputed = disputed + $3, disputed_fee = disputed_fee + $4, updated_at = $5
    WHERE merchant_id = $1 AND id = $2)"};

}  // namespace

Claim claim(Tx& tx, const Sale& sale, std::int64_t amount, const Rules& rules) {
  const auto& [payment, order] = sale;
  const auto& merchant = payment.merchant_id;
  const Money reserved{std::min(amount, left_of(payment)), payment.amount.currency};
  const auto fee =
      fee_share(orders::share_of(tx, merchant, order.id), given_back(tx, merchant, payment.id),
                reserved.amount, rules.fee_on_refund);
  Claim claim{Source::held, reserved.amount, fee};
  if (payouts::is_released(tx, merchant, order.id)) {
    const auto funding = fund_released(tx, merchant, reserved, fee);
    claim = {Source::released, reserved.amount, funding.fee_returned, funding.from_balance,
             funding.advanced};
  }
  tx.run(kDispute, merchant, payment.id, claim.reserved, claim.fee_returned, tx.now());
  return claim;
}

void claim_lost(Tx& tx, const Sale& sale, const Claim& claim, const Rules& rules) {
  const auto& [payment, order] = sale;
  const auto& merchant = payment.merchant_id;
  auto fee = claim.fee_returned;
  if (claim.source == Source::held) {
    fee = fee_gone(orders::share_of(tx, merchant, order.id), claim.reserved, rules.fee_on_refund);
    tx.run(kDispute, merchant, payment.id, 0, fee - claim.fee_returned, tx.now());
  }
  orders::give_back(tx, merchant, order.id, claim.reserved, fee);
  payouts::adjust(tx, merchant, order.id);
  keep_for_unsent(tx, order, false);
  const auto share = orders::share_of(tx, merchant, order.id);
  // Of what was sent in part the rest is closed at its limit.
  const bool is_unsent =
      order.state == orders::State::paid && order.fulfilment == orders::Fulfilment::none;
  if (!is_unsent || share.refunded < share.total.amount) return;
  put_back(tx, order);
  orders::cancel(tx, order, "the payment was lost in a dispute");
}

void claim_won(Tx& tx, const Sale& sale, const Claim& claim, const Rules& rules) {
  const auto& [payment, order] = sale;
  tx.run(kDispute, payment.merchant_id, payment.id, -claim.reserved, -claim.fee_returned, tx.now());
  keep_for_unsent(tx, order, true);
  if (claim.reserved == 0) return;
  if (order.state == orders::State::cancelled)
    refund_rest(tx, payment.merchant_id, payment.id, "the order was cancelled", rules);
  else if (risk::is_rejected(tx, payment.merchant_id, payment.id))
    refund_rest(tx, payment.merchant_id, payment.id, "the payment was not approved", rules);
}

}  // namespace bottega::payments
