// What becomes of an order of which a part was sent, and nothing more will be.
#include <algorithm>

#include "payments/refund_rows.hpp"
#include "payments/rows.hpp"
#include "bottega/payments/claims.hpp"

namespace bottega::payments {
namespace {

// Of the payment, by the prices of what was not sent.
std::int64_t unsent_share(Tx& tx, const orders::Order& order) {
  const auto unsent = orders::unsent_of(tx, order);
  return part_half_even(order.total.amount, unsent.part, unsent.whole);
}

std::int64_t given_of(Tx& tx, const orders::Order& order) {
  return given_back(tx, order.merchant_id, order.payment_id).by_merchant;
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

bool is_owed_for_unsent(Tx& tx, const orders::Order& order) {
  return is_closed_in_part(order) && unsent_share(tx, order) > given_of(tx, order);
}

// Locks as everywhere: the new payout comes after the refund, and the conversation last.
Closed close_rest_of(Tx& tx, Sale sale, const CloseOf& asked, const Rules& rules,
                     const payouts::Rules& payout_rules) {
  const auto merchant = sale.payment.merchant_id;
  Closed closed{orders::close(tx, sale.order, asked.reason), std::nullopt, std::nullopt};
  const Money back{amount_of(tx, sale, asked.amount), sale.payment.amount.currency};
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
