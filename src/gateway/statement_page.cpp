#include "gateway/statement_page.hpp"

#include "bottega/core/csv.hpp"
#include "bottega/documents/paper.hpp"

namespace bottega::gateway {
namespace {

using documents::Align;
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
  const auto shown = [&](std::int64_t amount) { return decimal({amount, statement.currency}); };
  documents::Paper paper;
  paper.title = "Statement of " + statement.name;
  paper.facts = {{"From", to_text(statement.from)},
                 {"To", to_text(statement.until)},
                 {"Days", "UTC"},
                 {"Currency", std::string(statement.currency.code())}};
  paper.columns = {{"Date", Align::start, 2},   {"What", Align::start, 4},
                   {"Order", Align::start, 2},  {"Fee", Align::right, 2},
                   {"Amount", Align::right, 2}, {"Balance", Align::right, 2}};
  paper.rows.push_back(
      {to_text(statement.from), "Opening balance", "", "", "", shown(statement.opening)});
  for (const auto& one : statement.lines)
    paper.rows.push_back({to_text(std::chrono::floor<days>(one.at)), std::string(words_of(one.why)),
                          one.order_number.value_or(""), one.fee == 0 ? "" : shown(one.fee),
                          shown(one.amount), shown(one.balance)});
  const auto* const last = statement.is_closed ? "Closing balance" : "Balance so far";
  paper.rows.push_back({to_text(statement.until), last, "", "", "", shown(statement.closing)});
  return documents::html_of(paper);
}

}  // namespace bottega::gateway
