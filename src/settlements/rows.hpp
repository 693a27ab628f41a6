#pragma once
// What the files of this module share: how far a run is, and what it has found.
#include "bottega/settlements/settlements.hpp"

namespace bottega::settlements {

using ThingId = Id<"thing">;
using attempts::AttemptId;

// The clocks of two books are not the same: their list is taken from an hour before to an hour
// after the day, and what lies within the day is judged.
inline constexpr auto kOverlap = std::chrono::hours(1);

inline Instant begin_of(Date day) { return Instant(day); }
inline Instant end_of(Date day) { return Instant(day + std::chrono::days(1)); }
inline bool is_within(Instant at, Date day) { return at >= begin_of(day) && at < end_of(day); }
// The last day that has ended with its overlap.
inline Date last_closed(Instant now) {
  return std::chrono::floor<std::chrono::days>(now - kOverlap) - std::chrono::days(1);
}

struct Progress {
  RunId id;
  std::string processor;
  Date day{};
  State state{};
  Phase phase{};
  std::int64_t step = 0;
  std::string position;  // within the phase
  std::int64_t theirs_count = 0, ours_count = 0, pushed = 0, found = 0;
  std::vector<Sum> sums;

  // Adds to one member of the sum of an operation and a currency; throws where it does not fit.
  void add(Operation operation, std::int64_t Sum::*member, Money amount);
  void subtract(Operation operation, std::int64_t Sum::*member, Money amount);
};
BOOST_DESCRIBE_STRUCT(Progress, (),
                      (id, processor, day, state, phase, step, position, theirs_count, ours_count,
                       pushed, found, sums))

// The run, locked, where it has got as far as this step and no further.
std::optional<Progress> lock_at(Tx& tx, RunId id, std::int64_t step);
std::optional<Progress> find_at(Tx& tx, RunId id, std::int64_t step);
// Writes down that the step was done, and plans the next one.
void go_on(Tx& tx, Progress run, Phase phase, const std::string& position);
// The run has seen everything: says how it ended.
void finish(Tx& tx, Progress run);

// A page of their list, and one of its keys among ours.
void take_down(Tx& tx, Progress run, const processors::MovementPage& page);
void judge_theirs(Tx& tx, Progress run, const Rules& rules);

struct Finding {
  Kind kind{};
  std::string key;
  Operation operation{};
  std::optional<Money> ours, theirs;
  std::optional<MerchantId> merchant;
  std::optional<std::string> subject;
  std::string note;
  std::optional<Date> day = {};  // the run's own where none is said
};
// Writes down what a run has found, once however often it is found; tells people of what is new.
// What is unsettled is told when a later run finds it again.
void report(Tx& tx, Progress& run, const Finding& finding);
// Has the job that can find out what became of it ask at once.
void push(Tx& tx, Progress& run, Operation operation, MerchantId merchant, ThingId subject);
// One page of what earlier runs have found unsettled: it has settled since, or people are told.
void look_again(Tx& tx, Progress run, const Rules& rules);
// What was found before about this day, and not by this run.
void resolve_gone(Tx& tx, const Progress& run);

std::string subject_text(Operation operation, std::optional<MerchantId> merchant, ThingId subject);

}  // namespace bottega::settlements
