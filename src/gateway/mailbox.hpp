#pragma once
// What other threads hand to one that works through it in order. However much is put in before the
// owner comes by, it is called once.
#include <mutex>
#include <utility>
#include <vector>

namespace bottega::gateway {

template <class T>
class Mailbox {
 public:
  // True where the owner has to be called, for it has not been yet.
  bool put(T thing) {
    const std::lock_guard lock(mutex_);
    things_.push_back(std::move(thing));
    return !std::exchange(is_called_, true);
  }
  // All that is there.
  std::vector<T> take() {
    const std::lock_guard lock(mutex_);
    is_called_ = false;
    return std::exchange(things_, {});
  }

 private:
  std::mutex mutex_;  // owns both
  std::vector<T> things_;
  bool is_called_ = false;
};

}  // namespace bottega::gateway
