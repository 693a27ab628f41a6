#pragma once
// Listens, hands connections to threads, and stops politely. One io_context per thread: a
// connection lives on one thread all its life and needs no lock.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <thread>

#include "gateway/app.hpp"
#include "gateway/connection.hpp"

namespace bottega::gateway {

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
};

// The TLS settings of a server: TLS 1.2 and newer, forward secrecy (RFC 9325). Throws
// Error(internal) that names the file which cannot be read.
std::unique_ptr<asio::ssl::context> make_tls(const std::string& certificate,
                                             const std::string& key);

class Server {
 public:
  Server(App& app, unsigned threads);
  ~Server();

  // Opens a port and answers which one it is. Throws Error(internal) where it is taken.
  std::uint16_t listen(const Endpoint& endpoint, asio::ssl::context* tls);
  void start();
  // Takes nothing new, lets what runs finish, and closes sockets with 3010.
  void wind_down();
  // Has every socket ask whether it still may listen, and to what. From any thread.
  void check_all() { tell_all(&Open::check); }
  // Waits until that is done; cuts what is left at the soft end, and ends at the hard one.
  using Time = std::chrono::steady_clock::time_point;
  void stop(Time soft_end, Time hard_end);

  // Where other work of the server may run, such as the jobs.
  asio::io_context& context() { return *threads_.front().context; }

 private:
  struct Thread {
    std::unique_ptr<OpenList> open;  // outlives what the context still holds
    std::unique_ptr<asio::io_context> context;
    std::thread thread;
  };
  struct Door {
    asio::ip::tcp::acceptor acceptor;
    asio::ssl::context* tls;
  };

  asio::awaitable<void> accept_loop(Door& door);
  bool comes_too_often(const asio::ip::tcp::socket& socket);
  void hand_over(asio::ip::tcp::socket socket, Thread& thread, asio::ssl::context* tls);
  void tell_all(void (Open::*what)());
  bool is_quiet() const;

  App& app_;
  std::size_t next_ = 0;
  std::atomic<std::int64_t> serving_{0};
  std::vector<Thread> threads_;
  std::vector<std::unique_ptr<Door>> doors_;
  bool started_ = false;
};

}  // namespace bottega::gateway
