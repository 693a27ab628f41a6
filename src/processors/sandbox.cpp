// The sandbox's books: what it was asked to move, by the caller's key, and what became of it.
#include "bottega/processors/sandbox.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "processors/sandbox_rows.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::processors {
namespace {

// How many charges are written together, and how many wait for that.
constexpr std::size_t kChargesMax = 64, kChargesWaitingMax = 1'024;

struct Account {
  std::string reference;
  AccountState state{};
  std::string return_url;
};
BOOST_DESCRIBE_STRUCT(Account, (), (reference, state, return_url))

const Sql<void(std::string, Operation, std::string, std::string, std::string, std::int64_t,
               Currency, MovementState, std::string, std::string, Instant,
               std::optional<std::int64_t>)>
    kEnter{"sandbox.enter", R"(
    INSERT INTO movements (key, operation, reference, account, about, amount, currency, state,
                           reason, return_url, created_at, fee, moved_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text, $9, $10, $11::timestamptz, $12,
            CASE WHEN $8::text = 'succeeded' THEN $11::timestamptz END)
    ON CONFLICT (key) DO NOTHING)"};

const Sql<BookEntry(std::string)> kByKey{"sandbox.by_key", R"(
    SELECT key, operation, reference, amount, currency, state, reason, return_url, fee
    FROM movements
    WHERE key = $1 FOR UPDATE)"};

const Sql<BookEntry(std::string)> kByReference{"sandbox.by_reference", R"(
    SELECT key, operation, reference, amount, currency, state, reason, return_url, fee
    FROM movements
    WHERE reference = $1 FOR UPDATE)"};

const Sql<std::int64_t(std::string)> kRefunded{"sandbox.refunded", R"(
    SELECT coalesce(sum(amount), 0)::bigint FROM movements
    WHERE about = $1 AND about <> '' AND operation = 'refund' AND state = 'succeeded')"};

// What the buyer confirms moves then, and not when it was asked for.
const Sql<void(std::string, MovementState, std::string, Instant)> kDecide{"sandbox.decide", R"(
    UPDATE movements SET state = $2::text, reason = $3,
           moved_at = CASE WHEN $2::text = 'succeeded' THEN $4::timestamptz END
    WHERE reference = $1)"};

const Sql<BookEntry()> kBooks{"sandbox.books", R"(
    SELECT key, operation, reference, amount, currency, state, reason, return_url, fee
    FROM movements ORDER BY created_at, key LIMIT 1000000)"};

const Sql<Movement(Instant, std::string, Instant, std::int64_t)> kMoved{"sandbox.moved", R"(
    SELECT key, operation, amount, currency, reference, fee, moved_at FROM movements
    WHERE (moved_at, key) > ($1, $2) AND moved_at < $3 AND state = 'succeeded'
    ORDER BY moved_at, key LIMIT $4)"};

const Sql<void(std::string, std::string, std::string, Instant)> kOpenAccount{"sandbox.open_account",
                                                                             R"(
    INSERT INTO accounts (reference, merchant, state, return_url, created_at)
    VALUES ($1, $2, 'pending', $3, $4)
    ON CONFLICT (merchant) DO UPDATE SET return_url = excluded.return_url)"};

const Sql<Account(std::string)> kAccountOf{"sandbox.account_of", R"(
    SELECT reference, state, return_url FROM accounts WHERE merchant = $1)"};

const Sql<Account(std::string)> kAccount{"sandbox.account", R"(
    SELECT reference, state, return_url FROM accounts WHERE reference = $1)"};

bool ends_in(Money money, std::int64_t digits) { return money.amount % 100 == digits; }

Outcome misused() { return {Verdict::refused, {}, "key_reused", {}}; }

}  // namespace

std::string new_reference(Operation operation) {
  const std::string prefix = operation == Operation::charge   ? "sch_"
                             : operation == Operation::refund ? "srf_"
                                                              : "spo_";
  return prefix + typeid_suffix(make_uuid_v7());
}

bool is_active(Tx& tx, const std::string& reference) {
  if (reference == kPlatformAccount) return true;
  const auto account = tx.find(kAccount, reference);
  return account && account->state == AccountState::active;
}

