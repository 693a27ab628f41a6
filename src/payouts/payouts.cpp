#include "bottega/payouts/payouts.hpp"

#include "bottega/core/calendar.hpp"

namespace bottega::payouts {
namespace {

using processors::Outcome, processors::Verdict;

const Sql<Payout(MerchantId, PayoutId, OrderId, std::int64_t, std::int64_t, Currency, Instant,
                 Instant, Date, Instant)>
    kInsert{"payouts.insert", R"(
    INSERT INTO payouts (merchant_id, id, order_id, amount, fee, currency, state, shipped_at,
                         due_at, due_on, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'scheduled', $7, $8, $9, $10)
    RETURNING id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
              reason, reference, tries, created_at, submitted_at, paid_at)"};

const Sql<Payout(MerchantId, PayoutId)> kFetch{"payouts.fetch", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, tries, created_at, submitted_at, paid_at
    FROM payouts WHERE merchant_id = $1 AND id = $2)"};

const Sql<Payout(MerchantId, PayoutId)> kLock{"payouts.lock", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, tries, created_at, submitted_at, paid_at
    FROM payouts WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<Payout(MerchantId, PayoutId, std::int64_t)> kList{"payouts.list", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, tries, created_at, submitted_at, paid_at
    FROM payouts WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<void(MerchantId, PayoutId, State, std::optional<std::string>, std::optional<std::string>,
               std::int64_t, std::optional<Instant>, std::optional<Instant>)>
    kUpdate{"payouts.update", R"(
    UPDATE payouts SET state = $3, reason = $4, reference = $5, tries = $6, submitted_at = $7,
           paid_at = $8
    WHERE merchant_id = $1 AND id = $2)"};

Payout move(Tx& tx, Payout payout, Event on) {
  payout.state = kLifecycle.advance(payout.state, on);
  tx.run(kUpdate, payout.merchant_id, payout.id, payout.state, payout.reason, payout.reference,
         payout.tries, payout.submitted_at, payout.paid_at);
  return payout;
}

void want_payment(Tx& tx, const Payout& payout, Instant at) {
  jobs::enqueue(tx, kPayJob, text_of(payout.id), {{"merchant_id", text_of(payout.merchant_id)}},
                at);
}

// Held money becomes the merchant's, less the platform's fee. Posting it again does nothing.
void earn(Tx& tx, const Payout& payout) {
  ledger::post(tx, ledger::transfer_within(payout.merchant_id, ledger::Why::release, payout.id.uuid,
                                           ledger::Kind::held, ledger::Kind::merchant_payable,
                                           payout.amount));
  if (payout.fee == 0) return;
  ledger::post(
      tx, ledger::transfer_within(payout.merchant_id, ledger::Why::platform_fee, payout.id.uuid,
                                  ledger::Kind::held, ledger::Kind::platform_fees,
                                  {payout.fee, payout.amount.currency}));
}

struct Work {
  Payout payout;
  attempts::Attempt attempt;
  std::string account, processor;
};

// What is to be done about a payout now; nothing where it is held, paid, cancelled or not due.
std::optional<Work> begin(Tx& tx, MerchantId merchant_id, PayoutId id, const Rules& rules) {
  auto payout = tx.one(kLock, merchant_id, id);
  const auto merchant = identity::fetch_merchant(tx, merchant_id);
  if (payout.state == State::failed) payout = move(tx, std::move(payout), Event::schedule);
  if (payout.state == State::scheduled) {
    if (payout.due_at > tx.now()) return std::nullopt;
    ++payout.tries;
    payout.submitted_at = tx.now();
    payout.reason.reset();
    payout = move(tx, std::move(payout), Event::submit);
    earn(tx, payout);
    attempts::begin(tx, merchant_id, processors::Operation::payout, id.uuid, merchant.processor,
                    payout.amount);
  }
  if (payout.state != State::submitted) return std::nullopt;
  return Work{payout, attempts::lock_latest(tx, merchant_id, id.uuid, rules.call_timeout),
              merchant.processor_account.value_or(""), merchant.processor};
}

// Asked about before it is sent again, and sent again under the same key only.
asio::awaitable<Outcome> carry_out(processors::Processor& processor, const Work& work) {
  const auto key = work.attempt.key();
  const processors::Payout call{key, work.payout.amount, work.account};
  if (work.attempt.asked == 0 && !work.attempt.overdue) co_return co_await processor.pay_out(call);
  auto outcome = co_await processor.look_up(processors::Operation::payout, key);
  if (outcome.verdict == Verdict::not_found) outcome = co_await processor.pay_out(call);
  co_return outcome;
}

PayoutId newest() {
  PayoutId id;
  id.uuid.bytes.fill(0xff);
  return id;
}

}  // namespace

Shipped ship(Tx& tx, const Who& who, OrderId order_id, const orders::Shipment& shipment,
             const Rules& rules) {
  auto order = orders::lock_for_merchant(tx, who, order_id, identity::Role::agent);
  order = orders::ship(tx, std::move(order), shipment);
  const auto share = orders::share_of(tx, order.merchant_id, order.id);
  const auto merchant = identity::fetch_merchant(tx, order.merchant_id);
  const auto& calendar = Calendars::built_in().of(merchant.country.value);
  const auto due_at = calendar.add_business_days(tx.now(), static_cast<int>(rules.business_days));
  const auto id = PayoutId::make();
  identity::enter_directory(tx, id.uuid, order.merchant_id);
  const auto payout =
      tx.one(kInsert, order.merchant_id, id, order.id, share.total.amount - share.fee, share.fee,
             share.total.currency, tx.now(), due_at, std::chrono::floor<std::chrono::days>(due_at),
             tx.now());
  want_payment(tx, payout, due_at);
  Shipped shipped{order, payout};
  if (!identity::is_member(tx, who, order.merchant_id, identity::Role::manager,
                           identity::Scope::read))
    shipped.payout.reset();
  return shipped;
}

Payout fetch(Tx& tx, const Who& who, PayoutId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::read);
  return tx.one(kFetch, merchant, id);
}

std::vector<Payout> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<PayoutId> after,
                                     std::int64_t limit) {
  return tx.all(kList, merchant, after.value_or(newest()), limit);
}

Payout hold(Tx& tx, PayoutId id, const Reason& reason) {
  auto payout = tx.one(kLock, identity::merchant_of(tx, id.uuid), id);
  payout.reason = reason.reason.value;
  payout = move(tx, std::move(payout), Event::hold);
  jobs::cancel(tx, kPayJob, text_of(id));
  return payout;
}

Payout release(Tx& tx, PayoutId id) {
  auto payout = tx.one(kLock, identity::merchant_of(tx, id.uuid), id);
  payout.reason.reset();
  payout = move(tx, std::move(payout), Event::release);
  want_payment(tx, payout, std::max(payout.due_at, tx.now()));
  return payout;
}

Payout settle(Tx& tx, MerchantId merchant, PayoutId id, const Outcome& outcome) {
  auto payout = tx.one(kLock, merchant, id);
  const auto attempt = attempts::settle_latest(tx, merchant, id.uuid, outcome);
  if (!attempt) return payout;
  payout.reference = attempt->reference;
  if (attempt->state == attempts::State::succeeded && payout.state != State::paid) {
    payout.paid_at = tx.now();
    ledger::post(tx, ledger::transfer_within(merchant, ledger::Why::payout, id.uuid,
                                             ledger::Kind::merchant_payable,
                                             ledger::Kind::processor_clearing, payout.amount));
    return move(tx, std::move(payout), Event::pay);
  }
  if (attempt->state == attempts::State::failed && payout.state == State::submitted) {
    payout.reason = attempt->reason;
    return move(tx, std::move(payout), Event::fail);
  }
  return payout;
}

asio::awaitable<void> pay(Database& db, const processors::Registry& registry, MerchantId merchant,
                          PayoutId id, const Rules& rules) {
  const auto work = co_await db.transact([&](Tx& tx) { return begin(tx, merchant, id, rules); });
  if (!work) co_return;
  auto& processor = registry.get(work->processor);
  const Work& todo = *work;
  const auto outcome = co_await carry_out(processor, todo);
  const auto settled =
      co_await db.transact([&](Tx& tx) { return settle(tx, merchant, id, outcome); });
  if (settled.state == State::failed)
    throw Error(Code::processor_failed, "the processor refused the payout");
  if (settled.state != State::paid) throw Error(Code::busy, "no definite outcome yet");
}

}  // namespace bottega::payouts
