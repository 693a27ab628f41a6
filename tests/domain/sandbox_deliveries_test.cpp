// How the sandbox's news gets to whom it tells: soon, over connections that are kept, and again
// where nobody was there.
#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "support/http_push_service.hpp"
#include "support/world.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace sandbox_deliveries_test {

using namespace std::chrono_literals;
using asio::ip::tcp;
using processors::Charge, processors::WebhookLines;

// Takes webhooks, over connections that it keeps.
class Taker {
 public:
  explicit Taker(unsigned status = 204) : status_(status) {
    asio::co_spawn(io_, accept_all(), asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Taker() {
    io_.stop();
    thread_.join();
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/hooks";
  }
  int connections() const { return connections_; }
  // The events that have come, as often as they came.
  std::vector<Json> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  asio::awaitable<void> accept_all() {
    for (;;) {
      auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
      ++connections_;
      asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
    }
  }
  asio::awaitable<void> serve(tcp::socket socket) {
    std::string bytes;
    const std::string reply = "HTTP/1.1 " + std::to_string(status_) + " Said\r\n" +
                              (status_ == 204 ? "" : "Content-Length: 2\r\n") + "\r\n" +
                              (status_ == 204 ? "" : "{}");
    try {
      for (;;) {
        auto space = asio::dynamic_buffer(bytes);
        const auto head =
            co_await asio::async_read_until(socket, space, "\r\n\r\n", asio::use_awaitable);
        constexpr std::string_view name = "Content-Length: ";
        const auto length = std::stoul(bytes.substr(bytes.find(name) + name.size()));
        const auto all = head + length;
        if (bytes.size() < all) {
          auto rest = asio::dynamic_buffer(bytes);
          const auto whole = asio::transfer_exactly(all - bytes.size());
          co_await asio::async_read(socket, rest, whole, asio::use_awaitable);
        }
        take(bytes.substr(head, length));
        bytes.erase(0, all);
        const auto out = asio::buffer(reply);
        co_await asio::async_write(socket, out, asio::use_awaitable);
      }
    } catch (const std::exception&) {
      // The other side has hung up.
    }
  }
  void take(const std::string& body) {
    const std::lock_guard lock(mutex_);
    events_.push_back(Json::parse(body));
  }

  const unsigned status_;
  asio::io_context io_;
  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<Json> events_;
  std::thread thread_;
};

class SandboxDeliveries : public ::testing::Test {
 protected:
  SandboxDeliveries() {
    world_.sandbox.on_fresh([this] { ++pokes_; });
  }
  asio::awaitable<void> charge(int count) {
    for (int i = 0; i < count; ++i) {
      const Charge call{"key_" + random_token(12),
                        {1'000, parse_currency("USD")},
                        "tok_approved",
                        "platform",
                        ""};
      co_await world_.sandbox.charge(call);
    }
  }
  std::string sql(const std::string& text) { return execute(world_.urls.superuser, text); }
  std::string untold() {
    return sql("SELECT count(*) FROM sandbox.events WHERE delivered_at IS NULL");
  }
  static std::set<std::string> keys_of(const std::vector<Json>& events) {
    std::set<std::string> keys;
    for (const auto& event : events) keys.insert(event.at("key").get<std::string>());
    return keys;
  }

  static processors::SandboxOptions late() {
    auto options = World::default_options();
    options.webhook_after = 150ms;
    return options;
  }
  World world_{late()};
  std::atomic<int> pokes_{0};
};

TEST_F(SandboxDeliveries, KeepTheirConnections) {
  Taker taker;
  world_.sandbox.set_webhook_url(taker.url());
  WebhookLines lines;
  std::vector<int> sent;
  const auto work = [&]() -> asio::awaitable<void> {
    for (int round = 0; round < 3; ++round) {
      co_await charge(40);
      int came = 0;
      for (int more = 1; more > 0; came += more)
        more = co_await world_.sandbox.deliver_fresh(lines);
      sent.push_back(came);
    }
  };
  run(work());
  EXPECT_EQ(sent, (std::vector<int>{40, 40, 40}));
  EXPECT_EQ(taker.events().size(), 120u);
  EXPECT_EQ(keys_of(taker.events()).size(), 120u);
  EXPECT_LE(taker.connections(), 16);
  EXPECT_EQ(untold(), "0");
  EXPECT_GE(pokes_, 3) << "the loop is told when there is something";
}

TEST_F(SandboxDeliveries, WaitUntilTheAnswerToTheChargeIsWrittenDown) {
  Taker taker;
  world_.sandbox.set_webhook_url(taker.url());
  WebhookLines lines;
  const auto begun = std::chrono::steady_clock::now();
  const auto work = [&]() -> asio::awaitable<void> {
    co_await charge(1);
    co_await world_.sandbox.deliver_fresh(lines);
  };
  run(work());
  EXPECT_EQ(taker.events().size(), 1u);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 150ms);
}

TEST_F(SandboxDeliveries, GoOnWhereAKeptConnectionHasEnded) {
  PushService hangs_up;  // It closes each connection, and does not say so before.
  world_.sandbox.set_webhook_url(hangs_up.url("/hooks"));
  WebhookLines lines;
  const auto work = [&]() -> asio::awaitable<void> {
    for (int round = 0; round < 3; ++round) {
      co_await charge(5);
      for (int more = 1; more > 0;) more = co_await world_.sandbox.deliver_fresh(lines);
    }
  };
  run(work());
  EXPECT_EQ(hangs_up.count(), 15u);
  EXPECT_EQ(untold(), "0");
}

TEST_F(SandboxDeliveries, AreSignedOverTheirBytes) {
  PushService taker;
  world_.sandbox.set_webhook_url(taker.url("/hooks"));
  WebhookLines lines;
  const auto work = [&]() -> asio::awaitable<void> {
    co_await charge(1);
    co_await world_.sandbox.deliver_fresh(lines);
  };
  run(work());
  const auto came = taker.next();
  ASSERT_TRUE(came);
  const processors::Headers headers = {
      {"bottega-sandbox-signature", came->headers.at("bottega-sandbox-signature")}};
  const auto now = world_.clock.now() - world_.clock.offset();
  const auto event = world_.registry.get("sandbox").read_webhook(came->body, headers, now);
  EXPECT_EQ(event.operation, processors::Operation::charge);
  EXPECT_EQ(event.outcome.verdict, processors::Verdict::succeeded);
}

TEST_F(SandboxDeliveries, AreMadeLaterWhereNobodyWasThere) {
  std::string nobody;
  {
    Taker gone;
    nobody = gone.url();
  }
  world_.sandbox.set_webhook_url(nobody);
  WebhookLines lines;
  const auto tell = [&]() -> asio::awaitable<void> {
    co_await charge(40);
    for (int more = 1; more > 0;) more = co_await world_.sandbox.deliver_fresh(lines);
  };
  run(tell());
  EXPECT_EQ(untold(), "40");
  Taker taker;
  world_.sandbox.set_webhook_url(taker.url());
  const auto retry = [&]() -> asio::awaitable<void> {
    for (int more = 1; more > 0;) more = co_await world_.sandbox.deliver_events(lines);
  };
  sql("UPDATE sandbox.events SET next_at = clock_timestamp() + interval '1 minute' "
      "WHERE delivered_at IS NULL");
  run(retry());
  EXPECT_EQ(taker.events().size(), 0u) << "not before their time";
  sql("UPDATE sandbox.events SET next_at = clock_timestamp() WHERE delivered_at IS NULL");
  run(retry());
  EXPECT_EQ(taker.events().size(), 40u);
  EXPECT_EQ(untold(), "0");
}

TEST_F(SandboxDeliveries, AreMadeLaterWhereTheyWereNotTaken) {
  Taker refuses(503);
  world_.sandbox.set_webhook_url(refuses.url());
  WebhookLines lines;
  const auto tell = [&]() -> asio::awaitable<void> {
    co_await charge(20);
    for (int more = 1; more > 0;) more = co_await world_.sandbox.deliver_fresh(lines);
  };
  run(tell());
  EXPECT_EQ(refuses.events().size(), 20u) << "each by itself";
  EXPECT_LE(refuses.connections(), 16);
  EXPECT_EQ(untold(), "20");
}

}  // namespace sandbox_deliveries_test
}  // namespace bottega::test
