#pragma once
// A processor that hands everything on to another one: a test says what becomes of some calls by
// taking their place.
#include "bottega/processors/processor.hpp"

namespace bottega::test {

namespace asio = boost::asio;

class Relay : public processors::Processor {
 public:
  using Outcome = processors::Outcome;

  explicit Relay(processors::Processor& given) : inner(given) {}
  std::string_view name() const override { return inner.name(); }
  asio::awaitable<Outcome> charge(const processors::Charge& call) override {
    return inner.charge(call);
  }
  asio::awaitable<Outcome> refund(const processors::Refund& call) override {
    return inner.refund(call);
  }
  asio::awaitable<Outcome> pay_out(const processors::Payout& call) override {
    return inner.pay_out(call);
  }
  asio::awaitable<processors::OnboardingPage> onboard(const processors::Onboarding& call) override {
    return inner.onboard(call);
  }
  asio::awaitable<std::optional<processors::MethodFacts>> describe_method(
      const std::string& token) override {
    return inner.describe_method(token);
  }
  asio::awaitable<Outcome> look_up(processors::Operation operation,
                                   const std::string& key) override {
    return inner.look_up(operation, key);
  }
  asio::awaitable<Outcome> cancel(const std::string& key) override { return inner.cancel(key); }
  asio::awaitable<processors::MovementPage> movements(const processors::Period& period,
                                                      const std::string& cursor,
                                                      std::int64_t limit) override {
    return inner.movements(period, cursor, limit);
  }
  asio::awaitable<Outcome> respond_dispute(const processors::DisputeAnswer& call) override {
    return inner.respond_dispute(call);
  }
  asio::awaitable<std::vector<processors::DisputeNews>> disputes(Instant since) override {
    return inner.disputes(since);
  }
  processors::Event read_webhook(std::string_view body, const processors::Headers& headers,
                                 Instant now) const override {
    return inner.read_webhook(body, headers, now);
  }

 protected:
  processors::Processor& inner;
};

}  // namespace bottega::test
