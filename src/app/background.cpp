#include "app/background.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "gateway/once.hpp"
#include "bottega/attempts/attempts.hpp"
#include "bottega/checkout/carts.hpp"
#include "bottega/core/log.hpp"
#include "bottega/identity/guests.hpp"
#include "bottega/ledger/ledger.hpp"
#include "bottega/notifications/subscriptions.hpp"

namespace bottega {
namespace {

// A commit that is looked up was made seconds ago; an hour is plenty.
const Sql<void()> kSweepTokens{"storage.sweep_commit_tokens", R"(
    DELETE FROM commit_tokens WHERE at < now() - interval '1 hour')"};
const Sql<void()> kSweepSandbox{"sandbox.sweep_commit_tokens", R"(
    DELETE FROM commit_tokens WHERE at < now() - interval '1 hour')"};
const Sql<void()> kSweepDelivered{"sandbox.sweep_delivered_events", R"(
    DELETE FROM events WHERE delivered_at < now() - interval '7 days')"};

}  // namespace

Loop::Loop(asio::io_context& context, std::string name, std::chrono::milliseconds every,
           Action action)
    : context_(context),
      name_(std::move(name)),
      every_(every),
      action_(std::move(action)),
      timer_(context) {}

void Loop::start() {
  asio::co_spawn(
      context_, [this] { return run(); }, asio::detached);
}

void Loop::poke() {
  asio::post(context_, [this] {
    poked_ = true;
    timer_.cancel();
  });
}

void Loop::stop() {
  asio::post(context_, [this] {
    stopping_ = true;
    timer_.cancel();
  });
}

asio::awaitable<void> Loop::run() {
  const auto token = asio::as_tuple(asio::use_awaitable);
  while (!stopping_) {
    poked_ = false;
    try {
      co_await action_();
    } catch (const std::exception& error) {
      log::warning("loop.failed", {{"loop", name_}, {"error", std::string(error.what())}});
    }
    if (poked_ || stopping_) continue;
    timer_.expires_after(every_);
    co_await timer_.async_wait(token);
  }
  ended_.set_value();
}

// False where there is no more of it.
asio::awaitable<bool> forget_events(Database& db, std::chrono::days kept) {
  constexpr std::int64_t batch = 10'000;
  if (kept.count() == 0) co_return false;
  const auto gone = co_await db.transact(
      [&](Tx& tx) { return attempts::forget_events(tx, tx.now() - kept, batch); });
  co_return gone == batch;
}

asio::awaitable<void> sweep(Database& db, Database* sandbox, attachments::Depot& depot,
                            std::chrono::days events) {
  co_await db.transact([&](Tx& tx) {
    identity::sweep_tokens(tx);
    gateway::sweep_once(tx);
    notifications::sweep_subscriptions(tx);
    tx.run(kSweepTokens);
  });
  constexpr std::int64_t batch = 1'000;
  for (auto gone = batch; gone == batch;)
    gone = co_await db.transact([&](Tx& tx) { return checkout::sweep_carts(tx, batch); });
  for (auto gone = batch; gone == batch;)
    gone = co_await db.transact([&](Tx& tx) { return identity::sweep_guests(tx, batch); });
  for (bool more = true; more;) more = co_await forget_events(db, events);
  if (sandbox != nullptr)
    co_await sandbox->transact([&](Tx& tx) {
      tx.run(kSweepSandbox);
      tx.run(kSweepDelivered);
    });
  co_await depot.sweep();
}

asio::awaitable<void> audit(Database& db, gateway::Metrics& metrics, const Clock& clock) {
  try {
    for (bool more = true; more;)
      more = co_await db.transact([](Tx& tx) { return ledger::close_books(tx).has_value(); });
    const auto at = (clock.now() - clock.offset()).time_since_epoch();
    const auto turn = std::chrono::floor<std::chrono::hours>(at).count();
    auto faults = co_await db.read([](Tx& tx) { return ledger::audit(tx); });
    const auto past = co_await db.read([&](Tx& tx) { return ledger::audit_closed(tx, turn); });
    faults.insert(faults.end(), past.begin(), past.end());
    for (const auto& fault : faults) log::error("ledger.fault", {{"fault", fault}});
    metrics.ledger_faults = static_cast<std::int64_t>(faults.size());
    metrics.ledger_audited_at = std::chrono::floor<std::chrono::seconds>(at).count();
  } catch (...) {
    // What was not looked at is not known to be right.
    metrics.ledger_faults = -1;
    throw;
  }
}

}  // namespace bottega
