#pragma once
// The merchant's share of an order: scheduled by the shipment, due three to five business days
// later, never before and never without one. What is due at one moment is sent as one batch.
#include <boost/asio/awaitable.hpp>

#include "bottega/attempts/attempts.hpp"
#include "bottega/ledger/ledger.hpp"
#include "bottega/orders/shipments.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::payouts {

using identity::MerchantId, identity::Who, orders::OrderId;
using PayoutId = Id<"pout">;
using BatchId = Id<"batch">;

enum class State : std::uint8_t { scheduled, held, submitted, paid, failed, cancelled };
BOOST_DESCRIBE_ENUM(State, scheduled, held, submitted, paid, failed, cancelled)
enum class Event : std::uint8_t {
  submit,
  pay,
  fail,
  schedule,
  hold,
  release,
  cancel,
  come_back,
  reinstate,
};
BOOST_DESCRIBE_ENUM(Event, submit, pay, fail, schedule, hold, release, cancel, come_back, reinstate)

inline constexpr Machine kLifecycle{std::to_array<Edge<State, Event>>({
    {State::scheduled, Event::submit, State::submitted},
    {State::scheduled, Event::hold, State::held},
    {State::scheduled, Event::cancel, State::cancelled},
    {State::held, Event::release, State::scheduled},
    {State::held, Event::cancel, State::cancelled},
    {State::submitted, Event::submit, State::submitted},
    {State::submitted, Event::pay, State::paid},
    {State::submitted, Event::fail, State::failed},
    {State::failed, Event::schedule, State::scheduled},
    {State::failed, Event::fail, State::failed},
    {State::failed, Event::hold, State::held},
    {State::paid, Event::pay, State::paid},
    {State::paid, Event::come_back, State::failed},
    {State::cancelled, Event::reinstate, State::held},
})};
static_assert(kLifecycle.deterministic());

struct Payout {
  PayoutId id;
  MerchantId merchant_id;
  OrderId order_id;
  Money amount;
  std::int64_t fee = 0;
  State state{};
  Instant shipped_at{}, due_at{};
  Date due_on{};
  std::optional<std::string> reason, reference;
  std::int64_t recovered = 0;  // what of the amount has paid for what the merchant owed us
  std::optional<BatchId> batch_id;
  std::int64_t tries = 0;
  std::optional<Instant> retry_at;  // of one that failed; none where it waits for a person
  Instant created_at{};
  std::optional<Instant> submitted_at, paid_at;
};
BOOST_DESCRIBE_STRUCT(Payout, (),
                      (id, merchant_id, order_id, amount, fee, state, shipped_at, due_at, due_on,
                       reason, reference, recovered, batch_id, tries, retry_at, created_at,
                       submitted_at, paid_at))

enum class BatchState : std::uint8_t { submitted, paid, failed };
BOOST_DESCRIBE_ENUM(BatchState, submitted, paid, failed)
enum class BatchEvent : std::uint8_t { pay, fail, come_back };
BOOST_DESCRIBE_ENUM(BatchEvent, pay, fail, come_back)

inline constexpr Machine kBatchLifecycle{std::to_array<Edge<BatchState, BatchEvent>>({
    {BatchState::submitted, BatchEvent::pay, BatchState::paid},
    {BatchState::submitted, BatchEvent::fail, BatchState::failed},
    {BatchState::paid, BatchEvent::come_back, BatchState::failed},
})};
static_assert(kBatchLifecycle.deterministic());

// One transfer to the merchant's bank. `amount` is the sum of its payouts less what they recovered,
// and what else was in the merchant's balance.
struct Batch {
  BatchId id;
  MerchantId merchant_id;
  Money amount;
  std::int64_t payouts = 0;       // how many
  std::int64_t from_balance = 0;  // of the amount: what no payout stands for
  BatchState state{};
  std::optional<std::string> reason, reference;
  Instant created_at{};
  std::optional<Instant> ended_at;
};
BOOST_DESCRIBE_STRUCT(Batch, (),
                      (id, merchant_id, amount, payouts, from_balance, state, reason, reference,
                       created_at, ended_at))

struct Reason {
  Text<1, 255> reason;
};
BOOST_DESCRIBE_STRUCT(Reason, (), (reason))

struct Rules {
  std::int64_t business_days = 3;
  std::chrono::milliseconds call_timeout{0};
  std::optional<std::chrono::minutes> batch_at;  // of the day; none: as each comes due
  std::int64_t minimum = 0;                      // minor units; less waits for more to come
  std::chrono::days minimum_wait{30};            // and is sent all the same after this long
  std::int64_t tries_max = 8;
  std::map<Currency, std::int64_t> minimums = {};  // of currencies whose minimum is another one

  Money least(const Currency& currency) const;
};
// Reads the setting "JPY:1000,KWD:3000". Throws Error(invalid).
std::map<Currency, std::int64_t> minimums_of(const std::string& text);
// Reads the setting "HH:MM"; empty is none. Throws Error(invalid).
std::optional<std::chrono::minutes> batch_time(const std::string& text);

