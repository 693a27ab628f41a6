// Money back to the buyer: an object of its own, with its own attempts and its own end.
#include "payments/rows.hpp"
#include "bottega/core/log.hpp"
#include "bottega/payments/payments.hpp"

namespace bottega::payments {
namespace {

using processors::Outcome, processors::Verdict;

const Sql<Refund(MerchantId, RefundId, PaymentId, orders::OrderId, std::int64_t, Currency,
                 std::string, Instant)>
    kInsert{"payments.insert_refund", R"(
    INSERT INTO refunds (merchant_id, id, payment_id, order_id, amount, currency, reason, state,
                         created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $8)
    RETURNING id, merchant_id, payment_id, order_id, amount, currency, reason, state, reference,
              created_at, updated_at)"};

const Sql<Refund(MerchantId, RefundId)> kFetch{"payments.fetch_refund", R"(
    SELECT id, merchant_id, payment_id, order_id, amount, currency, reason, state, reference,
           created_at, updated_at
    FROM refunds WHERE merchant_id = $1 AND id = $2)"};

const Sql<Refund(MerchantId, RefundId)> kLock{"payments.lock_refund", R"(
    SELECT id, merchant_id, payment_id, order_id, amount, currency, reason, state, reference,
           created_at, updated_at
    FROM refunds WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<Refund(MerchantId, PaymentId)> kList{"payments.list_refunds", R"(
    SELECT id, merchant_id, payment_id, order_id, amount, currency, reason, state, reference,
           created_at, updated_at
    FROM refunds WHERE merchant_id = $1 AND payment_id = $2 ORDER BY id LIMIT 100)"};

const Sql<void(MerchantId, RefundId, RefundState, std::optional<std::string>, Instant)> kUpdate{
    "payments.update_refund", R"(
    UPDATE refunds SET state = $3, reference = $4, updated_at = $5
    WHERE merchant_id = $1 AND id = $2)"};

RefundState state_of(attempts::State attempt) {
  switch (attempt) {
    case attempts::State::sent:
    case attempts::State::waiting:
      return RefundState::pending;
    case attempts::State::succeeded:
      return RefundState::succeeded;
    case attempts::State::failed:
      return RefundState::failed;
    case attempts::State::unknown:
      return RefundState::unknown;
  }
  return RefundState::unknown;
}

void tell(Tx& tx, const Refund& refund, const Payment& payment, const std::string& event) {
  conversations::append(
      tx, refund.merchant_id, payment.conversation_id,
      {event,
       conversations::Author::system,
       std::nullopt,
       std::nullopt,
       {{"refund", to_json(refund)}},
       "Refund of " + display(refund.amount) + ": " + text_of(refund.state) + "."});
}

void succeeded(Tx& tx, const Refund& refund, Payment payment) {
  ledger::post(tx, ledger::transfer_within(refund.merchant_id, ledger::Why::refund, refund.id.uuid,
                                           ledger::Kind::held, ledger::Kind::processor_clearing,
                                           refund.amount));
  payment.refunded += refund.amount.amount;
  const bool all = payment.refunded == payment.amount.amount;
  move_payment(tx, payment, all ? Event::refund_rest : Event::refund_part);
  tell(tx, refund, payment, "refund.succeeded");
}

struct Work {
  Refund refund;
  Payment payment;
  attempts::Attempt attempt;
  std::string account;
};

Work work_of(Tx& tx, MerchantId merchant, RefundId id, const Rules& rules) {
  Work work;
  work.payment = lock_payment(tx, merchant, tx.one(kFetch, merchant, id).payment_id);
  work.refund = tx.one(kLock, merchant, id);
  work.attempt = attempts::lock_latest(tx, merchant, id.uuid, rules.call_timeout);
  work.account = identity::fetch_merchant(tx, merchant).processor_account.value_or("");
  return work;
}

// The first time it is sent; after that it is asked about, and sent again under the same key only
// where the processor has proof that it never saw it.
asio::awaitable<Outcome> carry_out(processors::Processor& processor, const Work& work) {
  const auto key = work.attempt.key();
  const processors::Refund call{key, work.refund.amount, work.payment.reference.value_or(""),
                                work.account};
  if (work.attempt.asked == 0 && !work.attempt.overdue) co_return co_await processor.refund(call);
  auto outcome = co_await processor.look_up(processors::Operation::refund, key);
  if (outcome.verdict == Verdict::not_found) outcome = co_await processor.refund(call);
  co_return outcome;
}

}  // namespace

Cancelled cancel_order(Tx& tx, orders::Order order, const std::string& reason) {
  order = orders::cancel(tx, std::move(order), reason);
  const auto payment = lock_payment(tx, order.merchant_id, order.payment_id);
  const auto id = RefundId::make();
  const Money rest{payment.amount.amount - payment.refunded, payment.amount.currency};
  const auto refund = tx.one(kInsert, order.merchant_id, id, payment.id, order.id, rest.amount,
                             rest.currency, reason, tx.now());
  attempts::begin(tx, order.merchant_id, processors::Operation::refund, id.uuid, payment.processor,
                  rest);
  jobs::enqueue(tx, kRefundJob, text_of(id), {{"merchant_id", text_of(order.merchant_id)}},
                tx.now());
  tell(tx, refund, payment, "refund.created");
  return {order, refund};
}

std::vector<Refund> list_refunds(Tx& tx, const Who& who, PaymentId payment) {
  return tx.all(kList, fetch_payment(tx, who, payment).merchant_id, payment);
}

Refund settle_refund(Tx& tx, MerchantId merchant, RefundId id, const Outcome& outcome) {
  const auto payment = lock_payment(tx, merchant, tx.one(kFetch, merchant, id).payment_id);
  auto refund = tx.one(kLock, merchant, id);
  const auto before = refund.state;
  const auto attempt = attempts::settle_latest(tx, merchant, id.uuid, outcome);
  if (!attempt) return refund;
  refund.state = state_of(attempt->state);
  refund.reference = attempt->reference;
  refund.updated_at = tx.now();
  tx.run(kUpdate, merchant, id, refund.state, refund.reference, refund.updated_at);
  if (refund.state == before) return refund;
  if (refund.state == RefundState::succeeded) succeeded(tx, refund, payment);
  if (refund.state == RefundState::failed) {
    // The buyer is still owed it: a person must look.
    log::error("refund.failed", {{"refund", text_of(id)}, {"reason", attempt->reason}});
    tell(tx, refund, payment, "refund.failed");
  }
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
      co_await db.transact([&](Tx& tx) { return settle_refund(tx, merchant, id, outcome); });
  if (settled.state == RefundState::pending || settled.state == RefundState::unknown)
    throw Error(Code::busy, "no definite outcome yet");
}

}  // namespace bottega::payments
