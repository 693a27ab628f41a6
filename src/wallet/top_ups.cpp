// Money of a card becomes a balance: the charge is written down, made, and written down again.
#include "wallet/funding.hpp"
#include "bottega/core/log.hpp"
#include "bottega/jobs/job.hpp"
#include "bottega/wallet/claims.hpp"

namespace bottega::wallet {
namespace {

using processors::Outcome, processors::Verdict;

// How long somebody has to confirm a charge at the processor.
constexpr auto kConfirmWithin = std::chrono::hours(24);

const Sql<TopUp(TopUpId, AccountId, std::int64_t, Currency, std::optional<TransferId>, std::string,
                Instant)>
    kInsert{"wallet.insert_top_up", R"(
    INSERT INTO top_ups (id, account_id, amount, currency, state, transfer_id, processor,
                         created_at, updated_at)
    VALUES ($1, $2, $3, $4, 'created', $5, $6, $7, $7)
    RETURNING id, account_id, amount, currency, state, transfer_id, processor, reference, reason,
              action_url, disputed, created_at, updated_at)"};

const Sql<TopUp(TopUpId)> kLock{"wallet.lock_top_up", R"(
    SELECT id, account_id, amount, currency, state, transfer_id, processor, reference, reason,
           action_url, disputed, created_at, updated_at
    FROM top_ups WHERE id = $1 FOR UPDATE)"};

const Sql<std::int64_t(AccountId, Currency, Instant)> kUsed{"wallet.topped_up", R"(
    SELECT coalesce(sum(amount), 0)::bigint FROM top_ups
    WHERE account_id = $1 AND currency = $2 AND created_at > $3 AND state <> 'failed')"};

const Sql<TopUp(TopUpId, AccountId)> kFetch{"wallet.fetch_top_up", R"(
    SELECT id, account_id, amount, currency, state, transfer_id, processor, reference, reason,
           action_url, disputed, created_at, updated_at
    FROM top_ups WHERE id = $1 AND account_id = $2)"};

const Sql<TopUp(AccountId, TopUpId, std::int64_t)> kList{"wallet.list_top_ups", R"(
    SELECT id, account_id, amount, currency, state, transfer_id, processor, reference, reason,
           action_url, disputed, created_at, updated_at
    FROM top_ups WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<void(TopUpId, TopUpState, std::optional<std::string>, std::optional<std::string>,
               std::optional<std::string>, Instant)>
    kUpdate{"wallet.update_top_up", R"(
    UPDATE top_ups SET state = $2, reference = $3, reason = $4, action_url = $5, updated_at = $6
    WHERE id = $1)"};

const Sql<void(TopUpId, Instant)> kAskCancel{"wallet.ask_cancel", R"(
    UPDATE top_ups SET cancel_asked_at = coalesce(cancel_asked_at, $2) WHERE id = $1)"};

const Sql<bool(TopUpId)> kCancelAsked{"wallet.cancel_asked", R"(
    SELECT cancel_asked_at IS NOT NULL FROM top_ups WHERE id = $1)"};

// How a processor calls a charge that was given up.
constexpr std::string_view kGivenUp = "cancelled";

TopUpEvent event_of(const Outcome& outcome) {
  switch (outcome.verdict) {
    case Verdict::succeeded:
      return TopUpEvent::succeed;
    case Verdict::buyer_action:
      return TopUpEvent::ask_owner;
    case Verdict::declined:
    case Verdict::refused:
      return TopUpEvent::fail;
    case Verdict::pending:
    case Verdict::not_found:
    case Verdict::unknown:
      return TopUpEvent::lose;
  }
  return TopUpEvent::lose;
}

bool is_final(TopUpState state) {
  return state == TopUpState::succeeded || state == TopUpState::failed;
}

void want_reconciliation(Tx& tx, TopUpId id, std::chrono::milliseconds in) {
  jobs::enqueue(tx, kTopUpJob, text_of(id), Json::object(), tx.now() + in);
}

// The money is there; what its owner owes is taken from it first.
void credit(Tx& tx, const TopUp& top_up) {
  ledger::post(tx, {ledger::Why::top_up, top_up.id.uuid, kClearing,
                    wallet_account(top_up.account_id), top_up.amount});
  recover(tx, top_up.account_id, top_up.amount.currency, ledger::Why::top_up_recovery,
          top_up.id.uuid);
}

// It was given up, and so was what it was to pay for: the money stays in the balance.
void end_late(Tx& tx, const TopUp& top_up) {
  log::error("top_up.late", {{"top_up", text_of(top_up.id)}});
  ledger::lock_owner(tx, ledger::owner_of(top_up.account_id));
  credit(tx, top_up);
}

// The side effects of a top-up's end, once.
void end(Tx& tx, const TopUp& top_up) {
  jobs::cancel(tx, kTopUpJob, text_of(top_up.id));
  if (top_up.transfer_id)
    hold_transfer(tx, *top_up.transfer_id);
  else
    ledger::lock_owner(tx, ledger::owner_of(top_up.account_id));
  if (top_up.state == TopUpState::succeeded) credit(tx, top_up);
  if (!top_up.transfer_id) return;
  if (top_up.state == TopUpState::succeeded)
    fund_transfer(tx, *top_up.transfer_id);
  else
    fail_transfer(tx, *top_up.transfer_id, top_up.reason.value_or("declined"));
}

// What the processor has kept of the charge, once, be it said later than the money itself. The
// platform bears it.
void keep_fee(Tx& tx, const TopUp& top_up, const Outcome& outcome) {
  const bool says = outcome.verdict == Verdict::succeeded && outcome.fee.value_or(0) != 0;
  if (!says || top_up.state != TopUpState::succeeded) return;
  if (*outcome.fee < 0 || *outcome.fee > kAmountMax)
    return log::error("top_up.fee_not_taken",
                      {{"top_up", text_of(top_up.id)}, {"fee", *outcome.fee}});
  if (ledger::is_posted(tx, ledger::Why::processor_fee, top_up.id.uuid)) return;
  ledger::post(tx, {ledger::Why::processor_fee,
                    top_up.id.uuid,
                    {ledger::Kind::processor_fees, ledger::kPlatform},
                    kClearing,
                    {*outcome.fee, top_up.amount.currency}});
}

// News of giving up what was charged: late, and no news.
bool is_overtaken(const TopUp& top_up, const Outcome& outcome) {
  return top_up.state == TopUpState::succeeded && event_of(outcome) == TopUpEvent::fail &&
         outcome.reason == kGivenUp;
}

void tell(Tx& tx, const TopUp& top_up, const std::string& event) {
  tell_owner(tx, top_up.account_id, event, text_of(top_up.id), {{"top_up", to_json(top_up)}});
}

// What its owner is told of a new state; that nobody knows yet is no news.
void tell_state(Tx& tx, const TopUp& top_up) {
  if (top_up.state == TopUpState::requires_action) tell(tx, top_up, "top_up.action_required");
  if (top_up.state == TopUpState::succeeded) tell(tx, top_up, "top_up.succeeded");
  if (top_up.state == TopUpState::failed) tell(tx, top_up, "top_up.failed");
}

void write(Tx& tx, TopUp& top_up) {
  if (top_up.state != TopUpState::requires_action) top_up.action_url.reset();
  top_up.updated_at = tx.now();
  tx.run(kUpdate, top_up.id, top_up.state, top_up.reference, top_up.reason, top_up.action_url,
         top_up.updated_at);
}

// Whoever tops up holds their account, so that two of them are counted one after the other.
void require_within_day(Tx& tx, AccountId account, Money amount, const Rules& rules) {
  const auto used = tx.one(kUsed, account, amount.currency, tx.now() - kDay);
  const auto left = std::max<std::int64_t>(rules.top_up_day_max - used, 0);
  if (amount.amount > left)
    throw Error(Code::conflict, "this is more than may be topped up in 24 hours: " +
                                    display({left, amount.currency}) + " is left")
        .reason("top_up_day_limit");
}

struct Work {
  TopUp top_up;
  attempts::Attempt attempt;
  bool is_cancelled = false;
};

Work work_of(Tx& tx, TopUpId id, std::chrono::milliseconds call_timeout) {
  auto top_up = tx.one(kLock, id);
  auto attempt = attempts::lock_latest(tx, kPlatformMerchant, id.uuid, call_timeout);
  return {std::move(top_up), std::move(attempt), tx.one(kCancelAsked, id)};
}

}  // namespace

TopUp lock_top_up(Tx& tx, TopUpId id) { return tx.one(kLock, id); }
attempts::Destination platform_of(const Rules& rules) {
  return {rules.processor, std::string(processors::kPlatformAccount)};
}

ledger::Account wallet_account(AccountId person) {
  return {ledger::Kind::wallet, ledger::owner_of(person)};
}

TopUp begin_top_up(Tx& tx, AccountId account, Money amount, std::optional<TransferId> transfer,
                   const Rules& rules) {
  if (amount.amount > rules.amount_max)
    throw Error(Code::invalid, "this is too much at once",
                {{"/amount", "must be at most " + std::to_string(rules.amount_max)}});
  // Nobody is charged whose account is just being erased.
  identity::hold_active(tx, account);
  if (transfer && owed_by(tx, account, amount.currency) > 0)
    throw Error(Code::conflict, "something is owed after a dispute; it is taken from a top-up")
        .reason("wallet_owes");
  require_within_day(tx, account, amount, rules);
  const auto id = TopUpId::make();
  const auto top_up = tx.one(kInsert, id, account, amount.amount, amount.currency, transfer,
                             rules.processor, tx.now());
  attempts::begin(tx, kPlatformMerchant, processors::Operation::charge, id.uuid, platform_of(rules),
                  amount);
  // Covers our own death between the two transactions.
  want_reconciliation(tx, id, 2 * rules.call_timeout);
  tell(tx, top_up, "top_up.created");
  return top_up;
}

TopUp settle_top_up(Tx& tx, TopUpId id, const Outcome& told) {
  auto top_up = tx.one(kLock, id);
  if (is_overtaken(top_up, told)) return top_up;
  const auto before = top_up.state;
  const auto attempt = attempts::settle_latest(tx, kPlatformMerchant, id.uuid, told);
  if (!attempt) return top_up;
  const auto outcome = attempts::believed(*attempt, told);
  if (!outcome.reference.empty()) top_up.reference = outcome.reference;
  if (!outcome.reason.empty()) top_up.reason = outcome.reason;
  if (!outcome.action_url.empty()) top_up.action_url = outcome.action_url;
  top_up.state = kTopUpLifecycle.advance(before, event_of(outcome));
  if (top_up.state == TopUpState::succeeded) top_up.reason.reset();
  write(tx, top_up);
  if (top_up.state != before) tell_state(tx, top_up);
  if (top_up.state != before && is_final(before)) end_late(tx, top_up);
  if (top_up.state != before && is_final(top_up.state) && !is_final(before)) end(tx, top_up);
  keep_fee(tx, top_up, outcome);
  if (top_up.state == TopUpState::unknown) want_reconciliation(tx, id, std::chrono::seconds(5));
  return top_up;
}

TopUp fetch_top_up(Tx& tx, AccountId account, TopUpId id) { return tx.one(kFetch, id, account); }

std::vector<TopUp> list_top_ups(Tx& tx, AccountId account, std::optional<TopUpId> after,
                                std::int64_t limit) {
  return tx.all(kList, account, after.value_or(TopUpId::newest()), limit);
}

asio::awaitable<Outcome> charge(Database& db, const processors::Registry& registry, TopUpId id,
                                std::string token, std::string return_url) {
  const auto work = co_await db.transact([&](Tx& tx) { return work_of(tx, id, {}); });
  const processors::Charge call{work.attempt.key(), work.top_up.amount, token, work.attempt.account,
                                return_url};
  Outcome outcome;
  try {
    outcome = co_await registry.get(work.top_up.processor).charge(call);
  } catch (const std::exception& failure) {
    // Whatever broke, the charge may have been made: unknown is not a verdict.
    log::error("top_up.call_failed",
               {{"top_up", text_of(id)}, {"error", std::string(failure.what())}});
  }
  co_return outcome;
}

asio::awaitable<void> cancel_top_up(Database& db, const processors::Registry& registry,
                                    AccountId account, TopUpId id) {
  const auto asked = co_await db.transact([&](Tx& tx) -> std::optional<Work> {
    fetch_top_up(tx, account, id);
    auto found = work_of(tx, id, {});
    if (found.is_cancelled && found.top_up.state == TopUpState::failed) return std::nullopt;
    if (found.top_up.state != TopUpState::requires_action)
      throw Error(Code::conflict, "cannot cancel what is " + text_of(found.top_up.state));
    tx.run(kAskCancel, id, tx.now());
    // As a new job: one that is running does not know of this, and may wait for a day then.
    jobs::cancel(tx, kTopUpJob, text_of(id));
    want_reconciliation(tx, id, std::chrono::seconds(5));
    return found;
  });
  if (!asked) co_return;
  const Work& todo = *asked;
  Outcome outcome;
  try {
    auto& processor = registry.get(todo.top_up.processor);
    outcome = co_await attempts::cancel(processor, todo.attempt);
  } catch (const std::exception& failure) {
    log::error("top_up.cancel_failed",
               {{"top_up", text_of(id)}, {"error", std::string(failure.what())}});
  }
  co_await db.transact([&](Tx& tx) { settle_top_up(tx, id, outcome); });
}

asio::awaitable<void> reconcile_top_up(Database& db, const processors::Registry& registry,
                                       TopUpId id, const Rules& rules) {
  const auto work =
      co_await db.transact([&](Tx& tx) { return work_of(tx, id, rules.call_timeout); });
  if (is_final(work.top_up.state)) co_return;
  const auto now = co_await db.read([&](Tx& tx) { return tx.now(); });
  auto& processor = registry.get(work.top_up.processor);
  auto outcome = co_await attempts::ask(processor, work.attempt);
  const bool never_seen = outcome.verdict == Verdict::not_found;
  const bool is_over = work.is_cancelled || work.top_up.created_at + kConfirmWithin <= now;
  const bool is_late = outcome.verdict == Verdict::buyer_action && is_over;
  if (never_seen && work.top_up.state == TopUpState::created && !work.attempt.overdue)
    throw Error(Code::busy, "the call may still be under way");
  // From here on nothing can be done, even if our call still arrives or somebody confirms.
  if (never_seen || is_late) outcome = co_await attempts::cancel(processor, work.attempt);
  const auto settled = co_await db.transact([&](Tx& tx) { return settle_top_up(tx, id, outcome); });
  if (!is_final(settled.state)) throw Error(Code::busy, "no definite outcome yet");
}

}  // namespace bottega::wallet
