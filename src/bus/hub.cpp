#include "bottega/bus/hub.hpp"

#include <algorithm>

namespace bottega::bus {

void Hub::join(const std::string& topic, const std::shared_ptr<Listener>& listener) {
  const std::lock_guard lock(mutex_);
  topics_[topic].push_back(listener);
}

void Hub::leave(const std::string& topic, const Listener* listener) {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  std::erase_if(found->second, [&](const auto& weak) {
    const auto present = weak.lock();
    return !present || present.get() == listener;
  });
  if (found->second.empty()) topics_.erase(found);
}

void Hub::publish(const std::vector<std::string>& topics, const EventPtr& event) {
  for (const auto& listener : present(topics)) listener->offer(event);
}

std::size_t Hub::listeners() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [topic, listeners] : topics_) count += listeners.size();
  return count;
}

std::vector<std::shared_ptr<Listener>> Hub::present(const std::vector<std::string>& topics) {
  std::vector<std::shared_ptr<Listener>> out;
  const std::lock_guard lock(mutex_);
  for (const auto& topic : topics) {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) continue;
    std::erase_if(found->second, [&](const auto& weak) {
      const auto listener = weak.lock();
      // A member who is on both sides of a topic list hears it once.
      if (listener && std::ranges::find(out, listener) == out.end()) out.push_back(listener);
      return !listener;
    });
    if (found->second.empty()) topics_.erase(found);
  }
  return out;
}

}  // namespace bottega::bus
