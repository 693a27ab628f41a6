#pragma once
// The private PostgreSQL of a server that was given no database.url: a cluster under the data
// directory, reached through a unix socket only, watched and started again when it dies, stopped
// with the server. It survives kill -9 of either side: a postmaster that outlived its server is
// adopted by the next one.
#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "storage/child_process.hpp"

namespace bottega::storage {

struct EmbeddedOptions {
  std::filesystem::path data_dir;   // holds postgres/, postgres.log, socket/ and bottega.lock
  std::string bin_dir;              // where initdb and postgres are; empty: find them
  std::string run_as = "postgres";  // the user for the cluster where we are root; else `nobody`
  // May be called from any thread; level is info, warning or error. Must not throw.
  std::function<void(std::string_view level, std::string_view message)> log;
};

class EmbeddedPostgres {
 public:
  // The superuser of the cluster; only who may open the private socket can be it.
  static constexpr std::string_view kSuperuser = "bottega_superuser";

  // Makes the cluster where there is none, starts or adopts its server, and blocks until it accepts
  // connections, at most a minute. Throws Error(conflict) where another server uses the directory,
  // and Error(internal) with what to do about it where it cannot run.
  explicit EmbeddedPostgres(EmbeddedOptions options);
  ~EmbeddedPostgres();
  EmbeddedPostgres(const EmbeddedPostgres&) = delete;
  EmbeddedPostgres& operator=(const EmbeddedPostgres&) = delete;

  // A connection string in libpq's keyword/value form (PostgreSQL manual, 34.1.1.1).
  std::string url(std::string_view role, std::string_view database) const;

  // Stops the server cleanly (a fast shutdown), after 30 s by force. Safe to repeat.
  void stop();

 private:
  enum class Startup { ready, exited, interrupted, timeout };
  using Deadline = std::chrono::steady_clock::time_point;

  void open_data_dir();
  void make_cluster();
  // Leaves a server that accepts connections in process_, or throws.
  void bring_up();
  std::optional<Process> find_running() const;
  Process start_postmaster() const;
  bool may_try_again(const std::string& log_tail) const;
  Startup wait_until_ready(Process& process, Deadline deadline) const;
  bool is_ready(const Process& process) const;
  bool accepts_connections() const;
  void supervise();
  bool interrupted_within(std::chrono::milliseconds time) const;
  void shut_down(Process& process) const;
  void log(std::string_view level, const std::string& message) const;

  EmbeddedOptions options_;
  std::filesystem::path cluster_dir_, socket_dir_, log_file_;
  Descriptor lock_, stop_event_;
  ProcessUser user_;
  std::filesystem::path bin_dir_;
  std::vector<std::string> command_;  // starts the postmaster
  std::optional<Process> process_;    // the supervisor's own while it runs
  std::thread supervisor_;
  std::mutex stopping_;  // one stop() at a time
};

}  // namespace bottega::storage
