#include "soak/rules.hpp"

#include <sstream>

namespace bottega::soak {
namespace {

constexpr Rule kRules[] = {
    {"debits do not equal credits",
     "SELECT count(*) FROM (SELECT currency FROM bottega.ledger_accounts GROUP BY currency "
     "HAVING sum(debits) <> sum(credits) OR sum(debits_pending) <> sum(credits_pending)) x"},
    {"an account that may not is below zero",
     "SELECT count(*) FROM bottega.ledger_accounts WHERE CASE WHEN kind = 'processor_clearing' "
     "THEN false WHEN kind IN ('processor_fees', 'merchant_debt', 'goodwill', "
     "'wallet_debt', 'losses') THEN debits - credits < credits_pending ELSE credits - debits < "
     "debits_pending END"},
    {"a payment gave back, or lost in disputes, more than was paid",
     "SELECT count(*) FROM bottega.payments WHERE refunded + refunding + disputed > amount"},
    {"a request was paid more than once",
     "SELECT count(*) FROM (SELECT payment_request_id FROM bottega.payments WHERE state IN "
     "('captured', 'partially_refunded', 'refunded') AND NOT is_late GROUP BY payment_request_id "
     "HAVING count(*) > 1) x"},
    {"a merchant has taken another amount than is counted for its limit",
     "SELECT count(*) FROM (SELECT merchant_id, currency, sum(taken) AS taken FROM "
     "bottega.merchant_takings GROUP BY 1, 2) t FULL JOIN (SELECT merchant_id, currency, "
     "sum(amount) AS amount FROM bottega.payments WHERE state NOT IN ('failed', 'voided') "
     "GROUP BY 1, 2) p USING (merchant_id, currency) WHERE coalesce(taken, 0) <> "
     "coalesce(amount, 0)"},
    {"a captured payment has no order, or an order no captured payment",
     "SELECT count(*) FROM bottega.payments p FULL JOIN bottega.orders o ON o.merchant_id = "
     "p.merchant_id AND o.payment_id = p.id WHERE (coalesce(p.state, '') IN ('captured', "
     "'partially_refunded', 'refunded')) <> (o.id IS NOT NULL)"},
    {"an order was released that was not sent",
     "SELECT count(*) FROM bottega.payouts p JOIN bottega.orders o ON o.merchant_id = "
     "p.merchant_id AND o.id = p.order_id WHERE p.tries > 0 AND o.shipped_at IS NULL"},
    {"a payout was released before its day",
     "SELECT count(*) FROM bottega.payouts WHERE submitted_at < due_at"},
    {"a refund's parts are not its amount",
     "SELECT count(*) FROM bottega.refunds r WHERE state = 'succeeded' AND amount <> (SELECT "
     "coalesce(sum(t.amount), 0) FROM bottega.ledger_transfers t WHERE t.about = r.id AND "
     "t.phase = 'posted' AND t.credit_kind = 'processor_clearing')"},
    {"a payment's refunds do not add up to it",
     "SELECT count(*) FROM bottega.payments p WHERE (refunded, refunding) <> (SELECT "
     "coalesce(sum(amount) FILTER (WHERE state = 'succeeded'), 0), coalesce(sum(amount) FILTER "
     "(WHERE state IN ('pending', 'unknown')), 0) FROM bottega.refunds r WHERE r.merchant_id = "
     "p.merchant_id AND r.payment_id = p.id)"},
};
// What is true when nothing is due any more.
constexpr Rule kRulesAtRest[] = {
    {"an account is not the sum of its transfers",
     "SELECT count(*) FROM bottega.ledger_accounts a FULL JOIN (SELECT kind, owner_id, currency, "
     "sum(debits) AS debits, sum(credits) AS credits FROM bottega.ledger_sides "
     "GROUP BY kind, owner_id, currency) s USING (kind, owner_id, currency) "
     "WHERE (a.debits, a.credits) IS DISTINCT FROM (s.debits, s.credits)"},
    {"an order was neither sent nor given back in time",
     "SELECT count(*) FROM bottega.orders WHERE state = 'paid' AND created_at < $1::timestamptz "
     "- interval '8 days'"},
    {"a payout is late without a word",
     "SELECT count(*) FROM bottega.payouts WHERE state = 'scheduled' AND reason IS NULL AND "
     "due_at < $1::timestamptz - interval '1 minute'"},
    {"a payout is held without a reason",
     "SELECT count(*) FROM bottega.payouts WHERE state = 'held' AND reason IS NULL"},
    {"a transfer is in another currency than what it is about",
     "SELECT count(*) FROM bottega.ledger_transfers t JOIN (SELECT id, currency FROM "
     "bottega.payments UNION ALL SELECT id, currency FROM bottega.refunds UNION ALL SELECT id, "
     "currency FROM bottega.payouts UNION ALL SELECT id, currency FROM bottega.payout_batches "
     "UNION ALL SELECT id, currency FROM bottega.disputes) s ON s.id = t.about "
     "WHERE s.currency <> t.currency"},
    {"a batch has payouts of another currency",
     "SELECT count(*) FROM bottega.payouts p JOIN bottega.payout_batches b ON b.merchant_id = "
     "p.merchant_id AND b.id = p.batch_id WHERE b.currency <> p.currency"},
};

}  // namespace

std::span<const Rule> rules_always() { return kRules; }
std::span<const Rule> rules_at_rest() { return kRulesAtRest; }

void check(pqxx::connection& link, std::span<const Rule> rules, const std::string& now) {
  std::string all;
  for (const auto& rule : rules) {
    std::string sql = rule.sql;
    for (auto at = sql.find("$1"); at != sql.npos; at = sql.find("$1"))
      sql.replace(at, 2, "'" + now + "'");
    all += (all.empty() ? "SELECT (" : " || ',' || (") + sql + ")::text";
  }
  pqxx::nontransaction look(link);
  std::istringstream counts(look.exec1(all)[0].as<std::string>());
  std::string count;
  for (std::size_t i = 0; std::getline(counts, count, ','); ++i)
    if (count != "0") throw Wrong(std::string(rules[i].words) + ": " + count);
}

void agree(pqxx::connection& link, const Sums& theirs) {
  pqxx::nontransaction look(link);
  Sums ours;
  for (const auto& row : look.exec("SELECT operation || ' ' || currency, sum(amount) "
                                   "FROM bottega.attempts WHERE state = 'succeeded' "
                                   "AND operation <> 'dispute' GROUP BY operation, currency"))
    ours[row[0].as<std::string>()] = row[1].as<std::int64_t>();
  const auto open = look.exec1(
                            "SELECT count(*) FROM bottega.attempts "
                            "WHERE state IN ('sent', 'unknown')")[0]
                        .as<std::int64_t>();
  if (open != 0) throw Wrong("unknown after reconciliation: " + std::to_string(open));
  if (ours == theirs) return;
  std::string words = "the processor's books are others:";
  for (const auto& [name, sum] : theirs)
    words +=
        "\n  " + name + ": theirs " + std::to_string(sum) + ", ours " + std::to_string(ours[name]);
  throw Wrong(words);
}

void count(pqxx::connection& link, Sums& seen) {
  pqxx::nontransaction look(link);
  for (const std::string table :
       {"payment_requests", "payments", "orders", "refunds", "payouts", "payout_batches",
        "disputes", "top_up_disputes", "top_ups", "withdrawals", "transfers"})
    for (const auto& row :
         look.exec("SELECT state, count(*) FROM bottega." + table + " GROUP BY 1"))
      seen[table + ' ' + row[0].as<std::string>()] += row[1].as<std::int64_t>();
}

}  // namespace bottega::soak