Entered enter(Tx& tx, const Ask& ask) {
  const auto rows = tx.run(kEnter, ask.key, ask.operation, new_reference(ask.operation),
                           ask.account, ask.about, ask.amount.amount, ask.amount.currency,
                           ask.state, ask.reason, ask.return_url, tx.now(), ask.fee);
  Entered entered{tx.one(kByKey, ask.key), rows == 1, true};
  // A cancelled key has an entry that fits every charge: it says that it will never happen.
  const bool tombstone = entered.entry.reason == "cancelled";
  entered.fits =
      tombstone || (entered.entry.operation == ask.operation && entered.entry.amount == ask.amount);
  return entered;
}

Outcome take(Tx& tx, const Ask& ask, const Say& say) {
  const auto entered = enter(tx, ask);
  if (!entered.fits) return misused();
  const Outcome told = say(entered.entry);
  if (entered.is_new) queue_event(tx, ask.operation, ask.key, told);
  return told;
}

asio::awaitable<Outcome> answer(Outcome told, bool is_lost, std::chrono::milliseconds time) {
  if (!is_lost) co_return told;
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
  co_return Outcome{};
}

Sandbox::Sandbox(Database& books, SandboxOptions options)
    : books_(books),
      options_(std::move(options)),
      memory_(std::make_unique<Memory>()),
      charges_(books, Mode::single, write_charges, kChargesMax, kChargesWaitingMax) {
  if (options_.webhook_secret.empty())
    throw Error(Code::internal, "the sandbox does not start without a webhook secret");
}

Sandbox::~Sandbox() = default;

// A statement that is a transaction of its own writes charges.
DatabaseOptions Sandbox::options_from(DatabaseOptions options) {
  options.parameters.emplace_back("default_transaction_read_only", "off");
  return options;
}

Outcome Sandbox::outcome_of(const BookEntry& entry) const {
  switch (entry.state) {
    case MovementState::succeeded:
      return {Verdict::succeeded, entry.reference, {}, {}, {}, entry.fee, entry.amount};
    case MovementState::declined:
      return {Verdict::declined, entry.reference, entry.reason, {}};
    case MovementState::needs_confirmation:
      return {Verdict::buyer_action,
              entry.reference,
              {},
              options_.page_url + "/confirm/" + entry.reference};
  }
  return {};
}

