#pragma once
// How long answers took, by the week in which the cases began.
#include "bottega/support/support.hpp"

namespace bottega::support {

struct Days {
  Date from, to;  // both included, in UTC
};
inline constexpr std::chrono::days kReportedDaysMax{366};

// The middle one and the ninth of ten, in seconds; none where nothing was answered or solved.
struct WeekTimes {
  Date week{};  // its Monday
  std::int64_t cases = 0, answered = 0, solved = 0;
  std::optional<std::int64_t> answer_median_s, answer_p90_s, solve_median_s, solve_p90_s;
};
BOOST_DESCRIBE_STRUCT(WeekTimes, (),
                      (week, cases, answered, solved, answer_median_s, answer_p90_s, solve_median_s,
                       solve_p90_s))
struct SupportTimes {
  std::vector<WeekTimes> weeks;
};
BOOST_DESCRIBE_STRUCT(SupportTimes, (), (weeks))

// A shop's buyers' cases, from their beginning. Throws Error(invalid) for days that are no period,
// or too many.
SupportTimes times_of_merchant(Tx& tx, MerchantId merchant, const Days& days);
// The platform's, from when they came to it.
SupportTimes times_of_ops(Tx& tx, const Days& days);

}  // namespace bottega::support
