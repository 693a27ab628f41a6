// Between fork and exec only async-signal-safe calls are made: other threads may have held any
// lock.
#include "storage/child_process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include "bottega/core/error.hpp"

namespace bottega::storage {
namespace {

namespace fs = std::filesystem;

struct ChildPlan {  // all that the child needs, made before the fork
  std::vector<char*> arguments, environment;
  ProcessUser user;
  int output;
  int report;  // where errno goes when the program cannot be started
  pid_t parent;
  Lifetime lifetime;
};

bool become(const ProcessUser& user) {
  if (!user.change) return true;
  return setgroups(1, &user.gid) == 0 && setresgid(user.gid, user.gid, user.gid) == 0 &&
         setresuid(user.uid, user.uid, user.uid) == 0;
}

void reset_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool prepare_child(const ChildPlan& plan) {
  reset_signals();
  if (setsid() < 0 || !become(plan.user)) return false;
  // Set after the change of user, which would clear it. Our end before this line leaves a new
  // parent.
  if (plan.lifetime == Lifetime::with_us &&
      (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != plan.parent))
    return false;
  umask(077);
  if (chdir("/") != 0) return false;  // our own directory may be closed to the user
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const int output = plan.output < 0 ? null : plan.output;
  if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) return false;
  // A descriptor that a library forgot to mark must not live on in the child. Old kernels lack
  // this.
  syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  return true;
}

[[noreturn]] void run_child(const ChildPlan& plan) {
  if (prepare_child(plan))
    execve(plan.arguments[0], plan.arguments.data(), plan.environment.data());
  const int error = errno;
  [[maybe_unused]] const auto written = write(plan.report, &error, sizeof error);
  _exit(127);
}

// Our own environment may hold secrets and PG* settings: the child gets only what it needs.
std::vector<std::string> clean_environment() {
  std::vector<std::string> result = {"LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/"};
  for (const char* name : {"PATH", "LD_LIBRARY_PATH"})
    if (const char* value = std::getenv(name)) result.push_back(std::string(name) + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

Descriptor open_pidfd(pid_t pid) {
  return Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0U)));
}

int read_report(int descriptor) {
  int error = 0;
  ssize_t got = 0;
  do got = read(descriptor, &error, sizeof error);
  while (got < 0 && errno == EINTR);
  return got == sizeof error ? error : 0;  // nothing came: exec closed the pipe
}

// Whether the user may enter the directory: asked of the kernel, as that user, in a child.
bool may_enter(const fs::path& path, const ProcessUser& user) {
  pid_t child = 0;
  {
    const SignalsBlocked blocked;
    child = fork();
    if (child == 0) _exit(become(user) && chdir(path.c_str()) == 0 ? 0 : 1);
  }
  if (child < 0) throw_system_error("cannot start a process", errno);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

void throw_system_error(const std::string& what, int error) {
  throw Error(Code::internal, what + ": " + std::generic_category().message(error));
}

SignalsBlocked::SignalsBlocked() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

ProcessUser user_of_id(uid_t uid, gid_t gid) {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return {uid, found ? found->pw_gid : gid, found ? found->pw_name : std::to_string(uid),
          uid != geteuid()};
}

ProcessUser choose_user(const std::vector<std::string>& names) {
  if (geteuid() != 0) return user_of_id(geteuid(), getegid());
  for (const auto& name : names) {
    std::array<char, 16384> buffer;
    passwd entry{};
    passwd* found = nullptr;
    getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found && found->pw_uid != 0) return {found->pw_uid, found->pw_gid, name, true};
  }
  std::string tried;
  for (const auto& name : names) tried += (tried.empty() ? "" : " or ") + name;
  throw Error(Code::internal,
              "PostgreSQL does not run as root, and there is no unprivileged user " + tried +
                  " to run it as: set postgres.user, start the server as "
                  "another user, or set database.url");
}

