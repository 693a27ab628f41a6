// The books are closed piece by piece, and whoever asks how they were, or whether they are right,
// adds up what has moved since they were closed last.
#include "bottega/ledger/ledger.hpp"

namespace bottega::ledger {
namespace {

// Looked at in one statement.
constexpr std::int64_t kAccountsAtOnce = 20'000;
constexpr std::size_t kFaultsMax = 100;

const Sql<std::optional<Instant>()> kClose{"ledger.close", "SELECT ledger_close()"};

const Sql<Instant(Instant)> kClosed{"ledger.closed", R"(
    SELECT coalesce(max(until), 'epoch') FROM ledger_closings WHERE until <= $1)"};

const Sql<Balance(OwnerId, Instant, Instant)> kBalancesAt{"ledger.balances_at", R"(
    SELECT kind, currency, sum(debits)::bigint AS debits, sum(credits)::bigint AS credits,
           sum(debits_pending)::bigint AS debits_pending,
           sum(credits_pending)::bigint AS credits_pending
    FROM (SELECT kind, currency, debits, credits, debits_pending, credits_pending
          FROM (SELECT DISTINCT ON (kind, currency) kind, currency, debits, credits,
                       debits_pending, credits_pending
                FROM ledger_snapshots WHERE owner_id = $1 AND until <= $2
                ORDER BY kind, currency, until DESC) closed
          UNION ALL
          SELECT kind, currency, debits, credits, debits_pending, credits_pending
          FROM ledger_sides WHERE owner_id = $1 AND at >= $2 AND at <= $3) moved
    GROUP BY currency, kind ORDER BY currency, kind)"};

const Sql<Balance(Instant, Instant)> kTrialAt{"ledger.trial_balance_at", R"(
    SELECT kind, currency, sum(debits)::bigint AS debits, sum(credits)::bigint AS credits,
           sum(debits_pending)::bigint AS debits_pending,
           sum(credits_pending)::bigint AS credits_pending
    FROM (SELECT kind, currency, debits, credits, debits_pending, credits_pending
          FROM (SELECT DISTINCT ON (kind, currency) kind, currency, debits, credits,
                       debits_pending, credits_pending
                FROM ledger_snapshots
                WHERE owner_id = '00000000-0000-0000-0000-000000000000' AND until <= $1
                ORDER BY kind, currency, until DESC) closed
          UNION ALL
          SELECT kind, currency, debits, credits, debits_pending, credits_pending
          FROM ledger_sides WHERE at >= $1 AND at <= $2) moved
    GROUP BY currency, kind ORDER BY currency, kind)"};

const Sql<std::string()> kUnbalanced{"ledger.unbalanced", R"(
    SELECT 'debits and credits differ by '
           || (sum(debits) - sum(credits))::text || ' (pending: '
           || (sum(debits_pending) - sum(credits_pending))::text || ') in ' || currency
    FROM ledger_accounts GROUP BY currency
    HAVING sum(debits) <> sum(credits) OR sum(debits_pending) <> sum(credits_pending))"};

const Sql<OwnerId(OwnerId, std::int64_t)> kUpTo{"ledger.audit_up_to", R"(
    SELECT owner_id
    FROM (SELECT owner_id FROM ledger_accounts WHERE owner_id > $1 ORDER BY owner_id LIMIT $2) page
    ORDER BY owner_id DESC LIMIT 1)"};

const Sql<std::string(Instant, OwnerId, OwnerId)> kDrifted{"ledger.drifted", R"(
    WITH moved AS (
      SELECT kind, owner_id, currency, sum(debits) AS debits, sum(credits) AS credits,
             sum(debits_pending) AS debits_pending, sum(credits_pending) AS credits_pending
      FROM ledger_sides WHERE at >= $1 AND owner_id > $2 AND owner_id <= $3
      GROUP BY kind, owner_id, currency),
    accounts AS (
      SELECT a.kind, a.owner_id, a.currency, a.debits, a.credits, a.debits_pending,
             a.credits_pending, s.debits AS closed_debits, s.credits AS closed_credits,
             s.debits_pending AS closed_debits_pending, s.credits_pending AS closed_credits_pending
      FROM ledger_accounts a
      LEFT JOIN LATERAL (
        SELECT debits, credits, debits_pending, credits_pending FROM ledger_snapshots s
        WHERE s.owner_id = a.owner_id AND s.kind = a.kind AND s.currency = a.currency
          AND s.until <= $1
        ORDER BY s.until DESC LIMIT 1) s ON true
      WHERE a.owner_id > $2 AND a.owner_id <= $3)
    SELECT 'account ' || kind || ' of ' || owner_id::text || ' is not the sum of its transfers'
    FROM accounts a FULL JOIN moved m USING (kind, owner_id, currency)
    WHERE (a.debits, a.credits, a.debits_pending, a.credits_pending) IS DISTINCT FROM
          (coalesce(closed_debits, 0) + coalesce(m.debits, 0),
           coalesce(closed_credits, 0) + coalesce(m.credits, 0),
           coalesce(closed_debits_pending, 0) + coalesce(m.debits_pending, 0),
           coalesce(closed_credits_pending, 0) + coalesce(m.credits_pending, 0))
    LIMIT 100)"};

// An account that is gone is missed by the sum of all.
const Sql<std::string(Instant)> kGone{"ledger.gone", R"(
    WITH sums AS (
      SELECT kind, currency, sum(debits) AS debits, sum(credits) AS credits
      FROM (SELECT kind, currency, debits, credits
            FROM (SELECT DISTINCT ON (kind, currency) kind, currency, debits, credits
                  FROM ledger_snapshots
                  WHERE owner_id = '00000000-0000-0000-0000-000000000000' AND until <= $1
                  ORDER BY kind, currency, until DESC) closed
            UNION ALL
            SELECT kind, currency, debits, credits FROM ledger_sides WHERE at >= $1) moved
      GROUP BY kind, currency),
    accounts AS (
      SELECT kind, currency, sum(debits) AS debits, sum(credits) AS credits FROM ledger_accounts
      GROUP BY kind, currency)
    SELECT 'the accounts ' || kind || ' in ' || currency || ' are not the sum of all transfers'
    FROM accounts a FULL JOIN sums s USING (kind, currency)
    WHERE (a.debits, a.credits) IS DISTINCT FROM (s.debits, s.credits))"};

struct Piece {
  Instant begins{}, ends{};
};
BOOST_DESCRIBE_STRUCT(Piece, (), (begins, ends))

const Sql<Piece(std::int64_t)> kPiece{"ledger.closed_piece", R"(
    SELECT begins, ends
    FROM (SELECT coalesce(lag(until) OVER (ORDER BY until), 'epoch') AS begins, until AS ends,
                 row_number() OVER (ORDER BY until) - 1 AS turn, count(*) OVER () AS turns
          FROM ledger_closings) c
    WHERE turn = $1 % turns)"};

const Sql<std::string(Instant, Instant)> kRewritten{"ledger.rewritten", R"(
    WITH moved AS (
      SELECT kind, owner_id, currency, sum(debits) AS debits, sum(credits) AS credits,
             sum(debits_pending) AS debits_pending, sum(credits_pending) AS credits_pending
      FROM ledger_sides WHERE at >= $1 AND at < $2 GROUP BY kind, owner_id, currency),
    closed AS (
      SELECT s.kind, s.owner_id, s.currency, s.debits - coalesce(p.debits, 0) AS debits,
             s.credits - coalesce(p.credits, 0) AS credits,
             s.debits_pending - coalesce(p.debits_pending, 0) AS debits_pending,
             s.credits_pending - coalesce(p.credits_pending, 0) AS credits_pending
      FROM ledger_snapshots s
      LEFT JOIN LATERAL (
        SELECT debits, credits, debits_pending, credits_pending FROM ledger_snapshots b
        WHERE b.owner_id = s.owner_id AND b.kind = s.kind AND b.currency = s.currency
          AND b.until < s.until
        ORDER BY b.until DESC LIMIT 1) p ON true
      WHERE s.until = $2 AND s.owner_id <> '00000000-0000-0000-0000-000000000000')
    SELECT 'account ' || kind || ' of ' || owner_id::text || ' was closed on ' || $2::text
           || ' with another sum than that of its transfers'
    FROM closed c FULL JOIN moved m USING (kind, owner_id, currency)
    WHERE (c.debits, c.credits, c.debits_pending, c.credits_pending) IS DISTINCT FROM
          (m.debits, m.credits, m.debits_pending, m.credits_pending)
    LIMIT 100)"};

void append(std::vector<std::string>& all, std::vector<std::string> more) {
  std::ranges::move(more, std::back_inserter(all));
}

}  // namespace

std::optional<Instant> close_books(Tx& tx) { return tx.one(kClose); }

std::vector<Balance> balances_at(Tx& tx, OwnerId owner, Instant at) {
  return tx.all(kBalancesAt, owner, tx.one(kClosed, at), at);
}

std::vector<Balance> trial_balance_at(Tx& tx, Instant at) {
  return tx.all(kTrialAt, tx.one(kClosed, at), at);
}

std::vector<std::string> audit(Tx& tx) {
  auto faults = tx.all(kUnbalanced);
  const auto closed = tx.one(kClosed, tx.now());
  std::optional<OwnerId> next = OwnerId{};
  while (next && faults.size() < kFaultsMax) {
    const auto after = *next;
    next = tx.find(kUpTo, after, kAccountsAtOnce);
    append(faults, tx.all(kDrifted, closed, after, next.value_or(OwnerId::newest())));
  }
  if (faults.empty()) append(faults, tx.all(kGone, closed));
  return faults;
}

std::vector<std::string> audit_closed(Tx& tx, std::int64_t turn) {
  const auto piece = tx.find(kPiece, turn);
  if (!piece) return {};
  return tx.all(kRewritten, piece->begins, piece->ends);
}

}  // namespace bottega::ledger
