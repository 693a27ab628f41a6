// The money for what has come back. The refund is an object of its own, which a job carries out;
// how it ended is heard by another job.
#include "returns/rows.hpp"
#include "bottega/payments/claims.hpp"

namespace bottega::returns {
namespace {

using payments::RefundState;

constexpr std::string_view kWhy = "what was sent back";

// What is given back: as much of what was proposed as is left, unless another amount is said.
std::int64_t amount_of(const Return& item, const payments::Payment& payment,
                       const ReturnRefund& given) {
  if (given.amount) return given.amount->value;
  const auto amount = std::min(item.proposed.value_or(0), payments::left_of(payment));
  if (amount == 0 && item.proposed.value_or(0) > 0)
    throw Error(Code::conflict,
                "all of it was given back, is on its way back, or is disputed; an amount of 0 ends "
                "the return without a refund");
  return amount;
}

void end(Tx& tx, Held& held) {
  held.item.ended_at = tx.now();
  move(tx, held.item, Event::refund);
  let_payout_go(tx, held.item);
  tell(tx, held, "return.refunded", "refunded");
}

void begin(Tx& tx, const Who& who, Held& held, const ReturnRefund& given,
           const payments::Rules& rules) {
  payments::NewRefund wanted;
  wanted.amount = Count<1, kAmountMax>{held.item.amount.value()};
  wanted.reason = given.reason ? *given.reason : from_text<Text<1, 255>>(kWhy);
  held.item.refund_id =
      payments::give_back_returned(tx, who, held.order.payment_id, wanted, rules).id;
  write(tx, held.item);
  tell(tx, held, "return.refunding", "a refund has begun", by_merchant(who));
}

// It is received once more: the shop may try again, and is not paid before.
void failed(Tx& tx, Held& held) {
  held.item.refund_id.reset();
  held.item.amount.reset();
  held.item.ended_at.reset();
  if (held.item.state == State::refunded)
    held.item.state = kLifecycle.advance(held.item.state, Event::come_back);
  write(tx, held.item);
  hold_payout(tx, held.item);
  tell(tx, held, "return.refund_failed", "the refund has failed");
}

}  // namespace

Return refund(Tx& tx, const Who& who, ReturnId id, const ReturnRefund& given,
              const payments::Rules& rules) {
  using identity::Role, identity::Scope;
  const auto merchant = identity::merchant_of(tx, id.uuid);
  const auto seen = fetch_one(tx, merchant, id);
  require_shop(tx, who, seen, Role::manager, Scope::orders);
  require_shop(tx, who, seen, Role::manager, Scope::payments);
  const auto payment = orders::payment_of(tx, merchant, seen.order_id);
  const auto sale = payments::lock_sale(tx, merchant, payment, "refund");
  auto held = lock(tx, merchant, id);
  kLifecycle.advance(held.item.state, Event::refund);
  if (held.item.refund_id) throw Error(Code::conflict, "its refund is under way");
  held.item.amount = amount_of(held.item, sale.payment, given);
  if (held.item.amount == 0)
    end(tx, held);
  else
    begin(tx, who, held, given, rules);
  return held.item;
}

void refund_ended(Tx& tx, MerchantId merchant, payments::RefundId id) {
  const auto of = find_of_refund(tx, merchant, id);
  if (!of) return;
  auto held = lock(tx, merchant, *of);
  // Read again behind the lock: it may be heard of twice.
  if (held.item.refund_id != id) return;
  const auto state = payments::refund_now(tx, merchant, id).state;
  if (state == RefundState::failed) return failed(tx, held);
  if (state == RefundState::succeeded && held.item.state == State::received) end(tx, held);
}

}  // namespace bottega::returns
