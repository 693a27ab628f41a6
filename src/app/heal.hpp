#pragma once
// Finds in the database what the bus has not told this node, and tells it to the listeners. Once a
// second while the bus is in doubt, rarely while it is known to be whole. One query per node, not
// one per listener.
#include <atomic>
#include <optional>

#include "bus/nats.hpp"
#include "gateway/server.hpp"

namespace bottega {

class Healer {
 public:
  Healer(gateway::App& app, gateway::Server& server)
      : app_(app), server_(server), from_(app.clock.now() - kSlack) {}

  // How far a node's clock, a transaction's length and the time until a loss is noticed may lie
  // between the time of an entry and the round that must find it.
  static constexpr auto kSlack = std::chrono::seconds(15);

  // From any thread.
  void doubt(bus::Doubt why);
  // One round, where it is time for one. It must not run twice at once.
  asio::awaitable<void> run();

 private:
  using Time = std::chrono::steady_clock::time_point;
  bool is_in_doubt(Time now) const;
  asio::awaitable<void> look();
  void ask_sockets(Time now);

  gateway::App& app_;
  gateway::Server& server_;
  // Ticks of the steady clock until which the bus is not believed.
  std::atomic<Time::rep> doubtful_until_{0};
  std::atomic<bool> is_asked_for_{false};
  // Touched by run() only: where the present round began and has got to, and the next begins.
  Instant from_;
  std::optional<Instant> began_;
  conversations::Span span_;
  Time looked_at_{}, asked_at_{};
};

}  // namespace bottega
