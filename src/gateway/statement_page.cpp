#include "gateway/statement_page.hpp"

#include "gateway/docs.hpp"

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
    default:
      return "Other";
  }
}

std::string plain(std::int64_t amount, const Currency& currency) {
  const auto text = display({amount, currency});
  return text.substr(0, text.find(' '));
}

std::string cell(const std::string& text, bool number = false) {
  return (number ? "<td class=n>" : "<td>") + escape_html(text) + "</td>";
}

}  // namespace

std::string csv_of(const MerchantStatement& statement) {
  const auto& currency = statement.currency;
  std::string out = "at,what,about,order,fee,amount,balance,currency\r\n";
  const auto line = [&](const std::string& at, const std::string& what, const std::string& about,
                        const std::string& order, const std::string& fee, const std::string& amount,
                        std::int64_t balance) {
    out += at + ',' + what + ',' + about + ',' + order + ',' + fee + ',' + amount + ',' +
           plain(balance, currency) + ',' + std::string(currency.code()) + "\r\n";
  };
  line(to_text(statement.from), "opening", "", "", "", "", statement.opening);
  for (const auto& one : statement.lines)
    line(to_text(one.at), text_of(one.why), one.about,
         one.order_number ? std::to_string(*one.order_number) : "", plain(one.fee, currency),
         plain(one.amount, currency), one.balance);
  line(to_text(statement.until), "closing", "", "", "", "", statement.closing);
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
      cell(plain(statement.opening, currency), true) + "</tr>";
  for (const auto& one : statement.lines)
    out += "<tr>" + cell(to_text(std::chrono::floor<days>(one.at))) +
           cell(std::string(words_of(one.why))) +
           cell(one.order_number ? std::to_string(*one.order_number) : "") +
           cell(one.fee == 0 ? "" : plain(one.fee, currency), true) +
           cell(plain(one.amount, currency), true) + cell(plain(one.balance, currency), true) +
           "</tr>";
  return out + "<tr>" + cell(to_text(statement.until)) + cell("Closing balance") + "<td><td><td>" +
         cell(plain(statement.closing, currency), true) + "</tr></tbody></table></body></html>";
}

}  // namespace bottega::gateway
