// What becomes of an order of which a part was sent, and nothing more will be.
#include <algorithm>

#include "payments/refund_rows.hpp"
#include "payments/rows.hpp"
#include "bottega/payments/claims.hpp"

namespace bottega::payments {
namespace {

const Sql<void(MerchantId, PaymentId, std::int64_t)> kNoteDue{"payments.note_unsent_due", R"(
    UPDATE payments SET unsent_due = $3 WHERE merchant_id = $1 AND id = $2)"};

// Of what was closed before it was written down, the share.
const Sql<std::int64_t(MerchantId, PaymentId, std::int64_t)> kDue{"payments.unsent_due", R"(
    SELECT coalesce(unsent_due, $3::bigint) FROM payments WHERE merchant_id = $1 AND id = $2)"};

// Of the payment, by the prices of what was not sent.
std::int64_t unsent_share(Tx& tx, const orders::Order& order) {
  const auto unsent = orders::unsent_of(tx, order);
  return part_half_even(order.total.amount, unsent.part, unsent.whole);
}

std::int64_t given_of(Tx& tx, const orders::Order& order) {
  return given_back(tx, order.merchant_id, order.payment_id).by_merchant;
}

// For anything but what was sent back.
std::int64_t given_unreturned(Tx& tx, const orders::Order& order) {
  const auto given = given_back(tx, order.merchant_id, order.payment_id);
  return given.by_merchant - given.for_returns;
}

bool is_owed_for_unsent(Tx& tx, const orders::Order& order) {
  const auto due = tx.one(kDue, order.merchant_id, order.payment_id, unsent_share(tx, order));
  return due > given_unreturned(tx, order);
}

// What the buyer has had back already is a part of it.
std::int64_t due_back(Tx& tx, const Sale& sale) {
  const auto due = unsent_share(tx, sale.order) - given_of(tx, sale.order);
  return std::clamp<std::int64_t>(due, 0, left_of(sale.payment));
}

std::int64_t amount_of(Tx& tx, const Sale& sale, const std::optional<std::int64_t>& given) {
  if (!given) return due_back(tx, sale);
  const auto left = left_of(sale.payment);
  if (*given > left)
    throw Error(Code::invalid, "that is more than is left",
                {{"/amount", "must be 0 to " + std::to_string(left)}});
  return *given;
}

}  // namespace

bool is_closed_in_part(const orders::Order& order) {
  return order.shipped_at && order.fulfilment == orders::Fulfilment::partial;
}

std::int64_t given_for_sent(Tx& tx, const orders::Order& order) {
  const auto due = is_closed_in_part(order) ? unsent_share(tx, order) : 0;
  return std::max<std::int64_t>(given_of(tx, order) - due, 0);
}

void keep_for_unsent(Tx& tx, const orders::Order& order, bool is_worse) {
  if (!is_closed_in_part(order)) return;
  const payouts::Hold hold{payouts::Cause::refund, order.id.uuid};
  if (!is_owed_for_unsent(tx, order))
    payouts::lift(tx, order.merchant_id, order.id, hold);
  else if (is_worse)
    payouts::hold(tx, order.merchant_id, order.id, hold, "what was not sent has not been refunded");
}

// Locks as everywhere: the new payout comes after the refund, and the conversation last.
Closed close_rest_of(Tx& tx, Sale sale, const CloseOf& asked, const Rules& rules,
                     const payouts::Rules& payout_rules) {
  const auto merchant = sale.payment.merchant_id;
  Closed closed{orders::close(tx, sale.order, asked.reason), std::nullopt, std::nullopt};
  const Money back{amount_of(tx, sale, asked.amount), sale.payment.amount.currency};
  // More than its share is a kindness, and less is what was agreed.
  const auto due =
      std::min(unsent_share(tx, closed.order), given_unreturned(tx, closed.order) + back.amount);
  tx.run(kNoteDue, merchant, sale.payment.id, due);
  if (back.amount > 0)
    closed.refund = start_refund(tx, sale.payment, closed.order,
                                 {back, asked.reason, Funder::merchant, asked.created_by}, rules);
  const auto share = orders::share_of(tx, merchant, closed.order.id);
  closed.payout = payouts::schedule(tx, closed.order, share, payout_rules);
  closed.order = orders::tell_closed(tx, std::move(closed.order));
  if (closed.refund) tell_refund(tx, *closed.refund, sale.payment, "refund.created");
  return closed;
}

Closed close_rest(Tx& tx, const Who& who, orders::OrderId id, const NewClosing& given,
                  const Rules& rules, const payouts::Rules& payout_rules) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::orders);
  // It gives money back as well, which is no business of a key that only ships.
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::payments);
  auto sale = lock_sale(tx, merchant, orders::payment_of(tx, merchant, id), "refund");
  CloseOf asked{given.reason.value, who.actor(), std::nullopt};
  if (given.amount) asked.amount = given.amount->value;
  return close_rest_of(tx, std::move(sale), asked, rules, payout_rules);
}

}  // namespace bottega::payments
