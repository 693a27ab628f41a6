#pragma once
// The server under load, and how much processor time it and its PostgreSQL take.
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace bottega::bench {

// Gone, with all that is in it, when this is.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Server {
 public:
  explicit Server(const std::string& binary, const std::vector<std::string>& settings = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Stops it as an operator would, and starts it again on the same data, at another port.
  void restart();

  std::uint16_t port() const { return port_; }
  std::uint16_t tls_port() const { return tls_port_; }
  std::uint16_t sandbox_port() const { return sandbox_port_; }
  std::filesystem::path socket_dir() const { return home_.path() / "data" / "socket"; }

  struct Cpu {
    double server_s, postgres_s;
  };
  // Seconds of processor time so far.
  Cpu cpu() const;
  double resident_mb() const;
  // The most that was resident since the last forget_peak().
  void forget_peak() const;
  double peak_mb() const;

  // Runs a script of pgbench as the server's role; answers what it printed.
  std::string pgbench(const std::string& script, int clients, double seconds,
                      const std::vector<std::string>& options = {}) const;
  // pgbench's own TPC-B-like script, with its tables in a schema of their own.
  void prepare_tpc_b(int scale) const;
  std::string tpc_b(int clients, double seconds) const;
  // What a query answers, as plain text.
  std::string query(const std::string& sql) const;
  // The same as the one who owns everything, who may write.
  std::string as_owner(const std::string& sql) const;
  // Runs a file of psql's as that one, with its variables; answers what it printed.
  std::string script_as_owner(const std::string& file,
                              const std::map<std::string, std::string>& variables) const;
  // From the next start on the database counts statements; false where it cannot.
  bool count_statements() const;
  // What was written before is cleaned up and on disk, so that nothing of it is counted later.
  void settle_database() const;

 private:
  void serve();
  void stop();
  std::string psql(const std::string& role, const std::string& sql) const;

  TemporaryFolder home_;
  std::vector<std::string> words_;
  pid_t pid_ = -1;
  std::uint16_t port_ = 0, tls_port_ = 0, sandbox_port_ = 0;
};

// A WebSocket server of Beast that sends back what it gets, in a process of its own.
class Echo {
 public:
  Echo();
  ~Echo();
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;
  std::uint16_t port() const { return port_; }
  double cpu_s() const;

 private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

// The value below which this share of the sorted values lies.
double percentile(const std::vector<double>& sorted, double share);

// Runs a command to its end; answers what it printed. Throws where it fails.
std::string run(const std::vector<std::string>& words);

}  // namespace bottega::bench
