#pragma once
// Threads for work that no event loop and no database thread should pay for: files, images, papers.
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bottega/core/error.hpp"

namespace bottega {
namespace asio = boost::asio;

class Workers {
 public:
  // `too_many` is what they say whose work would have to wait behind too much.
  Workers(unsigned threads, std::int64_t waiting_max, const char* too_many)
      : waiting_max_(waiting_max), too_many_(too_many), threads_(threads) {}
  ~Workers() { stop(); }

  // Runs the work on one of the threads, and goes on where it was called. Throws what the work
  // throws, Error(busy) where too much waits.
  template <class Work>
  asio::awaitable<std::invoke_result_t<Work&>> run(Work& work) {
    if (waiting_.fetch_add(1) >= waiting_max_) {
      --waiting_;
      throw Error(Code::busy, too_many_).retry_after(std::chrono::seconds(2));
    }
    auto job = [&]() -> asio::awaitable<std::invoke_result_t<Work&>> {
      --waiting_;
      co_return work();
    };
    co_return co_await asio::co_spawn(threads_, job, asio::use_awaitable);
  }

  // Finishes what runs and ends the threads.
  void stop() { threads_.join(); }

 private:
  std::int64_t waiting_max_;
  const char* too_many_;
  std::atomic<std::int64_t> waiting_{0};
  asio::thread_pool threads_;
};

}  // namespace bottega
