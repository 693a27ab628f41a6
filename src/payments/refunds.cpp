// How a refund is carried to its end, whatever is lost on the way.
#include "bottega/payments/refunds.hpp"

#include "payments/refund_rows.hpp"
#include "payments/rows.hpp"
#include "bottega/core/log.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::payments {
namespace {

using processors::Outcome;

const Sql<Refund(MerchantId, RefundId)> kFetch{"payments.fetch_refund", R"(
    SELECT id, merchant_id, payment_id, order_id, amount, currency, reason, state, reference,
           failure, created_at, updated_at
    FROM refunds WHERE merchant_id = $1 AND id = $2)"};

const Sql<Refund(MerchantId, RefundId)> kLock{"payments.lock_refund", R"(
    SELECT id, merchant_id, payment_id, order_id, amount, currency, reason, state, reference,
           failure, created_at, updated_at
    FROM refunds WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<Refund(MerchantId, PaymentId)> kList{"payments.list_refunds", R"(
    SELECT id, merchant_id, payment_id, order_id, amount, currency, reason, state, reference,
           failure, created_at, updated_at
    FROM refunds WHERE merchant_id = $1 AND payment_id = $2 ORDER BY id LIMIT 1000)"};

const Sql<void(MerchantId, RefundId, RefundState, std::optional<std::string>,
               std::optional<std::string>, Instant)>
    kUpdate{"payments.update_refund", R"(
    UPDATE refunds SET state = $3, reference = $4, failure = $5, updated_at = $6
    WHERE merchant_id = $1 AND id = $2)"};

// What is owed for what was not sent holds the payout before the refund lets it go.
void settle_holds(Tx& tx, const Refund& refund, const orders::Order& order,
                  const Funding& funding) {
  if (funding.funded_by != Funder::merchant) return;
  keep_for_unsent(tx, order, refund.state == RefundState::failed);
  if (funding.source == Source::held)
    payouts::lift(tx, refund.merchant_id, order.id, {payouts::Cause::refund, refund.id.uuid});
}

void succeeded(Tx& tx, const Refund& refund, Payment payment, const Funding& funding,
               const Rules& rules) {
  spend(tx, refund, funding);
  payment.refunded += refund.amount.amount;
  payment.refunding -= refund.amount.amount;
  const bool all = payment.refunded == payment.amount.amount;
  move_payment(tx, payment, all ? Event::refund_rest : Event::refund_part);
  if (funding.funded_by == Funder::merchant) {
    const auto fee = settle_fee(tx, refund, funding, rules.fee_on_refund);
    orders::give_back(tx, refund.merchant_id, refund.order_id, refund.amount.amount, fee);
    payouts::adjust(tx, refund.merchant_id, refund.order_id);
  }
  tell_refund(tx, refund, payment, "refund.succeeded");
}

// The money is where it was. A person must look: the buyer may still be owed it.
void failed(Tx& tx, const Refund& refund, Payment payment, const Funding& funding) {
  let_go(tx, refund, funding);
  payment.refunding -= refund.amount.amount;
  write_payment(tx, payment);
  log::error("refund.failed",
             {{"refund", text_of(refund.id)}, {"reason", refund.failure.value_or("")}});
  tell_refund(tx, refund, payment, "refund.failed");
}

// It had succeeded, and the bank has sent the money back. The buyer is owed it again; who asks for
// another refund decides how it reaches them.
void came_back(Tx& tx, const Refund& refund, Payment payment, const Funding& funding) {
  const auto order = orders::lock(tx, refund.merchant_id, refund.order_id);
  take_back(tx, refund, funding, order);
  payment.refunded -= refund.amount.amount;
  const bool all = payment.refunded == 0;
  payment = move_payment(tx, std::move(payment), all ? Event::return_rest : Event::return_part);
  if (funding.funded_by == Funder::merchant) {
    orders::give_back(tx, refund.merchant_id, refund.order_id, -refund.amount.amount,
                      -funding.fee_returned);
    payouts::reinstate(tx, refund.merchant_id, refund.order_id, "a refund came back");
  }
  log::error("refund.returned",
             {{"refund", text_of(refund.id)}, {"reason", refund.failure.value_or("")}});
  tell_refund(tx, refund, payment, "refund.failed");
}

// Whoever looks after what is sent back hears of it, once this is committed.
void tell_returns(Tx& tx, const Refund& refund, const orders::Order& order) {
  using orders::State;
  if (order.state == State::return_requested || order.state == State::returned)
    jobs::enqueue(tx, kRefundEndedJob, text_of(refund.id),
                  {{"merchant_id", text_of(refund.merchant_id)}}, tx.now());
}

// Payment, order, refund and then the payout: the order of all locks here.
struct Locked {
  Payment payment;
  orders::Order order;
  Refund refund;
};

Locked lock_refund(Tx& tx, MerchantId merchant, RefundId id) {
  const auto known = tx.one(kFetch, merchant, id);
  auto payment = lock_payment(tx, merchant, known.payment_id);
  auto order = orders::lock(tx, merchant, known.order_id);
  return {std::move(payment), std::move(order), tx.one(kLock, merchant, id)};
}

// What its outcome moves, before the first transfer: the payout that becomes smaller, and then the
// balances.
void lock_money(Tx& tx, const Refund& refund, const Funding& funding) {
  if (funding.funded_by == Funder::merchant)
    payouts::lock_of_order(tx, refund.merchant_id, refund.order_id);
  ledger::lock_owner(tx, ledger::owner_of(refund.merchant_id));
}

struct Work {
  Payment payment;
  Refund refund;
  attempts::Attempt attempt;
};

Work work_of(Tx& tx, MerchantId merchant, RefundId id, const Rules& rules) {
  auto [payment, order, refund] = lock_refund(tx, merchant, id);
  auto attempt = attempts::take_up(tx, merchant, id.uuid, rules.call_timeout);
  return {std::move(payment), std::move(refund), std::move(attempt)};
}

asio::awaitable<Outcome> carry_out(processors::Processor& processor, const Work& work) {
  const processors::Refund call{work.attempt.key(), work.refund.amount,
                                work.payment.reference.value_or(""), work.attempt.account};
  const attempts::Send send = [&] { return processor.refund(call); };
  co_return co_await attempts::carry_out(processor, work.attempt, send);
}

}  // namespace

void tell_refund(Tx& tx, const Refund& refund, const Payment& payment, const std::string& event) {
  conversations::append(
      tx, refund.merchant_id, payment.conversation_id,
      {event,
       conversations::Author::system,
       std::nullopt,
       std::nullopt,
       {{"refund", to_json(refund)}},
       "Refund of " + display(refund.amount) + ": " + text_of(refund.state) + "."});
}

Refund fetch_refund(Tx& tx, const Who& who, RefundId id) {
  const auto refund = tx.one(kFetch, identity::merchant_of(tx, id.uuid), id);
  fetch_payment(tx, who, refund.payment_id);
  return refund;
}

Refund refund_now(Tx& tx, MerchantId merchant, RefundId id) { return tx.one(kFetch, merchant, id); }

std::vector<Refund> list_refunds(Tx& tx, const Who& who, PaymentId payment) {
  return tx.all(kList, fetch_payment(tx, who, payment).merchant_id, payment);
}

Refund settle_refund(Tx& tx, MerchantId merchant, RefundId id, const Outcome& outcome,
                     const Rules& rules) {
  auto [payment, order, refund] = lock_refund(tx, merchant, id);
  const auto before = refund.state;
  const auto attempt = attempts::settle_latest(tx, merchant, id.uuid, outcome);
  if (!attempt) return refund;
  const bool is_returned = attempt->returned_at.has_value();
  refund.state =
      is_returned ? RefundState::failed : attempts::state_as<RefundState>(attempt->state);
  refund.reference = attempt->reference;
  if (refund.state == RefundState::failed) refund.failure = attempt->reason;
  refund.updated_at = tx.now();
  tx.run(kUpdate, merchant, id, refund.state, refund.reference, refund.failure, refund.updated_at);
  if (refund.state == before) return refund;
  const auto funding = funding_of(tx, refund);
  if (is_returned) {
    lock_money(tx, refund, funding);
    came_back(tx, refund, std::move(payment), funding);
    settle_holds(tx, refund, order, funding);
    tell_returns(tx, refund, order);
    return refund;
  }
  const bool ended = refund.state != RefundState::pending && refund.state != RefundState::unknown;
  if (ended) lock_money(tx, refund, funding);
  if (refund.state == RefundState::succeeded)
    succeeded(tx, refund, std::move(payment), funding, rules);
  if (refund.state == RefundState::failed) failed(tx, refund, std::move(payment), funding);
  if (ended) settle_holds(tx, refund, order, funding);
  if (ended) tell_returns(tx, refund, order);
  return refund;
}

asio::awaitable<void> refund(Database& db, const processors::Registry& registry,
                             MerchantId merchant, RefundId id, const Rules& rules) {
  const auto work = co_await db.transact([&](Tx& tx) { return work_of(tx, merchant, id, rules); });
  if (work.refund.state == RefundState::succeeded || work.refund.state == RefundState::failed)
    co_return;
  auto& processor = registry.get(work.payment.processor);
  const auto outcome = co_await carry_out(processor, work);
  const auto settled =
      co_await db.transact([&](Tx& tx) { return settle_refund(tx, merchant, id, outcome, rules); });
  if (settled.state == RefundState::pending || settled.state == RefundState::unknown)
    throw Error(Code::busy, "no definite outcome yet");
}

}  // namespace bottega::payments
