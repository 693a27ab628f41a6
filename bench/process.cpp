#include "process.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace bottega::bench {
namespace {

namespace fs = std::filesystem;

// Limits that would see a load test as an attack.
const char* const kSettings[] = {"http.port=0",
                                 "sandbox.port=0",
                                 "log.level=warning",
                                 "limits.requests_per_minute=1000000",
                                 "limits.writes_per_minute=1000000",
                                 "limits.conversation_per_minute=10000000",
                                 "limits.connections_per_minute=1000000",
                                 "limits.address_per_minute=10000000",
                                 "risk.buyer_count_hour_max=0",
                                 "risk.buyer_count_day_max=0",
                                 "risk.buyer_sum_hour_max=0",
                                 "risk.buyer_sum_day_max=0",
                                 "risk.method_tries_hour_max=0",
                                 "risk.method_tries_day_max=0",
                                 "risk.merchant_week_max=0",
                                 "risk.review_week=0"};

int start(const std::vector<std::string>& words, pid_t& pid) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int out[2];
  if (pipe(out) != 0) throw std::runtime_error("pipe");
  pid = fork();
  if (pid == 0) {
    dup2(out[1], STDOUT_FILENO);
    close(out[0]);
    close(out[1]);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  close(out[1]);
  return out[0];
}

struct Stat {
  pid_t parent;
  double seconds;          // its own
  double with_children_s;  // and of its children that have ended
};

std::optional<Stat> stat_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skip;
  long parent = 0;
  double user = 0, system = 0, child_user = 0, child_system = 0;
  fields >> skip >> parent;
  for (int i = 0; i < 9; ++i) fields >> skip;
  fields >> user >> system >> child_user >> child_system;
  const auto tick = static_cast<double>(sysconf(_SC_CLK_TCK));
  return Stat{static_cast<pid_t>(parent), (user + system) / tick,
              (user + system + child_user + child_system) / tick};
}

const std::string kBin = "/usr/lib/postgresql/15/bin/";

std::string whole(double seconds) {
  return std::to_string(static_cast<int>(std::max(1.0, seconds)));
}

std::uint16_t port_of(const std::string& url) {
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

}  // namespace

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) throw std::runtime_error("nothing was measured");
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

