// Orders complete by themselves. One job for all of them looks for what is due, in the index that
// the lists by state read: an id begins with the time at which it was made, and nothing can have
// been sent before. So a sale pays for its completion with neither a job of its own nor an index.
#include <boost/asio/use_awaitable.hpp>

#include "orders/rows.hpp"

namespace bottega::orders {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kBatch = 200;
constexpr int kRounds = 50;  // of one run of the job; the next one goes on

// What somebody is working on is left to the next run.
const Sql<Order(State, OrderId, Instant, Instant, std::int64_t, State)> kDelivered{
    "orders.complete_delivered", R"(
    WITH due AS MATERIALIZED (
      SELECT merchant_id, id FROM orders
      WHERE state = $1 AND id < $2 AND delivered_at <= $3 ORDER BY id LIMIT $5
      FOR UPDATE SKIP LOCKED)
    UPDATE orders o SET state = $6, completed_at = $4
    FROM due d WHERE o.merchant_id = d.merchant_id AND o.id = d.id
    RETURNING o.id, o.number, o.merchant_id, o.conversation_id, o.buyer_id, o.payment_id, o.title,
              o.lines, o.total, o.currency, o.state, o.fulfilment, o.ship_to, o.ship_by, o.carrier,
              o.tracking_number, o.reason, o.card_seq, o.breakdown, o.created_at, o.shipped_at,
              o.delivered_at, o.completed_at, o.cancelled_at, o.withdrawn_at)"};

const Sql<Order(State, OrderId, Instant, Instant, std::int64_t, State)> kSent{
    "orders.complete_sent", R"(
    WITH due AS MATERIALIZED (
      SELECT merchant_id, id FROM orders
      WHERE state = $1 AND id < $2 AND shipped_at <= $3 ORDER BY id LIMIT $5
      FOR UPDATE SKIP LOCKED)
    UPDATE orders o SET state = $6, completed_at = $4
    FROM due d WHERE o.merchant_id = d.merchant_id AND o.id = d.id
    RETURNING o.id, o.number, o.merchant_id, o.conversation_id, o.buyer_id, o.payment_id, o.title,
              o.lines, o.total, o.currency, o.state, o.fulfilment, o.ship_to, o.ship_by, o.carrier,
              o.tracking_number, o.reason, o.card_seq, o.breakdown, o.created_at, o.shipped_at,
              o.delivered_at, o.completed_at, o.cancelled_at, o.withdrawn_at)"};

// What sorts before every id that is made from this moment on.
OrderId first_at(Instant at) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch()).count();
  OrderId id;
  for (std::size_t i = 0; i < 6; ++i)
    id.uuid.bytes[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(since) >> (40 - 8 * i));
  return id;
}

}  // namespace

std::int64_t complete_due(Tx& tx, const CompletionRules& rules, std::int64_t batch) {
  const auto delivered = tx.now() - rules.after, sent = tx.now() - rules.unheard;
  auto done = tx.all(kDelivered, State::delivered, first_at(delivered), delivered, tx.now(), batch,
                     kLifecycle.advance(State::delivered, Event::complete));
  for (auto& order : tx.all(kSent, State::shipped, first_at(sent), sent, tx.now(), batch,
                            kLifecycle.advance(State::shipped, Event::complete)))
    done.push_back(std::move(order));
  // All orders are held before the first conversation.
  conversations::Log log;
  for (const auto& order : done) tell(log, order, "order.completed", text_of(order.state));
  log.write(tx);
  return static_cast<std::int64_t>(done.size());
}

asio::awaitable<void> complete(Database& db, const CompletionRules& rules) {
  for (int round = 0; round < kRounds; ++round) {
    const auto done = co_await db.transact([&](Tx& tx) { return complete_due(tx, rules, kBatch); });
    if (done < kBatch) break;
  }
  co_await db.transact([](Tx& tx) { plan(tx); });
}

// Its name is the hour, so that the job that runs plans another and not itself.
void plan(Tx& tx) {
  const auto due = std::chrono::ceil<std::chrono::hours>(tx.now() + 1s);
  jobs::enqueue(tx, kCompleteJob, text_of(Instant(due)), Json::object(), due);
}

}  // namespace bottega::orders
