#include "bottega/privacy/retention.hpp"

#include <boost/asio/use_awaitable.hpp>

#include "bottega/conversations/forget.hpp"
#include "bottega/conversations/safety.hpp"

namespace bottega::privacy {
namespace {

using conversations::ConversationId;
using identity::MerchantId;

constexpr std::int64_t kPage = 1'000;
// What one call does at most: the next one goes on.
constexpr int kPagesMax = 20, kTransactionsMax = 200;

struct Walk {
  MerchantId walk_merchant;
  ConversationId walk_conversation;
};
BOOST_DESCRIBE_STRUCT(Walk, (), (walk_merchant, walk_conversation))

struct Candidate {
  MerchantId merchant_id;
  ConversationId id;
  std::optional<Instant> before;
  bool is_old = false;
};
BOOST_DESCRIBE_STRUCT(Candidate, (), (merchant_id, id, before, is_old))

const Sql<bool(Instant)> kIsDue{"privacy.is_retention_due", R"(
    SELECT run_at <= $1 AND busy_until <= clock_timestamp() AS is_due FROM retention_state)"};

const Sql<Walk(Instant)> kBegin{"privacy.begin_retention", R"(
    UPDATE retention_state SET busy_until = clock_timestamp() + interval '1 minute'
    WHERE run_at <= $1 AND busy_until <= clock_timestamp()
    RETURNING walk_merchant, walk_conversation)"};

const Sql<void(MerchantId, ConversationId, Instant)> kEnd{"privacy.end_retention", R"(
    UPDATE retention_state SET walk_merchant = $1, walk_conversation = $2, run_at = $3,
                               busy_until = clock_timestamp())"};

// A page of conversations, and of each whether its oldest entry or a note is too old. A bound of
// NULL is never reached.
const Sql<Candidate(MerchantId, ConversationId, std::int64_t, std::optional<Instant>,
                    std::optional<Instant>)>
    kCandidates{"privacy.retention_candidates", R"(
    WITH page AS MATERIALIZED (
      SELECT merchant_id, id FROM conversations
      WHERE (merchant_id, id) > ($1, $2) ORDER BY merchant_id, id LIMIT $3),
    bounded AS MATERIALIZED (
      SELECT p.merchant_id, p.id,
             CASE WHEN EXISTS (SELECT FROM orders o WHERE o.merchant_id = p.merchant_id
                                                      AND o.conversation_id = p.id)
                    THEN $5::timestamptz ELSE $4::timestamptz END AS before
      FROM page p)
    SELECT b.merchant_id, b.id, b.before,
           (coalesce(e.at < b.before, false)
              OR EXISTS (SELECT FROM notes n
                         WHERE n.merchant_id = b.merchant_id AND n.conversation_id = b.id
                           AND n.created_at < b.before))
             AND NOT EXISTS (SELECT FROM orders o
                             WHERE o.merchant_id = b.merchant_id AND o.conversation_id = b.id
                               AND o.state IN ('paid', 'shipped', 'return_requested'))
             AND NOT EXISTS (SELECT FROM orders o
                                  JOIN returns t ON t.merchant_id = o.merchant_id
                                                    AND t.order_id = o.id
                             WHERE o.merchant_id = b.merchant_id AND o.conversation_id = b.id
                               AND o.state = 'returned' AND t.state = 'received')
             AND NOT EXISTS (SELECT FROM payment_requests r
                             WHERE r.merchant_id = b.merchant_id AND r.conversation_id = b.id
                               AND r.state IN ('open', 'paying')) AS is_old
    FROM bounded b
         LEFT JOIN LATERAL (SELECT n.at FROM entries n
                            WHERE n.merchant_id = b.merchant_id AND n.conversation_id = b.id
                            ORDER BY n.seq LIMIT 1) e ON true
    ORDER BY b.merchant_id, b.id)"};

// Of whichever merchant. One that is open is still to be judged.
const Sql<conversations::ReportId(Instant, std::int64_t)> kForgetReports{"privacy.forget_reports",
                                                                         R"(
    DELETE FROM reports WHERE (merchant_id, id) IN (
      SELECT merchant_id, id FROM reports WHERE state = 'resolved' AND resolved_at < $1
      ORDER BY resolved_at LIMIT $2)
    RETURNING id)"};

std::optional<Instant> bound(Tx& tx, std::chrono::days kept) {
  if (kept.count() == 0) return std::nullopt;
  return tx.now() - kept;
}

// One run: what it has done, and where it is.
struct Run {
  Database& db;
  const RetentionRules& rules;
  Walk at;
  int transactions = 0;
  std::int64_t deleted = 0;
  bool is_through = false;
};

// False where the run has done its share.
asio::awaitable<bool> forget_one(Run& run, const Candidate& candidate) {
  const auto batch = run.rules.batch;
  const auto before = candidate.before.value();
  for (auto gone = batch; gone == batch; run.deleted += gone) {
    if (++run.transactions > kTransactionsMax) co_return false;
    gone = co_await run.db.transact([&](Tx& tx) {
      return conversations::forget(tx, candidate.merchant_id, candidate.id, before, batch);
    });
  }
  co_return true;
}

asio::awaitable<void> walk_on(Run& run) {
  for (int page = 0; page < kPagesMax; ++page) {
    const auto rows = co_await run.db.read([&](Tx& tx) {
      return tx.all(kCandidates, run.at.walk_merchant, run.at.walk_conversation, kPage,
                    bound(tx, run.rules.chats), bound(tx, run.rules.orders));
    });
    for (const auto& row : rows) {
      if (row.is_old) {
        const bool goes_on = co_await forget_one(run, row);
        if (!goes_on) co_return;
      }
      run.at = {row.merchant_id, row.id};
    }
    run.is_through = rows.size() < static_cast<std::size_t>(kPage);
    if (run.is_through) co_return;
  }
}

void forget_reports(Tx& tx, const RetentionRules& rules) {
  const auto before = bound(tx, rules.reports);
  if (!before) return;
  for (const auto& id : tx.all(kForgetReports, *before, rules.batch))
    identity::leave_directory(tx, id.uuid);
}

}  // namespace

asio::awaitable<std::int64_t> retain(Database& db, const RetentionRules& rules) {
  if ((rules.chats + rules.orders + rules.reports).count() == 0) co_return 0;
  const bool is_due = co_await db.read([](Tx& tx) { return tx.one(kIsDue, tx.now()); });
  if (!is_due) co_return 0;
  const auto begun = co_await db.transact([](Tx& tx) { return tx.find(kBegin, tx.now()); });
  if (!begun) co_return 0;
  Run run{db, rules, *begun};
  co_await walk_on(run);
  co_await db.transact([&](Tx& tx) {
    forget_reports(tx, rules);
    const auto next = run.is_through ? Walk{} : run.at;
    tx.run(kEnd, next.walk_merchant, next.walk_conversation,
           run.is_through ? tx.now() + rules.every : tx.now());
  });
  co_return run.deleted;
}

}  // namespace bottega::privacy
