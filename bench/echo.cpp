#include "echo.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstdio>

namespace bottega::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

asio::awaitable<void> echo(tcp::socket socket) {
  const auto token = asio::as_tuple(asio::use_awaitable);
  socket.set_option(tcp::no_delay(true));
  beast::websocket::stream<tcp::socket, false> stream(std::move(socket));
  const auto [refused] = co_await stream.async_accept(token);
  bool over = refused.failed();
  beast::flat_buffer buffer;
  stream.text(true);
  while (!over) {
    const auto [unread, got] = co_await stream.async_read(buffer, token);
    if (unread) break;
    const auto data = buffer.cdata();
    const auto [unsent, put] = co_await stream.async_write(data, token);
    buffer.consume(buffer.size());
    over = unsent.failed();
  }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor) {
  for (;;) {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(acceptor.get_executor(), echo(std::move(socket)), asio::detached);
  }
}

}  // namespace

int serve_echo() {
  asio::io_context io(1);
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  asio::co_spawn(io, accept(acceptor), asio::detached);
  std::printf("echo %d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  io.run();
  return 0;
}

}  // namespace bottega::bench
