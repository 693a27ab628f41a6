#include "bottega/payouts/payouts.hpp"

#include "payouts/rows.hpp"

namespace bottega::payouts {
namespace {

constexpr std::int64_t kMinimumMost = 1'000'000'000;

using HoldAbout = Id<"about">;

const Sql<Payout(MerchantId, PayoutId)> kFetch{"payouts.fetch", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, batch_id, tries, retry_at, created_at, submitted_at,
           paid_at
    FROM payouts WHERE merchant_id = $1 AND id = $2)"};

const Sql<Payout(MerchantId, PayoutId)> kLock{"payouts.lock", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, batch_id, tries, retry_at, created_at, submitted_at,
           paid_at
    FROM payouts WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<Payout(MerchantId, OrderId)> kLockOfOrder{"payouts.lock_of_order", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, batch_id, tries, retry_at, created_at, submitted_at,
           paid_at
    FROM payouts WHERE merchant_id = $1 AND order_id = $2 FOR UPDATE)"};

const Sql<Payout(MerchantId, PayoutId, std::int64_t)> kList{"payouts.list", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, batch_id, tries, retry_at, created_at, submitted_at,
           paid_at
    FROM payouts WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<void(MerchantId, PayoutId, State, std::optional<std::string>, std::optional<std::string>,
               std::int64_t, std::optional<Instant>, std::optional<Instant>, std::int64_t,
               std::int64_t, std::int64_t, std::optional<BatchId>, std::optional<Instant>)>
    kUpdate{"payouts.update", R"(
    UPDATE payouts SET state = $3, reason = $4, reference = $5, tries = $6, submitted_at = $7,
           paid_at = $8, amount = $9, fee = $10, recovered = $11, batch_id = $12, retry_at = $13
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

// Their own, and that of what is owed for what was not sent: only they see whether the buyer has it
// by another way.
const Sql<void(MerchantId, OrderId, PayoutId, Instant)> kLiftByStaff{"payouts.lift_by_staff", R"(
    UPDATE payout_holds SET lifted_at = $4
    WHERE merchant_id = $1 AND order_id = $2 AND lifted_at IS NULL
      AND ((cause = 'ops' AND about = $3) OR (cause = 'refund' AND about = $2)))"};

const Sql<std::string(MerchantId, OrderId)> kWhyHeld{"payouts.why_held", R"(
    SELECT reason FROM payout_holds
    WHERE merchant_id = $1 AND order_id = $2 AND lifted_at IS NULL
    ORDER BY created_at DESC, cause LIMIT 1)"};

// Held for a reason; what is held already tells the newer one.
Payout stop(Tx& tx, Payout payout, const std::string& reason) {
  payout.reason = reason;
  payout.retry_at.reset();
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

}  // namespace

void write(Tx& tx, const Payout& payout) {
  tx.run(kUpdate, payout.merchant_id, payout.id, payout.state, payout.reason, payout.reference,
         payout.tries, payout.submitted_at, payout.paid_at, payout.amount.amount, payout.fee,
         payout.recovered, payout.batch_id, payout.retry_at);
}

Payout move(Tx& tx, Payout payout, Event on) {
  payout.state = kLifecycle.advance(payout.state, on);
  write(tx, payout);
  return payout;
}

// A new job: an older one, whose node may have died, would keep its earlier time.
void want_payment(Tx& tx, const Payout& payout, Instant at) {
  jobs::cancel(tx, kPayJob, text_of(payout.id));
  jobs::enqueue(tx, kPayJob, text_of(payout.id), {{"merchant_id", text_of(payout.merchant_id)}},
                at);
}

std::optional<std::chrono::minutes> batch_time(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto at = parse_instant("2000-01-01T" + text + ":00Z");
  if (!at || text.size() != 5)
    throw Error(Code::invalid, "payouts.batch_at must be a time of day such as 09:30");
  return std::chrono::floor<std::chrono::minutes>(*at - std::chrono::floor<std::chrono::days>(*at));
}

Money Rules::least(const Currency& currency) const {
  const auto own = minimums.find(currency);
  return {own == minimums.end() ? minimum : own->second, currency};
}

std::map<Currency, std::int64_t> minimums_of(const std::string& text) {
  std::map<Currency, std::int64_t> minimums;
  for (std::string_view rest = text; !rest.empty();) {
    const auto row = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(row.size() + 1, rest.size()));
    const auto colon = std::min(row.find(':'), row.size());
    const auto currency = Currency::find(row.substr(0, colon));
    const auto amount = Form<std::int64_t>::parse(row.substr(std::min(colon + 1, row.size())));
    const bool is_good = currency && amount && *amount >= 0 && *amount <= kMinimumMost;
    if (!is_good || !minimums.emplace(*currency, *amount).second)
      throw Error(Code::invalid,
                  "payouts.minimums must be currencies with minor units, each once, such as "
                  "JPY:1000,KWD:3000");
  }
  return minimums;
}

Payout fetch(Tx& tx, const Who& who, PayoutId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::read);
  return tx.one(kFetch, merchant, id);
}

std::vector<Payout> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<PayoutId> after,
                                     std::int64_t limit) {
  return tx.all(kList, merchant, after.value_or(PayoutId::newest()), limit);
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

void lock_of_order(Tx& tx, MerchantId merchant, OrderId order) {
  tx.find(kLockOfOrder, merchant, order);
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

void reinstate(Tx& tx, MerchantId merchant, OrderId order, const std::string& reason) {
  auto payout = tx.find(kLockOfOrder, merchant, order);
  if (!payout || payout->tries > 0) return;
  const auto share = orders::share_of(tx, merchant, order);
  payout->amount.amount = share.merchants();
  payout->fee = share.fee_left();
  if (payout->state != State::cancelled) return write(tx, *payout);
  tx.run(kHold, merchant, order, Cause::ops, HoldAbout{payout->id.uuid}, reason, tx.now());
  payout->reason = reason;
  move(tx, std::move(*payout), Event::reinstate);
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
  // What was cancelled while it was held has kept its holds, and nothing is left to let go.
  kLifecycle.advance(payout.state, Event::release);
  const auto lifted = tx.run(kLiftByStaff, payout.merchant_id, payout.order_id, id, tx.now());
  if (lifted == 0) throw Error(Code::conflict, "it is not held by the staff");
  return go_on(tx, std::move(payout));
}

Payout retry(Tx& tx, PayoutId id) {
  auto payout = tx.one(kLock, identity::merchant_of(tx, id.uuid), id);
  if (payout.state != State::failed)
    throw Error(Code::conflict, "cannot try again what is " + text_of(payout.state));
  payout.retry_at = tx.now();
  write(tx, payout);
  want_payment(tx, payout, tx.now());
  return payout;
}

}  // namespace bottega::payouts
