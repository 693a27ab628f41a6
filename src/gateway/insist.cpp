#include "gateway/insist.hpp"

#include <sodium.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bottega/core/log.hpp"

namespace bottega::gateway {
namespace {

constexpr int kTries = 5;

// 100 ms to 3.2 s. Those that were turned away together must not come back together.
std::chrono::milliseconds back_off(int tries) {
  const auto least = 100u << (tries - 1);
  return std::chrono::milliseconds(least + randombytes_uniform(least));
}

}  // namespace

boost::asio::awaitable<bool> insist(Work work, std::function<bool()> given_up) {
  namespace asio = boost::asio;
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto executor = co_await asio::this_coro::executor;
  for (int tries = 1; !given_up(); ++tries) {
    std::string failure;
    try {
      co_await work();
      co_return true;
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (tries == kTries) {
      log::warning("socket.fell_behind", {{"error", failure}});
      break;
    }
    asio::steady_timer wait(executor, back_off(tries));
    co_await wait.async_wait(token);
  }
  co_return false;
}

}  // namespace bottega::gateway
