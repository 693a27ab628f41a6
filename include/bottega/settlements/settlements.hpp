#pragma once
// The daily settlement check: a processor's own list of what has moved against our attempts and our
// ledger, both ways. A run is done in steps of one page each, so that a day of any size is never
// held in memory and a server may die at any of them.
#include "bottega/payments/payments.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::settlements {

using identity::MerchantId;
using processors::Operation;
using RunId = Id<"stl">;
using DifferenceId = Id<"sdif">;

enum class State : std::uint8_t { running, clean, differences, failed };
BOOST_DESCRIBE_ENUM(State, running, clean, differences, failed)

enum class Phase : std::uint8_t { load, theirs, watched, ours, books, clear, done };
BOOST_DESCRIBE_ENUM(Phase, load, theirs, watched, ours, books, clear, done)

enum class Kind : std::uint8_t {
  missing_ours,    // they have moved what we do not know, or hold as failed
  missing_theirs,  // we hold as succeeded what they have not moved
  amount,          // another amount, currency or operation under the same key
  unsettled,       // they have moved it; a day later and asked again we still do not know
  ledger,          // the ledger has posted another amount than was moved, or nothing, or too much
  sum,             // the sums differ by more than what was found one by one
};
BOOST_DESCRIBE_ENUM(Kind, missing_ours, missing_theirs, amount, unsettled, ledger, sum)

// Of one operation in one currency, in minor units.
struct Sum {
  Operation operation{};
  Currency currency;
  std::int64_t theirs = 0;     // what they have moved on the day, by their clock
  std::int64_t ours = 0;       // the same as we have it, and what only we have
  std::int64_t explained = 0;  // what the differences make of theirs - ours
  std::int64_t settled = 0;    // what has succeeded on the day by our clock
  std::int64_t ledger = 0;     // what the ledger has posted for that
};
BOOST_DESCRIBE_STRUCT(Sum, (), (operation, currency, theirs, ours, explained, settled, ledger))

struct Run {
  RunId id;
  std::string processor;
  Date day{};
  State state{};
  std::string requested_by;  // "system" where it was the day's own
  Instant started_at{};
  std::optional<Instant> finished_at;
  std::int64_t theirs_count = 0, ours_count = 0;
  std::vector<Sum> sums;
  std::int64_t differences = 0;  // that are open
  std::int64_t pushed = 0;       // unknowns that were asked about at once
  std::optional<std::string> failure;
};
BOOST_DESCRIBE_STRUCT(Run, (),
                      (id, processor, day, state, requested_by, started_at, finished_at,
                       theirs_count, ours_count, sums, differences, pushed, failure))

struct Difference {
  DifferenceId id;
  RunId run_id;  // that found it first
  std::string processor;
  Date day{};
  Kind kind{};
  std::string key;
  Operation operation{};
  std::optional<Money> ours, theirs;
  std::optional<MerchantId> merchant_id;
  std::optional<std::string> subject;  // the id of the payment, refund or payout
  std::string note;
  Instant found_at{};
  std::optional<Instant> resolved_at;
  std::optional<std::string> resolved_by, resolution;
};
BOOST_DESCRIBE_STRUCT(Difference, (),
                      (id, run_id, processor, day, kind, key, operation, ours, theirs, merchant_id,
                       subject, note, found_at, resolved_at, resolved_by, resolution))

struct NewRun {
  Date day{};
  std::optional<Opaque<64>> processor;  // the only one where none is given
};
BOOST_DESCRIBE_STRUCT(NewRun, (), (day, processor))

struct Rules {
  std::chrono::hours hour{2};  // of the day, UTC, at which the day before is checked
  std::int64_t page = 500;     // movements looked at in one transaction
};

// Begins a run; its end is seen by fetch(). Throws Error(invalid) for a day that has not ended an
// hour ago or is too long ago, Error(conflict) while the same day is being checked.
Run begin(Tx& tx, const processors::Registry& registry, const NewRun& given,
          const std::string& requested_by);
Run fetch(Tx& tx, RunId id);
std::vector<Run> list(Tx& tx, std::optional<RunId> after, std::int64_t limit);  // newest first
// What a run has found, oldest first.
std::vector<Difference> differences(Tx& tx, RunId id, std::optional<DifferenceId> after,
                                    std::int64_t limit);
// A person says what it was. Throws Error(conflict) where it is resolved already.
Difference resolve(Tx& tx, DifferenceId id, const std::string& resolved_by,
                   const std::string& resolution);
// Differences that nobody has resolved yet.
std::int64_t count_open(Tx& tx);

// Sees to it that the daily check is planned; doing it again does nothing.
void plan(Tx& tx, const Rules& rules);
// For the job: begins the run of each day that has ended since the last one, for every processor,
// and plans the next day's, whatever becomes of these runs.
void begin_daily(Tx& tx, const processors::Registry& registry, const Rules& rules);
// For the job: one step of a run, which plans the next. A step that was done already is left alone.
asio::awaitable<void> check(Database& db, const processors::Registry& registry, RunId id,
                            std::int64_t step, const Rules& rules);
// For the job: ends a run that cannot be brought to its end.
void give_up(Tx& tx, RunId id, std::int64_t step, const std::string& failure);

inline constexpr std::string_view kDailyJob = "settlements.daily";
inline constexpr std::string_view kCheckJob = "settlements.check";

}  // namespace bottega::settlements
