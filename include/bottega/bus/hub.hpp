#pragma once
// Carries committed events to whoever listens on this node. Delivery is only a fast copy of the
// log: what is lost on the way, a listener reads from there.
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace bottega::bus {

// One rendered event, shared by all listeners and never copied.
struct Event {
  std::string stream;         // what it belongs to, such as a conversation's id
  std::int64_t position = 0;  // its place in the stream; 0 for a passing event
  // The frame as the client gets it. Empty where no more is known than that the stream has got as
  // far as this position.
  std::string text;
  // What was said in earlier events of the stream is not as it was.
  bool rewrites = false;
};
using EventPtr = std::shared_ptr<const Event>;

class Listener {
 public:
  virtual ~Listener() = default;
  // Called on any thread; must not block.
  virtual void offer(const EventPtr& event) = 0;
};

class Hub {
 public:
  // The listener hears of every topic it joined, once per event, until it is destroyed or leaves.
  void join(const std::string& topic, const std::shared_ptr<Listener>& listener);
  void leave(const std::string& topic, const Listener* listener);
  void publish(const std::vector<std::string>& topics, const EventPtr& event);
  std::size_t listeners() const;

 private:
  std::vector<std::shared_ptr<Listener>> present(const std::vector<std::string>& topics);

  mutable std::mutex mutex_;  // owns topics_; nobody is called while it is held
  std::unordered_map<std::string, std::vector<std::weak_ptr<Listener>>> topics_;
};

}  // namespace bottega::bus
