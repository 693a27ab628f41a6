#include "support/server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>
#include <stdexcept>

#include "support/shared.hpp"
#include "bottega/notifications/pusher.hpp"

namespace bottega::test {
namespace {

// With all that a server may offer.
struct SharedServer {
  TempDir dir;
  Server server{dir.path() / "data",
                {"push.vapid_private_key=" + notifications::make_vapid_keys().private_key.reveal(),
                 "push.vapid_subject=mailto:ops@shop.example"}};
};
std::unique_ptr<SharedServer>& slot() {
  static std::unique_ptr<SharedServer> shared;
  return shared;
}

std::uint16_t port_of(const std::string& url) {
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

}  // namespace

Server& Server::shared() {
  if (!slot()) slot() = std::make_unique<SharedServer>();
  return slot()->server;
}
void Server::stop_shared() { slot().reset(); }

Server::Server(const std::filesystem::path& data_dir, const std::vector<std::string>& settings)
    : log_file_(data_dir.string() + ".log") {
  std::vector<std::string> words = {BOTTEGA_BINARY, "serve", "--demo"};
  const auto set = [&](const std::string& setting) {
    words.push_back("--set");
    words.push_back(setting);
  };
  // The brute-force limits would see all tests as one address, those of risk as one buyer.
  for (const auto* setting :
       {"http.port=0", "sandbox.port=0", "tls.port=0", "auth.tries_per_address=100000",
        "limits.address_per_minute=1000000", "limits.requests_per_minute=1000000",
        "limits.writes_per_minute=1000000", "limits.conversation_per_minute=1000000",
        "limits.connections_per_minute=1000000", "auth.password_memory_bytes=8192",
        "auth.password_ops=1", "risk.buyer_count_hour_max=0", "risk.buyer_count_day_max=0",
        "risk.buyer_sum_hour_max=0", "risk.buyer_sum_day_max=0", "risk.method_tries_hour_max=0",
        "risk.method_tries_day_max=0", "risk.merchant_week_max=0", "risk.review_week=0"})
    set(setting);
  set("data.dir=" + data_dir.string());
  for (const auto& setting : settings) set(setting);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const int log = open(log_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(out[1], STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(BOTTEGA_BINARY, arguments.data());
    _exit(127);
  }
  close(out[1]);
  close(log);
  out_ = out[0];
  read_ready_line();
}

void Server::read_ready_line() {
  std::string text;
  while (text.find("\nready ") == std::string::npos || text.back() != '\n') {
    pollfd waiting{out_, POLLIN, 0};
    char buffer[512];
    ssize_t got = 0;
    if (poll(&waiting, 1, 60'000) == 1) got = read(out_, buffer, sizeof buffer);
    if (got <= 0) {
      kill();
      throw std::runtime_error("the server did not come up: " + text + read_file(log_file_));
    }
    text.append(buffer, static_cast<std::size_t>(got));
  }
  std::istringstream line(text.substr(text.find("\nready ") + 1));
  std::string word, url;
  line >> word >> url;
  port_ = port_of(url);
  while (line >> word >> url) (word == "tls" ? tls_port_ : sandbox_port_) = port_of(url);
}

Server::~Server() {
  if (pid_ > 0) stop();
  if (out_ >= 0) close(out_);
}

void Server::signal(int number) const { ::kill(pid_, number); }

int Server::wait() {
  int status = 0;
  if (pid_ <= 0 || waitpid(pid_, &status, 0) != pid_) return -1;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int Server::stop() {
  signal(SIGTERM);
  return wait();
}

void Server::kill() {
  signal(SIGKILL);
  wait();
}

}  // namespace bottega::test