std::string run(const std::vector<std::string>& words) {
  pid_t pid = -1;
  const int out = start(words, pid);
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(out, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  close(out);
  int status = 0;
  waitpid(pid, &status, 0);
  if (status != 0) throw std::runtime_error(words.front() + " failed: " + text);
  return text;
}

TemporaryFolder::TemporaryFolder() {
  auto pattern = (fs::temp_directory_path() / "bottega-bench-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  path_ = pattern;
  fs::permissions(path_, fs::perms(0755));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Server::Server(const std::string& binary, const std::vector<std::string>& settings) {
  words_ = {binary, "serve", "--demo", "--set", "data.dir=" + (home_.path() / "data").string()};
  for (const auto* setting : kSettings) words_.insert(words_.end(), {"--set", setting});
  for (const auto& setting : settings) words_.insert(words_.end(), {"--set", setting});
  serve();
}

void Server::serve() {
  const int out = start(words_, pid_);
  std::string text;
  char buffer[512];
  while (text.find("\nready ") == std::string::npos || text.back() != '\n') {
    const auto got = read(out, buffer, sizeof buffer);
    if (got <= 0) throw std::runtime_error("the server did not come up: " + text);
    text.append(buffer, static_cast<std::size_t>(got));
  }
  std::istringstream line(text.substr(text.find("\nready ") + 1));
  std::string word, url;
  line >> word >> url;
  port_ = port_of(url);
  while (line >> word >> url) (word == "tls" ? tls_port_ : sandbox_port_) = port_of(url);
}

void Server::stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Server::restart() {
  stop();
  serve();
}

Server::~Server() { stop(); }

std::string Server::pgbench(const std::string& script, int clients, double seconds,
                            const std::vector<std::string>& options) const {
  std::vector<std::string> words = {
      kBin + "pgbench", "-n", "-M",  "prepared", "-c", std::to_string(clients), "-j", "1", "-T",
      whole(seconds),   "-f", script};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back("host=" + socket_dir().string() +
                  " user=bottega_app dbname=bottega options=-csearch_path=bottega");
  return run(words);
}

namespace {

std::string as_superuser(const std::filesystem::path& socket) {
  return "host=" + socket.string() +
         " user=bottega_superuser dbname=bottega options='-csearch_path=tpc_b "
         "-cdefault_transaction_read_only=off'";
}

}  // namespace

void Server::prepare_tpc_b(int scale) const {
  psql("bottega_superuser",
       "SET default_transaction_read_only = off; CREATE SCHEMA IF NOT EXISTS tpc_b");
  run({kBin + "pgbench", "-q", "-i", "-s", std::to_string(scale), as_superuser(socket_dir())});
}

std::string Server::tpc_b(int clients, double seconds) const {
  return run({kBin + "pgbench", "-n", "-M", "prepared", "-c", std::to_string(clients), "-j", "2",
              "-T", whole(seconds), as_superuser(socket_dir())});
}

std::string Server::psql(const std::string& role, const std::string& sql) const {
  return run(
      {kBin + "psql", "-h", socket_dir().string(), "-U", role, "-d", "bottega", "-Atqc", sql});
}

std::string Server::query(const std::string& sql) const { return psql("bottega_app", sql); }

std::string Server::as_owner(const std::string& sql) const {
  return psql("bottega_superuser", "SET search_path = bottega; " + sql);
}

std::string Server::script_as_owner(const std::string& file,
                                    const std::map<std::string, std::string>& variables) const {
  std::vector<std::string> words = {
      kBin + "psql", "-h", socket_dir().string(), "-U", "bottega_superuser", "-d", "bottega", "-X",
      "-Atq",        "-v", "ON_ERROR_STOP=1"};
  for (const auto& [name, value] : variables) words.insert(words.end(), {"-v", name + "=" + value});
  words.insert(words.end(), {"-f", file});
  return run(words);
}

bool Server::count_statements() const {
  if (!fs::exists(fs::path(kBin) / "../lib/pg_stat_statements.so")) return false;
  std::ofstream settings(home_.path() / "data" / "postgres" / "postgresql.conf", std::ios::app);
  settings << "\nshared_preload_libraries = 'pg_stat_statements'\n";
  as_owner(
      "CREATE SCHEMA IF NOT EXISTS counting; "
      "CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA counting");
  return settings.flush().good();
}

void Server::settle_database() const {
  psql("bottega_superuser", "VACUUM ANALYZE");
  psql("bottega_superuser", "CHECKPOINT");
}

Echo::Echo() {
  const int out = start({"/proc/self/exe", "echo-server"}, pid_);
  std::string text;
  for (char c = 0; c != '\n' && read(out, &c, 1) == 1;) text += c;
  close(out);
  if (!text.starts_with("echo ")) throw std::runtime_error("the echo server did not come up");
  port_ = static_cast<std::uint16_t>(std::stoi(text.substr(5)));
}

Echo::~Echo() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

double Echo::cpu_s() const { return stat_of(pid_).value().seconds; }

Server::Cpu Server::cpu() const {
  std::ifstream file(home_.path() / "data" / "postgres" / "postmaster.pid");
  pid_t postmaster = -1;
  file >> postmaster;
  Cpu cpu{stat_of(pid_).value().seconds, stat_of(postmaster).value().with_children_s};
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto stat = stat_of(static_cast<pid_t>(std::stol(name)));
    if (stat && stat->parent == postmaster) cpu.postgres_s += stat->seconds;
  }
  return cpu;
}

void Server::forget_peak() const {
  std::ofstream("/proc/" + std::to_string(pid_) + "/clear_refs") << "5";
}

double Server::peak_mb() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) * 1024 / 1e6;
  throw std::runtime_error("the server is gone");
}

double Server::resident_mb() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
  long size = 0, resident = 0;
  file >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

}  // namespace bottega::bench
