#include "support/nats.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "support/http.hpp"

namespace bottega::test {

NatsServer::NatsServer(std::vector<std::string> options) : options_(std::move(options)) { start(); }

NatsServer::~NatsServer() { kill(); }

void NatsServer::start() {
  std::vector<std::string> words = {"nats-server", "-a", "127.0.0.1", "-p",
                                    port_ == 0 ? "-1" : std::to_string(port_)};
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out[1], STDOUT_FILENO);
    dup2(out[1], STDERR_FILENO);
    execvp("nats-server", arguments.data());
    _exit(127);
  }
  close(out[1]);
  out_ = out[0];
  read_ready_lines(out_);
}

void NatsServer::read_ready_lines(int out) {
  const std::string listens = "Listening for client connections on 127.0.0.1:";
  std::string text;
  while (text.find("Server is ready") == text.npos) {
    pollfd waiting{out, POLLIN, 0};
    char buffer[512];
    ssize_t got = 0;
    if (::poll(&waiting, 1, 20'000) == 1) got = read(out, buffer, sizeof buffer);
    if (got <= 0) {
      kill();
      throw std::runtime_error("nats-server did not come up: " + text);
    }
    text.append(buffer, static_cast<std::size_t>(got));
  }
  port_ = static_cast<std::uint16_t>(std::stoi(text.substr(text.find(listens) + listens.size())));
}

void NatsServer::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(out_);
  pid_ = out_ = -1;
}

void NatsServer::say(const std::string& subject, const std::string& bytes) const {
  const auto words = "CONNECT {\"verbose\":false}\r\nPUB " + subject + " " +
                     std::to_string(bytes.size()) + "\r\n" + bytes + "\r\nPING\r\n";
  const auto answer = test::exchange(port_, words);
  if (answer.find("PONG") == answer.npos) throw std::runtime_error("nats-server said: " + answer);
}

}  // namespace bottega::test
