// What processors tell by themselves: kept once by their own id of it, and work only where it is
// news.
#include <map>

#include "bottega/attempts/attempts.hpp"
#include "bottega/jobs/job.hpp"

namespace bottega::attempts {
namespace {

using processors::Operation, processors::Verdict;
template <class T>
using Column = std::vector<T>;

struct KeptRow {
  std::string processor, event_id;
  bool is_known = false;
};
BOOST_DESCRIBE_STRUCT(KeptRow, (), (processor, event_id, is_known))

// Handled at once is what says no more than the attempt does: it would change nothing. An attempt
// that has succeeded stays so, and one that failed is as it was when this was heard.
const Sql<KeptRow(Column<std::string>, Column<std::string>, Column<Operation>, Column<std::string>,
                  Column<Verdict>, Column<std::string>, Column<std::string>, Column<std::string>,
                  Column<std::optional<std::int64_t>>,
                  Column<std::optional<processors::DisputeNews>>, Column<std::optional<Money>>,
                  Column<std::optional<AttemptId>>, Instant)>
    kKeep{"attempts.keep_events", R"(
    INSERT INTO processor_events (processor, event_id, operation, key, verdict, reference, reason,
                                  action_url, fee, dispute, amount, received_at, handled_at)
    SELECT e.processor, e.event_id, e.operation, e.key, e.verdict, e.reference, e.reason,
           e.action_url, e.fee, e.dispute, e.amount, $13::timestamptz,
           CASE WHEN EXISTS (
                  SELECT FROM directory d
                       JOIN attempts a ON a.merchant_id = d.merchant_id AND a.id = d.id
                  WHERE d.id = e.attempt_id AND a.processor = e.processor
                    AND a.operation = e.operation
                    AND a.operation IN ('charge', 'refund', 'payout')
                    AND (a.state = 'succeeded' AND e.verdict = 'succeeded'
                           OR a.state = 'failed' AND e.verdict = 'declined')
                    AND a.returned_at IS NULL
                    AND (e.reference = a.reference
                           OR e.reference = '' AND e.verdict = 'declined')
                    AND (e.reason = '' OR e.reason = a.reason)
                    AND (e.fee IS NULL OR e.fee = a.fee)
                    AND (e.amount IS NULL
                           OR e.amount = jsonb_build_object('amount', a.amount,
                                                            'currency', a.currency))
                  OFFSET 0)
                THEN $13::timestamptz END
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::text[], $9::bigint[], $10::jsonb[], $11::jsonb[], $12::uuid[])
           AS e (processor, event_id, operation, key, verdict, reference, reason, action_url, fee,
                 dispute, amount, attempt_id)
    ORDER BY e.processor, e.event_id
    ON CONFLICT (processor, event_id) DO NOTHING
    RETURNING processor, event_id, handled_at IS NOT NULL AS is_known)"};

const Sql<KeptEvent(std::string, std::string)> kFetch{"attempts.fetch_event", R"(
    SELECT processor, event_id, operation, key, verdict, reference, reason, action_url, fee,
           dispute, amount
    FROM processor_events WHERE processor = $1 AND event_id = $2)"};

const Sql<void(std::string, std::string, Instant)> kHandled{"attempts.event_handled", R"(
    UPDATE processor_events SET handled_at = $3 WHERE processor = $1 AND event_id = $2)"};

// What nobody could make anything of stays, for whoever looks into it.
const Sql<void(Instant, std::int64_t)> kForget{"attempts.forget_events", R"(
    DELETE FROM processor_events WHERE (processor, event_id) IN (
      SELECT processor, event_id FROM processor_events
      WHERE received_at < $1 AND handled_at IS NOT NULL LIMIT $2))"};

struct Columns {
  Column<std::string> processors, ids, keys, references, reasons, urls;
  Column<Operation> operations;
  Column<Verdict> verdicts;
  Column<std::optional<std::int64_t>> fees;
  Column<std::optional<processors::DisputeNews>> disputes;
  Column<std::optional<Money>> amounts;
  Column<std::optional<AttemptId>> attempts;

  void add(const Heard& heard) {
    const auto& event = heard.event;
    const auto& told = event.outcome;
    processors.push_back(heard.processor);
    ids.push_back(event.id);
    operations.push_back(event.operation);
    keys.push_back(event.key);
    verdicts.push_back(told.verdict);
    references.push_back(told.reference);
    reasons.push_back(told.reason);
    urls.push_back(told.action_url);
    fees.push_back(told.fee);
    disputes.push_back(event.dispute);
    amounts.push_back(told.amount);
    attempts.push_back(Form<AttemptId>::parse(event.key));
  }
};

}  // namespace

std::vector<Seen> keep_events(Tx& tx, const std::vector<Heard>& heard) {
  std::vector<Seen> seen(heard.size(), Seen::again);
  if (heard.empty()) return seen;
  Columns columns;
  std::map<std::pair<std::string, std::string>, std::size_t> firsts;
  for (std::size_t i = 0; i < heard.size(); ++i)
    if (firsts.emplace(std::pair(heard[i].processor, heard[i].event.id), i).second)
      columns.add(heard[i]);
  std::vector<jobs::Planned> work;
  for (const auto& row :
       tx.all(kKeep, columns.processors, columns.ids, columns.operations, columns.keys,
              columns.verdicts, columns.references, columns.reasons, columns.urls, columns.fees,
              columns.disputes, columns.amounts, columns.attempts, tx.now())) {
    seen[firsts.at({row.processor, row.event_id})] = row.is_known ? Seen::known : Seen::first;
    if (!row.is_known)
      work.push_back({row.processor + ":" + row.event_id,
                      {{"processor", row.processor}, {"event_id", row.event_id}},
                      tx.now()});
  }
  jobs::enqueue(tx, kEventJob, work);
  return seen;
}

Seen keep_event(Tx& tx, const std::string& processor, const processors::Event& event) {
  return keep_events(tx, {{processor, event}}).front();
}

KeptEvent fetch_event(Tx& tx, const std::string& processor, const std::string& event_id) {
  return tx.one(kFetch, processor, event_id);
}

void event_handled(Tx& tx, const std::string& processor, const std::string& event_id) {
  tx.run(kHandled, processor, event_id, tx.now());
}

std::int64_t forget_events(Tx& tx, Instant before, std::int64_t limit) {
  return static_cast<std::int64_t>(tx.run(kForget, before, limit));
}

}  // namespace bottega::attempts
