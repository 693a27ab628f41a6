#pragma once
// The newest events of the streams that were written to last, as they went out: whoever comes back
// after a short break gets them from memory, so that a thousand who come back at once do not all
// read the log. Bounded in bytes; the stream that was quiet for longest is forgotten first.
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "bottega/bus/hub.hpp"

namespace bottega::bus {

class Recent {
 public:
  // With 0 bytes it keeps nothing.
  explicit Recent(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Takes a committed event. One that is not the next of its stream, or that changes earlier ones,
  // begins anew.
  void keep(const EventPtr& event);
  // The events behind `after` up to `last`; none where not all of them are here, or where `last` is
  // not the newest that is: then something was missed, and the log knows better.
  std::vector<EventPtr> between(const std::string& stream, std::int64_t after,
                                std::int64_t last) const;
  std::size_t bytes() const;

 private:
  struct Run {
    std::deque<EventPtr> events;  // positions without a gap
    std::list<const std::string*>::iterator age;
  };
  using Runs = std::unordered_map<std::string, Run>;

  void forget(Runs::iterator run);
  void drop_first(Run& run);

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;  // owns the rest
  Runs runs_;
  std::list<const std::string*> ages_;  // names in runs_, the one that was quiet for longest first
  std::size_t bytes_ = 0;
};

}  // namespace bottega::bus
