// The threads behind the seam and the bounded queue in front of them.
#include "bottega/storage/database.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
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

namespace {

using std::chrono::steady_clock;

constexpr auto kWatchEvery = std::chrono::milliseconds(500);
constexpr auto kAnswerGrace = std::chrono::seconds(2);
constexpr auto kReachableWithin = std::chrono::seconds(2);

}  // namespace

class Database::Pool {
 public:
  struct Job {
    Mode mode;
    const std::function<void(Tx&)>* operation;
    std::function<void(std::exception_ptr)> done;
    bool is_bounded = true;  // whether it is refused where too many wait
  };

  Pool(DatabaseOptions options, const Clock& clock, Sink sink)
      : options_(std::move(options)),
        clock_(clock),
        sink_(std::move(sink)),
        lifelines_(options_.threads) {
    for (unsigned i = 0; i < options_.threads; ++i)
      threads_.emplace_back([this, i] { work(lifelines_[i]); });
    watchdog_ = std::thread([this] { watch(); });
  }
  ~Pool() { stop({}); }

  // Throws Error(busy) at once where too many wait.
  void submit(Job job) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) throw Error(Code::stopping, "the server is stopping");
      if (job.is_bounded && jobs_.size() >= options_.waiting_max)
        throw Error(Code::busy, "too many requests wait for the database")
            .retry_after(std::chrono::seconds(1));
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

  void stop(std::optional<steady_clock::time_point> latest) {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      cut_at_ = latest;
    }
    wake_.notify_all();
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    watch_.notify_all();
    if (watchdog_.joinable()) watchdog_.join();
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
  void work(storage::Lifeline& lifeline) {
    storage::Session session(options_, clock_, sink_, counters_, lifeline);
    while (auto job = next()) {
      std::exception_ptr failure;
      try {
        if (is_late()) throw Error(Code::stopping, "the server is stopping");
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

  // Whether what still waits has no time left.
  bool is_late() const {
    const std::lock_guard lock(mutex_);
    return cut_at_ && steady_clock::now() >= *cut_at_;
  }

  // A server that hangs does not keep the statement's own time limit.
  void watch() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      watch_.wait_for(lock, kWatchEvery, [&] { return stopped_; });
      const auto now = steady_clock::now();
      const bool all = cut_at_ && now >= *cut_at_;
      const auto then = all ? now : now - options_.statement_timeout - kAnswerGrace;
      for (auto& lifeline : lifelines_) lifeline.cut_before(then);
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
  mutable std::mutex mutex_;  // owns jobs_, running_, stopping_, stopped_, cut_at_
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  unsigned running_ = 0;
  bool stopping_ = false, stopped_ = false;
  std::optional<steady_clock::time_point> cut_at_;
  std::condition_variable watch_;
  std::deque<storage::Lifeline> lifelines_;  // one per thread
  std::vector<std::thread> threads_;
  std::thread watchdog_;
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

void Database::post(Mode mode, std::function<void(Tx&)> op,
                    std::function<void(std::exception_ptr)> done) {
  const auto kept = std::make_shared<const std::function<void(Tx&)>>(std::move(op));
  pool_->submit({mode, kept.get(),
                 [kept, done = std::move(done)](std::exception_ptr failure) { done(failure); }});
}

void Database::run_blocking(Mode mode, std::function<void(Tx&)> op) {
  std::promise<void> promise;
  const auto done = [&](std::exception_ptr failure) {
    failure ? promise.set_exception(failure) : promise.set_value();
  };
  pool_->submit({mode, &op, done, false});
  promise.get_future().get();
}

asio::awaitable<bool> Database::reachable() {
  static const Sql<std::int64_t()> ping{"storage.ping", "SELECT 1::bigint"};
  struct Answer {
    explicit Answer(const asio::any_io_executor& executor) : late(executor, kReachableWithin) {}
    asio::steady_timer late;
    bool is_there = false;
  };
  const auto executor = co_await asio::this_coro::executor;
  const auto answer = std::make_shared<Answer>(executor);
  try {
    post(
        Mode::read, [](Tx& tx) { tx.one(ping); },
        [executor, answer](std::exception_ptr failure) {
          asio::post(executor, [answer, failure] {
            answer->is_there = !failure;
            answer->late.cancel();
          });
        });
  } catch (const Error&) {
    co_return false;
  }
  const auto token = asio::as_tuple(asio::use_awaitable);
  co_await answer->late.async_wait(token);
  co_return answer->is_there;
}

Database::Load Database::load() const { return pool_->load(); }
void Database::stop(std::optional<std::chrono::steady_clock::time_point> latest) {
  pool_->stop(latest);
}

}  // namespace bottega
