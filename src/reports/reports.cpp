// Everything is found by the primary keys of what there is: they begin with the merchant, and the
// ids in them with the time, so that a report reads the rows of its days and no index more is kept.
#include "bottega/reports/reports.hpp"

#include "bottega/core/calendar.hpp"

namespace bottega::reports {
namespace {

using AnyId = Id<"any">;

constexpr auto kPeriodMax = std::chrono::days(366), kPeriodDefault = std::chrono::days(30);
// What an id and PostgreSQL can hold, with room for every zone.
constexpr Date kFirst = std::chrono::year(1970) / 1 / 2, kLast = std::chrono::year(9998) / 12 / 30;
constexpr std::int64_t kRowsMax = 10'000;
// The clocks of several nodes may differ, and an id is made a moment after its transaction's time.
constexpr auto kSlack = std::chrono::minutes(10);

// A cancelled order is given back whole, whatever is still on its way and whoever had given back
// what of it: nothing of it is the merchant's, nor a fee.
const Sql<SalesRow(MerchantId, AnyId, AnyId, Instant, Instant, std::string)> kSales{"reports.sales",
                                                                                    R"(
    SELECT day, currency, count(*) AS orders, sum(total)::bigint AS gross,
           sum(refunded)::bigint AS refunds, sum(fee)::bigint AS fees,
           sum(total - refunded - fee)::bigint AS net
    FROM (SELECT (created_at AT TIME ZONE $6::text)::date AS day, currency, total,
                 CASE WHEN state = 'cancelled' THEN total ELSE refunded END AS refunded,
                 CASE WHEN state = 'cancelled' THEN 0 ELSE fee - fee_returned END AS fee
          FROM orders
          WHERE merchant_id = $1 AND id >= $2 AND id < $3 AND created_at >= $4
            AND created_at < $5) o
    GROUP BY GROUPING SETS ((day, currency), (currency)) ORDER BY day, currency)"};

const Sql<RefundsRow(MerchantId, AnyId, AnyId, Instant, Instant, std::string)> kRefunds{
    "reports.refunds", R"(
    SELECT day, currency, count(*) AS refunds,
           count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
           count(*) FILTER (WHERE state = 'failed') AS failed,
           coalesce(sum(amount) FILTER (WHERE state = 'succeeded'), 0)::bigint AS amount,
           coalesce(sum(amount) FILTER (WHERE state = 'succeeded' AND funded_by = 'platform'),
                    0)::bigint AS by_platform,
           coalesce(sum(amount) FILTER (WHERE state IN ('pending', 'unknown')), 0)::bigint
             AS under_way
    FROM (SELECT (created_at AT TIME ZONE $6::text)::date AS day, currency, state, amount,
                 funded_by
          FROM refunds
          WHERE merchant_id = $1 AND id >= $2 AND id < $3 AND created_at >= $4
            AND created_at < $5) r
    GROUP BY GROUPING SETS ((day, currency), (currency)) ORDER BY day, currency)"};

const Sql<ProductsRow(MerchantId, AnyId, AnyId, Instant, Instant, std::string, std::int64_t)>
    kProducts{"reports.products", R"(
    SELECT day, currency, name, sum(quantity)::bigint AS pieces,
           sum(quantity * unit_amount)::bigint AS gross
    FROM (SELECT (created_at AT TIME ZONE $6::text)::date AS day, currency, lines
          FROM orders
          WHERE merchant_id = $1 AND id >= $2 AND id < $3 AND created_at >= $4
            AND created_at < $5) o
         CROSS JOIN LATERAL jsonb_to_recordset(o.lines)
           AS line (name text, quantity bigint, unit_amount bigint)
    GROUP BY GROUPING SETS ((day, currency, name), (currency, name))
    ORDER BY day, currency, gross DESC, name LIMIT $7)"};

// The row without a day is there even where nothing else is.
const Sql<ConversionRow(MerchantId, AnyId, AnyId, Instant, Instant, std::string)> kConversion{
    "reports.conversion", R"(
    WITH seen AS (
      SELECT id AS conversation_id, (created_at AT TIME ZONE $6::text)::date AS day,
             true AS begun, false AS requested, false AS paid
      FROM conversations
      WHERE merchant_id = $1 AND id >= $2 AND id < $3 AND created_at >= $4 AND created_at < $5
      UNION ALL
      SELECT conversation_id, (created_at AT TIME ZONE $6::text)::date, false, true,
             state = 'paid'
      FROM payment_requests
      WHERE merchant_id = $1 AND id >= $2 AND id < $3 AND created_at >= $4 AND created_at < $5)
    SELECT day, count(DISTINCT conversation_id) FILTER (WHERE begun) AS begun,
           count(DISTINCT conversation_id) AS conversations,
           count(DISTINCT conversation_id) FILTER (WHERE requested) AS requested,
           count(DISTINCT conversation_id) FILTER (WHERE paid) AS paid
    FROM seen GROUP BY GROUPING SETS ((day), ()) ORDER BY day)"};

// A report with its rows: those of days, and those of all of them.
template <class Report, class Row>
Report report_of(const Days& days, std::vector<Row> rows) {
  Report report{days.from, days.to, days.time_zone, {}, {}};
  for (auto& row : rows) (row.day ? report.data : report.totals).push_back(std::move(row));
  return report;
}

}  // namespace

Days days_of(const identity::Merchant& merchant, std::optional<Date> from, std::optional<Date> to,
             Instant now, std::chrono::microseconds ahead) {
  const auto& calendar = Calendars::built_in().of(merchant.country.value);
  Days out;
  out.merchant = merchant.id;
  out.time_zone = calendar.zone_name();
  out.to = to.value_or(calendar.date_at(now));
  out.from = from.value_or(out.to - kPeriodDefault);
  if (out.from > out.to)
    throw Error(Code::invalid, "the days are not possible", {{"from", "must not be after to"}});
  if (out.from < kFirst || out.to > kLast)
    throw Error(Code::invalid, "nothing was sold then",
                {{"from", "must be after " + to_text(kFirst) + ", and to before the year 9999"}});
  if (out.to - out.from >= kPeriodMax)
    throw Error(Code::invalid, "these are too many days",
                {{"from", "must be at most 365 days before to"}});
  out.begin = calendar.begin_of(out.from);
  out.end = calendar.begin_of(out.to + std::chrono::days(1));
  out.first = AnyId::least_of(out.begin - ahead - kSlack);
  out.last = AnyId::least_of(out.end + kSlack);
  return out;
}

SalesReport sales(Tx& tx, const Days& days) {
  return report_of<SalesReport>(days, tx.all(kSales, days.merchant, days.first, days.last,
                                             days.begin, days.end, days.time_zone));
}

RefundsReport refunds(Tx& tx, const Days& days) {
  return report_of<RefundsReport>(days, tx.all(kRefunds, days.merchant, days.first, days.last,
                                               days.begin, days.end, days.time_zone));
}

ProductsReport products(Tx& tx, const Days& days) {
  auto rows = tx.all(kProducts, days.merchant, days.first, days.last, days.begin, days.end,
                     days.time_zone, kRowsMax + 1);
  if (std::ssize(rows) > kRowsMax)
    throw Error(Code::invalid, "that is too much for one report",
                {{"from", "must be later: there are over ten thousand rows"}});
  return report_of<ProductsReport>(days, std::move(rows));
}

ConversionReport conversion(Tx& tx, const Days& days) {
  ConversionReport report{days.from, days.to, days.time_zone, {}, {}};
  for (const auto& row : tx.all(kConversion, days.merchant, days.first, days.last, days.begin,
                                days.end, days.time_zone)) {
    if (row.day)
      report.data.push_back(row);
    else
      report.totals = row;
  }
  return report;
}

}  // namespace bottega::reports
