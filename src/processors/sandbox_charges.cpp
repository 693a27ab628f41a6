// Charges at the sandbox: those that come at once are entered together with their news, in one
// statement that is a transaction of its own.
#include <set>

#include "processors/sandbox_rows.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::processors {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t kMethodsMax = 10'000;

const Sql<std::string(std::string)> kMethod{"sandbox.method", R"(
    SELECT behaviour FROM methods WHERE token = $1)"};

// A charge of an account that is not active, or under a key that is known, is left out: what
// becomes of it is looked at by itself. The news is this process's to send; another takes it up
// only where this one does not.
const Sql<std::string(std::string, Words, Words, Words, std::vector<std::int64_t>,
                      std::vector<Currency>, std::vector<MovementState>, Words, Words,
                      std::vector<std::optional<std::int64_t>>, Words, Words, Instant, std::int64_t,
                      std::int64_t)>
    kEnterAll{"sandbox.enter_charges", R"(
    WITH token AS (INSERT INTO commit_tokens (token) VALUES ($1::uuid)),
    entered AS (
      INSERT INTO movements (key, operation, reference, account, about, amount, currency, state,
                             reason, return_url, created_at, fee, moved_at)
      SELECT c.key, 'charge', c.reference, c.account, '', c.amount, c.currency, c.state, c.reason,
             c.return_url, $13::timestamptz, c.fee,
             CASE WHEN c.state = 'succeeded' THEN $13::timestamptz END
      FROM (SELECT key, reference, account, amount, currency, state, reason, return_url, fee
            FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
                        $8::text[], $9::text[], $10::bigint[])
                   AS one (key, reference, account, amount, currency, state, reason, return_url,
                           fee)
            LIMIT $15::bigint) c
      WHERE c.account = 'platform'
         OR EXISTS (SELECT FROM accounts a
                    WHERE a.reference = c.account AND a.state = 'active' OFFSET 0)
      ORDER BY c.key
      ON CONFLICT (key) DO NOTHING
      RETURNING reference),
    queued AS (
      INSERT INTO events (id, body, tries, next_at)
      SELECT n.id, n.body, 1, clock_timestamp() + make_interval(secs => $14::bigint / 1000.0)
      FROM entered e
           JOIN unnest($3::text[], $11::text[], $12::text[]) AS n (reference, id, body)
             ON n.reference = e.reference)
    SELECT reference FROM entered)"};

// The references are this process's own: what is there was entered by it.
const Sql<std::string(Words)> kEntered{"sandbox.entered_charges", R"(
    SELECT reference FROM movements WHERE reference = ANY($1))"};

// What is kept of a charge that is not declined.
std::optional<std::int64_t> fee_of(const Ask& ask, std::int64_t basis_points) {
  if (basis_points == 0 || ask.state == MovementState::declined) return std::nullopt;
  return share_half_even(ask.amount.amount, basis_points);
}

enum class Active : std::uint8_t { no, yes };

Ask ask_of(const Charge& call, std::optional<Behaviour> behaviour, Active active,
           std::int64_t basis_points) {
  Ask ask{call.key,    Operation::charge,        call.account, {},
          call.amount, MovementState::succeeded, {},           call.return_url};
  if (active == Active::no)
    ask.reason = "account_not_active";
  else if (!behaviour)
    ask.reason = "unknown_payment_method";
  else if (*behaviour == Behaviour::bank)
    ask.reason = "not_a_card";
  else if (*behaviour == Behaviour::declined)
    ask.reason = "card_declined";
  else if (*behaviour == Behaviour::insufficient_funds)
    ask.reason = "insufficient_funds";
  if (!ask.reason.empty())
    ask.state = MovementState::declined;
  else if (*behaviour == Behaviour::confirm)
    ask.state = MovementState::needs_confirmation;
  ask.fee = fee_of(ask, basis_points);
  return ask;
}

std::optional<Behaviour> well_known(const std::string& method) {
  if (!method.starts_with(kWellKnown)) return std::nullopt;
  return Form<Behaviour>::parse(method.substr(kWellKnown.size()));
}

}  // namespace

struct Sandbox::Entry : Gather::Part {
  BookEntry row;
  std::string account;
  News news;
  bool is_entered = false;
};

