// How a refund begins: who may ask, how much is left, whose money it is.
#include "payments/refund_rows.hpp"
#include "payments/rows.hpp"
#include "bottega/payments/claims.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::payments {
namespace {

constexpr std::int64_t kRefundsMax = 100;  // of one payment

const Sql<Refund(MerchantId, RefundId, PaymentId, orders::OrderId, std::int64_t, Currency,
                 std::string, std::string, Funder, Source, std::int64_t, std::int64_t, std::int64_t,
                 Instant, bool)>
    kInsert{"payments.insert_refund", R"(
    INSERT INTO refunds (merchant_id, id, payment_id, order_id, amount, currency, reason,
                         created_by, funded_by, source, fee_returned, from_balance, advanced, state,
                         created_at, updated_at, for_return)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'pending', $14, $14, $15)
    RETURNING id, merchant_id, payment_id, order_id, amount, currency, reason, state, reference,
              failure, created_at, updated_at)"};

const Sql<Given(MerchantId, PaymentId)> kGiven{"payments.given_back", R"(
    SELECT coalesce(sum(r.amount) FILTER (WHERE r.funded_by = 'merchant'), 0)::bigint + p.disputed
             AS by_merchant,
           coalesce(sum(r.amount) FILTER (WHERE r.funded_by = 'platform'), 0)::bigint
             AS by_platform,
           coalesce(sum(r.amount) FILTER (WHERE r.funded_by = 'platform'
                                            AND r.state <> 'succeeded'), 0)::bigint
             AS platform_open,
           coalesce(sum(r.fee_returned), 0)::bigint + p.disputed_fee AS fee, count(r.id) AS count,
           coalesce(sum(r.amount) FILTER (WHERE r.for_return), 0)::bigint AS for_returns
    FROM payments p LEFT JOIN refunds r ON r.merchant_id = p.merchant_id AND r.payment_id = p.id
                                           AND r.state <> 'failed'
    WHERE p.merchant_id = $1 AND p.id = $2 GROUP BY p.disputed, p.disputed_fee)"};

Money amount_of(const Payment& payment, const std::optional<Count<1, kAmountMax>>& given) {
  if (payment.state != State::captured && payment.state != State::partially_refunded &&
      payment.state != State::refunded)
    throw Error(Code::conflict, "cannot refund what is " + text_of(payment.state));
  const auto left = left_of(payment);
  if (payment.disputed > 0 && (left == 0 || (given && given->value > left)))
    throw Error(Code::conflict, "a dispute is open, or was lost: what it is about is not refunded");
  if (left == 0) throw Error(Code::conflict, "all of it was given back, or is on its way back");
  if (given && given->value > left)
    throw Error(Code::invalid, "that is more than is left",
                {{"/amount", "must be at most " + std::to_string(left)}});
  return {given ? given->value : left, payment.amount.currency};
}

// Decides where the money comes from, while the order's lock keeps it there.
Funding fund(Tx& tx, const Payment& payment, const orders::Order& order, const Asked& asked,
             const Rules& rules) {
  const auto given = given_back(tx, payment.merchant_id, payment.id);
  if (given.count >= kRefundsMax)
    throw Error(Code::conflict, "a payment has at most a hundred refunds");
  if (asked.funded_by == Funder::platform) {
    if (order.state == orders::State::cancelled)
      throw Error(Code::conflict, "the money of a cancelled order is still there to be given back");
    return {Funder::platform, Source::platform};
  }
  const auto share = orders::share_of(tx, payment.merchant_id, order.id);
  const auto fee = fee_share(share, given, asked.amount.amount, rules.fee_on_refund);
  if (payouts::is_released(tx, payment.merchant_id, order.id))
    return fund_released(tx, payment.merchant_id, asked.amount, fee);
  return {Funder::merchant, Source::held, fee};
}

// Nothing of it is on its way: what takes all the money back cancels it.
bool is_unsent(const orders::Order& order) {
  return order.state == orders::State::paid && order.fulfilment == orders::Fulfilment::none;
}

