#pragma once
// What the server does without being asked: due jobs, the sandbox's webhooks, sweeping, following
// the clock.
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

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
  // Ends the loop after the round that runs; ended() says when. From any thread.
  void stop();
  bool ended() const { return ended_; }

 private:
  asio::awaitable<void> run();

  asio::io_context& context_;
  std::string name_;
  std::chrono::milliseconds every_;
  Action action_;
  asio::steady_timer timer_;
  bool poked_ = false, stopping_ = false;  // touched on the context's thread only
  std::atomic<bool> ended_{true};
};

// Removes what nobody can need any more: old tokens, kept replies, commit tokens.
asio::awaitable<void> sweep(Database& db, Database* sandbox);

}  // namespace bottega