asio::awaitable<void> Sandbox::wait(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<Outcome> Sandbox::refund(const Refund& given) {
  const Refund call = given;
  const auto outcome = co_await books_.transact([&](Tx& tx) {
    const auto charge = tx.find(kByReference, call.charge);
    Ask ask{call.key,    Operation::refund,        call.account, call.charge,
            call.amount, MovementState::succeeded, {},           {}};
    if (!charge || charge->operation != Operation::charge ||
        charge->state != MovementState::succeeded)
      ask.reason = "no_such_charge";
    else if (const auto seen = tx.find(kByKey, call.key))
      return seen->amount == call.amount ? outcome_of(*seen) : misused();
    else if (tx.one(kRefunded, call.charge) + call.amount.amount > charge->amount.amount)
      ask.reason = "charge_refunded_too_much";
    else if (ends_in(call.amount, 13))
      ask.reason = "refund_rejected";
    if (!ask.reason.empty()) ask.state = MovementState::declined;
    return take(tx, ask, [&](const BookEntry& entry) { return outcome_of(entry); });
  });
  queued();
  co_return co_await answer(outcome, ends_in(call.amount, 17), options_.answer_timeout);
}

asio::awaitable<Outcome> Sandbox::pay_out(const Payout& given) {
  const Payout call = given;
  const auto outcome = co_await books_.transact([&](Tx& tx) {
    Ask ask{call.key,    Operation::payout,        call.account, {},
            call.amount, MovementState::succeeded, {},           {}};
    if (!is_active(tx, call.account))
      ask.reason = "account_not_active";
    else if (call.account == kPlatformAccount &&
             processors::behaviour_of(tx, call.method) != Behaviour::bank)
      ask.reason = "no_such_bank_account";
    else if (ends_in(call.amount, 13))
      ask.reason = "bank_rejected";
    if (!ask.reason.empty()) ask.state = MovementState::declined;
    return take(tx, ask, [&](const BookEntry& entry) { return outcome_of(entry); });
  });
  queued();
  co_return co_await answer(outcome, ends_in(call.amount, 17), options_.answer_timeout);
}

asio::awaitable<OnboardingPage> Sandbox::open_account(const Onboarding& given) {
  const Onboarding call = given;
  const auto account = co_await books_.transact([&](Tx& tx) {
    tx.run(kOpenAccount, "sac_" + typeid_suffix(make_uuid_v7()), call.merchant, call.return_url,
           tx.now());
    return tx.one(kAccountOf, call.merchant);
  });
  co_return OnboardingPage{account.reference,
                           options_.page_url + "/onboarding/" + account.reference};
}

asio::awaitable<Outcome> Sandbox::look_up(Operation operation, const std::string& given) {
  const std::string key = given;
  co_return co_await books_.transact([&](Tx& tx) -> Outcome {
    if (operation == Operation::onboarding) {
      const auto account = tx.find(kAccount, key);
      if (!account) return {Verdict::not_found, {}, {}, {}};
      if (account->state == AccountState::pending) return {Verdict::pending, key, {}, {}};
      const bool active = account->state == AccountState::active;
      return {active ? Verdict::succeeded : Verdict::declined, key, {}, {}};
    }
    if (operation == Operation::dispute) return answered_dispute(tx, key);
    const auto entry = tx.find(kByKey, key);
    if (!entry || entry->operation != operation) return {Verdict::not_found, {}, {}, {}};
    return outcome_of(*entry);
  });
}

// A key that was never seen is entered as declined, so that a charge that is still on its way finds
// it.
asio::awaitable<Outcome> Sandbox::cancel(const std::string& given) {
  const std::string key = given;
  const auto outcome = co_await books_.transact([&](Tx& tx) {
    const Money none{1, *Currency::find("USD")};
    const auto entered =
        enter(tx, {key, Operation::charge, {}, {}, none, MovementState::declined, "cancelled", {}});
    auto entry = entered.entry;
    if (entry.state == MovementState::needs_confirmation) {
      entry.state = MovementState::declined;
      entry.reason = "cancelled";
      tx.run(kDecide, entry.reference, entry.state, entry.reason, tx.now());
    }
    const auto told = outcome_of(entry);
    queue_event(tx, Operation::charge, key, told);
    return told;
  });
  queued();
  co_return outcome;
}

// The cursor is the place of the last movement: its time and its key.
asio::awaitable<MovementPage> Sandbox::movements(const Period& period, const std::string& cursor,
                                                 std::int64_t limit) {
  const auto space = cursor.find(' ');
  const bool is_first = space == std::string::npos;
  const auto at = is_first ? period.since : from_text<Instant>(cursor.substr(0, space));
  const std::string key = is_first ? "" : cursor.substr(space + 1);
  const Instant until = period.until;
  MovementPage page;
  page.movements =
      co_await books_.read([&](Tx& tx) { return tx.all(kMoved, at, key, until, limit); });
  if (static_cast<std::int64_t>(page.movements.size()) == limit)
    page.next = text_of(page.movements.back().moved_at) + ' ' + page.movements.back().key;
  co_return page;
}

asio::awaitable<std::vector<BookEntry>> Sandbox::books() {
  co_return co_await books_.read([&](Tx& tx) { return tx.all(kBooks); });
}

asio::awaitable<BookEntry> Sandbox::charge_page(const std::string& given) {
  const std::string reference = given;
  co_return co_await books_.transact([&](Tx& tx) { return tx.one(kByReference, reference); });
}

asio::awaitable<std::string> Sandbox::confirm(const std::string& given, Confirm answer) {
  const std::string reference = given;
  const auto entry = co_await books_.transact([&](Tx& tx) {
    auto found = tx.one(kByReference, reference);
    if (found.state != MovementState::needs_confirmation) return found;
    found.state = answer == Confirm::yes ? MovementState::succeeded : MovementState::declined;
    if (answer == Confirm::no) found.reason = "buyer_refused";
    tx.run(kDecide, reference, found.state, found.reason, tx.now());
    queue_event(tx, Operation::charge, found.key, outcome_of(found));
    return found;
  });
  queued();
  co_return entry.return_url;
}

}  // namespace bottega::processors
