#pragma once
// A person's balance, in the ledger under `wallet`: money comes in by a charge of a card, goes out
// to their bank account, and moves between people (transfers.hpp). The platform's own account at
// the processor holds it.
#include <boost/asio/awaitable.hpp>

#include "bottega/attempts/attempts.hpp"
#include "bottega/identity/pins.hpp"
#include "bottega/ledger/ledger.hpp"
#include "bottega/storage/database.hpp"
#include "bottega/wallet/methods.hpp"

namespace bottega::wallet {

using identity::MerchantId;
using TopUpId = Id<"topup">;
using WithdrawalId = Id<"wdrl">;
using TransferId = Id<"xfer">;

// Under this id the attempts of wallets are kept: what has it is no merchant's.
inline constexpr MerchantId kPlatformMerchant{ledger::kPlatform.uuid};

struct Rules {
  std::string processor;        // that wallets are kept with
  std::int64_t amount_max = 0;  // of one top-up or withdrawal, in minor units
  std::chrono::milliseconds call_timeout{0};
  // Of transfers between people, in minor units of each currency.
  std::int64_t transfer_max = 0;
  std::int64_t sent_day_max = 0, sent_month_max = 0;
  std::int64_t received_day_max = 0, received_month_max = 0;
  std::chrono::days return_after{30};
  std::int64_t top_up_day_max = kAmountMax;  // of one person in 24 hours, in each currency
};
inline constexpr auto kDay = std::chrono::hours(24);
inline constexpr auto kMonth = std::chrono::hours(24 * 30);

// ---- top-ups ------------------------------------------------------------------------------------

enum class TopUpState : std::uint8_t { created, requires_action, succeeded, failed, unknown };
BOOST_DESCRIBE_ENUM(TopUpState, created, requires_action, succeeded, failed, unknown)
enum class TopUpEvent : std::uint8_t { ask_owner, succeed, fail, lose };
BOOST_DESCRIBE_ENUM(TopUpEvent, ask_owner, succeed, fail, lose)

// The self-edges say that the answer, the webhook and the reconciler may each bring the same news.
// Money that comes after it was given up is its owner's all the same.
inline constexpr Machine kTopUpLifecycle{std::to_array<Edge<TopUpState, TopUpEvent>>({
    {TopUpState::created, TopUpEvent::ask_owner, TopUpState::requires_action},
    {TopUpState::created, TopUpEvent::succeed, TopUpState::succeeded},
    {TopUpState::created, TopUpEvent::fail, TopUpState::failed},
    {TopUpState::created, TopUpEvent::lose, TopUpState::unknown},
    {TopUpState::requires_action, TopUpEvent::ask_owner, TopUpState::requires_action},
    {TopUpState::requires_action, TopUpEvent::succeed, TopUpState::succeeded},
    {TopUpState::requires_action, TopUpEvent::fail, TopUpState::failed},
    {TopUpState::requires_action, TopUpEvent::lose, TopUpState::requires_action},
    {TopUpState::unknown, TopUpEvent::ask_owner, TopUpState::requires_action},
    {TopUpState::unknown, TopUpEvent::succeed, TopUpState::succeeded},
    {TopUpState::unknown, TopUpEvent::fail, TopUpState::failed},
    {TopUpState::unknown, TopUpEvent::lose, TopUpState::unknown},
    {TopUpState::succeeded, TopUpEvent::ask_owner, TopUpState::succeeded},
    {TopUpState::succeeded, TopUpEvent::succeed, TopUpState::succeeded},
    {TopUpState::succeeded, TopUpEvent::lose, TopUpState::succeeded},
    {TopUpState::failed, TopUpEvent::ask_owner, TopUpState::failed},
    {TopUpState::failed, TopUpEvent::fail, TopUpState::failed},
    {TopUpState::failed, TopUpEvent::lose, TopUpState::failed},
    {TopUpState::failed, TopUpEvent::succeed, TopUpState::succeeded},
})};
static_assert(kTopUpLifecycle.deterministic());

struct TopUp {
  TopUpId id;
  AccountId account_id;
  Money amount;
  TopUpState state{};
  std::optional<TransferId> transfer_id;  // what it is to pay for
  std::string processor;
  std::optional<std::string> reference, reason, action_url;
  std::int64_t disputed = 0;  // open, or lost
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(TopUp, (),
                      (id, account_id, amount, state, transfer_id, processor, reference, reason,
                       action_url, disputed, created_at, updated_at))

struct NewTopUp {
  Count<1, kAmountMax> amount;
  Currency currency;
  MethodChoice payment_method;
  std::optional<identity::Pin> pin;
};
BOOST_DESCRIBE_STRUCT(NewTopUp, (), (amount, currency, payment_method, pin))

// Writes down that a card is to be charged; the attempt is committed with its key.
TopUp begin_top_up(Tx& tx, AccountId account, Money amount, std::optional<TransferId> transfer,
                   const Rules& rules);
// Writes down what the processor said; hearing it again changes nothing. What the money was to pay
// for goes on, or fails with it. A charge that was given up and is made all the same is credited;
// what it was to pay for has failed and stays so.
TopUp settle_top_up(Tx& tx, TopUpId id, const processors::Outcome& outcome);
// Both throw Error(not_found) for what is another's.
TopUp fetch_top_up(Tx& tx, AccountId account, TopUpId id);
std::vector<TopUp> list_top_ups(Tx& tx, AccountId account, std::optional<TopUpId> after,
                                std::int64_t limit);

// Calls the processor for a top-up that begin_top_up() has committed. Where the answer is lost it
// is `unknown`, and the reconciler asks by the key.
asio::awaitable<processors::Outcome> charge(Database& db, const processors::Registry& registry,
                                            TopUpId id, std::string token, std::string return_url);
// Gives up one that waits for its owner's confirmation; where the processor does not answer, the
// reconciler tells it again. Throws Error(not_found) for what is another's, Error(conflict) for
// what does not wait.
asio::awaitable<void> cancel_top_up(Database& db, const processors::Registry& registry,
                                    AccountId account, TopUpId id);
// Finds out what became of one without a definite outcome; gives up what its owner wants no more,
// or has not confirmed within a day. Throws Error(busy) to be asked again.
asio::awaitable<void> reconcile_top_up(Database& db, const processors::Registry& registry,
                                       TopUpId id, const Rules& rules);

// ---- withdrawals --------------------------------------------------------------------------------

enum class WithdrawalState : std::uint8_t { pending, succeeded, failed, unknown };
BOOST_DESCRIBE_ENUM(WithdrawalState, pending, succeeded, failed, unknown)

struct Withdrawal {
  WithdrawalId id;
  AccountId account_id;
  MethodId payment_method_id;
  Money amount;
  WithdrawalState state{};
  std::string processor;
  std::optional<std::string> reference, reason;
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(Withdrawal, (),
                      (id, account_id, payment_method_id, amount, state, processor, reference,
                       reason, created_at, updated_at))

struct NewWithdrawal {
  Count<1, kAmountMax> amount;
  Currency currency;
  std::optional<SavedMethod> payment_method;  // a bank account; the newest where none is given
  std::optional<identity::Pin> pin;
};
BOOST_DESCRIBE_STRUCT(NewWithdrawal, (), (amount, currency, payment_method, pin))

// Sets the money aside and has a job send it. Throws Error(conflict) where the balance is less.
Withdrawal begin_withdrawal(Tx& tx, AccountId account, const NewWithdrawal& given,
                            const Rules& rules);
Withdrawal settle_withdrawal(Tx& tx, WithdrawalId id, const processors::Outcome& outcome);
Withdrawal fetch_withdrawal(Tx& tx, AccountId account, WithdrawalId id);
std::vector<Withdrawal> list_withdrawals(Tx& tx, AccountId account,
                                         std::optional<WithdrawalId> after, std::int64_t limit);
// For the job. Throws Error(busy) to be called again.
asio::awaitable<void> withdraw(Database& db, const processors::Registry& registry, WithdrawalId id,
                               const Rules& rules);

// ---- what there is ------------------------------------------------------------------------------

// What may still be sent and received, by the limits.
struct LimitsLeft {
  std::int64_t per_transfer = 0;
  std::int64_t sent_day = 0, sent_month = 0, received_day = 0, received_month = 0;
};
BOOST_DESCRIBE_STRUCT(LimitsLeft, (),
                      (per_transfer, sent_day, sent_month, received_day, received_month))

struct WalletBalance {
  std::string currency;
  std::int64_t balance = 0;
  std::int64_t available = 0;  // what may be sent or withdrawn: without what is owed
  std::int64_t pending_in = 0, pending_out = 0;
  std::int64_t reserved = 0;  // in open disputes about what was topped up
  std::int64_t owed = 0;      // of such disputes; taken from what is topped up next
  LimitsLeft limits_left;
};
BOOST_DESCRIBE_STRUCT(WalletBalance, (),
                      (currency, balance, available, pending_in, pending_out, reserved, owed,
                       limits_left))

// Per currency in which there is, or was, any money; the limits are the same in each of the others.
struct Wallet {
  std::vector<WalletBalance> balances;
  LimitsLeft limits;
};
BOOST_DESCRIBE_STRUCT(Wallet, (), (balances, limits))
Wallet wallet_of(Tx& tx, AccountId account, const Rules& rules);

struct StatementLine {
  Instant at{};
  ledger::Why why{};
  std::string about;
  std::int64_t amount = 0;                // what came in is above zero
  std::int64_t balance = 0;               // after it
  std::optional<AccountId> counterparty;  // of a transfer
};
BOOST_DESCRIBE_STRUCT(StatementLine, (), (at, why, about, amount, balance, counterparty))

struct CurrencyStatement {
  std::string currency;
  std::int64_t opening = 0, closing = 0;
  std::vector<StatementLine> lines;
};
BOOST_DESCRIBE_STRUCT(CurrencyStatement, (), (currency, opening, closing, lines))

// All that has moved after `from` and up to `until`, so that statements that follow each other add
// up.
struct Statement {
  Instant from{}, until{};
  std::vector<CurrencyStatement> currencies;
};
BOOST_DESCRIBE_STRUCT(Statement, (), (from, until, currencies))

inline constexpr std::int64_t kStatementLines = 5'000;
// Throws Error(invalid) for a time that ends before it begins or less than ledger::kSettled ago, or
// that holds more than kStatementLines.
Statement statement_of(Tx& tx, AccountId account, Instant from, Instant until);
// RFC 4180; each currency begins with its opening and ends with its closing balance.
std::string statement_csv(const Statement& statement);

inline constexpr std::string_view kTopUpJob = "wallet.reconcile_top_up";
inline constexpr std::string_view kWithdrawJob = "wallet.withdraw";

}  // namespace bottega::wallet
