#pragma once
// What the server does without being asked: due jobs, the sandbox's webhooks, sweeping, following
// the clock.
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <future>

#include "gateway/metrics.hpp"
#include "bottega/attachments/depot.hpp"
#include "bottega/jobs/job.hpp"
#include "bottega/processors/sandbox.hpp"

namespace bottega {

// A loop on one thread that runs an action every so often, and at once when it is poked.
class Loop {
 public:
  using Action = std::function<asio::awaitable<void>()>;
  Loop(asio::io_context& context, std::string name, std::chrono::milliseconds every, Action action);

  void start();
  void poke();  // from any thread
  // Ends the loop after the round that runs, which it may be waited for. From any thread.
  void stop();
  void wait_until(std::chrono::steady_clock::time_point latest) const { end_.wait_until(latest); }

 private:
  asio::awaitable<void> run();

  asio::io_context& context_;
  std::string name_;
  std::chrono::milliseconds every_;
  Action action_;
  asio::steady_timer timer_;
  bool poked_ = false, stopping_ = false;  // touched on the context's thread only
  std::promise<void> ended_;
  std::future<void> end_ = ended_.get_future();
};

// Removes what nobody can need any more: old tokens, kept replies, commit tokens, what processors
// have told (for ever where it is kept for zero days), what broken uploads have left.
asio::awaitable<void> sweep(Database& db, Database* sandbox, attachments::Depot& depot,
                            std::chrono::days events);

// Closes the books of the days that are over and audits the ledger; the metrics say what was wrong,
// and when that was known.
asio::awaitable<void> audit(Database& db, gateway::Metrics& metrics, const Clock& clock);

}  // namespace bottega
