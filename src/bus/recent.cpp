#include "bottega/bus/recent.hpp"

namespace bottega::bus {
namespace {

constexpr std::size_t kRunMax = 64;     // events of one stream
constexpr std::size_t kOverhead = 256;  // bytes of an event beside its text, about

std::size_t size_of(const Event& event) { return event.text.size() + kOverhead; }

}  // namespace

void Recent::keep(const EventPtr& event) {
  if (bytes_max_ == 0) return;
  const std::lock_guard lock(mutex_);
  auto run = runs_.find(event->stream);
  if (run != runs_.end()) {
    const auto last = run->second.events.back()->position;
    if (event->position > 0 && event->position <= last) return;
    if (event->rewrites || event->position > last + 1) {
      forget(run);
      run = runs_.end();
    }
  }
  if (event->position == 0 || event->text.empty()) return;
  if (run == runs_.end()) {
    run = runs_.try_emplace(event->stream).first;
    run->second.age = ages_.insert(ages_.end(), &run->first);
  } else {
    ages_.splice(ages_.end(), ages_, run->second.age);
  }
  auto& events = run->second.events;
  events.push_back(event);
  bytes_ += size_of(*event);
  if (events.size() > kRunMax) drop_first(run->second);
  while (bytes_ > bytes_max_) forget(runs_.find(*ages_.front()));
}

std::vector<EventPtr> Recent::between(const std::string& stream, std::int64_t after,
                                      std::int64_t last) const {
  const std::lock_guard lock(mutex_);
  const auto run = runs_.find(stream);
  if (run == runs_.end() || after >= last) return {};
  const auto& events = run->second.events;
  const auto first = events.front()->position;
  if (events.back()->position != last || first > after + 1) return {};
  return {events.begin() + (after + 1 - first), events.end()};
}

std::size_t Recent::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void Recent::forget(Runs::iterator run) {
  for (const auto& event : run->second.events) bytes_ -= size_of(*event);
  ages_.erase(run->second.age);
  runs_.erase(run);
}

void Recent::drop_first(Run& run) {
  bytes_ -= size_of(*run.events.front());
  run.events.pop_front();
}

}  // namespace bottega::bus
