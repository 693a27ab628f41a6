#include "bottega/ledger/revenue.hpp"

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

// "12.34": the currency has a column of its own.
std::string decimal(std::int64_t amount, const Currency& currency) {
  const auto text = display({amount, currency});
  return text.substr(0, text.find(' '));
}

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
  std::string text =
      "day,currency,captured,captures,refunded,fees_earned,fees_returned,goodwill,"
      "processor_fees,losses,net_revenue\r\n";
  for (const auto& row : revenue.data) {
    text += text_of(row.day.value()) + ',' + text_of(row.currency) + ',' +
            decimal(row.captured, row.currency) + ',' + std::to_string(row.captures);
    for (const auto amount : {row.refunded, row.fees_earned, row.fees_returned, row.goodwill,
                              row.processor_fees, row.losses, row.net_revenue})
      text += ',' + decimal(amount, row.currency);
    text += "\r\n";
  }
  return text;
}

}  // namespace bottega::ledger
