#pragma once
// The real program as a child process, on ports that the system chose.
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "support/cluster.hpp"

namespace bottega::test {

class Server {
 public:
  // Starts `bottega serve --demo` in `data_dir` and waits for its line "ready …"; settings are
  // "name=value". Throws with what it printed where it does not come up.
  Server(const std::filesystem::path& data_dir, const std::vector<std::string>& settings = {});
  // Kills it where it still runs.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The one server that the tests of this program share, with its own data directory.
  static Server& shared();
  static void stop_shared();

  std::uint16_t port() const { return port_; }          // plain HTTP
  std::uint16_t tls_port() const { return tls_port_; }  // 0 without TLS
  std::uint16_t sandbox_port() const { return sandbox_port_; }
  pid_t pid() const { return pid_; }
  std::filesystem::path log_file() const { return log_file_; }

  void signal(int number) const;
  // Waits for its end; answers the exit status, or 128 + the signal.
  int wait();
  // Asks it to stop (SIGTERM) and waits.
  int stop();
  // kill -9, and waits.
  void kill();

 private:
  void read_ready_line();

  std::filesystem::path log_file_;
  pid_t pid_ = -1;
  int out_ = -1;
  std::uint16_t port_ = 0, tls_port_ = 0, sandbox_port_ = 0;
};

}  // namespace bottega::test
