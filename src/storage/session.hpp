#pragma once
// One connection and the thread's way of running a transaction on it. Private to storage: together
// with migrate.cpp the only code that sees libpqxx.
#include <functional>
#include <mutex>
#include <optional>
#include <pqxx/pqxx>
#include <unordered_set>

#include "bottega/storage/database.hpp"

namespace bottega::storage {

using Operation = std::function<void(Tx&)>;

struct Counters {
  std::atomic<std::uint64_t> retries{0}, reconnects{0}, in_doubt{0};
};

// Opens a connection with the options' limits; throws pqxx::broken_connection.
std::unique_ptr<pqxx::connection> connect(const DatabaseOptions& options);

// Lets another thread cut a connection whose server no longer answers: libpq would wait for ever.
class Lifeline {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // The socket in use, or -1. It is taken away before it is closed.
  void hold(int socket);
  // A statement is on its way, or has come back.
  void begin();
  void end();
  // Cuts a statement that has been under way since before then.
  void cut_before(Time then);

 private:
  std::mutex mutex_;  // owns both
  int socket_ = -1;
  std::optional<Time> since_;
};

class Session {
 public:
  Session(const DatabaseOptions& options, const Clock& clock, const Database::Sink& sink,
          Counters& counters, Lifeline& lifeline)
      : options_(options), clock_(clock), sink_(sink), counters_(counters), lifeline_(lifeline) {}

  // Runs the operation to its commit; retries what may be retried. Throws what the operation
  // throws.
  void run(Mode mode, const Operation& operation);

  struct Connection {
    std::unique_ptr<pqxx::connection> link;
    std::unordered_set<std::string_view> prepared;
    int backend = 0;            // the server process behind the link
    std::string backend_start;  // and when it began: process ids are used again
    Lifeline* lifeline = nullptr;
  };

 private:
  enum class Commit : std::uint8_t { done, undone };

  void open();
  void let_go();
  void reconnect(const char* reason);
  void attempt(Mode mode, const Operation& operation);
  void attempt_write(const char* begin, const Operation& operation);
  void attempt_single(const Operation& operation);
  std::vector<Notice> read_committed(const std::string& token, const Operation& operation);
  Commit look_up(const std::string& token);
  bool token_exists(const std::string& token, int backend, const std::string& backend_start);

  const DatabaseOptions& options_;
  const Clock& clock_;
  const Database::Sink& sink_;
  Counters& counters_;
  Lifeline& lifeline_;
  bool is_down_ = false;  // the last connection was lost and there is no other yet
  std::optional<Connection> connection_;
};

}  // namespace bottega::storage