void require_reachable(const fs::path& path, const ProcessUser& user) {
  if (may_enter(path, user)) return;
  fs::path barrier;
  for (const auto& name : path)
    if (!may_enter(barrier /= name, user)) break;
  throw Error(Code::internal, "PostgreSQL does not run as root, and the user " + user.name +
                                  " may not enter " + barrier.string() +
                                  " on the way to the data directory: set data.dir to a place "
                                  "that every user may reach, such as /var/lib/bottega");
}

void make_private_directory(const fs::path& path, const ProcessUser& user) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    throw_system_error("cannot make the directory " + path.string(), errno);
  const Descriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat facts {};
  if (!directory || fstat(directory.number(), &facts) != 0)
    throw_system_error("cannot open the directory " + path.string(), errno);
  const bool ours = facts.st_uid == user.uid || facts.st_uid == geteuid();
  if (!ours || (facts.st_mode & 022) != 0)
    throw Error(Code::internal, "the directory " + path.string() +
                                    " belongs to somebody else or others may write into it: "
                                    "remove it and start again");
  if (fchmod(directory.number(), 0700) != 0 ||
      (user.change && fchown(directory.number(), user.uid, user.gid) != 0))
    throw_system_error("cannot make the directory " + path.string() + " private", errno);
}

std::vector<fs::path> path_directories() {
  const char* list = std::getenv("PATH");
  std::istringstream path(list ? list : "");
  std::vector<fs::path> result;
  for (std::string one; std::getline(path, one, ':');)
    if (one.starts_with('/')) result.emplace_back(one);
  return result;
}

fs::path make_passable_directory(const fs::path& wanted, const ProcessUser& user) {
  const auto path = fs::absolute(wanted).lexically_normal();
  fs::path part;
  for (const auto& name : path) {
    const bool missing = access((part / name).c_str(), F_OK) != 0 && errno == ENOENT;
    if (missing && user.change) require_reachable(part, user);
    part /= name;
    // The umask may be stricter than what others on the way need.
    if (mkdir(part.c_str(), 0755) == 0 ? chmod(part.c_str(), 0755) != 0 : errno != EEXIST)
      throw_system_error("cannot make the directory " + part.string(), errno);
  }
  const Descriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat facts {};
  if (!directory || fstat(directory.number(), &facts) != 0)
    throw_system_error("cannot open the directory " + path.string(), errno);
  if (facts.st_uid == geteuid() && fs::is_empty(path) &&
      ((user.change && fchown(directory.number(), geteuid(), user.gid) != 0) ||
       fchmod(directory.number(), user.change ? 0710 : 0700) != 0))
    throw_system_error("cannot prepare the directory " + path.string(), errno);
  return fs::canonical(path);
}

