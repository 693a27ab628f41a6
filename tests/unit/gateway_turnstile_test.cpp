// The turnstile lets so many through at once, and the others in the order in which they came.
#include "gateway/turnstile.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

namespace bottega::gateway {
namespace gateway_turnstile_test {

class Visitors : public testing::Test {
 protected:
  void come(int name) {
    asio::co_spawn(
        io, [this, name] { return visit(name); }, asio::detached);
  }
  asio::awaitable<void> visit(int name) {
    auto pass = co_await turnstile.enter();
    inside.emplace_back(name, std::move(pass));
  }
  void leave(int name) {
    std::erase_if(inside, [&](const auto& one) { return one.first == name; });
    io.restart();
    io.poll();
  }
  std::vector<int> names() const {
    std::vector<int> out;
    for (const auto& one : inside) out.push_back(one.first);
    return out;
  }

  struct Inside {
    Inside(int who, Turnstile::Pass with)
        : first(who), pass(std::make_unique<Turnstile::Pass>(std::move(with))) {}
    int first;
    std::unique_ptr<Turnstile::Pass> pass;
  };
  asio::io_context io;
  Turnstile turnstile{2};
  std::vector<Inside> inside;
};

TEST_F(Visitors, AreLetInTwoAtATimeInTheOrderInWhichTheyCame) {
  for (int name = 1; name <= 5; ++name) come(name);
  io.poll();
  EXPECT_EQ(names(), (std::vector{1, 2}));
  EXPECT_EQ(turnstile.waiting(), 3u);
  leave(2);
  EXPECT_EQ(names(), (std::vector{1, 3}));
  leave(1);
  leave(3);
  EXPECT_EQ(names(), (std::vector{4, 5}));
  EXPECT_EQ(turnstile.waiting(), 0u);
  leave(4);
  leave(5);
  come(6);
  io.restart();
  io.poll();
  EXPECT_EQ(names(), std::vector{6}) << "those who have left have left room";
}

}  // namespace gateway_turnstile_test
}  // namespace bottega::gateway
