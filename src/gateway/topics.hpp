#pragma once
// What one socket listens to.
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "bottega/bus/hub.hpp"

namespace bottega::gateway {

class Topics {
 public:
  explicit Topics(bus::Hub& hub) : hub_(hub) {}

  // These too.
  void add(const std::set<std::string>& topics, const std::shared_ptr<bus::Listener>& listener) {
    auto all = topics_;
    all.insert(topics.begin(), topics.end());
    set(std::move(all), listener);
  }
  // From now on these and no others.
  void set(std::set<std::string> topics, const std::shared_ptr<bus::Listener>& listener) {
    for (const auto& topic : topics)
      if (!topics_.contains(topic)) hub_.join(topic, listener);
    for (const auto& topic : topics_)
      if (!topics.contains(topic)) hub_.leave(topic, listener.get());
    topics_ = std::move(topics);
  }

 private:
  bus::Hub& hub_;
  std::set<std::string> topics_;
};

}  // namespace bottega::gateway
