// What there is, and how it came to be: read from the ledger and nothing else.
#include "wallet/funding.hpp"
#include "bottega/core/csv.hpp"

namespace bottega::wallet {
namespace {

StatementLine line_of(const ledger::Movement& moved, std::int64_t balance) {
  StatementLine line{moved.at.value(), moved.why.value(), moved.about.value_or(""),
                     moved.amount,     balance,           std::nullopt};
  if (line.why == ledger::Why::transfer) line.counterparty = AccountId{moved.other.value().uuid};
  return line;
}

}  // namespace

Wallet wallet_of(Tx& tx, AccountId account, const Rules& rules) {
  const auto flows = flows_of(tx, account);
  Wallet wallet;
  wallet.limits = left_of({}, rules);
  const auto all = ledger::balances(tx, ledger::owner_of(account));
  const auto of = [&](ledger::Kind kind, const std::string& currency) {
    const auto same = [&](const auto& one) { return one.kind == kind && one.currency == currency; };
    const auto found = std::ranges::find_if(all, same);
    return found == all.end() ? std::int64_t{0} : found->credits - found->debits;
  };
  for (const auto& one : all) {
    if (one.kind != ledger::Kind::wallet) continue;
    const auto flow = std::ranges::find(flows, one.currency, &Flow::currency);
    const auto balance = one.credits - one.debits;
    const auto owed = -of(ledger::Kind::wallet_debt, one.currency);
    wallet.balances.push_back(
        {one.currency, balance, std::max<std::int64_t>(balance - one.debits_pending - owed, 0),
         one.credits_pending, one.debits_pending, of(ledger::Kind::wallet_reserve, one.currency),
         owed, left_of(flow == flows.end() ? Flow{} : *flow, rules)});
  }
  return wallet;
}

Statement statement_of(Tx& tx, AccountId account, Instant from, Instant until) {
  if (until < from)
    throw Error(Code::invalid, "the time ends before it begins", {{"until", "must be after from"}});
  // Otherwise the next statement could begin with another balance than this one ends with.
  if (until > tx.now() - ledger::kSettled)
    throw Error(Code::invalid, "what has moved in the last minute is not settled yet",
                {{"until", "must be a minute ago or earlier"}});
  // The lines, and one for the opening of each currency.
  const auto most = kStatementLines + std::ssize(currencies());
  const auto moved = ledger::movements(tx, {ledger::Kind::wallet, ledger::owner_of(account)}, from,
                                       until, most + 1);
  if (std::ssize(moved) > most)
    throw Error(Code::invalid, "this is too much for one statement",
                {{"from", "must be nearer to until"}});
  Statement statement{from, until, {}};
  auto& all = statement.currencies;
  for (const auto& one : moved) {
    if (!one.id) {
      all.push_back({one.currency, one.amount, one.amount, {}});
      continue;
    }
    const auto found = std::ranges::find(all, one.currency, &CurrencyStatement::currency);
    found->closing += one.amount;
    found->lines.push_back(line_of(one, found->closing));
  }
  return statement;
}

std::string statement_csv(const Statement& statement) {
  auto text = csv_line({"currency", "at", "why", "about", "counterparty", "amount", "balance"});
  for (const auto& one : statement.currencies) {
    const auto currency = from_text<Currency>(one.currency);
    const auto total = [&](Instant at, const char* what, std::int64_t balance) {
      text += csv_line({one.currency, text_of(at), what, "", "", "", decimal({balance, currency})});
    };
    total(statement.from, "opening", one.opening);
    for (const auto& line : one.lines)
      text += csv_line({one.currency, text_of(line.at), text_of(line.why), line.about,
                        line.counterparty ? text_of(*line.counterparty) : "",
                        decimal({line.amount, currency}), decimal({line.balance, currency})});
    total(statement.until, "closing", one.closing);
  }
  return text;
}

}  // namespace bottega::wallet
