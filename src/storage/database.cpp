// The threads behind the seam and the bounded queue in front of them.
#include "bottega/storage/database.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "storage/session.hpp"
#include "bottega/core/log.hpp"

namespace bottega {

class Database::Pool {
 public:
  struct Job {
    Mode mode;
    const std::function<void(Tx&)>* operation;
    std::function<void(std::exception_ptr)> done;
  };

  Pool(DatabaseOptions options, const Clock& clock, Sink sink)
      : options_(std::move(options)), clock_(clock), sink_(std::move(sink)) {
    for (unsigned i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Pool() { stop(); }

  // Throws Error(busy) at once where too many wait.
  void submit(Job job) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) throw Error(Code::stopping, "the server is stopping");
      if (jobs_.size() >= options_.waiting_max)
        throw Error(Code::busy, "too many requests wait for the database")
            .retry_after(std::chrono::seconds(1));
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }

  Load load() const {
    const std::lock_guard lock(mutex_);
    return {static_cast<unsigned>(jobs_.size()),
            running_,
            options_.threads,
            counters_.retries,
            counters_.reconnects,
            counters_.in_doubt};
  }

 private:
  void work() {
    storage::Session session(options_, clock_, sink_, counters_);
    while (auto job = next()) {
      std::exception_ptr failure;
      try {
        session.run(job->mode, *job->operation);
      } catch (...) {
        failure = std::current_exception();
      }
      {
        const std::lock_guard lock(mutex_);
        --running_;
      }
      job->done(failure);
    }
  }

  // The next job; none when the pool stops and nothing waits any more.
  std::optional<Job> next() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return std::nullopt;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    ++running_;
    return job;
  }

  const DatabaseOptions options_;
  const Clock& clock_;
  const Sink sink_;
  storage::Counters counters_;
  mutable std::mutex mutex_;  // owns jobs_, running_, stopping_
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  unsigned running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

namespace {

// Completes an asynchronous operation on the executor of whoever waits for it.
template <class Handler>
std::function<void(std::exception_ptr)> completion(Handler handler) {
  auto shared = std::make_shared<Handler>(std::move(handler));
  return [shared](std::exception_ptr failure) {
    const auto executor = asio::get_associated_executor(*shared);
    asio::post(executor, [shared, failure] { std::move (*shared)(failure); });
  };
}

}  // namespace

Database::Database(DatabaseOptions options, const Clock& clock, Sink sink)
    : pool_(std::make_unique<Pool>(std::move(options), clock, std::move(sink))) {}
Database::~Database() = default;

asio::awaitable<void> Database::run(Mode mode, std::function<void(Tx&)>& op) {
  // A refusal goes to the handler: thrown from here, it would leave the handler waiting for ever.
  auto start = [&](auto handler) {
    auto done = completion(std::move(handler));
    try {
      pool_->submit({mode, &op, done});
    } catch (...) {
      done(std::current_exception());
    }
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
      start, asio::use_awaitable);
}

void Database::run_blocking(Mode mode, std::function<void(Tx&)> op) {
  std::promise<void> promise;
  pool_->submit({mode, &op, [&](std::exception_ptr failure) {
                   failure ? promise.set_exception(failure) : promise.set_value();
                 }});
  promise.get_future().get();
}

asio::awaitable<bool> Database::reachable() {
  static const Sql<std::int64_t()> ping{"storage.ping", "SELECT 1::bigint"};
  bool answered = false;
  try {
    co_await read([&](Tx& tx) { answered = tx.one(ping) == 1; });
  } catch (const Error&) {}
  co_return answered;
}

Database::Load Database::load() const { return pool_->load(); }
void Database::stop() { pool_->stop(); }

}  // namespace bottega
