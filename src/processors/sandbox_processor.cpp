// The product's side of the sandbox: an adapter like any other, which takes no longer than it may.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "processors/sandbox_rows.hpp"
#include "bottega/core/log.hpp"

namespace bottega::processors {
namespace {

class SandboxProcessor final : public Processor {
 public:
  explicit SandboxProcessor(Sandbox& sandbox) : sandbox_(sandbox) {}

  std::string_view name() const override { return "sandbox"; }

  asio::awaitable<Outcome> charge(const Charge& call) override {
    auto work = [sandbox = &sandbox_, call] { return sandbox->charge(call); };
    return limited(work);
  }
  asio::awaitable<Outcome> refund(const Refund& call) override {
    auto work = [sandbox = &sandbox_, call] { return sandbox->refund(call); };
    return limited(work);
  }
  asio::awaitable<Outcome> pay_out(const Payout& call) override {
    auto work = [sandbox = &sandbox_, call] { return sandbox->pay_out(call); };
    return limited(work);
  }
  asio::awaitable<Outcome> look_up(Operation operation, const std::string& key) override {
    auto work = [sandbox = &sandbox_, operation, key] { return sandbox->look_up(operation, key); };
    return limited(work);
  }
  asio::awaitable<Outcome> cancel(const std::string& key) override {
    auto work = [sandbox = &sandbox_, key] { return sandbox->cancel(key); };
    return limited(work);
  }
  asio::awaitable<Outcome> respond_dispute(const DisputeAnswer& call) override {
    auto work = [sandbox = &sandbox_, call] { return sandbox->respond_dispute(call); };
    return limited(work);
  }
  asio::awaitable<std::vector<DisputeNews>> disputes(Instant since) override {
    return sandbox_.disputes(since);
  }
  asio::awaitable<OnboardingPage> onboard(const Onboarding& call) override {
    return sandbox_.open_account(call);
  }
  asio::awaitable<std::optional<MethodFacts>> describe_method(const std::string& token) override {
    return sandbox_.describe_method(token);
  }
  asio::awaitable<MovementPage> movements(const Period& period, const std::string& cursor,
                                          std::int64_t limit) override {
    return sandbox_.movements(period, cursor, limit);
  }
  Event read_webhook(std::string_view body, const Headers& headers, Instant now) const override {
    const auto found = headers.find("bottega-sandbox-signature");
    const std::string_view signature =
        found == headers.end() ? std::string_view{} : std::string_view(found->second);
    const auto now_s = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    verify_webhook(sandbox_.options().webhook_secret, body, signature, now_s);
    return read_event(body);
  }

 private:
  struct Shared {
    explicit Shared(const asio::any_io_executor& executor) : alarm(executor) {}
    asio::steady_timer alarm;
    Outcome outcome;
  };

  // The work goes on behind an answer that came too late, as it does at a real processor.
  template <class Work>
  asio::awaitable<Outcome> limited(Work work) {
    const auto executor = co_await asio::this_coro::executor;
    const auto shared = std::make_shared<Shared>(executor);
    shared->alarm.expires_after(sandbox_.options().answer_timeout);
    auto run = [shared, work]() -> asio::awaitable<void> {
      try {
        shared->outcome = co_await work();
      } catch (const std::exception& error) {
        // Even a database that was too busy may have been told: it stays unknown.
        log::warning("sandbox.no_answer", {{"error", std::string(error.what())}});
      }
      shared->alarm.cancel();
    };
    asio::co_spawn(executor, std::move(run), asio::detached);
    boost::system::error_code cancelled;
    co_await shared->alarm.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    co_return shared->outcome;
  }

  Sandbox& sandbox_;
};

}  // namespace

std::unique_ptr<Processor> make_sandbox_processor(Sandbox& sandbox) {
  return std::make_unique<SandboxProcessor>(sandbox);
}

}  // namespace bottega::processors
