#pragma once
// A NATS server as a child process, on a port that it chose and takes again when it comes back.
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bottega::test {

class NatsServer {
 public:
  // `options` are the program's own, such as "--user". Throws with what it printed where it does
  // not come up.
  explicit NatsServer(std::vector<std::string> options = {});
  ~NatsServer();
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
  // kill -9, and waits.
  void kill();
  void start();
  // Publishes the bytes on the subject and waits until the server has them.
  void say(const std::string& subject, const std::string& bytes) const;

 private:
  void read_ready_lines(int out);

  std::vector<std::string> options_;
  pid_t pid_ = -1;
  int out_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace bottega::test
