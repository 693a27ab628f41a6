#include "bottega/payouts/payouts.hpp"

#include "bottega/core/calendar.hpp"

namespace bottega::payouts {
namespace {

using processors::Outcome, processors::Verdict;
using HoldAbout = Id<"about">;

const Sql<Payout(MerchantId, PayoutId, OrderId, std::int64_t, std::int64_t, Currency, Instant,
                 Instant, Date, Instant)>
    kInsert{"payouts.insert", R"(
    INSERT INTO payouts (merchant_id, id, order_id, amount, fee, currency, state, shipped_at,
                         due_at, due_on, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'scheduled', $7, $8, $9, $10)
    RETURNING id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
              reason, reference, recovered, tries, created_at, submitted_at, paid_at)"};

const Sql<Payout(MerchantId, PayoutId)> kFetch{"payouts.fetch", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, tries, created_at, submitted_at, paid_at
    FROM payouts WHERE merchant_id = $1 AND id = $2)"};

const Sql<Payout(MerchantId, PayoutId)> kLock{"payouts.lock", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, tries, created_at, submitted_at, paid_at
    FROM payouts WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<Payout(MerchantId, OrderId)> kLockOfOrder{"payouts.lock_of_order", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, tries, created_at, submitted_at, paid_at
    FROM payouts WHERE merchant_id = $1 AND order_id = $2 FOR UPDATE)"};

const Sql<Payout(MerchantId, PayoutId, std::int64_t)> kList{"payouts.list", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, tries, created_at, submitted_at, paid_at
    FROM payouts WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<void(MerchantId, PayoutId, State, std::optional<std::string>, std::optional<std::string>,
               std::int64_t, std::optional<Instant>, std::optional<Instant>, std::int64_t,
               std::int64_t, std::int64_t)>
    kUpdate{"payouts.update", R"(
    UPDATE payouts SET state = $3, reason = $4, reference = $5, tries = $6, submitted_at = $7,
           paid_at = $8, amount = $9, fee = $10, recovered = $11
    WHERE merchant_id = $1 AND id = $2)"};

// A hold that was lifted is taken up again where the same thing asks for it again.
const Sql<void(MerchantId, OrderId, Cause, HoldAbout, std::string, Instant)> kHold{"payouts.hold",
                                                                                   R"(
    INSERT INTO payout_holds (merchant_id, order_id, cause, about, reason, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (merchant_id, order_id, cause, about)
    DO UPDATE SET reason = excluded.reason, created_at = excluded.created_at, lifted_at = NULL
    WHERE payout_holds.lifted_at IS NOT NULL)"};

const Sql<void(MerchantId, OrderId, Cause, HoldAbout, Instant)> kLift{"payouts.lift", R"(
    UPDATE payout_holds SET lifted_at = $5
    WHERE merchant_id = $1 AND order_id = $2 AND cause = $3 AND about = $4 AND lifted_at IS NULL)"};

const Sql<std::string(MerchantId, OrderId)> kWhyHeld{"payouts.why_held", R"(
    SELECT reason FROM payout_holds
    WHERE merchant_id = $1 AND order_id = $2 AND lifted_at IS NULL
    ORDER BY created_at DESC, cause LIMIT 1)"};

void write(Tx& tx, const Payout& payout) {
  tx.run(kUpdate, payout.merchant_id, payout.id, payout.state, payout.reason, payout.reference,
         payout.tries, payout.submitted_at, payout.paid_at, payout.amount.amount, payout.fee,
         payout.recovered);
}

Payout move(Tx& tx, Payout payout, Event on) {
  payout.state = kLifecycle.advance(payout.state, on);
  write(tx, payout);
  return payout;
}

void want_payment(Tx& tx, const Payout& payout, Instant at) {
  jobs::enqueue(tx, kPayJob, text_of(payout.id), {{"merchant_id", text_of(payout.merchant_id)}},
                at);
}

Money sent_of(const Payout& payout) {
  return {payout.amount.amount - payout.recovered, payout.amount.currency};
}

// A transfer about a payout, where there is something to move.
void post(Tx& tx, const Payout& payout, ledger::Why why, ledger::Kind debit, ledger::Kind credit,
          std::int64_t amount) {
  if (amount == 0) return;
  ledger::post(tx, ledger::transfer_within(payout.merchant_id, why, payout.id.uuid, debit, credit,
                                           {amount, payout.amount.currency}));
}

// Held money becomes the merchant's, less the platform's fee; what the merchant owes us is taken
// from it first, and the rest is set aside for the bank.
void earn(Tx& tx, Payout& payout) {
  using enum ledger::Kind;
  const auto owner = ledger::owner_of(payout.merchant_id);
  const auto& currency = payout.amount.currency;
  ledger::lock_owner(tx, owner);
  post(tx, payout, ledger::Why::release, held, merchant_payable, payout.amount.amount);
  post(tx, payout, ledger::Why::platform_fee, held, platform_fees, payout.fee);
  payout.recovered =
      std::min(ledger::available(tx, {merchant_debt, owner}, currency), payout.amount.amount);
  post(tx, payout, ledger::Why::recovery, merchant_payable, merchant_debt, payout.recovered);
  if (const auto sent = sent_of(payout); sent.amount > 0)
    ledger::pend(tx,
                 ledger::transfer_within(payout.merchant_id, ledger::Why::payout, payout.id.uuid,
                                         merchant_payable, processor_clearing, sent));
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
    if (payout.tries++ == 0) earn(tx, payout);
    payout.submitted_at = tx.now();
    payout.reason.reset();
    payout = move(tx, std::move(payout), Event::submit);
    if (sent_of(payout).amount == 0) {
      payout.paid_at = tx.now();
      move(tx, std::move(payout), Event::pay);
      return std::nullopt;
    }
    attempts::begin(tx, merchant_id, processors::Operation::payout, id.uuid, merchant.processor,
                    sent_of(payout));
  }
  if (payout.state != State::submitted) return std::nullopt;
  return Work{payout, attempts::lock_latest(tx, merchant_id, id.uuid, rules.call_timeout),
              merchant.processor_account.value_or(""), merchant.processor};
}

// Asked about before it is sent again, and sent again under the same key only.
asio::awaitable<Outcome> carry_out(processors::Processor& processor, const Work& work) {
  const auto key = work.attempt.key();
  const processors::Payout call{key, sent_of(work.payout), work.account};
  if (work.attempt.asked == 0 && !work.attempt.overdue) co_return co_await processor.pay_out(call);
  auto outcome = co_await processor.look_up(processors::Operation::payout, key);
  if (outcome.verdict == Verdict::not_found) outcome = co_await processor.pay_out(call);
  co_return outcome;
}

// Held for a reason; what is held already tells the newer one.
Payout stop(Tx& tx, Payout payout, const std::string& reason) {
  payout.reason = reason;
  jobs::cancel(tx, kPayJob, text_of(payout.id));
  if (payout.state != State::held) return move(tx, std::move(payout), Event::hold);
  write(tx, payout);
  return payout;
}

// On its way again, unless something else still holds it.
Payout go_on(Tx& tx, Payout payout) {
  payout.reason = tx.find(kWhyHeld, payout.merchant_id, payout.order_id);
  if (payout.reason) {
    write(tx, payout);
    return payout;
  }
  payout = move(tx, std::move(payout), Event::release);
  want_payment(tx, payout, std::max(payout.due_at, tx.now()));
  return payout;
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
  auto payout = tx.one(kInsert, order.merchant_id, id, order.id, share.merchants(),
                       share.fee_left(), share.total.currency, tx.now(), due_at,
                       std::chrono::floor<std::chrono::days>(due_at), tx.now());
  payout.reason = tx.find(kWhyHeld, order.merchant_id, order.id);
  if (payout.reason)
    payout = move(tx, std::move(payout), Event::hold);
  else
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

void hold(Tx& tx, MerchantId merchant, OrderId order, const Hold& hold, const std::string& reason) {
  auto payout = tx.find(kLockOfOrder, merchant, order);
  if (payout && (payout->tries > 0 || payout->state == State::cancelled)) return;
  if (tx.run(kHold, merchant, order, hold.cause, HoldAbout{hold.about}, reason, tx.now()) == 0)
    return;
  if (payout) stop(tx, std::move(*payout), reason);
}

void lift(Tx& tx, MerchantId merchant, OrderId order, const Hold& hold) {
  auto payout = tx.find(kLockOfOrder, merchant, order);
  tx.run(kLift, merchant, order, hold.cause, HoldAbout{hold.about}, tx.now());
  if (payout && payout->state == State::held) go_on(tx, std::move(*payout));
}

bool is_released(Tx& tx, MerchantId merchant, OrderId order) {
  const auto payout = tx.find(kLockOfOrder, merchant, order);
  return payout && payout->tries > 0;
}

void adjust(Tx& tx, MerchantId merchant, OrderId order) {
  auto payout = tx.find(kLockOfOrder, merchant, order);
  if (!payout || payout->tries > 0 || payout->state == State::cancelled) return;
  const auto share = orders::share_of(tx, merchant, order);
  payout->amount.amount = share.merchants();
  payout->fee = share.fee_left();
  if (share.refunded < share.total.amount) return write(tx, *payout);
  payout->reason = "the order was refunded";
  jobs::cancel(tx, kPayJob, text_of(payout->id));
  move(tx, std::move(*payout), Event::cancel);
}

Payout hold(Tx& tx, PayoutId id, const Reason& reason) {
  auto payout = tx.one(kLock, identity::merchant_of(tx, id.uuid), id);
  if (payout.state != State::held) kLifecycle.advance(payout.state, Event::hold);
  if (tx.run(kHold, payout.merchant_id, payout.order_id, Cause::ops, HoldAbout{id.uuid},
             reason.reason.value, tx.now()) == 0)
    throw Error(Code::conflict, "it is held already");
  return stop(tx, std::move(payout), reason.reason.value);
}

Payout release(Tx& tx, PayoutId id) {
  auto payout = tx.one(kLock, identity::merchant_of(tx, id.uuid), id);
  if (tx.run(kLift, payout.merchant_id, payout.order_id, Cause::ops, HoldAbout{id.uuid},
             tx.now()) == 0)
    throw Error(Code::conflict, "it is not held by the staff");
  return go_on(tx, std::move(payout));
}

Payout settle(Tx& tx, MerchantId merchant, PayoutId id, const Outcome& outcome) {
  auto payout = tx.one(kLock, merchant, id);
  const auto attempt = attempts::settle_latest(tx, merchant, id.uuid, outcome);
  if (!attempt) return payout;
  payout.reference = attempt->reference;
  if (attempt->state == attempts::State::succeeded && payout.state != State::paid) {
    payout.paid_at = tx.now();
    ledger::post_pending(tx, ledger::Why::payout, id.uuid);
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