std::optional<Behaviour> behaviour_of(Tx& tx, const std::string& method) {
  if (const auto known = well_known(method)) return known;
  const auto kept = tx.find(kMethod, method);
  return kept ? Form<Behaviour>::parse(*kept) : std::nullopt;
}

void Sandbox::write_charges(Tx& tx, std::span<Gather::Part* const> parts) {
  Words keys, references, accounts, reasons, urls, ids, bodies;
  std::vector<std::int64_t> amounts;
  std::vector<Currency> currencies;
  std::vector<MovementState> states;
  std::vector<std::optional<std::int64_t>> fees;
  for (const auto* part : parts) {
    const auto& entry = static_cast<const Entry&>(*part);
    keys.push_back(entry.row.key);
    references.push_back(entry.row.reference);
    accounts.push_back(entry.account);
    amounts.push_back(entry.row.amount.amount);
    currencies.push_back(entry.row.amount.currency);
    states.push_back(entry.row.state);
    reasons.push_back(entry.row.reason);
    urls.push_back(entry.row.return_url);
    fees.push_back(entry.row.fee);
    ids.push_back(entry.news.id);
    bodies.push_back(entry.news.body);
  }
  const auto rows = tx.was_committed()
                        ? tx.all(kEntered, references)
                        : tx.all(kEnterAll, tx.commit_token(), keys, references, accounts, amounts,
                                 currencies, states, reasons, urls, fees, ids, bodies, tx.now(),
                                 kFirstWait * 1'000, std::ssize(keys));
  const std::set<std::string> entered(rows.begin(), rows.end());
  for (auto* part : parts) {
    auto& entry = static_cast<Entry&>(*part);
    entry.is_entered = entered.contains(entry.row.reference);
  }
}

// What it was told, or nothing where it is to be looked at by itself.
asio::awaitable<std::optional<Outcome>> Sandbox::enter_together(const Ask& ask) {
  auto entry = std::make_shared<Entry>();
  entry->row = {ask.key,        ask.operation, new_reference(ask.operation),
                ask.amount,     ask.state,     ask.reason,
                ask.return_url, ask.fee};
  entry->account = ask.account;
  const auto told = outcome_of(entry->row);
  entry->news = news_of(ask.operation, ask.key, told);
  const bool is_written = co_await charges_.write(entry);
  if (!is_written || !entry->is_entered) co_return std::nullopt;
  keep_fresh(std::move(entry->news));
  co_return told;
}

asio::awaitable<std::optional<Behaviour>> Sandbox::behaviour_of(const std::string& method) {
  if (const auto known = well_known(method)) co_return known;
  {
    const std::lock_guard lock(memory_->mutex);
    const auto found = memory_->methods.find(method);
    if (found != memory_->methods.end()) co_return found->second;
  }
  const auto read =
      co_await books_.read([&](Tx& tx) { return processors::behaviour_of(tx, method); });
  if (!read) co_return std::nullopt;
  const std::lock_guard lock(memory_->mutex);
  if (memory_->methods.size() >= kMethodsMax) memory_->methods.clear();
  memory_->methods.emplace(method, *read);
  co_return read;
}

asio::awaitable<Outcome> Sandbox::charge(const Charge& given) {
  const Charge call = given;  // The caller may stop waiting before the slow card is done.
  const auto behaviour = co_await behaviour_of(call.method);
  if (behaviour == Behaviour::no_answer) {
    co_await wait(options_.answer_timeout);
    co_return Outcome{};
  }
  if (behaviour == Behaviour::slow) co_await wait(options_.slow);
  const auto points = options_.fee_basis_points;
  const auto ask = ask_of(call, behaviour, Active::yes, points);
  auto outcome = co_await enter_together(ask);
  if (!outcome) {
    outcome = co_await books_.transact([&](Tx& tx) {
      const auto active = is_active(tx, call.account) ? Active::yes : Active::no;
      return take(tx, ask_of(call, behaviour, active, points),
                  [&](const BookEntry& entry) { return outcome_of(entry); });
    });
    queued();
  }
  const bool is_lost = behaviour == Behaviour::answer_lost;
  co_return co_await answer(*outcome, is_lost, options_.answer_timeout);
}

}  // namespace bottega::processors