// Marks an order, or a part of it, as sent. With the last part what the merchant is paid for it is
// scheduled, and never before; that is told to those only who may see payouts.
struct Shipped {
  orders::Order order;
  orders::Shipment shipment;
  std::optional<Payout> payout;
  std::vector<std::string> warnings;  // about the tracking number, which is kept as it is
};
BOOST_DESCRIBE_STRUCT(Shipped, (), (order, shipment, payout, warnings))
Shipped ship(Tx& tx, const Who& who, OrderId order, const orders::NewShipment& given,
             const Rules& rules);
// The same for many, one after the other: what becomes of one is nothing to the others.
struct Sending {
  Who who;
  OrderId order;
  orders::NewShipment given;
};
std::vector<std::variant<Shipped, Error>> ship(Tx& tx, const std::vector<Sending>& asked,
                                               const Rules& rules);
// For an order that is `shipped` now; none where the buyer has had all of it back. The caller holds
// its lock.
std::optional<Payout> schedule(Tx& tx, const orders::Order& order, const orders::Share& share,
                               const Rules& rules);

Payout fetch(Tx& tx, const Who& who, PayoutId id);
std::vector<Payout> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<PayoutId> after,
                                     std::int64_t limit);

// Why an order's money is kept from being paid out. Each hold is lifted by itself; the payout goes
// on when there is none left. `about` is the refund, dispute, case, payout or return that it is
// for, and the order where what was not sent is owed.
enum class Cause : std::uint8_t { ops, refund, dispute, risk, order_return };
BOOST_DESCRIBE_ENUM(Cause, ops, refund, dispute, risk, order_return)
struct Hold {
  Cause cause{};
  Uuid about;
};
// The caller holds the order's lock. May be asked for before the order is sent, and of what has
// been released already, where it does nothing.
void hold(Tx& tx, MerchantId merchant, OrderId order, const Hold& hold, const std::string& reason);
void lift(Tx& tx, MerchantId merchant, OrderId order, const Hold& hold);
// Locks the payout of an order, where there is one: before the merchant's balances, in the order of
// all locks.
void lock_of_order(Tx& tx, MerchantId merchant, OrderId order);
// Whether the order's money has been released to the merchant. From the answer to the end of the
// transaction it is not, if it was not.
bool is_released(Tx& tx, MerchantId merchant, OrderId order);
// The merchant's share of the order has become smaller: where nothing is left of it, the payout is
// cancelled.
void adjust(Tx& tx, MerchantId merchant, OrderId order);
// The share has become larger again, since money came back. A payout that was cancelled is held
// with this reason, until the staff lets it go or the buyer has the money after all.
void reinstate(Tx& tx, MerchantId merchant, OrderId order, const std::string& reason);

// By ops, with a reason that is kept; throws Error(conflict) for what is held by them already, or
// cannot be held any more. Releasing lifts their own hold, and that of what was not sent and is not
// refunded either.
Payout hold(Tx& tx, PayoutId id, const Reason& reason);
Payout release(Tx& tx, PayoutId id);

// Tries one again that failed; throws Error(conflict) for any other.
Payout retry(Tx& tx, PayoutId id);

// For the job: where this payout is due, gathers all that is due to its merchant into a batch,
// which another job sends. Nothing happens to what waits for the smallest amount, is held, or is
// under way.
std::optional<Batch> collect(Tx& tx, MerchantId merchant, PayoutId id, const Rules& rules);
// For the job: sends a batch through the processor. Throws Error(busy) to be called again.
asio::awaitable<void> send(Database& db, const processors::Registry& registry, MerchantId merchant,
                           BatchId id, const Rules& rules);
// Writes down what the processor said about a batch; hearing it again changes nothing. What the
// bank sends back after it was paid is the merchant's balance again, and goes with a later batch.
Batch settle(Tx& tx, MerchantId merchant, BatchId id, const processors::Outcome& outcome,
             const Rules& rules);

Batch fetch_batch(Tx& tx, const Who& who, BatchId id);
std::vector<Batch> list_batches(Tx& tx, MerchantId merchant, std::optional<BatchId> after,
                                std::int64_t limit);
std::vector<Payout> list_of_batch(Tx& tx, MerchantId merchant, BatchId batch,
                                  std::optional<PayoutId> after, std::int64_t limit);

inline constexpr std::string_view kPayJob = "payouts.pay";
// For several that were sent together and are due at one moment: wants the job above for those that
// are still to be paid.
inline constexpr std::string_view kPayManyJob = "payouts.pay_many";
asio::awaitable<void> pay_each(Database& db, const jobs::Job& job);
inline constexpr std::string_view kWaitJob = "payouts.wait";  // the same, for what was too little
inline constexpr std::string_view kSendJob = "payouts.send";

}  // namespace bottega::payouts
