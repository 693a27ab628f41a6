#pragma once
// What the platform earns: added up from the ledger alone, by days (UTC) and currencies.
#include "bottega/ledger/ledger.hpp"

namespace bottega::ledger {

// In minor units of the currency. What is refunded is all that went back to buyers, goodwill
// included.
struct RevenueRow {
  std::optional<Date> day;  // none where all of them are added up
  Currency currency;
  std::int64_t captured = 0, captures = 0;  // the sum, and how many payments it is of
  std::int64_t refunded = 0;
  std::int64_t fees_earned = 0, fees_returned = 0;
  std::int64_t goodwill = 0;        // what was given less what came back
  std::int64_t processor_fees = 0;  // as far as the processor has said them
  std::int64_t losses = 0;          // what banks have taken and nobody owes
  std::int64_t net_revenue = 0;     // earned, less what was returned, given, kept and lost
};
BOOST_DESCRIBE_STRUCT(RevenueRow, (),
                      (day, currency, captured, captures, refunded, fees_earned, fees_returned,
                       goodwill, processor_fees, losses, net_revenue))

struct Revenue {
  Date from{}, until{};  // both included
  std::vector<RevenueRow> data, totals;
};
BOOST_DESCRIBE_STRUCT(Revenue, (), (from, until, data, totals))

// Days on which nothing moved have no row.
Revenue revenue(Tx& tx, Date from, Date until, std::optional<identity::MerchantId> merchant);

// The days as a file for a spreadsheet (RFC 4180), which adds them up itself.
std::string revenue_csv(const Revenue& revenue);

}  // namespace bottega::ledger
