#include "gateway/statement_page.hpp"

#include "gateway/docs.hpp"
#include "bottega/core/csv.hpp"

namespace bottega::gateway {
namespace {

using payouts::MerchantStatement;
using std::chrono::days;

std::string_view words_of(ledger::Why why) {
  switch (why) {
    case ledger::Why::release:
      return "Sale";
    case ledger::Why::payout:
      return "Payout to the bank";
    case ledger::Why::refund_balance:
      return "Refund";
    case ledger::Why::refund_advance:
      return "Refund, advanced";
    case ledger::Why::refund_return_balance:
    case ledger::Why::refund_return_debt:
      return "Refund that came back";
    case ledger::Why::payout_return:
      return "Payout sent back by the bank";
    default:
      return "Other";
  }
}

std::string cell(const std::string& text, bool number = false) {
  return (number ? "<td class=n>" : "<td>") + escape_html(text) + "</td>";
}

}  // namespace

std::string csv_of(const MerchantStatement& statement) {
  const auto shown = [&](std::int64_t amount) { return decimal({amount, statement.currency}); };
  const std::string currency(statement.currency.code());
  auto out = csv_line({"at", "what", "about", "order", "fee", "amount", "balance", "currency"});
  const auto total = [&](Date at, const char* what, std::int64_t balance) {
    out += csv_line({to_text(at), what, "", "", "", "", shown(balance), currency});
  };
  total(statement.from, "opening", statement.opening);
  for (const auto& one : statement.lines)
    out += csv_line({to_text(one.at), text_of(one.why), one.about, one.order_number.value_or(""),
                     shown(one.fee), shown(one.amount), shown(one.balance), currency});
  total(statement.until, statement.is_closed ? "closing" : "so far", statement.closing);
  return out;
}

std::string page_of(const MerchantStatement& statement) {
  const auto& currency = statement.currency;
  const auto title = "Statement of " + statement.name;
  std::string out =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
      escape_html(title) +
      "</title><style>body{font:11pt/1.4 system-ui,sans-serif;max-width:50rem;margin:2rem auto}"
      "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .5rem;"
      "border-bottom:1px solid #ccc}.n{text-align:right;font-variant-numeric:tabular-nums}"
      "thead{display:table-header-group}tr{break-inside:avoid}"
      "@media print{body{margin:0;max-width:none}@page{margin:18mm}}</style></head><body><h1>" +
      escape_html(title) + "</h1><p>" + to_text(statement.from) + " to " +
      to_text(statement.until) + " (UTC), in " + std::string(currency.code()) +
      "</p><table><thead><tr><th>Date<th>What<th>Order<th class=n>Fee<th class=n>Amount"
      "<th class=n>Balance</thead><tbody><tr>" +
      cell(to_text(statement.from)) + cell("Opening balance") + "<td><td><td>" +
      cell(decimal({statement.opening, currency}), true) + "</tr>";
  for (const auto& one : statement.lines)
    out += "<tr>" + cell(to_text(std::chrono::floor<days>(one.at))) +
           cell(std::string(words_of(one.why))) + cell(one.order_number.value_or("")) +
           cell(one.fee == 0 ? "" : decimal({one.fee, currency}), true) +
           cell(decimal({one.amount, currency}), true) +
           cell(decimal({one.balance, currency}), true) + "</tr>";
  return out + "<tr>" + cell(to_text(statement.until)) +
         cell(statement.is_closed ? "Closing balance" : "Balance so far") + "<td><td><td>" +
         cell(decimal({statement.closing, currency}), true) + "</tr></tbody></table></body></html>";
}

}  // namespace bottega::gateway
