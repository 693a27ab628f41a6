#include "bottega/support/times.hpp"

namespace bottega::support {
namespace {

const Sql<WeekTimes(MerchantId, Instant, Instant)> kOfMerchant{"support_cases.times_of_merchant",
                                                               R"(
    SELECT c.week, count(*) AS cases, count(c.answer_s) AS answered, count(c.solve_s) AS solved,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY c.answer_s) AS answer_median_s,
           percentile_disc(0.9) WITHIN GROUP (ORDER BY c.answer_s) AS answer_p90_s,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY c.solve_s) AS solve_median_s,
           percentile_disc(0.9) WITHIN GROUP (ORDER BY c.solve_s) AS solve_p90_s
    FROM (SELECT date_trunc('week', created_at AT TIME ZONE 'UTC')::date AS week,
                 floor(extract(epoch FROM first_answered_at - created_at))::bigint AS answer_s,
                 floor(extract(epoch FROM solved_at - created_at))::bigint AS solve_s
          FROM support_cases
          WHERE merchant_id = $1 AND kind = 'buyer' AND created_at >= $2 AND created_at < $3) c
    GROUP BY c.week ORDER BY c.week)"};

// Of all shops.
const Sql<WeekTimes(Instant, Instant)> kOfOps{"support_cases.times_of_ops", R"(
    SELECT c.week, count(*) AS cases, count(c.answer_s) AS answered, count(c.solve_s) AS solved,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY c.answer_s) AS answer_median_s,
           percentile_disc(0.9) WITHIN GROUP (ORDER BY c.answer_s) AS answer_p90_s,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY c.solve_s) AS solve_median_s,
           percentile_disc(0.9) WITHIN GROUP (ORDER BY c.solve_s) AS solve_p90_s
    FROM (SELECT date_trunc('week', ops_since AT TIME ZONE 'UTC')::date AS week,
                 floor(extract(epoch FROM ops_answered_at - ops_since))::bigint AS answer_s,
                 floor(extract(epoch FROM solved_at - ops_since))::bigint AS solve_s
          FROM support_cases WHERE ops_since >= $1 AND ops_since < $2) c
    GROUP BY c.week ORDER BY c.week)"};

struct Period {
  Instant from{}, until{};
};

Period period_of(const Days& days) {
  if (days.to < days.from || days.to - days.from >= kReportedDaysMax)
    throw Error(Code::invalid, "these days are no period of at most a year",
                {{"from", "must be before to, by at most 366 days"}});
  return {Instant(days.from), Instant(days.to + std::chrono::days(1))};
}

}  // namespace

SupportTimes times_of_merchant(Tx& tx, MerchantId merchant, const Days& days) {
  const auto period = period_of(days);
  return {tx.all(kOfMerchant, merchant, period.from, period.until)};
}

SupportTimes times_of_ops(Tx& tx, const Days& days) {
  const auto period = period_of(days);
  return {tx.all(kOfOps, period.from, period.until)};
}

}  // namespace bottega::support
