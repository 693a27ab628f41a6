#pragma once
// Joins this node's hub with those of the other nodes through NATS (core publish and subscribe,
// one subject). NATS may be away, lose and repeat: the log of the database heals that, so nothing
// here ever waits for it but threads of its own. Nobody else knows which library is underneath.
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "bus/envelope.hpp"
#include "bottega/bus/traffic.hpp"
#include "bottega/core/text.hpp"

namespace bottega::bus {

struct NatsOptions {
  Secret urls;  // nats://user:password@host:port or tls://…, comma separated
  std::string subject;
  std::size_t queue_max_bytes = 8'388'608;  // events that wait for NATS
};

// What may have been missed, and so has to be looked for in the database.
enum class Doubt : std::uint8_t {
  cut_off,  // NATS has gone
  joined,   // NATS has come (back): what was said before was not heard
  missed,   // some messages of a node that is there
  silent,   // a node that was there says nothing any more: it ended, or is cut off itself
};

class Nats {
 public:
  using Hear = std::function<void(Parcel)>;
  using Doubted = std::function<void(Doubt)>;

  // Throws Error(invalid) where a URL or the subject can be none; the words contain no URL. `hear`
  // and `doubted` are called on a thread of the bus, from start() to stop().
  Nats(NatsOptions options, Hear hear, Doubted doubted);
  ~Nats();

  // Connects in the background, and again whenever NATS is lost.
  void start();
  // Tells the other nodes; from any thread, and never waits. What NATS cannot take now is dropped.
  void send(std::span<const Parcel> parcels);
  // Sends what still waits, and ends; until `latest`. The destructor does it without waiting.
  void stop(std::chrono::steady_clock::time_point latest);

  const Traffic& traffic() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bottega::bus
