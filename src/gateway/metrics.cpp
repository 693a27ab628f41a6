#include "gateway/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "gateway/app.hpp"

namespace bottega::gateway {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                          0.05,   0.1,   0.25,   0.5,   1,    5};

}  // namespace

struct Metrics::Families {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter()
          .Name("bottega_requests_total")
          .Help("Requests answered, by route and status.")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& seconds =
      prometheus::BuildHistogram()
          .Name("bottega_request_seconds")
          .Help("Time from a request read to its answer ready.")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& gauges = prometheus::BuildGauge()
                                                      .Name("bottega_load")
                                                      .Help("What is going on now, by kind.")
                                                      .Register(registry);
  std::mutex mutex;  // owns the maps, and the counters that are set to what was counted elsewhere
  std::map<std::pair<std::string, unsigned>, prometheus::Counter*> counters;
  std::map<std::string, prometheus::Histogram*, std::less<>> histograms;

  // Only where there are other nodes.
  void set(const bus::Traffic& traffic, std::uint64_t healings) {
    prometheus::BuildGauge()
        .Name("bottega_bus_connected")
        .Help("1 while this node is joined with the others through NATS.")
        .Register(registry)
        .Add({})
        .Set(traffic.connected ? 1 : 0);
    const std::pair<const char*, std::uint64_t> counts[] = {{"published", traffic.published},
                                                            {"received", traffic.received},
                                                            {"dropped", traffic.dropped},
                                                            {"refused", traffic.refused},
                                                            {"healed", healings}};
    auto& family = prometheus::BuildCounter()
                       .Name("bottega_bus_events_total")
                       .Help("Events between nodes, by what became of them.")
                       .Register(registry);
    const std::lock_guard lock(mutex);  // two pages at once would both add the difference
    for (const auto& [outcome, count] : counts) {
      auto& counter = family.Add({{"outcome", outcome}});
      counter.Increment(static_cast<double>(count) - counter.Value());
    }
  }
  void set(const std::string& kind, std::int64_t value) {
    gauges.Add({{"kind", kind}}).Set(static_cast<double>(value));
  }
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::answered(std::string_view route, unsigned status, std::chrono::nanoseconds took) {
  const std::string name(route.empty() ? "none" : route);
  const std::lock_guard lock(families_->mutex);
  auto& counter = families_->counters[{name, status}];
  if (counter == nullptr)
    counter = &families_->requests.Add({{"route", name}, {"status", std::to_string(status)}});
  counter->Increment();
  auto& histogram = families_->histograms[name];
  if (histogram == nullptr) histogram = &families_->seconds.Add({{"route", name}}, kSeconds);
  histogram->Observe(std::chrono::duration<double>(took).count());
}

std::string Metrics::page(const App& app, std::int64_t jobs_due, std::int64_t jobs_dead) {
  const auto load = app.db.load();
  families_->set("database_waiting", load.waiting);
  families_->set("database_running", load.running);
  families_->set("database_threads", load.threads);
  families_->set("database_retries", static_cast<std::int64_t>(load.retries));
  families_->set("database_reconnects", static_cast<std::int64_t>(load.reconnects));
  families_->set("database_commits_looked_up", static_cast<std::int64_t>(load.in_doubt));
  families_->set("connections", connections);
  families_->set("sockets", sockets);
  families_->set("connections_refused", refused);
  families_->set("sockets_closed_slow", slow_closed);
  families_->set("resumed_from_memory", from_memory);
  if (app.recent != nullptr)
    families_->set("recent_bytes", static_cast<std::int64_t>(app.recent->bytes()));
  families_->set("ledger_faults", ledger_faults);
  families_->set("ledger_audited_at", ledger_audited_at);
  families_->set("settlement_differences", settlement_differences);
  families_->set("reviews_open", reviews_open);
  families_->set("jobs_due", jobs_due);
  families_->set("jobs_dead", jobs_dead);
  if (app.traffic != nullptr) families_->set(*app.traffic, healed);
  if (app.notifier != nullptr) {
    const auto push = app.notifier->counts();
    families_->set("push_under_way", push.under_way);
    families_->set("push_services_left_alone", push.circuits_open);
    families_->set("push_delivered", push.delivered);
    families_->set("push_gone", push.gone);
    families_->set("push_retried", push.retried);
    families_->set("push_failed", push.failed);
  }
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace bottega::gateway
