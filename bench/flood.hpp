#pragma once
// A load generator for WebSockets that takes as little of the machine as it can: one thread, one
// epoll, frames written by hand.
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bottega::bench {

// What a frame from the server means to the client that got it.
struct Meaning {
  bool answers = false;  // one of its own frames has been answered
  bool arrives = false;  // a message for it, with the time at which it was sent
  std::uint64_t sent_ns = 0;
};

struct FloodPlan {
  std::size_t window = 1;  // frames of one client that may be unanswered
  double per_second = 0;   // of all clients together; 0: as many as the window lets through
  double seconds = 5;      // counted, after a tenth of it that is not
};

struct FloodCount {
  std::uint64_t sent = 0, answered = 0,
                arrived = 0;  // in all, also before and after the counted time
  double seconds = 0;
  std::vector<double> times_ms;  // of the counted ones: from sent to arrived
};

class Flood {
 public:
  // Makes a client's next frame, of which the time is a part.
  using Compose = std::function<std::string(std::size_t client, std::uint64_t now_ns)>;
  using Read = std::function<Meaning(std::size_t client, std::string_view frame)>;

  Flood();
  ~Flood();
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;

  // Connects one more client; `first` is a frame to begin with, or nothing.
  void add(std::uint16_t port, const std::string& path, const std::string& token,
           const std::string& first);
  // Sends and receives; `counting` is called when the counted time begins and when it ends. Waits
  // in the end until all has been answered and has arrived; throws where that takes too long or a
  // socket is closed.
  FloodCount run(const FloodPlan& plan, const Compose& compose, const Read& read,
                 const std::function<void()>& counting);

 private:
  struct Client;
  struct Run;
  int epoll_ = -1;
  std::vector<std::unique_ptr<Client>> clients_;
};

std::uint64_t now_ns();

}  // namespace bottega::bench
