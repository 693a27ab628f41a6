#pragma once
// The seam between coroutines and the database: co_await db.transact([&](Tx& tx) { … }) runs a
// plain function on a database thread and commits, or throws. One thread is one connection; how
// many requests may wait for a thread is bounded.
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "bottega/core/clock.hpp"
#include "bottega/storage/tx.hpp"

namespace bottega {
namespace asio = boost::asio;

struct DatabaseOptions {
  std::string url;                 // libpq connection string of the unprivileged role
  std::string schema = "bottega";  // search_path
  unsigned threads = 8;            // and so connections
  unsigned waiting_max = 256;      // requests that may wait for a thread before a 503
  std::chrono::milliseconds statement_timeout{10'000};
  std::chrono::milliseconds lock_timeout{5'000};
  std::chrono::milliseconds connect_timeout{5'000};
  // Run-time parameters of PostgreSQL that each connection sets, such as enable_seqscan.
  std::vector<std::pair<std::string, std::string>> parameters;
};

// `batch` writes what several have asked for: nobody waits long behind what another of them waits
// for, half a second; and the statements, all of the kind that finds so many rows by their keys,
// keep their plans, for to make one anew for each batch takes longer than to carry it out.
// `single` is one statement that commits by itself, in one round trip. The statement must write
// tx.commit_token() into commit_tokens; where tx.was_committed(), an earlier try has done so, and
// the operation only reads what became of it. The connections must not be read-only by default.
enum class Mode : std::uint8_t { write, batch, read, single };

// Somebody else holds what the transaction wants, and has kept it for the whole of lock_timeout or
// through every try.
class Contended final : public Error {
 public:
  explicit Contended(const std::string& what) : Error(Code::busy, what) {
    retry_after(std::chrono::seconds(1));
  }
};

// In Mode::single: a unique key has refused the statement.
class Collision final : public std::exception {
 public:
  const char* what() const noexcept override { return "a unique key refused the statement"; }
};

class Database {
 public:
  // `sink` is given the notices of each committed transaction, on the database thread.
  using Sink = std::function<void(std::vector<Notice>)>;
  Database(DatabaseOptions options, const Clock& clock, Sink sink = {});
  ~Database();

  // Runs `op` in one transaction, again from the top after a serialization failure, a deadlock or a
  // lost connection: `op` touches nothing but `tx`. Throws Error(busy) where the database cannot
  // serve now.
  template <std::invocable<Tx&> Op>
  auto transact(Op op) -> asio::awaitable<std::invoke_result_t<Op&, Tx&>> {
    return in(Mode::write, std::move(op));
  }
  // The same for statements that only read; each statement sees what is committed when it starts.
  template <std::invocable<Tx&> Op>
  auto read(Op op) -> asio::awaitable<std::invoke_result_t<Op&, Tx&>> {
    return in(Mode::read, std::move(op));
  }
  // For commands and tests, which have no event loop: blocks the calling thread.
  template <std::invocable<Tx&> Op>
  auto transact_blocking(Op op) -> std::invoke_result_t<Op&, Tx&> {
    using R = std::invoke_result_t<Op&, Tx&>;
    if constexpr (std::is_void_v<R>) {
      run_blocking(Mode::write, [&](Tx& tx) { op(tx); });
    } else {
      std::optional<R> result;
      run_blocking(Mode::write, [&](Tx& tx) { result.emplace(op(tx)); });
      return *std::move(result);
    }
  }

  // For work that nobody waits for with a coroutine: `done` is called on the database thread, after
  // the commit, with what went wrong or nothing. Throws where transact() would refuse at once.
  void post(Mode mode, std::function<void(Tx&)> op, std::function<void(std::exception_ptr)> done);

  // Whether a connection answers within two seconds.
  asio::awaitable<bool> reachable();

  struct Load {
    unsigned waiting, running, threads;
    std::uint64_t retries, reconnects, in_doubt;
  };
  Load load() const;

  // Refuses new work, finishes what runs and waits, and joins the threads; from `latest` on what
  // the server has not answered is cut off. The destructor does it too.
  void stop(std::optional<std::chrono::steady_clock::time_point> latest = {});

 private:
  class Pool;

  template <class Op>
  auto in(Mode mode, Op op) -> asio::awaitable<std::invoke_result_t<Op&, Tx&>> {
    using R = std::invoke_result_t<Op&, Tx&>;
    if constexpr (std::is_void_v<R>) {
      std::function<void(Tx&)> work = [&](Tx& tx) { op(tx); };
      co_await run(mode, work);
    } else {
      std::optional<R> result;
      std::function<void(Tx&)> work = [&](Tx& tx) { result.emplace(op(tx)); };
      co_await run(mode, work);
      co_return *std::move(result);
    }
  }

  asio::awaitable<void> run(Mode mode, std::function<void(Tx&)>& op);
  void run_blocking(Mode mode, std::function<void(Tx&)> op);

  std::unique_ptr<Pool> pool_;
};

}  // namespace bottega
