// Reports as files.
#include "bottega/core/csv.hpp"
#include "bottega/reports/reports.hpp"

namespace bottega::reports {
namespace {

std::string day_of(const std::optional<Date>& day) { return day ? to_text(*day) : ""; }

std::string count(std::int64_t number) { return std::to_string(number); }

}  // namespace

std::string csv_of(const SalesReport& report) {
  auto text = csv_line({"day", "currency", "orders", "gross", "refunds", "fees", "net"});
  for (const auto& row : report.data) {
    const auto shown = [&](std::int64_t amount) { return decimal({amount, row.currency}); };
    text += csv_line({day_of(row.day), text_of(row.currency), count(row.orders), shown(row.gross),
                      shown(row.refunds), shown(row.fees), shown(row.net)});
  }
  return text;
}

std::string csv_of(const RefundsReport& report) {
  auto text = csv_line(
      {"day", "currency", "refunds", "succeeded", "failed", "amount", "by_platform", "under_way"});
  for (const auto& row : report.data) {
    const auto shown = [&](std::int64_t amount) { return decimal({amount, row.currency}); };
    text += csv_line({day_of(row.day), text_of(row.currency), count(row.refunds),
                      count(row.succeeded), count(row.failed), shown(row.amount),
                      shown(row.by_platform), shown(row.under_way)});
  }
  return text;
}

std::string csv_of(const ProductsReport& report) {
  auto text = csv_line({"day", "currency", "name", "pieces", "gross"});
  for (const auto& row : report.data)
    text += csv_line({day_of(row.day), text_of(row.currency), row.name, count(row.pieces),
                      decimal({row.gross, row.currency})});
  return text;
}

std::string csv_of(const ConversionReport& report) {
  auto text = csv_line({"day", "begun", "conversations", "requested", "paid"});
  for (const auto& row : report.data)
    text += csv_line({day_of(row.day), count(row.begun), count(row.conversations),
                      count(row.requested), count(row.paid)});
  return text;
}

}  // namespace bottega::reports
