#pragma once
// Counters for Prometheus (text format 0.0.4). Labels are bounded: the route's name, never a path
// or id.
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace bottega::gateway {

struct App;

class Metrics {
 public:
  Metrics();
  ~Metrics();
  // One request answered by a route ("" where none matched).
  void answered(std::string_view route, unsigned status, std::chrono::nanoseconds took);
  // The whole page; reads the present load from the app.
  std::string page(const App& app, std::int64_t jobs_due, std::int64_t jobs_dead);

  std::atomic<std::int64_t> connections{0}, sockets{0}, refused{0}, slow_closed{0};
  // Times a listener learnt from the database that the bus had not told it something.
  std::atomic<std::uint64_t> healed{0};
  // What the last audit of the ledger has found wrong, -1 where it could not be made; and when the
  // last one was that could, in seconds of the machine's time.
  std::atomic<std::int64_t> ledger_faults{0}, ledger_audited_at{0};
  // What the settlement checks have found and nobody has resolved.
  std::atomic<std::int64_t> settlement_differences{0};
  // Payments that wait for the staff's decision.
  std::atomic<std::int64_t> reviews_open{0};
  // Conversations whose missing events a resume took from memory.
  std::atomic<std::int64_t> from_memory{0};

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace bottega::gateway
