// First what lies on the disk is found and made; then follow starting, watching and stopping.
#include "storage/embedded_postgres.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "bottega/core/error.hpp"

namespace bottega::storage {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::string_view kSocketName = "/.s.PGSQL.5432";  // nothing listens on TCP
constexpr std::size_t kSocketPathMax = sizeof(sockaddr_un::sun_path) - 1;
constexpr auto kReadyTimeout = 60s;
constexpr auto kInitdbTimeout = 120s;
constexpr auto kStopTimeout = 30s;
constexpr auto kQuitTimeout = 10s;
constexpr std::uintmax_t kLogBytesMax = 16 << 20;

// What the command line sets wins over the cluster's own files and cannot be changed by ALTER
// SYSTEM. Terse: a DETAIL line would carry the values of a row into the log.
constexpr auto kSettings = std::to_array<const char*>({"listen_addresses=",
                                                       "port=5432",
                                                       "unix_socket_permissions=0700",
                                                       "max_connections=100",
                                                       "shared_buffers=128MB",
                                                       "jit=off",
                                                       "fsync=on",
                                                       "full_page_writes=on",
                                                       "synchronous_commit=on",
                                                       "timezone=UTC",
                                                       "log_timezone=UTC",
                                                       "datestyle=ISO",
                                                       "lc_messages=C",
                                                       "log_destination=stderr",
                                                       "logging_collector=off",
                                                       "log_min_messages=warning",
                                                       "log_min_error_statement=panic",
                                                       "log_error_verbosity=terse",
                                                       "log_statement=none",
                                                       "log_min_duration_statement=-1",
                                                       "log_parameter_max_length=0",
                                                       "log_parameter_max_length_on_error=0",
                                                       "log_checkpoints=off"});

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

int number_of(std::string_view text) {  // the leading number; 0 where there is none
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Directories that may hold the server programs, the newest of Debian's first.
std::vector<fs::path> likely_bin_dirs(const ProcessUser& user) {
  std::vector<fs::path> result;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", missing))
    result.push_back(entry.path() / "bin");
  std::ranges::sort(result, std::greater{}, [](const fs::path& bin) {
    return number_of(bin.parent_path().filename().c_str());
  });
  const auto in_path = path_directories();
  for (const auto& one : in_path) {
    const auto program = one / "pg_config";
    if (access(program.c_str(), X_OK) != 0) continue;
    const auto answer = run_program({program.string(), "--bindir"}, user, 10s).output;
    result.emplace_back(answer.substr(0, answer.find('\n')));
  }
  result.insert(result.end(), in_path.begin(), in_path.end());
  return result;
}

// `made_by` is the major version of an existing cluster, which no other version can read; 0: none.
fs::path find_bin_dir(const std::string& wanted, int made_by, const ProcessUser& user) {
  const auto candidates =
      wanted.empty() ? likely_bin_dirs(user) : std::vector<fs::path>{fs::absolute(wanted)};
  for (const auto& bin : candidates) {
    const auto server = bin / "postgres";
    if (access(server.c_str(), X_OK) != 0 || access((bin / "initdb").c_str(), X_OK) != 0) continue;
    if (made_by == 0) return bin;
    const auto words = run_program({server.string(), "--version"}, user, 10s).output;
    if (number_of(words.substr(std::min(words.find_first_of("0123456789"), words.size()))) ==
        made_by)
      return bin;
  }
  const auto where = wanted.empty() ? "on this machine" : "in " + wanted;
  const auto version = std::to_string(made_by == 0 ? 15 : made_by);
  throw Error(Code::internal,
              (made_by == 0 ? "no PostgreSQL server (initdb and postgres) was found "
                            : "the data directory was made by PostgreSQL " + version +
                                  ", whose server was not found ") +
                  where + ": install it (apt-get install postgresql-" + version +
                  "), or set database.url to use a PostgreSQL of your own");
}

// Inside the data directory, or, where the socket's name would be too long for the kernel or has
// signs that mean something in libpq's list of hosts, in a short place that is always the same.
fs::path choose_socket_dir(const fs::path& data_dir, const ProcessUser& user) {
  const auto fits = [](const fs::path& path) {
    return path.native().size() + kSocketName.size() <= kSocketPathMax &&
           path.native().find_first_of(",\"") == std::string::npos;
  };
  const auto inside = data_dir / "socket";
  if (fits(inside)) return inside;
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: the same in every build
  for (const char byte : data_dir.native())
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  std::ostringstream name;
  name << "bottega-" << user.uid << '-' << std::hex << hash;
  const char* runtime = user.change ? nullptr : std::getenv("XDG_RUNTIME_DIR");
  if (runtime && fs::is_directory(runtime) && fits(fs::path(runtime) / name.str()))
    return fs::path(runtime) / name.str();
  return fs::path("/tmp") / name.str();
}

std::string connection_value(std::string_view value) {
  std::string result = "'";
  for (const char sign : value) {
    if (sign == '\'' || sign == '\\') result += '\\';
    result += sign;
  }
  return result + "'";
}

// The first message of a connection (PostgreSQL manual, 55.7): length, protocol 3.0, then names and
// values.
std::string startup_packet() {
  std::string body("\0\3\0\0user\0", 9);
  body.append(EmbeddedPostgres::kSuperuser).append("\0database\0postgres\0\0", 20);
  std::string packet(4, '\0');
  packet[3] = static_cast<char>(body.size() + packet.size());
  return packet + body;
}

bool is_postmaster(const ProcessFacts& facts) {
  // Its children call themselves "postgres: checkpointer" and the like.
  return facts.inside && !facts.arguments.empty() &&
         fs::path(facts.arguments.front()).filename() == "postgres";
}

// Where the usual user is not there, nobody will do; a name that somebody chose must be right.
std::vector<std::string> users_for(const std::string& run_as) {
  if (run_as == "postgres") return {run_as, "nobody"};
  return {run_as};
}

}  // namespace

EmbeddedPostgres::EmbeddedPostgres(EmbeddedOptions options)
    : options_(std::move(options)), user_(choose_user(users_for(options_.run_as))) {
  open_data_dir();
  stop_event_ = Descriptor(eventfd(0, EFD_CLOEXEC));
  if (!stop_event_) throw_system_error("cannot make an eventfd", errno);
  if (!fs::exists(cluster_dir_ / "PG_VERSION")) make_cluster();
  command_ = {(bin_dir_ / "postgres").string(), "-D", cluster_dir_.string(), "-c",
              "unix_socket_directories=\"" + socket_dir_.string() + "\""};
  for (const char* setting : kSettings) command_.insert(command_.end(), {"-c", setting});
  try {
    bring_up();
    const SignalsBlocked blocked;
    supervisor_ = std::thread([this] { supervise(); });
  } catch (...) {
    if (process_) shut_down(*process_);
    throw;
  }
}

EmbeddedPostgres::~EmbeddedPostgres() { stop(); }

std::string EmbeddedPostgres::url(std::string_view role, std::string_view database) const {
  return "host=" + connection_value(socket_dir_.native()) +
         " port=5432 user=" + connection_value(role) + " dbname=" + connection_value(database);
}

void EmbeddedPostgres::stop() {
  const std::lock_guard guard(stopping_);
  if (!supervisor_.joinable()) return;
  eventfd_write(stop_event_.number(), 1);
  supervisor_.join();
  shut_down(*process_);
  lock_ = Descriptor();
}

void EmbeddedPostgres::open_data_dir() {
  const auto data_dir = make_passable_directory(options_.data_dir, user_);
  cluster_dir_ = data_dir / "postgres";
  log_file_ = data_dir / "postgres.log";
  lock_ = lock_file(data_dir / "bottega.lock");
  if (!lock_)
    throw Error(Code::conflict,
                "another bottega serve uses this data directory (" + data_dir.string() + ")");
  // A log that has grown too large is put aside; only the one before it is kept.
  if (size_of(log_file_) > kLogBytesMax) fs::rename(log_file_, data_dir / "postgres.log.1");
  struct stat cluster {};
  const bool exists = stat((cluster_dir_ / "PG_VERSION").c_str(), &cluster) == 0;
  // Whoever made the cluster runs it: root may have been another user before.
  if (exists && user_.change) user_ = user_of_id(cluster.st_uid, cluster.st_gid);
  if (exists && (cluster.st_uid != user_.uid || user_.uid == 0))
    throw Error(Code::internal,
                "the cluster in " + cluster_dir_.string() + " belongs to the user " +
                    user_of_id(cluster.st_uid, cluster.st_gid).name +
                    (cluster.st_uid == 0 ? ", as which PostgreSQL does not run: give it back to "
                                           "the user who made it (chown -R), or set data.dir"
                                         : ": start the server as that user, or set data.dir"));
  require_reachable(data_dir, user_);
  bin_dir_ =
      find_bin_dir(options_.bin_dir, number_of(first_line(cluster_dir_ / "PG_VERSION")), user_);
  socket_dir_ = choose_socket_dir(data_dir, user_);
  make_private_directory(socket_dir_, user_);
}

// A cluster appears whole, by a rename, and safe on the disk. One syncfs takes half the time of
// initdb's own fsync of a thousand files.
void EmbeddedPostgres::make_cluster() {
  const auto data_dir = cluster_dir_.parent_path();
  const auto temporary = data_dir / "postgres.tmp";
  remove_tree(temporary);
  make_private_directory(temporary, user_);
  const auto made = run_program(
      {(bin_dir_ / "initdb").string(), "--pgdata=" + temporary.string(), "--encoding=UTF8",
       "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject",
       "--username=" + std::string(kSuperuser), "--data-checksums", "--no-sync"},
      user_, kInitdbTimeout);
  if (!made.succeeded) throw Error(Code::internal, "initdb failed: " + last_lines(made.output));
  const Descriptor parent(open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent || syncfs(parent.number()) != 0 ||
      rename(temporary.c_str(), cluster_dir_.c_str()) != 0 || fsync(parent.number()) != 0)
    throw_system_error("cannot put the new cluster into " + cluster_dir_.string(), errno);
  log("info", "made a PostgreSQL cluster in " + cluster_dir_.string());
}

void EmbeddedPostgres::bring_up() {
  const auto deadline = steady_clock::now() + kReadyTimeout;
  for (auto pause = 50ms;; pause = std::min(2 * pause, 1000ms)) {
    const auto log_begin = size_of(log_file_);
    auto running = find_running();
    const bool adopted = running.has_value();
    process_ = adopted ? std::move(*running) : start_postmaster();
    if (adopted && look_at_process(process_->pid(), cluster_dir_).arguments != command_) {
      log("info", "a PostgreSQL with other settings runs here; starting it anew");
      shut_down(*process_);
    }
    const auto startup = wait_until_ready(*process_, deadline);
    if (startup == Startup::interrupted) return;
    if (startup == Startup::ready) {
      log("info", std::string("the private PostgreSQL ") +
                      (adopted ? "was running already and was adopted" : "accepts connections"));
      return;
    }
    const auto tail = last_lines(read_from(log_file_, log_begin));
    if (startup == Startup::timeout)
      throw Error(Code::internal, "PostgreSQL did not accept connections in time: " + tail);
    if (steady_clock::now() > deadline || !(adopted || may_try_again(tail)))
      throw Error(Code::internal, "PostgreSQL " + process_->exit_words() + ": " + tail);
    if (interrupted_within(pause)) return;
  }
}

std::optional<Process> EmbeddedPostgres::find_running() const {
  const auto pid = number_of(first_line(cluster_dir_ / "postmaster.pid"));
  if (pid <= 0) return std::nullopt;
  // Looked at only once it is held: afterwards the id cannot come to mean another process.
  auto process = Process::open(pid);
  if (process && is_postmaster(look_at_process(pid, cluster_dir_))) return process;
  return std::nullopt;
}

Process EmbeddedPostgres::start_postmaster() const {
  std::error_code ignored;
  const auto socket = socket_dir_.native() + std::string(kSocketName);
  fs::remove(socket, ignored);
  fs::remove(socket + ".lock", ignored);
  Program program{.arguments = command_, .user = user_, .lifetime = Lifetime::its_own};
  // Nothing runs here, but the id in a stale file may be another process' by now, and PostgreSQL
  // would refuse. Told that it is its grandparent's it takes the file as stale, and still looks for
  // backends that outlived their postmaster; removing the file would take that check away.
  const auto stale = number_of(first_line(cluster_dir_ / "postmaster.pid"));
  if (stale > 0) program.environment = {"PG_GRANDPARENT_PID=" + std::to_string(stale)};
  const Descriptor output(
      open(log_file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!output) throw_system_error("cannot open " + log_file_.string(), errno);
  program.output = output.number();
  return Process::start(program);
}

// Backends of a killed postmaster may linger, and one that a killed server was just starting may
// have come first.
bool EmbeddedPostgres::may_try_again(const std::string& log_tail) const {
  return log_tail.find("shared memory block") != std::string::npos || find_running();
}

EmbeddedPostgres::Startup EmbeddedPostgres::wait_until_ready(Process& process,
                                                             Deadline deadline) const {
  for (auto pause = 2ms;; pause = std::min(pause + pause / 2, 100ms)) {
    if (is_ready(process) && accepts_connections()) return Startup::ready;
    const auto wake = process.wait(pause, stop_event_.number());
    if (wake == Wake::exited) return Startup::exited;
    if (wake == Wake::interrupted) return Startup::interrupted;
    if (steady_clock::now() > deadline) return Startup::timeout;
  }
}

// What the postmaster says of itself in its file. Asked first: each connection that comes too early
// would leave a line in the log.
bool EmbeddedPostgres::is_ready(const Process& process) const {
  constexpr int kStatusLine = 8;
  std::ifstream file(cluster_dir_ / "postmaster.pid");
  std::string line;
  if (!std::getline(file, line) || number_of(line) != process.pid()) return false;
  for (int number = 1; number < kStatusLine; ++number) std::getline(file, line);
  return file && line.starts_with("ready");
}

// A server that still starts or recovers answers with an error ('E'), one that is ready with 'R'.
bool EmbeddedPostgres::accepts_connections() const {
  const Descriptor link(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (socket_dir_.native() + std::string(kSocketName)).copy(address.sun_path, kSocketPathMax);
  const timeval patience{1, 0};
  setsockopt(link.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(link.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(link.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return false;
  const auto send_all = [&](std::string_view bytes) {
    return send(link.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  };
  std::array<char, 1024> answer{};
  if (!send_all(startup_packet()) || recv(link.number(), answer.data(), 1, 0) != 1 ||
      answer[0] != 'R')
    return false;
  send_all({"X\0\0\0\4", 5});
  while (recv(link.number(), answer.data(), answer.size(), 0) > 0) {  // let it say good-bye
  }
  return true;
}

void EmbeddedPostgres::supervise() {
  constexpr auto kPauseMin = 200ms, kPauseMax = 5000ms;
  constexpr auto kStable = 30s;
  for (auto pause = kPauseMin;; pause = std::min(2 * pause, kPauseMax)) {
    const auto begin = steady_clock::now();
    Wake wake{};
    while ((wake = process_->wait(std::chrono::hours(1), stop_event_.number())) == Wake::timeout) {}
    if (wake == Wake::interrupted) return;
    log("error", "the private PostgreSQL " + process_->exit_words() + "; it is started again");
    if (steady_clock::now() - begin > kStable) pause = kPauseMin;
    if (interrupted_within(pause)) return;
    try {
      bring_up();
    } catch (const std::exception& error) {
      log("error", error.what());
    }
  }
}

bool EmbeddedPostgres::interrupted_within(std::chrono::milliseconds time) const {
  pollfd watched{stop_event_.number(), POLLIN, 0};
  return poll(&watched, 1, static_cast<int>(time.count())) > 0;
}

void EmbeddedPostgres::shut_down(Process& process) const {
  process.signal(SIGINT);
  if (process.wait(kStopTimeout) == Wake::exited) return;
  log("warning", "PostgreSQL did not stop in time; it is told to quit and will recover");
  process.signal(SIGQUIT);
  if (process.wait(kQuitTimeout) == Wake::timeout) log("error", "PostgreSQL does not stop");
}

void EmbeddedPostgres::log(std::string_view level, const std::string& message) const {
  if (options_.log) options_.log(level, message);
}

}  // namespace bottega::storage
