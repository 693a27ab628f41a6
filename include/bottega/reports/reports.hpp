#pragma once
// What a merchant has sold, given back, and made of its conversations, by days. Sums are in minor
// units of their currency; a row without a day is of all days.
#include "bottega/orders/orders.hpp"

namespace bottega::reports {

using identity::MerchantId;

// The days that a report is about, by the clocks of the merchant's country.
struct Days {
  MerchantId merchant;
  std::string time_zone;
  Date from{}, to{};       // both included
  Instant begin{}, end{};  // the first moment, and the one after the last
  // Between which ids the rows are that were made then. Ids are made by the machine's time, which
  // the product's may run ahead of.
  Id<"any"> first, last;
};
// Throws Error(invalid) for more than 366 days. Without `to` it is today, and without `from` the 30
// days before it. `ahead` is how far the product's time runs ahead of the machine's.
Days days_of(const identity::Merchant& merchant, std::optional<Date> from, std::optional<Date> to,
             Instant now, std::chrono::microseconds ahead);

// The orders that were placed on a day, and what has become of them since: what was given back of
// them, what the platform keeps of the rest, and what is left for the merchant.
struct SalesRow {
  std::optional<Date> day;
  Currency currency;
  std::int64_t orders = 0, gross = 0, refunds = 0, fees = 0, net = 0;
};
BOOST_DESCRIBE_STRUCT(SalesRow, (), (day, currency, orders, gross, refunds, fees, net))

struct SalesReport {
  Date from{}, to{};
  std::string time_zone;
  std::vector<SalesRow> data, totals;
};
BOOST_DESCRIBE_STRUCT(SalesReport, (), (from, to, time_zone, data, totals))

// The refunds that were asked for on a day: how many, and what has become of them.
struct RefundsRow {
  std::optional<Date> day;
  Currency currency;
  std::int64_t refunds = 0, succeeded = 0, failed = 0;
  std::int64_t amount = 0;       // of those that have succeeded
  std::int64_t by_platform = 0;  // what of it the platform has borne
  std::int64_t under_way = 0;    // of those that have not ended
};
BOOST_DESCRIBE_STRUCT(RefundsRow, (),
                      (day, currency, refunds, succeeded, failed, amount, by_platform, under_way))

struct RefundsReport {
  Date from{}, to{};
  std::string time_zone;
  std::vector<RefundsRow> data, totals;
};
BOOST_DESCRIBE_STRUCT(RefundsReport, (), (from, to, time_zone, data, totals))

// The lines of the orders that were placed on a day, by their names.
struct ProductsRow {
  std::optional<Date> day;
  Currency currency;
  std::string name;
  std::int64_t pieces = 0, gross = 0;
};
BOOST_DESCRIBE_STRUCT(ProductsRow, (), (day, currency, name, pieces, gross))

struct ProductsReport {
  Date from{}, to{};
  std::string time_zone;
  std::vector<ProductsRow> data, totals;
};
BOOST_DESCRIBE_STRUCT(ProductsReport, (), (from, to, time_zone, data, totals))

// Each conversation counts once on a day, and once in the totals.
struct ConversionRow {
  std::optional<Date> day;
  std::int64_t begun = 0;          // conversations that began on it
  std::int64_t conversations = 0;  // those, and all in which money was asked for on it
  std::int64_t requested = 0;      // those in which money was asked for on it
  std::int64_t paid = 0;           // what was asked for on it has been paid in these, by now
};
BOOST_DESCRIBE_STRUCT(ConversionRow, (), (day, begun, conversations, requested, paid))

struct ConversionReport {
  Date from{}, to{};
  std::string time_zone;
  std::vector<ConversionRow> data;
  ConversionRow totals;
};
BOOST_DESCRIBE_STRUCT(ConversionReport, (), (from, to, time_zone, data, totals))

// Days on which nothing was have no row.
SalesReport sales(Tx& tx, const Days& days);
RefundsReport refunds(Tx& tx, const Days& days);
// Throws Error(invalid) where there would be more than ten thousand rows.
ProductsReport products(Tx& tx, const Days& days);
ConversionReport conversion(Tx& tx, const Days& days);

// The days as a file for a spreadsheet (RFC 4180), which adds them up itself; amounts in the
// decimals of their currency.
std::string csv_of(const SalesReport& report);
std::string csv_of(const RefundsReport& report);
std::string csv_of(const ProductsReport& report);
std::string csv_of(const ConversionReport& report);

}  // namespace bottega::reports
