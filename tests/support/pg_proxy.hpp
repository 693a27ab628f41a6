#pragma once
// A proxy between the client library and PostgreSQL that cuts a connection at the worst moments of
// a commit.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace bottega::test {

// Where the proxy cuts the next commit that passes. `late`: the client is cut off, and the server
// gets the commit only after the client has asked what became of it; `stuck`: the server never gets
// it, nor hears that the client is gone.
enum class Cut : std::uint8_t { never, before, at_once, after, late, stuck };

class PgProxy {
 public:
  // What it takes for a commit: the one of Mode::write, and the execution of the statement with
  // this name, which commits by itself. `look`: the statement that reads what became of that one.
  struct Names {
    std::string single, look;
  };
  // `server` is a connection string with the folder of PostgreSQL's socket and its port.
  explicit PgProxy(const std::string& server, Names names = {});
  ~PgProxy();
  PgProxy(const PgProxy&) = delete;
  PgProxy& operator=(const PgProxy&) = delete;

  // The same connection string, by way of the proxy.
  std::string url() const;
  void cut_next(Cut where) { next_ = where; }
  bool has_cut() const { return next_ == Cut::never; }
  // So many of the next looks get no answer either.
  void lose_looks(int count) { looks_lost_ = count; }
  // Whether the commit that was held back has been given to the server, or found it gone.
  bool is_delivered() const { return late_server_ < 0; }

 private:
  void accept_all();
  int connect_server() const;
  void serve(int client);
  bool relay(int client, int server);
  Cut cut_for(const std::string& bytes);
  void deliver_late();

  const std::string socket_, database_, user_;
  const Names names_;
  const int stop_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<Cut> next_{Cut::never};
  std::atomic<int> looks_lost_{0};
  std::string late_bytes_;  // written before late_server_, read after it
  std::atomic<int> late_server_{-1};
  std::atomic<bool> is_delivering_{false};
  std::vector<std::thread> relays_;  // only the acceptor's until it has ended
  std::thread acceptor_;
};

}  // namespace bottega::test