Refund begin_refund(Tx& tx, const Payment& payment, const orders::Order& order, const Asked& asked,
                    const Rules& rules) {
  const auto refund = start_refund(tx, payment, order, asked, rules);
  tell_refund(tx, refund, payment, "refund.created");
  return refund;
}

Cancelled cancel_and_refund(Tx& tx, Sale sale, const std::string& reason,
                            const std::string& created_by, const Rules& rules,
                            Restock restock = Restock::yes) {
  auto& [payment, order] = sale;
  const auto given = given_back(tx, payment.merchant_id, payment.id);
  if (given.platform_open > 0)
    throw Error(Code::conflict, "a refund by the platform is under way; try again in a moment");
  orders::kLifecycle.advance(order.state, orders::Event::cancel);
  if (order.fulfilment != orders::Fulfilment::none)
    throw Error(Code::conflict, "a part was sent: close the rest in its place");
  // What the platform gave the buyer instead of the merchant is the platform's again.
  if (given.by_platform > 0)
    ledger::post(
        tx, ledger::transfer_within(payment.merchant_id, ledger::Why::goodwill_return,
                                    payment.id.uuid, ledger::Kind::held, ledger::Kind::goodwill,
                                    {given.by_platform, payment.amount.currency}));
  const Money rest{left_of(payment), payment.amount.currency};
  std::optional<Refund> refund;
  if (rest.amount > 0)
    refund = start_refund(tx, payment, order, {rest, reason, Funder::merchant, created_by}, rules);
  if (restock == Restock::yes) put_back(tx, order);
  order = orders::cancel(tx, std::move(order), reason);
  if (refund) tell_refund(tx, *refund, payment, "refund.created");
  return {order, refund};
}

Refund give_back_of(Tx& tx, const Who& who, MerchantId merchant, PaymentId id,
                    const Asked& without_amount, const std::optional<Count<1, kAmountMax>>& amount,
                    Instant oldest, const Rules& rules) {
  auto sale = lock_sale(tx, merchant, id, "refund");
  if (sale.payment.created_at < oldest)
    throw Error(Code::conflict, "the payment is too old to be refunded");
  auto asked = without_amount;
  asked.amount = amount_of(sale.payment, amount);
  const bool all = asked.amount.amount == left_of(sale.payment);
  if (all && asked.funded_by == Funder::merchant && is_unsent(sale.order)) {
    // It ends the order as well, which is no business of a key that only moves money.
    if (who.kind == identity::Kind::api_key)
      identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::orders);
    return *cancel_and_refund(tx, std::move(sale), asked.reason, asked.created_by, rules).refund;
  }
  return begin_refund(tx, sale.payment, sale.order, asked, rules);
}

}  // namespace

Refund start_refund(Tx& tx, Payment payment, const orders::Order& order, const Asked& asked,
                    const Rules& rules) {
  const auto funding = fund(tx, payment, order, asked, rules);
  const auto id = RefundId::make();
  const auto merchant = payment.merchant_id;
  identity::enter_directory(tx, id.uuid, merchant);
  const auto refund = tx.one(kInsert, merchant, id, payment.id, order.id, asked.amount.amount,
                             asked.amount.currency, asked.reason, asked.created_by,
                             funding.funded_by, funding.source, funding.fee_returned,
                             funding.from_balance, funding.advanced, tx.now(), asked.for_return);
  set_aside(tx, refund, funding);
  payment.refunding += asked.amount.amount;
  write_payment(tx, payment);
  if (funding.source == Source::held)
    payouts::hold(tx, merchant, order.id, {payouts::Cause::refund, id.uuid},
                  "a refund is under way");
  auto to = attempts::destination_of(identity::fetch_merchant(tx, merchant));
  to.processor = payment.processor;
  attempts::begin(tx, merchant, processors::Operation::refund, id.uuid, to, asked.amount);
  jobs::enqueue(tx, kRefundJob, text_of(id), {{"merchant_id", text_of(merchant)}}, tx.now());
  return refund;
}

