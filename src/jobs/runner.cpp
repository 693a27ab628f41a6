// Claims due rows with SKIP LOCKED and a lease, so that any node may take any job and any node may
// die.
#include <algorithm>
#include <array>

#include "bottega/core/log.hpp"
#include "bottega/jobs/job.hpp"

namespace bottega::jobs {
namespace {

using Names = std::vector<std::string>;
using Seconds = std::vector<std::int64_t>;

const Sql<void(std::vector<JobId>, std::string, Names, std::vector<Json>, std::vector<Instant>,
               Instant)>
    kEnqueue{"jobs.enqueue", R"(
    INSERT INTO jobs (id, kind, about, arguments, run_at, created_at)
    SELECT job.id, $2, job.about, job.arguments, job.run_at, $6
    FROM unnest($1::uuid[], $3::text[], $4::jsonb[], $5::timestamptz[])
           AS job (id, about, arguments, run_at)
    ON CONFLICT (kind, about) WHERE dead_at IS NULL
    DO UPDATE SET run_at = least(jobs.run_at, excluded.run_at), wishes = jobs.wishes + 1)"};

const Sql<void(std::string, Names)> kCancel{"jobs.cancel", R"(
    DELETE FROM jobs WHERE kind = $1 AND about = ANY($2) AND dead_at IS NULL)"};

// The lease is by the machine's time, due by the product's clock.
const Sql<Job(Instant, std::int64_t, Names, Seconds)> kClaim{"jobs.claim", R"(
    UPDATE jobs SET attempts = attempts + 1,
           locked_until = clock_timestamp() + make_interval(secs => due.lease)
    FROM (SELECT id, lease FROM jobs
          JOIN unnest($3::text[], $4::bigint[]) AS kinds (name, lease) ON kinds.name = kind
          WHERE run_at <= $1 AND dead_at IS NULL
            AND (locked_until IS NULL OR locked_until < clock_timestamp())
          ORDER BY run_at LIMIT $2 FOR UPDATE OF jobs SKIP LOCKED) AS due
    WHERE jobs.id = due.id
    RETURNING jobs.id, kind, about, arguments, attempts, wishes)"};

const Sql<void(JobId, std::int64_t, std::int64_t)> kDone{"jobs.done", R"(
    WITH gone AS (DELETE FROM jobs WHERE id = $1 AND attempts = $2 AND wishes = $3)
    UPDATE jobs SET attempts = 0, locked_until = NULL
    WHERE id = $1 AND attempts = $2 AND wishes <> $3)"};

const Sql<void(JobId, std::int64_t, std::int64_t)> kRenew{"jobs.renew", R"(
    UPDATE jobs SET locked_until = clock_timestamp() + make_interval(secs => $3)
    WHERE id = $1 AND attempts = $2 AND dead_at IS NULL)"};

const Sql<void(JobId, std::int64_t, Instant, std::string)> kAgain{"jobs.again", R"(
    UPDATE jobs SET run_at = $3, locked_until = NULL, last_error = $4
    WHERE id = $1 AND attempts = $2)"};

const Sql<void(JobId, std::int64_t, Instant, std::string)> kDead{"jobs.dead", R"(
    UPDATE jobs SET dead_at = $3, locked_until = NULL, last_error = $4
    WHERE id = $1 AND attempts = $2)"};

const Sql<Runner::Counts(Instant)> kCounts{"jobs.counts", R"(
    SELECT count(*) FILTER (WHERE dead_at IS NULL AND run_at <= $1) AS due,
           count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead FROM jobs)"};

std::string words_of(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

BOOST_DESCRIBE_STRUCT(Runner::Counts, (), (due, dead))

void enqueue(Tx& tx, std::string_view kind, std::string_view about, const Json& arguments,
             Instant run_at) {
  enqueue(tx, kind, {{std::string(about), arguments, run_at}});
}

void enqueue(Tx& tx, std::string_view kind, const std::vector<Planned>& planned) {
  if (planned.empty()) return;
  std::vector<JobId> ids;
  Names abouts;
  std::vector<Json> arguments;
  std::vector<Instant> times;
  for (const auto& job : planned) {
    ids.push_back(JobId::make());
    abouts.push_back(job.about);
    arguments.push_back(job.arguments);
    times.push_back(job.run_at);
  }
  tx.run(kEnqueue, ids, std::string(kind), abouts, arguments, times, tx.now());
}

void cancel(Tx& tx, std::string_view kind, std::string_view about) {
  cancel(tx, kind, std::vector{std::string(about)});
}

void cancel(Tx& tx, std::string_view kind, const std::vector<std::string>& abouts) {
  if (!abouts.empty()) tx.run(kCancel, std::string(kind), abouts);
}

bool renew(Tx& tx, const Job& job, std::chrono::seconds lease) {
  return tx.run(kRenew, job.id, job.attempts, lease.count()) == 1;
}

std::chrono::seconds back_off(std::int64_t attempts) {
  using namespace std::chrono_literals;
  constexpr auto waits = std::to_array<std::chrono::seconds>({5s, 30s, 5min, 1h, 24h});
  const auto index = std::clamp<std::int64_t>(attempts - 1, 0, std::int64_t{waits.size()} - 1);
  return waits[static_cast<std::size_t>(index)];
}

Runner::Runner(Database& db, std::vector<Kind> kinds, std::int64_t batch)
    : db_(db), kinds_(std::move(kinds)), batch_(batch) {}

asio::awaitable<int> Runner::run_due(Lane lane) {
  Names names;
  Seconds leases;
  for (const auto& kind : kinds_) {
    if (kind.lane != lane) continue;
    names.emplace_back(kind.name);
    leases.push_back(kind.lease.count());
  }
  if (names.empty()) co_return 0;
  const std::int64_t most = lane == Lane::database ? batch_ : 1;
  const auto taken =
      co_await db_.transact([&](Tx& tx) { return tx.all(kClaim, tx.now(), most, names, leases); });
  for (const auto& job : taken) co_await run_one(job);
  co_return static_cast<int>(taken.size());
}

asio::awaitable<int> Runner::drain(int rounds, Lane lane) {
  const auto most = rounds * static_cast<int>(batch_);
  int total = 0;
  for (int taken = 1; taken > 0 && total < most; total += taken) taken = co_await run_due(lane);
  co_return total;
}

// What one lane has done may be work for another.
asio::awaitable<int> Runner::drain(int rounds) {
  int total = 0;
  for (int done = 1; done > 0 && total < rounds * static_cast<int>(batch_); total += done) {
    done = 0;
    for (const auto lane : kLanes) {
      const int taken = co_await drain(rounds, lane);
      done += taken;
    }
  }
  co_return total;
}

asio::awaitable<void> Runner::run_one(const Job& job) {
  const auto kind = std::ranges::find(kinds_, job.kind, &Kind::name);
  std::exception_ptr failure;
  try {
    co_await kind->run(job);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) {
    co_await db_.transact([&](Tx& tx) { tx.run(kDone, job.id, job.attempts, job.wishes); });
    co_return;
  }
  const auto words = words_of(failure);
  const bool dead = job.attempts >= kind->attempts_max;
  if (dead)
    log::error("job.dead", {{"kind", job.kind}, {"about", job.about}, {"error", words}});
  else
    log::warning("job.again", {{"kind", job.kind}, {"about", job.about}, {"error", words}});
  co_await db_.transact([&](Tx& tx) {
    if (dead)
      tx.run(kDead, job.id, job.attempts, tx.now(), words);
    else
      tx.run(kAgain, job.id, job.attempts, tx.now() + back_off(job.attempts), words);
  });
}

asio::awaitable<Runner::Counts> Runner::counts() {
  co_return co_await db_.read([&](Tx& tx) { return tx.one(kCounts, tx.now()); });
}

}  // namespace bottega::jobs
