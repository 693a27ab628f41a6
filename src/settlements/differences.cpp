// What differs: one row each, told once, carried from run to run until it is gone or resolved.
#include "settlements/rows.hpp"
#include "bottega/core/log.hpp"
#include "bottega/jobs/job.hpp"
#include "bottega/payments/refunds.hpp"
#include "bottega/wallet/wallet.hpp"

namespace bottega::settlements {
namespace {

using Amount = std::optional<std::int64_t>;
using Unit = std::optional<Currency>;

struct Kept {
  DifferenceId id;
  std::optional<Instant> reported_at;
};
BOOST_DESCRIBE_STRUCT(Kept, (), (id, reported_at))

// What a person has resolved stays so; what had gone by itself and is there again is told again.
const Sql<Kept(DifferenceId, RunId, std::string, Date, Kind, std::string, Operation, Amount, Unit,
               Amount, Unit, std::optional<MerchantId>, std::optional<std::string>, std::string,
               Instant, std::optional<Instant>, std::optional<AttemptId>)>
    kReport{"settlements.report", R"(
    INSERT INTO settlement_differences AS d (id, run_id, processor, day, kind, key, operation, ours,
                                             ours_currency, theirs, theirs_currency, merchant,
                                             subject, note, found_at, reported_at,
                                             attempt_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
            $17)
    ON CONFLICT (processor, key, kind) DO UPDATE
    SET ours = excluded.ours, ours_currency = excluded.ours_currency, theirs = excluded.theirs,
        theirs_currency = excluded.theirs_currency, note = excluded.note,
        reported_at = CASE WHEN d.resolved_by = 'system' THEN excluded.reported_at
                           WHEN d.run_id <> excluded.run_id
                             THEN coalesce(d.reported_at, excluded.found_at)
                           ELSE d.reported_at END,
        resolved_at = CASE WHEN d.resolved_by <> 'system' THEN d.resolved_at END,
        resolution = CASE WHEN d.resolved_by <> 'system' THEN d.resolution END,
        resolved_by = CASE WHEN d.resolved_by <> 'system' THEN d.resolved_by END
    RETURNING id, reported_at)"};

const Sql<void(RunId, DifferenceId)> kFind{"settlements.find", R"(
    INSERT INTO settlement_findings (run_id, difference_id) VALUES ($1, $2)
    ON CONFLICT DO NOTHING)"};

const Sql<Difference(RunId, DifferenceId, std::int64_t)> kOfRun{"settlements.differences", R"(
    SELECT d.id, d.run_id, d.processor, d.day, d.kind, d.key, d.operation,
           CASE WHEN d.ours IS NOT NULL
                THEN jsonb_build_object('amount', d.ours, 'currency', d.ours_currency) END AS ours,
           CASE WHEN d.theirs IS NOT NULL
                THEN jsonb_build_object('amount', d.theirs, 'currency', d.theirs_currency)
                END AS theirs,
           d.merchant AS merchant_id, d.subject, d.note, d.found_at, d.resolved_at, d.resolved_by,
           d.resolution
    FROM settlement_findings f JOIN settlement_differences d ON d.id = f.difference_id
    WHERE f.run_id = $1 AND d.id > $2 AND d.reported_at IS NOT NULL ORDER BY d.id LIMIT $3)"};

const Sql<Difference(DifferenceId)> kLock{"settlements.lock_difference", R"(
    SELECT d.id, d.run_id, d.processor, d.day, d.kind, d.key, d.operation,
           CASE WHEN d.ours IS NOT NULL
                THEN jsonb_build_object('amount', d.ours, 'currency', d.ours_currency) END AS ours,
           CASE WHEN d.theirs IS NOT NULL
                THEN jsonb_build_object('amount', d.theirs, 'currency', d.theirs_currency)
                END AS theirs,
           d.merchant AS merchant_id, d.subject, d.note, d.found_at, d.resolved_at, d.resolved_by,
           d.resolution
    FROM settlement_differences d WHERE d.id = $1 AND d.reported_at IS NOT NULL FOR UPDATE)"};

const Sql<void(DifferenceId, Instant, std::string, std::string)> kResolve{"settlements.resolve", R"(
    UPDATE settlement_differences SET resolved_at = $2, resolved_by = $3, resolution = $4
    WHERE id = $1)"};

const Sql<std::int64_t()> kCountOpen{"settlements.count_open", R"(
    SELECT count(*) FROM settlement_differences
    WHERE resolved_at IS NULL AND reported_at IS NOT NULL)"};

const Sql<void(std::string, Date, RunId, Instant)> kGone{"settlements.gone", R"(
    UPDATE settlement_differences d SET resolved_at = $4, resolved_by = 'system',
           resolution = 'found no more when the day was checked again'
    WHERE processor = $1 AND day = $2 AND resolved_at IS NULL AND kind <> 'unsettled'
      AND NOT EXISTS (SELECT FROM settlement_findings f
                      WHERE f.run_id = $3 AND f.difference_id = d.id))"};

// Something that was unsettled when an earlier run looked.
struct Watched {
  DifferenceId id;
  Date day{};
  std::string key;
  Operation operation{};
  Money theirs;
  std::optional<MerchantId> merchant_id;
  std::optional<attempts::State> state;
  std::optional<ThingId> subject_id;
};
BOOST_DESCRIBE_STRUCT(Watched, (),
                      (id, day, key, operation, theirs, merchant_id, state, subject_id))

const Sql<Watched(std::string, RunId, DifferenceId, std::int64_t)> kWatched{"settlements.watched",
                                                                            R"(
    SELECT d.id, d.day, d.key, d.operation, d.theirs, d.theirs_currency AS currency,
           d.merchant AS merchant_id, a.state, a.subject_id
    FROM settlement_differences d
    LEFT JOIN attempts a ON a.merchant_id = d.merchant AND a.id = d.attempt_id
    WHERE d.processor = $1 AND d.run_id <> $2 AND d.id > $3 AND d.kind = 'unsettled'
      AND d.resolved_at IS NULL
    ORDER BY d.id LIMIT $4)"};

Amount amount_of(const std::optional<Money>& money) {
  return money ? Amount(money->amount) : std::nullopt;
}
Unit unit_of(const std::optional<Money>& money) {
  return money ? Unit(money->currency) : std::nullopt;
}

void tell(const Progress& run, const Finding& finding) {
  log::error("settlement.difference", {{"run", text_of(run.id)},
                                       {"processor", run.processor},
                                       {"day", text_of(finding.day.value_or(run.day))},
                                       {"kind", text_of(finding.kind)},
                                       {"operation", text_of(finding.operation)},
                                       {"key", finding.key}});
}

// Under the platform's id wallets are kept, which is no merchant.
Difference shown(Difference difference) {
  if (difference.merchant_id == wallet::kPlatformMerchant) difference.merchant_id.reset();
  return difference;
}

Finding finding_of(const Watched& watched, Kind kind, const std::string& note) {
  Finding finding{kind,         watched.key,    watched.operation,
                  std::nullopt, watched.theirs, watched.merchant_id,
                  std::nullopt, note,           watched.day};
  if (watched.subject_id)
    finding.subject = subject_text(watched.operation, watched.merchant_id, *watched.subject_id);
  return finding;
}

void look_again_at(Tx& tx, Progress& run, const Watched& watched) {
  using attempts::State;
  const bool has_ended =
      watched.state && (*watched.state == State::succeeded || *watched.state == State::failed);
  if (has_ended) {
    tx.run(kResolve, watched.id, tx.now(), "system", "it is " + text_of(*watched.state) + " now");
    if (*watched.state == State::failed)
      report(tx, run, finding_of(watched, Kind::missing_ours, "it is held as failed here"));
    return;
  }
  report(tx, run, finding_of(watched, Kind::unsettled, "it has no definite outcome here"));
  if (watched.merchant_id && watched.subject_id)
    push(tx, run, watched.operation, *watched.merchant_id, *watched.subject_id);
}

}  // namespace

std::string subject_text(Operation operation, std::optional<MerchantId> merchant, ThingId subject) {
  // What the platform asked for itself is a wallet's.
  const bool is_wallets = merchant == wallet::kPlatformMerchant;
  if (is_wallets && operation == Operation::charge) return text_of(wallet::TopUpId{subject.uuid});
  if (is_wallets) return text_of(wallet::WithdrawalId{subject.uuid});
  switch (operation) {
    case Operation::charge:
      return text_of(orders::PaymentId{subject.uuid});
    case Operation::refund:
      return text_of(payments::RefundId{subject.uuid});
    case Operation::payout:
      return text_of(payouts::BatchId{subject.uuid});
    case Operation::onboarding:
    case Operation::dispute:
    case Operation::dispute_return:
      break;
  }
  return text_of(subject);
}

void report(Tx& tx, Progress& run, const Finding& finding) {
  const bool may_settle = finding.kind == Kind::unsettled;
  const auto reported_at = may_settle ? std::nullopt : std::optional(tx.now());
  const auto kept = tx.one(
      kReport, DifferenceId::make(), run.id, run.processor, finding.day.value_or(run.day),
      finding.kind, finding.key, finding.operation, amount_of(finding.ours), unit_of(finding.ours),
      amount_of(finding.theirs), unit_of(finding.theirs), finding.merchant, finding.subject,
      finding.note, tx.now(), reported_at, Form<AttemptId>::parse(finding.key));
  tx.run(kFind, run.id, kept.id);
  ++run.found;
  if (kept.reported_at == tx.now()) tell(run, finding);
}

void push(Tx& tx, Progress& run, Operation operation, MerchantId merchant, ThingId subject) {
  const auto want = [&](std::string_view job) {
    jobs::enqueue(tx, job, subject_text(operation, merchant, subject),
                  {{"merchant_id", text_of(merchant)}}, tx.now());
    ++run.pushed;
  };
  const bool is_wallets = merchant == wallet::kPlatformMerchant;
  if (is_wallets)
    return want(operation == Operation::charge ? wallet::kTopUpJob : wallet::kWithdrawJob);
  if (operation == Operation::charge) want(payments::kReconcileJob);
  if (operation == Operation::refund) want(payments::kRefundJob);
  if (operation == Operation::payout) want(payouts::kSendJob);
}

void look_again(Tx& tx, Progress run, const Rules& rules) {
  auto after = run.position.empty() ? DifferenceId{} : from_text<DifferenceId>(run.position);
  const auto page = tx.all(kWatched, run.processor, run.id, after, rules.page);
  for (const auto& watched : page) look_again_at(tx, run, watched);
  const bool is_last = static_cast<std::int64_t>(page.size()) < rules.page;
  const auto position = is_last ? std::string() : text_of(page.back().id);
  go_on(tx, std::move(run), is_last ? Phase::ours : Phase::watched, position);
}

void resolve_gone(Tx& tx, const Progress& run) {
  tx.run(kGone, run.processor, run.day, run.id, tx.now());
}

std::vector<Difference> differences(Tx& tx, RunId id, std::optional<DifferenceId> after,
                                    std::int64_t limit) {
  fetch(tx, id);
  auto all = tx.all(kOfRun, id, after.value_or(DifferenceId{}), limit);
  for (auto& one : all) one = shown(std::move(one));
  return all;
}

Difference resolve(Tx& tx, DifferenceId id, const std::string& resolved_by,
                   const std::string& resolution) {
  auto found = shown(tx.one(kLock, id));
  if (found.resolved_at) throw Error(Code::conflict, "it is resolved already");
  found.resolved_at = tx.now();
  found.resolved_by = resolved_by;
  found.resolution = resolution;
  tx.run(kResolve, id, tx.now(), resolved_by, resolution);
  return found;
}

std::int64_t count_open(Tx& tx) { return tx.one(kCountOpen); }

}  // namespace bottega::settlements