Sale lock_sale(Tx& tx, MerchantId merchant, PaymentId id, std::string_view to) {
  auto payment = lock_payment(tx, merchant, id);
  const auto order = orders::find_of_payment(tx, merchant, id);
  if (!order)
    throw Error(Code::conflict, "cannot " + std::string(to) + " what is " + text_of(payment.state));
  return {std::move(payment), orders::lock(tx, merchant, order->id)};
}

std::int64_t left_of(const Payment& payment) {
  return payment.amount.amount - payment.refunded - payment.refunding - payment.disputed;
}

Given given_back(Tx& tx, MerchantId merchant, PaymentId payment) {
  return tx.one(kGiven, merchant, payment);
}

void refund_rest(Tx& tx, MerchantId merchant, PaymentId id, const std::string& reason,
                 const Rules& rules) {
  auto [payment, order] = lock_sale(tx, merchant, id, "refund");
  const Money rest{left_of(payment), payment.amount.currency};
  if (rest.amount > 0)
    begin_refund(tx, payment, order, {rest, reason, Funder::merchant, "system"}, rules);
}

std::optional<Refund> take_back(Tx& tx, MerchantId merchant, PaymentId id,
                                const std::string& reason, const std::string& created_by,
                                const Rules& rules) {
  auto sale = lock_sale(tx, merchant, id, "refund");
  if (is_unsent(sale.order))
    return cancel_and_refund(tx, std::move(sale), reason, created_by, rules).refund;
  const Money rest{left_of(sale.payment), sale.payment.amount.currency};
  if (rest.amount == 0) return std::nullopt;
  return begin_refund(tx, sale.payment, sale.order, {rest, reason, Funder::merchant, created_by},
                      rules);
}

void refund_late(Tx& tx, const Payment& payment, const Rules& rules) {
  auto sale = lock_sale(tx, payment.merchant_id, payment.id, "refund");
  // Nothing was taken from the stock for it: what was set aside went back when it had failed.
  cancel_and_refund(tx, std::move(sale), "it was paid after the payment had failed", "system",
                    rules, Restock::no);
}

Refund give_back(Tx& tx, const Who& who, PaymentId id, const NewRefund& given, const Rules& rules) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::payments);
  return give_back_of(tx, who, merchant, id,
                      {{}, given.reason.value, Funder::merchant, who.actor()}, given.amount,
                      tx.now() - rules.refund_within, rules);
}

Refund give_back_returned(Tx& tx, const Who& who, PaymentId id, const NewRefund& given,
                          const Rules& rules) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::payments);
  return give_back_of(tx, who, merchant, id,
                      {{}, given.reason.value, Funder::merchant, who.actor(), true}, given.amount,
                      {}, rules);
}

Refund give_back(Tx& tx, const Who& who, PaymentId id, const StaffRefund& given,
                 const Rules& rules) {
  return give_back_of(tx, who, identity::merchant_of(tx, id.uuid), id,
                      {{}, given.reason.value, given.funded_by, who.actor()}, given.amount, {},
                      rules);
}

Cancelled cancel_order(Tx& tx, const Who& who, orders::OrderId id, const std::string& reason,
                       const Rules& rules, Restock restock) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::orders);
  // It gives the money back as well, which is no business of a key that only ships.
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::payments);
  auto sale = lock_sale(tx, merchant, orders::payment_of(tx, merchant, id), "refund");
  return cancel_and_refund(tx, std::move(sale), reason, who.actor(), rules, restock);
}

void cancel_unsent(Tx& tx, MerchantId merchant, orders::OrderId id, const Rules& rules,
                   const payouts::Rules& payout_rules) {
  auto sale = lock_sale(tx, merchant, orders::payment_of(tx, merchant, id), "refund");
  if (sale.order.state != orders::State::paid) return;
  if (is_unsent(sale.order))
    cancel_and_refund(tx, std::move(sale), "not sent in time", "system", rules);
  else
    close_rest_of(tx, std::move(sale), {"not all was sent in time", "system", std::nullopt}, rules,
                  payout_rules);
}

}  // namespace bottega::payments