Descriptor lock_file(const fs::path& path) {
  Descriptor lock(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock) throw_system_error("cannot open " + path.string(), errno);
  if (flock(lock.number(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) throw_system_error("cannot lock " + path.string(), errno);
  return {};
}

void remove_tree(const fs::path& path) {
  constexpr int kAttempts = 100;
  std::error_code error;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    fs::remove_all(path, error);
    if (!error) return;
    poll(nullptr, 0, 20);
  }
  throw_system_error("cannot remove " + path.string(), error.value());
}

Process Process::start(const Program& program) {
  auto arguments = program.arguments;
  auto environment = clean_environment();
  environment.insert(environment.end(), program.environment.begin(), program.environment.end());
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_system_error("cannot make a pipe", errno);
  const Descriptor report(ends[0]);
  Descriptor far_end(ends[1]);
  const ChildPlan plan{pointers(arguments), pointers(environment), program.user,
                       program.output,      far_end.number(),      getpid(),
                       program.lifetime};
  pid_t child = 0;
  int error = 0;
  {
    const SignalsBlocked blocked;
    child = fork();
    if (child == 0) run_child(plan);
    error = errno;
  }
  if (child < 0) throw_system_error("cannot start a process", error);
  far_end = Descriptor();
  auto descriptor = open_pidfd(child);
  if (!descriptor) {
    error = errno;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    throw_system_error("cannot watch a process (Linux 5.3 or newer is needed)", error);
  }
  Process process(child, std::move(descriptor));
  error = read_report(report.number());
  if (error != 0) {
    process.wait(std::chrono::seconds(10));
    throw_system_error("cannot start " + arguments[0] + " as " + program.user.name, error);
  }
  return process;
}

std::optional<Process> Process::open(pid_t pid) {
  auto descriptor = open_pidfd(pid);
  if (descriptor) return Process(pid, std::move(descriptor));
  if (errno == ESRCH || errno == EINVAL) return std::nullopt;
  throw_system_error("cannot watch a process (Linux 5.3 or newer is needed)", errno);
}

Wake Process::wait(std::chrono::milliseconds time_max, int interrupt) {
  const auto deadline = std::chrono::steady_clock::now() + time_max;
  std::array<pollfd, 2> watched = {pollfd{descriptor_.number(), POLLIN, 0},
                                   pollfd{interrupt, POLLIN, 0}};
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready =
        poll(watched.data(), watched.size(), static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready < 0 && errno != EINTR) throw_system_error("cannot wait for a process", errno);
    if (ready > 0) break;
    if (left.count() <= 0) return Wake::timeout;
  }
  if (watched[0].revents == 0) return Wake::interrupted;
  reap();
  return Wake::exited;
}

void Process::signal(int number) const {
  syscall(SYS_pidfd_send_signal, descriptor_.number(), number, nullptr, 0U);
}

void Process::reap() {
  siginfo_t how{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED | WNOHANG) != 0 || how.si_pid == 0)
    return;  // an adopted process: its parent, init, reaps it
  succeeded_ = how.si_code == CLD_EXITED && how.si_status == 0;
  exit_words_ = (how.si_code == CLD_EXITED ? "ended with status " : "was killed by signal ") +
                std::to_string(how.si_status);
}

Outcome run_program(const std::vector<std::string>& arguments, const ProcessUser& user,
                    std::chrono::seconds time_max) {
  const Descriptor file(memfd_create("output", MFD_CLOEXEC));
  if (!file) throw_system_error("cannot make a file in memory", errno);
  auto process = Process::start({.arguments = arguments, .user = user, .output = file.number()});
  if (process.wait(time_max) == Wake::timeout) {
    process.signal(SIGKILL);
    process.wait(std::chrono::seconds(10));  // a killed child must still be reaped
  }
  constexpr off_t kOutputMax = 65'536;
  const auto size = lseek(file.number(), 0, SEEK_END);
  std::string output(static_cast<std::size_t>(std::min(size, kOutputMax)), '\0');
  const auto got =
      pread(file.number(), output.data(), output.size(), size - static_cast<off_t>(output.size()));
  output.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return {process.succeeded(), std::move(output)};
}

std::string last_lines(const std::string& text) {
  constexpr std::size_t kBytesMax = 1500;
  const auto end = text.find_last_not_of('\n') + 1;
  auto begin = end > kBytesMax ? text.find('\n', end - kBytesMax) + 1 : 0;
  return text.substr(begin, end - begin);
}

std::string read_from(const fs::path& path, std::uintmax_t begin) {
  std::ifstream file(path);
  file.seekg(static_cast<std::streamoff>(begin));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::uintmax_t size_of(const fs::path& path) {
  std::error_code missing;
  const auto size = fs::file_size(path, missing);
  return missing ? 0 : size;
}

ProcessFacts look_at_process(pid_t pid, const fs::path& directory) {
  const auto base = "/proc/" + std::to_string(pid);
  ProcessFacts facts{{}, false};
  std::ifstream file(base + "/cmdline");
  for (std::string argument; std::getline(file, argument, '\0');)
    facts.arguments.push_back(argument);
  std::error_code ignored;
  facts.inside = fs::equivalent(base + "/cwd", directory, ignored) && !ignored;
  return facts;
}

}  // namespace bottega::storage
