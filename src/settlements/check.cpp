// A run, step by step: their list is taken down, each of its movements is looked for among our
// attempts, then each of our attempts among theirs and in the ledger.
#include "settlements/rows.hpp"

namespace bottega::settlements {
namespace {

using processors::Verdict;
using Words = std::vector<std::string>;

// Each is a call to the processor.
constexpr std::size_t kLookUpsMax = 10;
constexpr std::int64_t kClearedAtOnce = 10'000;
constexpr std::int64_t kStrayMax = 1'000;

// What has succeeded on the day by our clock, whether their list has it, and what the ledger has
// posted for it: into the clearing account for charges, out of it for others, without fees.
struct Settled {
  MerchantId merchant_id;
  AttemptId id;
  Operation operation{};
  ThingId subject_id;
  Money amount;
  Instant settled_at{};
  bool is_returned = false, is_listed = false;
  std::int64_t posted = 0;
};
BOOST_DESCRIBE_STRUCT(Settled, (),
                      (merchant_id, id, operation, subject_id, amount, settled_at, is_returned,
                       is_listed, posted))

const Sql<Settled(RunId, std::string, Instant, Instant, AttemptId, std::int64_t, Words)> kSettled{
    "settlements.settled", R"(
    SELECT a.merchant_id, a.id, a.operation, a.subject_id, a.amount, a.currency, a.settled_at,
           a.returned_at IS NOT NULL AS is_returned,
           EXISTS (SELECT FROM settlement_movements m
                   WHERE m.run_id = $1 AND m.attempt_id = a.id) AS is_listed,
           (SELECT coalesce(sum(t.amount), 0)::bigint FROM ledger_transfers t
            WHERE t.why = ANY ($7::text[]) AND t.about = a.subject_id AND t.phase = 'posted'
              AND t.currency = a.currency
              AND CASE a.operation
                    WHEN 'charge' THEN t.debit_kind = 'processor_clearing'
                                       AND t.credit_kind <> 'processor_fees'
                    ELSE t.credit_kind = 'processor_clearing'
                         AND t.debit_kind <> 'processor_fees' END) AS posted
    FROM attempts a
    WHERE a.processor = $2 AND a.state = 'succeeded' AND a.operation <> 'dispute'
      AND (a.settled_at, a.id) > ($4, $5)
      AND a.settled_at < $3
    ORDER BY a.settled_at, a.id LIMIT $6)"};

// What the ledger has posted on the day for which nothing has succeeded; what belongs to no
// merchant is a wallet's, and where nobody was asked to move it, every processor's run tells of it.
struct Stray {
  ledger::Why why{};
  ThingId about;
  Money amount;
  MerchantId merchant_id;
};
BOOST_DESCRIBE_STRUCT(Stray, (), (why, about, amount, merchant_id))

const Sql<Stray(std::string, Instant, Instant, Words, std::int64_t)> kStray{"settlements.stray", R"(
    SELECT t.why, t.about, t.amount, t.currency, t.owner AS merchant_id
    FROM (SELECT id, why, about, amount, currency,
                 CASE WHEN debit_kind = 'processor_clearing' THEN debit_owner
                      ELSE credit_owner END AS owner
          FROM ledger_transfers
          WHERE at >= $2 AND at < $3 AND phase = 'posted' AND why = ANY ($4::text[])
            AND 'processor_clearing' IN (debit_kind, credit_kind)) t
    LEFT JOIN merchants m ON m.id = t.owner
    WHERE coalesce(m.processor,
                   (SELECT min(a.processor) FROM attempts a
                    WHERE a.merchant_id = t.owner AND a.subject_id = t.about), $1) = $1
      AND NOT EXISTS (SELECT FROM attempts a
                      WHERE a.merchant_id = t.owner AND a.subject_id = t.about
                        AND a.state = 'succeeded')
    ORDER BY t.id LIMIT $5)"};

const Sql<void(RunId, std::int64_t)> kClear{"settlements.clear", R"(
    DELETE FROM settlement_movements m
    USING (SELECT operation, reference FROM settlement_movements WHERE run_id = $1 LIMIT $2) piece
    WHERE m.run_id = $1 AND m.operation = piece.operation AND m.reference = piece.reference)"};

// The transfers that come about by an attempt, and the operation that it was.
struct Booking {
  ledger::Why why;
  Operation operation;
};
constexpr Booking kBookings[] = {
    {ledger::Why::capture, Operation::charge},
    {ledger::Why::refund, Operation::refund},
    {ledger::Why::refund_fee, Operation::refund},
    {ledger::Why::refund_balance, Operation::refund},
    {ledger::Why::refund_advance, Operation::refund},
    {ledger::Why::goodwill, Operation::refund},
    {ledger::Why::payout, Operation::payout},
    {ledger::Why::top_up, Operation::charge},
    {ledger::Why::withdrawal, Operation::payout},
};

Operation operation_of(ledger::Why why) {
  const auto* row = std::ranges::find(kBookings, why, &Booking::why);
  return row == std::end(kBookings) ? Operation::charge : row->operation;
}

Words booked_whys() {
  Words words;
  for (const auto& row : kBookings) words.push_back(text_of(row.why));
  return words;
}

// Every reason that there is: the unique key of the transfers begins with it.
Words all_whys() {
  Words words;
  Form<ledger::Why>::each([&](const char* name) { words.emplace_back(name); });
  return words;
}

// ---- their list ---------------------------------------------------------------------------------

asio::awaitable<void> load(Database& db, const processors::Registry& registry, const Progress& run,
                           const Rules& rules) {
  const processors::Period period{begin_of(run.day) - kOverlap, end_of(run.day) + kOverlap};
  auto& processor = registry.get(run.processor);
  const auto page = co_await processor.movements(period, run.position, rules.page);
  co_await db.transact([&](Tx& tx) {
    if (auto locked = lock_at(tx, run.id, run.step)) take_down(tx, *std::move(locked), page);
  });
}

// ---- ours among theirs --------------------------------------------------------------------------

// What is not in their list of the day may have moved on another one, before we knew: they are
// asked about it by its key.
struct Answered {
  Settled attempt;
  Verdict verdict{};
};
struct OursPage {
  std::vector<Settled> attempts;
  bool is_last = false;
};

// A page ends where as many were not listed as may be asked about at once.
OursPage page_of(Tx& tx, const Progress& run, const Rules& rules) {
  const auto space = run.position.find(' ');
  const bool is_first = space == std::string::npos;
  const auto at = is_first ? begin_of(run.day) : from_text<Instant>(run.position.substr(0, space));
  const auto id = is_first ? AttemptId{} : from_text<AttemptId>(run.position.substr(space + 1));
  OursPage page;
  page.attempts =
      tx.all(kSettled, run.id, run.processor, end_of(run.day), at, id, rules.page, all_whys());
  page.is_last = static_cast<std::int64_t>(page.attempts.size()) < rules.page;
  std::size_t unlisted = 0;
  for (std::size_t i = 0; i < page.attempts.size(); ++i) {
    if (page.attempts[i].is_listed || ++unlisted < kLookUpsMax) continue;
    page.is_last = page.is_last && i + 1 == page.attempts.size();
    page.attempts.resize(i + 1);
  }
  return page;
}

Finding finding_of(const Settled& attempt, Kind kind, const std::string& note) {
  return {kind,
          text_of(attempt.id),
          attempt.operation,
          attempt.amount,
          std::nullopt,
          attempt.merchant_id,
          subject_text(attempt.operation, attempt.merchant_id, attempt.subject_id),
          note};
}

void judge_ledger(Tx& tx, Progress& run, const Settled& attempt) {
  const Money posted{attempt.posted, attempt.amount.currency};
  ++run.ours_count;
  run.add(attempt.operation, &Sum::settled, attempt.amount);
  run.add(attempt.operation, &Sum::ledger, posted);
  if (posted == attempt.amount) return;
  auto finding =
      finding_of(attempt, Kind::ledger, "the ledger has posted " + display(posted) + " for it");
  report(tx, run, finding);
}

void judge_ours(Tx& tx, Progress run, const OursPage& page, const std::vector<Answered>& unlisted) {
  for (const auto& attempt : page.attempts) judge_ledger(tx, run, attempt);
  for (const auto& [attempt, verdict] : unlisted) {
    // What came back had moved: no list of theirs need have it any more.
    const bool came_back = attempt.is_returned && verdict == Verdict::declined;
    if (verdict == Verdict::succeeded || came_back) continue;
    run.add(attempt.operation, &Sum::ours, attempt.amount);
    run.subtract(attempt.operation, &Sum::explained, attempt.amount);
    report(tx, run,
           finding_of(attempt, Kind::missing_theirs,
                      "it is not in their list; asked by its key they say " + text_of(verdict)));
  }
  std::string position;
  if (!page.is_last)
    position = text_of(page.attempts.back().settled_at) + ' ' + text_of(page.attempts.back().id);
  go_on(tx, std::move(run), page.is_last ? Phase::books : Phase::ours, position);
}

asio::awaitable<void> check_ours(Database& db, const processors::Registry& registry,
                                 const Progress& run, const Rules& rules) {
  const auto page = co_await db.read([&](Tx& tx) { return page_of(tx, run, rules); });
  auto& processor = registry.get(run.processor);
  std::vector<Answered> unlisted;
  for (const auto& attempt : page.attempts) {
    if (attempt.is_listed) continue;
    const auto key = text_of(attempt.id);
    const auto outcome = co_await processor.look_up(attempt.operation, key);
    // A question that is refused (our credentials are wrong, for instance) is not answered either.
    if (outcome.verdict == Verdict::unknown || outcome.verdict == Verdict::refused)
      throw Error(Code::busy, "the processor does not answer");
    unlisted.push_back({attempt, outcome.verdict});
  }
  co_await db.transact([&](Tx& tx) {
    if (auto locked = lock_at(tx, run.id, run.step))
      judge_ours(tx, *std::move(locked), page, unlisted);
  });
}

// ---- the books ----------------------------------------------------------------------------------

void judge_strays(Tx& tx, Progress& run) {
  const auto strays =
      tx.all(kStray, run.processor, begin_of(run.day), end_of(run.day), booked_whys(), kStrayMax);
  for (const auto& stray : strays) {
    const auto operation = operation_of(stray.why);
    const auto subject = subject_text(operation, stray.merchant_id, stray.about);
    report(tx, run,
           {Kind::ledger, text_of(stray.why) + ' ' + subject, operation, stray.amount, std::nullopt,
            stray.merchant_id, subject, "the ledger has posted it, and nothing has succeeded"});
  }
}

// What was found one by one must be all of what the sums differ by.
void judge_sums(Tx& tx, Progress& run) {
  for (const auto& sum : run.sums) {
    const Money theirs{sum.theirs, sum.currency}, ours{sum.ours, sum.currency};
    if (theirs - ours == Money{sum.explained, sum.currency}) continue;
    const auto key =
        "sum " + text_of(run.day) + ' ' + text_of(sum.operation) + ' ' + text_of(sum.currency);
    report(tx, run,
           {Kind::sum, key, sum.operation, ours, theirs, std::nullopt, std::nullopt,
            "the sums differ by more than what was found one by one"});
  }
}

void judge_books(Tx& tx, Progress run) {
  judge_strays(tx, run);
  judge_sums(tx, run);
  finish(tx, std::move(run));
}

void clear(Tx& tx, Progress run) {
  const bool is_done =
      tx.run(kClear, run.id, kClearedAtOnce) < static_cast<std::size_t>(kClearedAtOnce);
  go_on(tx, std::move(run), is_done ? Phase::done : Phase::clear, "");
}

void work_on(Tx& tx, Progress run, const Rules& rules) {
  switch (run.phase) {
    case Phase::load:
    case Phase::ours:
    case Phase::done:
      return;
    case Phase::theirs:
      return judge_theirs(tx, std::move(run), rules);
    case Phase::watched:
      return look_again(tx, std::move(run), rules);
    case Phase::books:
      return judge_books(tx, std::move(run));
    case Phase::clear:
      return clear(tx, std::move(run));
  }
}

}  // namespace

asio::awaitable<void> check(Database& db, const processors::Registry& registry, RunId id,
                            std::int64_t step, const Rules& rules) {
  const auto found = co_await db.read([&](Tx& tx) { return find_at(tx, id, step); });
  if (!found) co_return;
  const Progress& run = *found;
  if (run.phase == Phase::load) co_return co_await load(db, registry, run, rules);
  if (run.phase == Phase::ours) co_return co_await check_ours(db, registry, run, rules);
  co_await db.transact([&](Tx& tx) {
    if (auto locked = lock_at(tx, id, step)) work_on(tx, *std::move(locked), rules);
  });
}

}  // namespace bottega::settlements
