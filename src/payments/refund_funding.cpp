// Where a refund's money comes from, and its transfers: set aside when the refund begins, posted or
// let go by its outcome.
#include "payments/refund_rows.hpp"
#include "bottega/ledger/ledger.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::payments {
namespace {

const Sql<Funding(MerchantId, RefundId)> kFunding{"payments.funding", R"(
    SELECT funded_by, source, fee_returned, from_balance, advanced
    FROM refunds WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, RefundId, std::int64_t)> kFeeReturned{"payments.refund_fee", R"(
    UPDATE refunds SET fee_returned = $3 WHERE merchant_id = $1 AND id = $2)"};

struct Part {
  ledger::Why why{};
  ledger::Kind from{};
  std::int64_t amount = 0;
};

std::vector<Part> parts_of(const Refund& refund, const Funding& funding) {
  using ledger::Kind, ledger::Why;
  switch (funding.source) {
    case Source::held:
      return {{Why::refund, Kind::held, refund.amount.amount}};
    case Source::platform:
      return {{Why::goodwill, Kind::goodwill, refund.amount.amount}};
    case Source::released:
      return {{Why::refund_fee, Kind::platform_fees, funding.fee_returned},
              {Why::refund_balance, Kind::merchant_payable, funding.from_balance},
              {Why::refund_advance, Kind::merchant_debt, funding.advanced}};
  }
  return {};
}

template <class Do>
void for_parts(const Refund& refund, const Funding& funding, const Do& act) {
  for (const auto& part : parts_of(refund, funding))
    if (part.amount > 0) act(part);
}

// What of the fee has gone back with so much of the sale.
std::int64_t fee_due(const orders::Share& share, std::int64_t back, FeeOnRefund policy) {
  if (policy == FeeOnRefund::proportional)
    return part_half_even(share.fee, back, share.total.amount);
  return std::max<std::int64_t>(0, share.fee - (share.total.amount - back));
}

// Each part is posted once, and what there is nothing of not at all.
void post_return(Tx& tx, const Refund& refund, ledger::Why why, ledger::Kind to,
                 std::int64_t amount) {
  if (amount > 0)
    ledger::post(tx, ledger::transfer_within(refund.merchant_id, why, refund.id.uuid,
                                             ledger::Kind::processor_clearing, to,
                                             {amount, refund.amount.currency}));
}

// What was advanced may have been recovered from the merchant meanwhile: then it is theirs.
void take_back_released(Tx& tx, const Refund& refund, const Funding& funding) {
  using ledger::Kind, ledger::Why;
  const auto owner = ledger::owner_of(refund.merchant_id);
  const auto owed = ledger::available(tx, {Kind::merchant_debt, owner}, refund.amount.currency);
  const auto forgiven = std::min(funding.advanced, owed);
  post_return(tx, refund, Why::refund_return_fee, Kind::platform_fees, funding.fee_returned);
  post_return(tx, refund, Why::refund_return_debt, Kind::merchant_debt, forgiven);
  post_return(tx, refund, Why::refund_return_balance, Kind::merchant_payable,
              refund.amount.amount - funding.fee_returned - forgiven);
}

}  // namespace

Funding funding_of(Tx& tx, const Refund& refund) {
  return tx.one(kFunding, refund.merchant_id, refund.id);
}

std::int64_t fee_share(const orders::Share& share, const Given& given, std::int64_t amount,
                       FeeOnRefund policy) {
  const auto due = fee_due(share, given.by_merchant + amount, policy);
  return std::clamp<std::int64_t>(due - given.fee, 0, amount);
}

std::int64_t fee_gone(const orders::Share& share, std::int64_t amount, FeeOnRefund policy) {
  const auto due = fee_due(share, share.refunded + amount, policy);
  return std::clamp<std::int64_t>(due - share.fee_returned, 0, amount);
}

std::int64_t settle_fee(Tx& tx, const Refund& refund, const Funding& funding, FeeOnRefund policy) {
  if (funding.source != Source::held) return funding.fee_returned;
  const auto share = orders::share_of(tx, refund.merchant_id, refund.order_id);
  const auto fee = fee_gone(share, refund.amount.amount, policy);
  if (fee != funding.fee_returned) tx.run(kFeeReturned, refund.merchant_id, refund.id, fee);
  return fee;
}

Funding fund_released(Tx& tx, MerchantId merchant, const Money& amount, std::int64_t fee_share) {
  const auto owner = ledger::owner_of(merchant);
  ledger::lock_owner(tx, owner);
  const auto there = [&](ledger::Kind kind) {
    return ledger::available(tx, {kind, owner}, amount.currency);
  };
  Funding funding{Funder::merchant, Source::released};
  funding.fee_returned = std::min(fee_share, there(ledger::Kind::platform_fees));
  const auto rest = amount.amount - funding.fee_returned;
  funding.from_balance = std::min(rest, there(ledger::Kind::merchant_payable));
  funding.advanced = rest - funding.from_balance;
  return funding;
}

void set_aside(Tx& tx, const Refund& refund, const Funding& funding) {
  for_parts(refund, funding, [&](const Part& part) {
    ledger::pend(tx, ledger::transfer_within(refund.merchant_id, part.why, refund.id.uuid,
                                             part.from, ledger::Kind::processor_clearing,
                                             {part.amount, refund.amount.currency}));
  });
}

void spend(Tx& tx, const Refund& refund, const Funding& funding) {
  for_parts(refund, funding,
            [&](const Part& part) { ledger::post_pending(tx, part.why, refund.id.uuid); });
}

void let_go(Tx& tx, const Refund& refund, const Funding& funding) {
  for_parts(refund, funding,
            [&](const Part& part) { ledger::void_pending(tx, part.why, refund.id.uuid); });
}

void take_back(Tx& tx, const Refund& refund, const Funding& funding, const orders::Order& order) {
  using ledger::Kind, ledger::Why;
  // The platform's goodwill has been given back to it from what a cancelled order held.
  const bool is_platforms = funding.source == Source::platform;
  if (is_platforms && order.state != orders::State::cancelled)
    return post_return(tx, refund, Why::refund_return_goodwill, Kind::goodwill,
                       refund.amount.amount);
  if (!is_platforms && payouts::is_released(tx, refund.merchant_id, refund.order_id))
    return take_back_released(tx, refund, funding);
  post_return(tx, refund, Why::refund_return, Kind::held, refund.amount.amount);
}

}  // namespace bottega::payments
