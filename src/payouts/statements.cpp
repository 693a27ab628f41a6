// Statements are read from the ledger: whatever is not there has not happened.
#include "bottega/payouts/statements.hpp"

namespace bottega::payouts {
namespace {

using ledger::Kind;
using std::chrono::days;

constexpr std::int64_t kLinesMax = 10'000;
constexpr auto kPeriodMax = days(366);

const Sql<Coming(MerchantId)> kComing{"payouts.coming", R"(
    SELECT due_on, currency, sum(amount - recovered)::bigint AS amount,
           coalesce(sum(amount - recovered) FILTER (WHERE state = 'held'), 0)::bigint AS held,
           count(*) AS count
    FROM payouts
    WHERE merchant_id = $1 AND state IN ('scheduled', 'held', 'submitted', 'failed')
    GROUP BY due_on, currency ORDER BY due_on, currency LIMIT 1000)"};

struct Moved {
  Instant at{};
  ledger::Why why{};
  Id<"about"> about;
  std::optional<std::string> order_number;
  std::int64_t fee = 0, amount = 0;
};
BOOST_DESCRIBE_STRUCT(Moved, (), (at, why, about, order_number, fee, amount))

// The balance is what was earned less what is owed; what moves between the two changes nothing.
const Sql<Moved(MerchantId, Currency, Instant, Instant, std::int64_t)> kMoved{"payouts.moved", R"(
    WITH moved AS (
      SELECT id, at, why, about,
             CASE WHEN credit_kind IN ('merchant_payable', 'merchant_debt') THEN amount ELSE 0 END
             - CASE WHEN debit_kind IN ('merchant_payable', 'merchant_debt') THEN amount ELSE 0 END
               AS amount
      FROM ledger_transfers
      WHERE (debit_owner = $1 OR credit_owner = $1) AND currency = $2 AND phase = 'posted'
        AND at >= $3 AND at < $4)
    SELECT m.at, m.why, m.about, o.number AS order_number, coalesce(p.fee, 0) AS fee, m.amount
    FROM moved m
         LEFT JOIN payouts p ON p.merchant_id = $1 AND p.id = m.about AND m.why = 'release'
         LEFT JOIN refunds r ON r.merchant_id = $1 AND r.id = m.about
         LEFT JOIN orders o ON o.merchant_id = $1 AND o.id = coalesce(p.order_id, r.order_id)
    WHERE m.amount <> 0 ORDER BY m.id LIMIT $5)"};

// On the side where the account grows.
std::int64_t grown(const ledger::Balance& row, Kind kind) {
  return kind == Kind::merchant_debt ? row.debits - row.credits : row.credits - row.debits;
}

std::int64_t balance_at(Tx& tx, MerchantId merchant, const Currency& currency, Instant at) {
  std::int64_t balance = 0;
  for (const auto& row : ledger::balances_at(tx, ledger::owner_of(merchant), at)) {
    if (row.currency != currency.code()) continue;
    if (row.kind == Kind::merchant_payable) balance += grown(row, row.kind);
    if (row.kind == Kind::merchant_debt) balance -= grown(row, row.kind);
  }
  return balance;
}

}  // namespace

std::vector<Standing> standing(Tx& tx, MerchantId merchant) {
  std::map<std::string, Standing> found;
  for (const auto& row : ledger::balances(tx, ledger::owner_of(merchant))) {
    auto& one = found[row.currency];
    one.currency = from_text<Currency>(row.currency);
    const auto grows = grown(row, row.kind);
    if (row.kind == Kind::held) one.held = grows;
    if (row.kind == Kind::merchant_payable) {
      one.available = grows - row.debits_pending;
      one.on_the_way = row.debits_pending;
    }
    if (row.kind == Kind::merchant_debt) one.owed = grows;
    if (row.kind == Kind::dispute_reserve) one.reserved = grows;
  }
  std::vector<Standing> all;
  for (auto& [currency, one] : found) all.push_back(one);
  return all;
}

std::vector<Coming> coming(Tx& tx, MerchantId merchant) { return tx.all(kComing, merchant); }

MerchantStatement statement(Tx& tx, MerchantId merchant, const Currency& currency, Period period) {
  if (period.until < period.from || period.until - period.from >= kPeriodMax)
    throw Error(Code::invalid, "that is no period of a statement",
                {{"to", "must be from, or up to a year later"}});
  const Instant begin = period.from, end = period.until + days(1);
  MerchantStatement out{merchant,
                        identity::fetch_merchant(tx, merchant).name,
                        currency,
                        period.from,
                        period.until,
                        end + ledger::kSettled <= tx.now(),
                        0,
                        0,
                        {}};
  out.opening = balance_at(tx, merchant, currency, begin - std::chrono::microseconds(1));
  out.closing = out.opening;
  const auto moved = tx.all(kMoved, merchant, currency, begin, end, kLinesMax + 1);
  if (std::ssize(moved) > kLinesMax)
    throw Error(Code::invalid, "that is too much for one statement",
                {{"until", "must be earlier: there are over ten thousand lines"}});
  for (const auto& one : moved) {
    out.closing += one.amount;
    out.lines.push_back({one.at, one.why, ledger::subject_of(one.why, one.about.uuid),
                         one.order_number, one.fee, one.amount, out.closing});
  }
  return out;
}

}  // namespace bottega::payouts
