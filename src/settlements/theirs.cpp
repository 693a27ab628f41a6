// Their list: taken down page by page, and each key of it looked for among our attempts.
#include "settlements/rows.hpp"

namespace bottega::settlements {
namespace {

using processors::Movement, processors::MovementPage;
using Words = std::vector<std::string>;

const Sql<Movement(RunId, Words, Words, Words, std::vector<std::optional<AttemptId>>,
                   std::vector<std::int64_t>, Words, std::vector<Instant>)>
    kTakeDown{"settlements.take_down", R"(
    INSERT INTO settlement_movements (run_id, operation, reference, key, attempt_id, amount,
                                      currency, moved_at)
    SELECT $1, operation, reference, key, attempt_id, amount, currency, moved_at
    FROM unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], $7::text[],
                $8::timestamptz[])
         AS m (operation, reference, key, attempt_id, amount, currency, moved_at)
    ON CONFLICT DO NOTHING
    RETURNING key, operation, amount, currency, reference, NULL::bigint AS fee, moved_at)"};

// What they have under one key, and what we have under it.
struct Pair {
  std::string key;
  Operation operation{};
  Money theirs;
  std::int64_t mixtures = 0;  // of operations and currencies
  Instant moved_at{};
  std::optional<MerchantId> merchant_id;
  std::optional<Operation> ours_operation;
  std::optional<std::int64_t> ours;
  std::optional<Currency> ours_currency;
  std::optional<attempts::State> state;
  std::optional<ThingId> subject_id;
};
BOOST_DESCRIBE_STRUCT(Pair, (),
                      (key, operation, theirs, mixtures, moved_at, merchant_id, ours_operation,
                       ours, ours_currency, state, subject_id))

const Sql<Pair(RunId, std::string, std::int64_t, std::string)> kPairs{"settlements.pairs", R"(
    SELECT m.key, m.operation, m.theirs, m.currency, m.mixtures, m.moved_at, d.merchant_id,
           a.operation AS ours_operation, a.amount AS ours, a.currency AS ours_currency, a.state,
           a.subject_id
    FROM (SELECT key, min(attempt_id::text)::uuid AS attempt_id, min(operation) AS operation,
                 sum(amount)::bigint AS theirs, min(currency) AS currency,
                 count(DISTINCT operation || currency) AS mixtures, min(moved_at) AS moved_at
          FROM settlement_movements WHERE run_id = $1 AND key > $2
          GROUP BY key ORDER BY key LIMIT $3) m
    LEFT JOIN directory d ON d.id = m.attempt_id
    LEFT JOIN attempts a
      ON a.merchant_id = d.merchant_id AND a.id = m.attempt_id AND a.processor = $4
    ORDER BY m.key)"};

// Disputes are told of by the processor, and asked about by themselves.
bool is_compared(Operation operation) {
  return operation != Operation::dispute && operation != Operation::dispute_return;
}

// What was moved without a key, by hand for instance, is known by its reference.
std::string key_of(const Movement& movement) {
  return movement.key.empty() ? movement.reference : movement.key;
}

std::optional<Money> ours_of(const Pair& pair) {
  if (!pair.ours) return std::nullopt;
  return Money{*pair.ours, *pair.ours_currency};
}

// What is wrong with a movement of theirs, if anything is.
std::optional<std::pair<Kind, std::string>> fault_of(const Pair& pair) {
  if (!pair.state) return std::pair(Kind::missing_ours, "nobody here knows the key");
  if (*pair.state == attempts::State::failed)
    return std::pair(Kind::missing_ours, "it is held as failed here");
  if (pair.mixtures > 1) return std::pair(Kind::amount, "several things moved under one key");
  if (*pair.ours_operation != pair.operation)
    return std::pair(Kind::amount, "it is a " + text_of(*pair.ours_operation) + " here");
  if (ours_of(pair) != pair.theirs) return std::pair(Kind::amount, "the amounts are not the same");
  if (*pair.state != attempts::State::succeeded)
    return std::pair(Kind::unsettled, "it is " + text_of(*pair.state) + " here");
  return std::nullopt;
}

void judge(Tx& tx, Progress& run, const Pair& pair) {
  const auto ours = ours_of(pair);
  const bool counts = pair.state == attempts::State::succeeded;
  if (counts) run.add(*pair.ours_operation, &Sum::ours, *ours);
  const bool is_open = pair.state && !counts && *pair.state != attempts::State::failed;
  if (is_open) push(tx, run, *pair.ours_operation, *pair.merchant_id, *pair.subject_id);
  const auto fault = fault_of(pair);
  if (!fault) return;
  run.add(pair.operation, &Sum::explained, pair.theirs);
  if (counts) run.subtract(*pair.ours_operation, &Sum::explained, *ours);
  Finding finding{fault->first, pair.key,         pair.operation, ours,
                  pair.theirs,  pair.merchant_id, std::nullopt,   fault->second};
  if (pair.subject_id)
    finding.subject = subject_text(*pair.ours_operation, pair.merchant_id, *pair.subject_id);
  report(tx, run, finding);
}

Sum& sum_of(std::vector<Sum>& sums, Operation operation, const Currency& currency) {
  for (auto& sum : sums)
    if (sum.operation == operation && sum.currency == currency) return sum;
  sums.push_back({operation, currency});
  return sums.back();
}

}  // namespace

void Progress::add(Operation operation, std::int64_t Sum::*member, Money amount) {
  auto& value = sum_of(sums, operation, amount.currency).*member;
  value = (Money{value, amount.currency} + amount).amount;
}

void Progress::subtract(Operation operation, std::int64_t Sum::*member, Money amount) {
  auto& value = sum_of(sums, operation, amount.currency).*member;
  value = (Money{value, amount.currency} - amount).amount;
}

void take_down(Tx& tx, Progress run, const MovementPage& page) {
  Words operations, references, keys, currencies;
  std::vector<std::optional<AttemptId>> ids;
  std::vector<std::int64_t> amounts;
  std::vector<Instant> times;
  for (const auto& movement : page.movements) {
    if (!is_compared(movement.operation)) continue;
    operations.push_back(text_of(movement.operation));
    references.push_back(movement.reference);
    keys.push_back(key_of(movement));
    ids.push_back(Form<AttemptId>::parse(movement.key));
    amounts.push_back(movement.amount.amount);
    currencies.push_back(text_of(movement.amount.currency));
    times.push_back(movement.moved_at);
  }
  const auto taken =
      tx.all(kTakeDown, run.id, operations, references, keys, ids, amounts, currencies, times);
  for (const auto& movement : taken) {
    if (!is_within(movement.moved_at, run.day)) continue;
    ++run.theirs_count;
    run.add(movement.operation, &Sum::theirs, movement.amount);
  }
  const auto phase = page.next.empty() ? Phase::theirs : Phase::load;
  go_on(tx, std::move(run), phase, page.next);
}

void judge_theirs(Tx& tx, Progress run, const Rules& rules) {
  const auto page = tx.all(kPairs, run.id, run.position, rules.page, run.processor);
  for (const auto& pair : page)
    if (is_within(pair.moved_at, run.day)) judge(tx, run, pair);
  const bool is_last = static_cast<std::int64_t>(page.size()) < rules.page;
  const auto position = is_last ? std::string() : page.back().key;
  go_on(tx, std::move(run), is_last ? Phase::watched : Phase::theirs, position);
}

}  // namespace bottega::settlements
