#include "bottega/ledger/revenue.hpp"

#include "bottega/core/csv.hpp"

namespace bottega::ledger {
namespace {

// A row for each day and currency, and one for each currency.
const Sql<RevenueRow(Instant, Instant)> kAll{"ledger.revenue", R"(
    SELECT day, currency, sum(captured)::bigint AS captured, sum(captures)::bigint AS captures,
           sum(refunded)::bigint AS refunded, sum(fees_earned)::bigint AS fees_earned,
           sum(fees_returned)::bigint AS fees_returned, sum(goodwill)::bigint AS goodwill,
           sum(processor_fees)::bigint AS processor_fees, sum(losses)::bigint AS losses,
           sum(fees_earned - fees_returned - goodwill - processor_fees - losses)::bigint
             AS net_revenue
    FROM ledger_revenue WHERE at >= $1 AND at < $2
    GROUP BY GROUPING SETS ((day, currency), (currency)) ORDER BY day, currency)"};

// The same of one merchant, by the index of its accounts.
const Sql<RevenueRow(Instant, Instant, OwnerId)> kOfOwner{"ledger.revenue_of_owner", R"(
    SELECT day, currency, sum(captured)::bigint AS captured, sum(captures)::bigint AS captures,
           sum(refunded)::bigint AS refunded, sum(fees_earned)::bigint AS fees_earned,
           sum(fees_returned)::bigint AS fees_returned, sum(goodwill)::bigint AS goodwill,
           sum(processor_fees)::bigint AS processor_fees, sum(losses)::bigint AS losses,
           sum(fees_earned - fees_returned - goodwill - processor_fees - losses)::bigint
             AS net_revenue
    FROM ledger_revenue WHERE at >= $1 AND at < $2 AND owner_id = $3
    GROUP BY GROUPING SETS ((day, currency), (currency)) ORDER BY day, currency)"};

}  // namespace

Revenue revenue(Tx& tx, Date from, Date until, std::optional<identity::MerchantId> merchant) {
  const Instant begin(from), end(until + std::chrono::days(1));
  const auto rows =
      merchant ? tx.all(kOfOwner, begin, end, owner_of(*merchant)) : tx.all(kAll, begin, end);
  Revenue revenue{from, until, {}, {}};
  for (const auto& row : rows) (row.day ? revenue.data : revenue.totals).push_back(row);
  return revenue;
}

std::string revenue_csv(const Revenue& revenue) {
  auto text = csv_line({"day", "currency", "captured", "captures", "refunded", "fees_earned",
                        "fees_returned", "goodwill", "processor_fees", "losses", "net_revenue"});
  for (const auto& row : revenue.data) {
    const auto shown = [&](std::int64_t amount) { return decimal({amount, row.currency}); };
    text += csv_line({text_of(row.day.value()), text_of(row.currency), shown(row.captured),
                      std::to_string(row.captures), shown(row.refunded), shown(row.fees_earned),
                      shown(row.fees_returned), shown(row.goodwill), shown(row.processor_fees),
                      shown(row.losses), shown(row.net_revenue)});
  }
  return text;
}

}  // namespace bottega::ledger
