#include "bottega/ledger/ledger.hpp"

namespace bottega::ledger {
namespace {

using identity::MerchantId;
using AboutId = Id<"about">;

struct Posted {
  Kind debit_kind{}, credit_kind{};
  MerchantId debit_owner;
  Money amount;
};
BOOST_DESCRIBE_STRUCT(Posted, (), (debit_kind, credit_kind, debit_owner, amount))

const Sql<TransferId(TransferId, Kind, MerchantId, Kind, std::int64_t, Currency, Why, AboutId,
                     Instant)>
    kPost{"ledger.post", R"(
    INSERT INTO ledger_transfers (id, debit_kind, debit_owner, credit_kind, credit_owner, amount,
                                  currency, why, about, at)
    VALUES ($1, $2, $3, $4, $3, $5, $6, $7, $8, $9)
    ON CONFLICT (why, about) DO NOTHING RETURNING id)"};

const Sql<Posted(Why, AboutId)> kPosted{"ledger.posted", R"(
    SELECT debit_kind, credit_kind, debit_owner, amount, currency FROM ledger_transfers
    WHERE why = $1 AND about = $2)"};

const Sql<Balance(MerchantId)> kBalances{"ledger.balances", R"(
    SELECT kind, currency, debits, credits FROM ledger_accounts WHERE owner_id = $1
    ORDER BY currency, kind)"};

const Sql<Balance()> kTrial{"ledger.trial_balance", R"(
    SELECT kind, currency, sum(debits)::bigint AS debits, sum(credits)::bigint AS credits
    FROM ledger_accounts GROUP BY currency, kind ORDER BY currency, kind)"};

const Sql<std::string()> kUnbalanced{"ledger.unbalanced", R"(
    SELECT 'debits and credits differ by ' || (sum(debits) - sum(credits))::text
           || ' in ' || currency
    FROM ledger_accounts GROUP BY currency HAVING sum(debits) <> sum(credits))"};

const Sql<std::string()> kDrifted{"ledger.drifted", R"(
    WITH sums AS (
      SELECT kind, owner_id, currency, sum(debit)::bigint AS debits, sum(credit)::bigint AS credits
      FROM (SELECT debit_kind AS kind, debit_owner AS owner_id, currency, amount AS debit,
                   0 AS credit
            FROM ledger_transfers
            UNION ALL
            SELECT credit_kind, credit_owner, currency, 0, amount FROM ledger_transfers) AS sides
      GROUP BY kind, owner_id, currency)
    SELECT 'account ' || a.kind || ' of ' || a.owner_id::text || ' is not the sum of its transfers'
    FROM ledger_accounts a LEFT JOIN sums s USING (kind, owner_id, currency)
    WHERE a.debits <> coalesce(s.debits, 0) OR a.credits <> coalesce(s.credits, 0)
    LIMIT 100)"};

const Sql<Entry(MerchantId, TransferId, std::int64_t)> kHistory{"ledger.history", R"(
    SELECT id, why, debit_kind, credit_kind, amount, currency, at FROM ledger_transfers
    WHERE debit_owner = $1 AND id > $2 ORDER BY id LIMIT $3)"};

}  // namespace

void post(Tx& tx, const Transfer& t) {
  const AboutId about{t.about};
  if (tx.find(kPost, TransferId::make(), t.debit, t.owner, t.credit, t.amount.amount,
              t.amount.currency, t.why, about, tx.now()))
    return;
  const auto had = tx.one(kPosted, t.why, about);
  if (had.debit_kind != t.debit || had.credit_kind != t.credit || had.debit_owner != t.owner ||
      had.amount != t.amount)
    throw Error(Code::internal, "another transfer was posted for the same cause");
}

std::vector<Balance> balances(Tx& tx, MerchantId owner) { return tx.all(kBalances, owner); }

std::vector<Balance> trial_balance(Tx& tx) { return tx.all(kTrial); }

std::vector<std::string> audit(Tx& tx) {
  auto faults = tx.all(kUnbalanced);
  for (auto& fault : tx.all(kDrifted)) faults.push_back(std::move(fault));
  return faults;
}

std::vector<Entry> history(Tx& tx, MerchantId owner, std::optional<TransferId> after,
                           std::int64_t limit) {
  return tx.all(kHistory, owner, after.value_or(TransferId{}), limit);
}

}  // namespace bottega::ledger
