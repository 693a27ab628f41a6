// What a node does by itself, over and over.
#include "app/node_parts.hpp"
#include "app/options.hpp"
#include "bottega/catalog/browse.hpp"
#include "bottega/identity/onboarding.hpp"
#include "bottega/ops/ops.hpp"
#include "bottega/privacy/retention.hpp"
#include "bottega/support/support.hpp"

namespace bottega {
namespace {

using std::chrono::milliseconds;

constexpr auto kDeliveryPoll = std::chrono::seconds(1);
constexpr auto kFreshPoll = std::chrono::minutes(1);
constexpr auto kRetainPoll = std::chrono::seconds(1);
constexpr auto kCloseCasesPoll = std::chrono::seconds(1);
constexpr auto kHealPoll = std::chrono::seconds(1);
constexpr auto kSweepEvery = std::chrono::hours(1);
constexpr auto kAuditEvery = std::chrono::hours(1);
constexpr auto kAskDisputesEvery = std::chrono::hours(1);
constexpr auto kIndexEvery = std::chrono::seconds(1);
constexpr auto kAskOnboardingEvery = std::chrono::hours(1);

}  // namespace

void Node::Parts::start_loops() {
  const auto add = [&](asio::io_context& context, std::string name, milliseconds every,
                       Loop::Action action) {
    loops.push_back(std::make_unique<Loop>(context, std::move(name), every, std::move(action)));
    return loops.back().get();
  };
  const auto every = milliseconds(config.jobs_poll_ms);
  job_loops.push_back(add(server->context(), "jobs", every, [this]() -> asio::awaitable<void> {
    const auto offset = co_await db.read([](Tx& tx) { return ops::clock_offset(tx); });
    // Never back: it may have been moved on while this was read.
    if (offset > clock.offset()) clock.set_offset(offset);
    co_await runner.drain(10, jobs::Lane::database);
  }));
  for (const auto lane : {jobs::Lane::processors, jobs::Lane::files})
    job_loops.push_back(
        add(server->context(), text_of(lane), every,
            [this, lane]() -> asio::awaitable<void> { co_await runner.drain(10, lane); }));
  add(server->context(), "presence", milliseconds(config.presence_write_ms),
      [this] { return presence.flush(); });
  add(server->context(), "search", milliseconds(config.search_every_ms),
      [this] { return conversations::take_some(db, written, config.search_batch); });
  add(server->context(), "catalog", kIndexEvery, [this] { return catalog::keep_index(db); });
  add(server->context(), "retention", kRetainPoll, [this]() -> asio::awaitable<void> {
    const auto rules = retention_rules_of(config);
    co_await privacy::retain(db, rules);
  });
  add(server->context(), "support", kCloseCasesPoll, [this] {
    return support::close_all_due(db, std::chrono::days(config.support_close_after_days));
  });
  add(server->context(), "audit", kAuditEvery, [this] { return audit(db, app.metrics, clock); });
  add(server->context(), "disputes", kAskDisputesEvery, [this]() -> asio::awaitable<void> {
    for (auto* processor : registry.all()) co_await disputes::ask(db, *processor, payment_rules);
  });
  add(server->context(), "onboarding", kAskOnboardingEvery,
      [this] { return identity::ask_onboarding(db, registry); });
  add(server->context(), "sweep", kSweepEvery, [this] {
    return sweep(db, sandbox_db.get(), depot, std::chrono::days(config.retention_events_days));
  });
  if (sandbox) {
    auto& context = sandbox_server->context();
    const auto lines = std::make_shared<processors::WebhookLines>();
    delivery_loop =
        add(context, "webhooks", kDeliveryPoll, [this, lines]() -> asio::awaitable<void> {
          co_await sandbox->decide_disputes();
          for (int sent = 1; sent > 0;) sent = co_await sandbox->deliver_events(*lines);
        });
    sandbox->on_queued([this] { delivery_loop->poke(); });
    const auto fresh_lines = std::make_shared<processors::WebhookLines>();
    fresh_loop = add(context, "news", kFreshPoll, [this, fresh_lines]() -> asio::awaitable<void> {
      for (int sent = 1; sent > 0;) sent = co_await sandbox->deliver_fresh(*fresh_lines);
    });
    sandbox->on_fresh([this] { fresh_loop->poke(); });
  }
  if (nats) {
    app.traffic = &nats->traffic();
    healer = std::make_unique<Healer>(app, *server);
    heal_loop = add(server->context(), "heal", kHealPoll, [this] { return healer->run(); });
  }
  for (auto& loop : loops) loop->start();
  if (push) push->start();
}

void Node::Parts::stop_loops(std::chrono::steady_clock::time_point latest) {
  for (auto& loop : loops) loop->stop();
  for (const auto& loop : loops) loop->wait_until(latest);
}

}  // namespace bottega
