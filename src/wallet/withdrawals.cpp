// A balance goes to its owner's bank: set aside, sent under one key, and posted or given back.
#include "wallet/funding.hpp"
#include "wallet/sending.hpp"
#include "bottega/core/log.hpp"
#include "bottega/jobs/job.hpp"
#include "bottega/wallet/claims.hpp"

namespace bottega::wallet {
namespace {

using processors::Outcome;

const Sql<Withdrawal(WithdrawalId, AccountId, MethodId, std::int64_t, Currency, std::string,
                     Instant)>
    kInsert{"wallet.insert_withdrawal", R"(
    INSERT INTO withdrawals (id, account_id, payment_method_id, amount, currency, state, processor,
                             created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $7)
    RETURNING id, account_id, payment_method_id, amount, currency, state, processor, reference,
              reason, created_at, updated_at)"};

const Sql<Withdrawal(WithdrawalId)> kLock{"wallet.lock_withdrawal", R"(
    SELECT id, account_id, payment_method_id, amount, currency, state, processor, reference, reason,
           created_at, updated_at
    FROM withdrawals WHERE id = $1 FOR UPDATE)"};

const Sql<Withdrawal(WithdrawalId, AccountId)> kFetch{"wallet.fetch_withdrawal", R"(
    SELECT id, account_id, payment_method_id, amount, currency, state, processor, reference, reason,
           created_at, updated_at
    FROM withdrawals WHERE id = $1 AND account_id = $2)"};

const Sql<Withdrawal(AccountId, WithdrawalId, std::int64_t)> kList{"wallet.list_withdrawals", R"(
    SELECT id, account_id, payment_method_id, amount, currency, state, processor, reference, reason,
           created_at, updated_at
    FROM withdrawals WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<void(WithdrawalId, WithdrawalState, std::optional<std::string>,
               std::optional<std::string>, Instant)>
    kUpdate{"wallet.update_withdrawal", R"(
    UPDATE withdrawals SET state = $2, reference = $3, reason = $4, updated_at = $5
    WHERE id = $1)"};

bool is_final(WithdrawalState state) {
  return state == WithdrawalState::succeeded || state == WithdrawalState::failed;
}

void tell(Tx& tx, const Withdrawal& withdrawal, const std::string& event) {
  tell_owner(tx, withdrawal.account_id, event, text_of(withdrawal.id),
             {{"withdrawal", to_json(withdrawal)}});
}

struct Work {
  Withdrawal withdrawal;
  attempts::Attempt attempt;
  std::string token;
};

std::optional<Work> work_of(Tx& tx, WithdrawalId id, const Rules& rules) {
  auto withdrawal = tx.one(kLock, id);
  if (is_final(withdrawal.state)) return std::nullopt;
  auto attempt = attempts::take_up(tx, kPlatformMerchant, id.uuid, rules.call_timeout);
  auto token = token_of_bank(tx, withdrawal.account_id, withdrawal.payment_method_id);
  return Work{std::move(withdrawal), std::move(attempt), std::move(token)};
}

asio::awaitable<Outcome> carry_out(processors::Processor& processor, const Work& work) {
  const processors::Payout call{work.attempt.key(), work.withdrawal.amount, work.attempt.account,
                                work.token};
  const attempts::Send send = [&] { return processor.pay_out(call); };
  co_return co_await attempts::carry_out(processor, work.attempt, send);
}

// It had been paid, and the bank has sent it back: it is the owner's balance again.
void came_back(Tx& tx, const Withdrawal& withdrawal) {
  log::error("withdrawal.returned", {{"withdrawal", text_of(withdrawal.id)}});
  ledger::lock_owner(tx, ledger::owner_of(withdrawal.account_id));
  ledger::post(tx, {ledger::Why::withdrawal_return, withdrawal.id.uuid, kClearing,
                    wallet_account(withdrawal.account_id), withdrawal.amount});
  tell(tx, withdrawal, "withdrawal.failed");
}

}  // namespace

Withdrawal begin_withdrawal(Tx& tx, AccountId account, const NewWithdrawal& given,
                            const Rules& rules) {
  const Money amount{given.amount.value, given.currency};
  if (amount.amount > rules.amount_max)
    throw Error(Code::invalid, "this is too much at once",
                {{"/amount", "must be at most " + std::to_string(rules.amount_max)}});
  const auto from = wallet_account(account);
  ledger::lock_owner(tx, from.owner);
  const auto bank = bank_of(tx, account, given.payment_method, rules.processor);
  const auto owed = owed_by(tx, account, amount.currency);
  const auto available = ledger::available(tx, from, amount.currency) - owed;
  if (available < amount.amount) throw lacks(std::max<std::int64_t>(available, 0), owed, amount);
  const auto id = WithdrawalId::make();
  const auto withdrawal =
      tx.one(kInsert, id, account, bank, amount.amount, amount.currency, rules.processor, tx.now());
  recover(tx, account, amount.currency, ledger::Why::withdrawal_recovery, id.uuid);
  ledger::pend(tx, {ledger::Why::withdrawal, id.uuid, from, kClearing, amount});
  attempts::begin(tx, kPlatformMerchant, processors::Operation::payout, id.uuid, platform_of(rules),
                  amount);
  jobs::enqueue(tx, kWithdrawJob, text_of(id), Json::object(), tx.now());
  tell(tx, withdrawal, "withdrawal.created");
  return withdrawal;
}

Withdrawal settle_withdrawal(Tx& tx, WithdrawalId id, const Outcome& outcome) {
  auto withdrawal = tx.one(kLock, id);
  const auto before = withdrawal.state;
  const auto attempt = attempts::settle_latest(tx, kPlatformMerchant, id.uuid, outcome);
  if (!attempt) return withdrawal;
  const bool is_returned = attempt->returned_at.has_value();
  withdrawal.state =
      is_returned ? WithdrawalState::failed : attempts::state_as<WithdrawalState>(attempt->state);
  withdrawal.reference = attempt->reference;
  withdrawal.reason = attempt->reason;
  withdrawal.updated_at = tx.now();
  tx.run(kUpdate, id, withdrawal.state, withdrawal.reference, withdrawal.reason,
         withdrawal.updated_at);
  if (withdrawal.state == before) return withdrawal;
  if (is_returned) {
    came_back(tx, withdrawal);
    return withdrawal;
  }
  if (withdrawal.state == WithdrawalState::succeeded) {
    ledger::post_pending(tx, ledger::Why::withdrawal, id.uuid);
    tell(tx, withdrawal, "withdrawal.succeeded");
  }
  if (withdrawal.state == WithdrawalState::failed) {
    ledger::void_pending(tx, ledger::Why::withdrawal, id.uuid);
    tell(tx, withdrawal, "withdrawal.failed");
  }
  return withdrawal;
}

Withdrawal fetch_withdrawal(Tx& tx, AccountId account, WithdrawalId id) {
  return tx.one(kFetch, id, account);
}

std::vector<Withdrawal> list_withdrawals(Tx& tx, AccountId account,
                                         std::optional<WithdrawalId> after, std::int64_t limit) {
  return tx.all(kList, account, after.value_or(WithdrawalId::newest()), limit);
}

asio::awaitable<void> withdraw(Database& db, const processors::Registry& registry, WithdrawalId id,
                               const Rules& rules) {
  const auto work = co_await db.transact([&](Tx& tx) { return work_of(tx, id, rules); });
  if (!work) co_return;
  const Work& todo = *work;
  auto& processor = registry.get(todo.withdrawal.processor);
  const auto outcome = co_await carry_out(processor, todo);
  const auto settled =
      co_await db.transact([&](Tx& tx) { return settle_withdrawal(tx, id, outcome); });
  if (!is_final(settled.state)) throw Error(Code::busy, "no definite outcome yet");
}

}  // namespace bottega::wallet
