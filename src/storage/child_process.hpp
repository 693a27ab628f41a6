#pragma once
// Programs that we start, and processes that we found running: both are watched by a pidfd, which,
// unlike a process id, can never come to mean somebody else. Plain POSIX and Linux, no third-party
// library.
#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bottega::storage {

// Throws Error(internal) with the words, and the system's reason for `error` (an errno value).
[[noreturn]] void throw_system_error(const std::string& what, int error);

// Owns one file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// Under which user a program runs. `change` is set where we are root and must become that user.
struct ProcessUser {
  uid_t uid;
  gid_t gid;
  std::string name;
  bool change;
};

// Ourselves, where we are not root; else the first of the names that exists and is not root itself.
// Throws Error(internal) where there is none.
ProcessUser choose_user(const std::vector<std::string>& names);
// The user with this id and its own group; `gid` is for one that has no entry in the user database.
ProcessUser user_of_id(uid_t uid, gid_t gid);
// Throws Error(internal) that names the directory on the way to `path`, itself included, that the
// user may not enter, and says what to do about it.
void require_reachable(const std::filesystem::path& path, const ProcessUser& user);
// Makes a directory for this user alone (0700), or takes one over that is ours already. Throws
// Error(internal) where it is somebody else's, a symbolic link, or others may write into it.
void make_private_directory(const std::filesystem::path& path, const ProcessUser& user);

// Blocks all signals of this thread while it lives: a child must not run our handlers, and a thread
// that is started meanwhile leaves the signals to the others.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

// The absolute directories in which the shell looks for programs.
std::vector<std::filesystem::path> path_directories();
// Makes what is missing of the path where the user may reach it, and answers its canonical form. A
// last directory that is ours and new or empty is opened to the user's group, to pass through and
// no more; any other stays as it is.
std::filesystem::path make_passable_directory(const std::filesystem::path& wanted,
                                              const ProcessUser& user);
// Holds the lock on this file as long as the descriptor lives; an empty one where somebody else
// does.
Descriptor lock_file(const std::filesystem::path& path);
// Removes all of it, trying for 2 s: a grandchild of ours that was killed may still write for a
// moment.
void remove_tree(const std::filesystem::path& path);

enum class Lifetime { with_us, its_own };  // `with_us`: killed when the starting thread ends

struct Program {
  std::vector<std::string> arguments;  // the first is the absolute path of the program
  ProcessUser user;
  std::vector<std::string> environment = {};  // NAME=value, beside the few that every program gets
  int output = -1;  // the descriptor that becomes standard output and error; -1: /dev/null
  Lifetime lifetime = Lifetime::with_us;
};

enum class Wake { exited, interrupted, timeout };

// A child of ours or an adopted process. Destroying it neither ends nor reaps the process.
class Process {
 public:
  // Starts a program in a session of its own with a small clean environment, no signal blocked or
  // ignored, and no descriptor of ours but its output. Throws Error(internal).
  static Process start(const Program& program);
  // Takes a running process into view; none where it does not exist any more.
  static std::optional<Process> open(pid_t pid);

  pid_t pid() const { return pid_; }
  // Waits until the process ends, until `interrupt` (a descriptor; -1: none) becomes readable, or
  // until the time is over. Reaps a child that ended; `exit_words` says how it ended.
  Wake wait(std::chrono::milliseconds time_max, int interrupt = -1);
  // Sends a signal; a process that is gone already is no error.
  void signal(int number) const;
  bool succeeded() const { return succeeded_; }
  const std::string& exit_words() const { return exit_words_; }

 private:
  Process(pid_t pid, Descriptor descriptor) : pid_(pid), descriptor_(std::move(descriptor)) {}
  void reap();

  pid_t pid_;
  Descriptor descriptor_;
  bool succeeded_ = false;
  std::string exit_words_ = "is gone";
};

struct Outcome {
  bool succeeded;
  std::string output;  // standard output and error, at most the last 64 KiB
};
// Runs a program to its end; one that takes longer is killed. Throws Error(internal).
Outcome run_program(const std::vector<std::string>& arguments, const ProcessUser& user,
                    std::chrono::seconds time_max);

// What a program wrote to its log: from an offset to the end, how long it is (0: none), and of a
// text the last few lines.
std::string read_from(const std::filesystem::path& path, std::uintmax_t begin);
std::uintmax_t size_of(const std::filesystem::path& path);
std::string last_lines(const std::string& text);

// A running process as /proc tells it: its arguments (empty for a zombie) and the directory it is
// in.
struct ProcessFacts {
  std::vector<std::string> arguments;
  bool inside;  // its working directory is the one asked about
};
ProcessFacts look_at_process(pid_t pid, const std::filesystem::path& directory);

}  // namespace bottega::storage
