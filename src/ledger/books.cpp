#include "bottega/ledger/books.hpp"

namespace bottega::ledger {
namespace {

// Beancount knows five roots, and words that begin with a capital or a digit.
std::string_view account_name(Kind kind) {
  switch (kind) {
    case Kind::processor_clearing:
      return "Assets:ProcessorClearing";
    case Kind::processor_fees:
      return "Expenses:ProcessorFees";
    case Kind::held:
      return "Liabilities:Held";
    case Kind::merchant_payable:
      return "Liabilities:MerchantPayable";
    case Kind::merchant_debt:
      return "Assets:MerchantDebt";
    case Kind::platform_fees:
      return "Income:PlatformFees";
    case Kind::dispute_reserve:
      return "Liabilities:DisputeReserve";
    case Kind::wallet:
      return "Liabilities:Wallet";
    case Kind::wallet_reserve:
      return "Liabilities:WalletReserve";
    case Kind::wallet_debt:
      return "Assets:WalletDebt";
    case Kind::losses:
      return "Expenses:Losses";
    case Kind::goodwill:
      return "Expenses:Goodwill";
  }
  return "Equity:Unknown";
}

std::string account_name(Kind kind, std::string owner) {
  owner[0] = static_cast<char>(owner[0] - 'a' + 'A');
  std::ranges::replace(owner, '_', '-');
  return std::string(account_name(kind)) + ':' + owner;
}

std::string date_of(Instant at) { return text_of(std::chrono::floor<std::chrono::days>(at)); }

std::string csv_line(const Entry& entry) {
  const auto amount = display(entry.amount);
  return text_of(entry.id) + ',' + text_of(entry.at) + ',' + text_of(entry.why) + ',' +
         entry.about + ',' + text_of(entry.phase) + ',' +
         (entry.pending_id ? text_of(*entry.pending_id) : "") + ',' + text_of(entry.debit_kind) +
         ',' + entry.debit_owner + ',' + text_of(entry.credit_kind) + ',' + entry.credit_owner +
         ',' + amount.substr(0, amount.find(' ')) + ',' + text_of(entry.amount.currency) + "\r\n";
}

std::string beancount_line(const Entry& entry) {
  const Money minus{-entry.amount.amount, entry.amount.currency};
  return date_of(entry.at) + " * \"" + text_of(entry.why) + "\" \"" + entry.about + "\"\n  id: \"" +
         text_of(entry.id) + "\"\n  at: \"" + text_of(entry.at) + "\"\n  " +
         account_name(entry.debit_kind, entry.debit_owner) + "  " + display(entry.amount) + "\n  " +
         account_name(entry.credit_kind, entry.credit_owner) + "  " + display(minus) + "\n\n";
}

}  // namespace

std::string_view media_type_of(BookFormat format) {
  return format == BookFormat::csv ? "text/csv; charset=utf-8" : "text/plain; charset=utf-8";
}

std::string book_head(BookFormat format) {
  if (format == BookFormat::csv)
    return "id,at,why,about,phase,pending_id,debit_kind,debit_owner,credit_kind,credit_owner,"
           "amount,currency\r\n";
  return "option \"title\" \"Bottega\"\nplugin \"beancount.plugins.auto_accounts\"\n\n";
}

std::string book_line(BookFormat format, const Entry& entry) {
  if (format == BookFormat::csv) return csv_line(entry);
  return entry.phase == Phase::posted ? beancount_line(entry) : "";
}

// A balance of Beancount's is that of the morning, and of an account with all under it.
std::string book_tail(BookFormat format, const std::vector<Balance>& balances, Instant until) {
  if (format == BookFormat::csv) return "";
  std::string text;
  for (const auto& row : balances) {
    const Money net{row.debits - row.credits, from_text<Currency>(row.currency)};
    text += date_of(until + std::chrono::days(1)) + " balance " +
            std::string(account_name(row.kind)) + "  " + display(net) + '\n';
  }
  return text;
}

}  // namespace bottega::ledger
