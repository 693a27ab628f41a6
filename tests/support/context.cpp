#include "support/context.hpp"

#include <mutex>
#include <vector>

namespace bottega::test {
namespace {

struct Free {
  std::mutex mutex;
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts;
};

Free& free_ones() {
  static Free all;
  return all;
}

}  // namespace

Context::Context() {
  auto& all = free_ones();
  const std::lock_guard lock(all.mutex);
  if (all.contexts.empty()) {
    context_ = std::make_unique<boost::asio::io_context>();
  } else {
    context_ = std::move(all.contexts.back());
    all.contexts.pop_back();
    context_->restart();
  }
}

Context::~Context() {
  auto& all = free_ones();
  const std::lock_guard lock(all.mutex);
  all.contexts.push_back(std::move(context_));
}

}  // namespace bottega::test
