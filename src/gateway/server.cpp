#include "gateway/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <thread>

#include "bottega/core/log.hpp"

namespace bottega::gateway {
namespace {

using asio::ip::tcp;
constexpr auto kAcceptPause = std::chrono::milliseconds(50);
constexpr auto kSlice = std::chrono::milliseconds(100);

// Lets only so many pass in each tenth of a second.
class Pace {
 public:
  Pace(asio::io_context& context, std::int64_t per_s) : timer_(context), most_(per_s / 10) {}

  asio::awaitable<void> passed() {
    const auto now = std::chrono::steady_clock::now();
    if (now >= ends_) {
      ends_ = now + kSlice;
      count_ = 0;
    }
    if (++count_ < most_) co_return;
    const auto token = asio::as_tuple(asio::use_awaitable);
    timer_.expires_at(ends_);
    co_await timer_.async_wait(token);
  }

 private:
  asio::steady_timer timer_;
  const std::int64_t most_;
  std::int64_t count_ = 0;
  std::chrono::steady_clock::time_point ends_{};
};

}  // namespace

std::unique_ptr<asio::ssl::context> make_tls(const std::string& certificate,
                                             const std::string& key) {
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                   asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                   asio::ssl::context::no_tlsv1_1 | asio::ssl::context::single_dh_use);
  boost::system::error_code failed;
  tls->use_certificate_chain_file(certificate, failed);
  if (failed) throw Error(Code::internal, "tls.certificate cannot be read: " + failed.message());
  tls->use_private_key_file(key, asio::ssl::context::pem, failed);
  if (failed) throw Error(Code::internal, "tls.key cannot be read: " + failed.message());
  SSL_CTX_set_cipher_list(tls->native_handle(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_mode(tls->native_handle(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_options(tls->native_handle(), SSL_OP_NO_RENEGOTIATION);
  // Clients come back with a ticket; what a cache would remember of them is memory.
  SSL_CTX_set_session_cache_mode(tls->native_handle(), SSL_SESS_CACHE_OFF);
  return tls;
}

Server::Server(App& app, unsigned threads) : app_(app) {
  for (unsigned i = 0; i < threads; ++i)
    threads_.push_back({std::make_unique<OpenList>(), std::make_unique<asio::io_context>(1), {}});
}

Server::~Server() { stop({}, {}); }

std::uint16_t Server::listen(const Endpoint& endpoint, asio::ssl::context* tls) {
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(endpoint.address, failed);
  if (failed) throw Error(Code::internal, "not an address to listen on: " + endpoint.address);
  const tcp::endpoint where(address, endpoint.port);
  tcp::acceptor acceptor(*threads_.front().context);
  acceptor.open(where.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(where, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed)
    throw Error(Code::internal, "cannot listen on " + endpoint.address + " port " +
                                    std::to_string(endpoint.port) + ": " + failed.message());
  const auto port = acceptor.local_endpoint().port();
  doors_.push_back(std::make_unique<Door>(Door{std::move(acceptor), tls}));
  return port;
}

void Server::start() {
  started_ = true;
  for (auto& door : doors_)
    asio::co_spawn(
        *threads_.front().context, [this, &door = *door] { return accept_loop(door); },
        asio::detached);
  for (auto& thread : threads_)
    thread.thread = std::thread([context = thread.context.get()] {
      const auto work = asio::make_work_guard(*context);
      context->run();
    });
}

asio::awaitable<void> Server::accept_loop(Door& door) {
  const auto token = asio::as_tuple(asio::use_awaitable);
  Pace pace(*threads_.front().context, app_.config.http_connections_per_s);
  while (door.acceptor.is_open()) {
    auto& thread = threads_[next_++ % threads_.size()];
    auto [failed, socket] = co_await door.acceptor.async_accept(*thread.context, token);
    if (failed == asio::error::operation_aborted || failed == asio::error::bad_descriptor) break;
    if (failed) {  // such as no more file descriptors: let some connections end first
      asio::steady_timer pause(*threads_.front().context, kAcceptPause);
      co_await pause.async_wait(token);
      continue;
    }
    tcp::socket taken(std::move(socket));
    if (serving_ >= app_.config.http_connections_max || comes_too_often(taken)) {
      ++app_.metrics.refused;
      continue;
    }
    hand_over(std::move(taken), thread, door.tls);
    co_await pace.passed();
  }
}

bool Server::comes_too_often(const tcp::socket& socket) {
  boost::system::error_code ignored;
  const auto address = socket.remote_endpoint(ignored).address().to_string();
  const auto quota = app_.config.limits_connections_per_minute;
  return app_.limits.take("connections:" + network_of(address), quota, std::chrono::minutes(1))
      .exceeded;
}

void Server::hand_over(tcp::socket socket, Thread& thread, asio::ssl::context* tls) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  ++serving_;
  auto stream = std::make_unique<Stream>(std::move(socket), tls);
  auto run = [this, open = thread.open.get(),
              stream = std::move(stream)]() mutable -> asio::awaitable<void> {
    co_await serve(app_, *open, std::move(stream));
    --serving_;
  };
  asio::co_spawn(*thread.context, std::move(run), asio::detached);
}

void Server::tell_all(void (Open::*what)()) {
  for (auto& thread : threads_)
    asio::post(*thread.context, [open = thread.open.get(), what] {
      for (auto* one : open->all()) (one->*what)();
    });
}

bool Server::is_quiet() const { return serving_ == 0; }

void Server::wind_down() {
  app_.stopping = true;
  for (auto& door : doors_)
    asio::post(*threads_.front().context, [&door = *door] {
      boost::system::error_code ignored;
      door.acceptor.close(ignored);
    });
  tell_all(&Open::wind_down);
}

void Server::stop(Time soft_end, Time hard_end) {
  if (!started_) return;
  started_ = false;
  // Waits on the main thread for the threads that serve.
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const auto pause = std::chrono::milliseconds(10);
  while (!is_quiet() && std::chrono::steady_clock::now() < soft_end) never.wait_for(lock, pause);
  if (!is_quiet()) {
    log::warning("server.cutting", {{"connections", serving_.load()}});
    tell_all(&Open::cut);
    while (!is_quiet() && std::chrono::steady_clock::now() < hard_end) never.wait_for(lock, pause);
  }
  for (auto& thread : threads_) thread.context->stop();
  for (auto& thread : threads_)
    if (thread.thread.joinable()) thread.thread.join();
}

}  // namespace bottega::gateway
