// Runs: how they begin, how far they are, how they end; and who plans them.
#include "bottega/settlements/settlements.hpp"

#include <algorithm>

#include "settlements/rows.hpp"
#include "bottega/core/log.hpp"
#include "bottega/jobs/job.hpp"

namespace bottega::settlements {
namespace {

constexpr std::string_view kSystem = "system";
// A list that differs in more places than this is another list.
constexpr std::int64_t kFoundMax = 10'000;
// How far back a day may be asked for, and how far the system goes back by itself.
constexpr auto kBackMax = std::chrono::days(366);
constexpr auto kCatchUpMax = std::chrono::days(31);
constexpr std::size_t kFailureMax = 255;

const Sql<Run(RunId, std::string, Date, std::string, Instant)> kInsert{"settlements.insert", R"(
    INSERT INTO settlement_runs (id, processor, day, state, requested_by, started_at, phase)
    VALUES ($1, $2, $3, 'running', $4, $5, 'load')
    ON CONFLICT (processor, day) WHERE state = 'running' DO NOTHING
    RETURNING id, processor, day, state, requested_by, started_at, finished_at, theirs_count,
              ours_count, sums, differences, pushed, failure)"};

const Sql<Run(RunId)> kFetch{"settlements.fetch", R"(
    SELECT id, processor, day, state, requested_by, started_at, finished_at, theirs_count,
           ours_count, sums, differences, pushed, failure
    FROM settlement_runs WHERE id = $1)"};

const Sql<Run(RunId, std::int64_t)> kList{"settlements.list", R"(
    SELECT id, processor, day, state, requested_by, started_at, finished_at, theirs_count,
           ours_count, sums, differences, pushed, failure
    FROM settlement_runs WHERE id < $1 ORDER BY id DESC LIMIT $2)"};

const Sql<std::optional<Date>(std::string, std::string)> kLastDay{"settlements.last_day", R"(
    SELECT max(day) FROM settlement_runs WHERE processor = $1 AND requested_by = $2)"};

const Sql<Progress(RunId, std::int64_t)> kFindAt{"settlements.find_at", R"(
    SELECT id, processor, day, state, phase, step, position, theirs_count, ours_count, pushed,
           found, sums
    FROM settlement_runs WHERE id = $1 AND step = $2)"};

const Sql<Progress(RunId, std::int64_t)> kLockAt{"settlements.lock_at", R"(
    SELECT id, processor, day, state, phase, step, position, theirs_count, ours_count, pushed,
           found, sums
    FROM settlement_runs WHERE id = $1 AND step = $2 FOR UPDATE)"};

const Sql<void(RunId, Phase, std::int64_t, std::string, std::int64_t, std::int64_t, std::int64_t,
               std::int64_t, Json)>
    kStep{"settlements.step", R"(
    UPDATE settlement_runs SET phase = $2, step = $3, position = $4, theirs_count = $5,
           ours_count = $6, pushed = $7, found = $8, sums = $9
    WHERE id = $1)"};

const Sql<std::int64_t(RunId)> kOpenOfRun{"settlements.open_of_run", R"(
    SELECT count(*) FROM settlement_findings f
    JOIN settlement_differences d ON d.id = f.difference_id
    WHERE f.run_id = $1 AND d.reported_at IS NOT NULL AND d.resolved_at IS NULL)"};

const Sql<void(RunId, State, Instant, std::int64_t, std::optional<std::string>)> kEnd{
    "settlements.end", R"(
    UPDATE settlement_runs SET state = $2, finished_at = $3, differences = $4, failure = $5
    WHERE id = $1)"};

void want_step(Tx& tx, RunId id, std::int64_t step) {
  jobs::enqueue(tx, kCheckJob, text_of(id) + ':' + std::to_string(step),
                {{"run", text_of(id)}, {"step", step}}, tx.now());
}

std::optional<Run> start(Tx& tx, const std::string& processor, Date day,
                         const std::string& requested_by) {
  auto run = tx.find(kInsert, RunId::make(), processor, day, requested_by, tx.now());
  if (run) want_step(tx, run->id, 0);
  return run;
}

void write_step(Tx& tx, const Progress& run) {
  tx.run(kStep, run.id, run.phase, run.step, run.position, run.theirs_count, run.ours_count,
         run.pushed, run.found, to_json(run.sums));
  if (run.phase != Phase::done) want_step(tx, run.id, run.step);
}

void fail(Tx& tx, Progress run, const std::string& failure) {
  log::error("settlement.failed", {{"run", text_of(run.id)}, {"error", failure}});
  tx.run(kEnd, run.id, State::failed, tx.now(), tx.one(kOpenOfRun, run.id),
         failure.substr(0, kFailureMax));
  run.phase = Phase::clear;
  run.position.clear();
  ++run.step;
  write_step(tx, run);
}

std::string processor_of(const processors::Registry& registry, const NewRun& given,
                         Faults& faults) {
  const auto all = registry.all();
  if (!given.processor && all.size() == 1) return std::string(all.front()->name());
  if (given.processor &&
      std::ranges::count(all, given.processor->value, &processors::Processor::name) > 0)
    return given.processor->value;
  faults.push_back({"/processor", "must be the name of a processor of this server"});
  return {};
}

// The first instant after now at which the daily check is due.
Instant next_due(Instant now, const Rules& rules) {
  const auto today = Instant(std::chrono::floor<std::chrono::days>(now)) + rules.hour;
  return today > now ? today : today + std::chrono::days(1);
}

}  // namespace

Run begin(Tx& tx, const processors::Registry& registry, const NewRun& given,
          const std::string& requested_by) {
  Faults faults;
  const auto processor = processor_of(registry, given, faults);
  const auto last = last_closed(tx.now());
  if (given.day > last || given.day < last - kBackMax)
    faults.push_back({"/day", "must be a day of the last year that ended an hour ago or earlier"});
  if (!faults.empty()) throw Error(Code::invalid, "this day cannot be checked", faults);
  if (auto run = start(tx, processor, given.day, requested_by)) return *std::move(run);
  throw Error(Code::conflict, "this day is being checked");
}

Run fetch(Tx& tx, RunId id) { return tx.one(kFetch, id); }

std::vector<Run> list(Tx& tx, std::optional<RunId> after, std::int64_t limit) {
  return tx.all(kList, after.value_or(RunId::newest()), limit);
}

std::optional<Progress> find_at(Tx& tx, RunId id, std::int64_t step) {
  return tx.find(kFindAt, id, step);
}

std::optional<Progress> lock_at(Tx& tx, RunId id, std::int64_t step) {
  return tx.find(kLockAt, id, step);
}

void go_on(Tx& tx, Progress run, Phase phase, const std::string& position) {
  if (run.state == State::running && run.found > kFoundMax)
    return fail(tx, std::move(run), "more differences than anybody can look at");
  run.phase = phase;
  run.position = position;
  ++run.step;
  write_step(tx, run);
}

void finish(Tx& tx, Progress run) {
  resolve_gone(tx, run);
  const auto open = tx.one(kOpenOfRun, run.id);
  const auto state = open == 0 ? State::clean : State::differences;
  tx.run(kEnd, run.id, state, tx.now(), open, std::nullopt);
  run.state = state;
  log::info("settlement.checked", {{"run", text_of(run.id)},
                                   {"day", text_of(run.day)},
                                   {"theirs", run.theirs_count},
                                   {"ours", run.ours_count},
                                   {"differences", open}});
  go_on(tx, std::move(run), Phase::clear, "");
}

void give_up(Tx& tx, RunId id, std::int64_t step, const std::string& failure) {
  auto run = lock_at(tx, id, step);
  if (run && run->state == State::running) fail(tx, *std::move(run), failure);
}

void plan(Tx& tx, const Rules& rules) {
  const auto due = next_due(tx.now(), rules);
  const auto day = std::chrono::floor<std::chrono::days>(due);
  jobs::enqueue(tx, kDailyJob, text_of(Date(day)), Json::object(), due);
}

void begin_daily(Tx& tx, const processors::Registry& registry, const Rules& rules) {
  const auto last = last_closed(tx.now());
  const std::string system(kSystem);
  for (const auto* one : registry.all()) {
    const std::string processor(one->name());
    const auto done = tx.one(kLastDay, processor, system);
    auto day = done ? *done + std::chrono::days(1) : last;
    for (day = std::max(day, last - kCatchUpMax); day <= last; day += std::chrono::days(1))
      start(tx, processor, day, system);
  }
  plan(tx, rules);
}

}  // namespace bottega::settlements
