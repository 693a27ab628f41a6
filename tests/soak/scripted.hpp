#pragma once
// A processor that does what it is asked and says so late, twice, in another order, or not at all.
// What it does with a key is decided once, by a seed; its books can be compared with ours.
#include <random>

#include "bottega/processors/processor.hpp"

namespace bottega::soak {

using processors::Operation, processors::Outcome, processors::Verdict;

class Scripted final : public processors::Processor {
 public:
  Scripted(std::mt19937_64& random, const Clock& clock) : random_(random), clock_(clock) {}

  // One thing that it was asked to do, and did or refused for good.
  struct Entry {
    Operation operation{};
    Money amount;
    bool is_done = false, waits = false;
    std::string reference, reason, about;
    Instant at{};
    std::int64_t given_back = 0;  // of a charge
  };
  const std::map<std::string, Entry>& books() const { return books_; }
  // News that is still on its way, in any order and perhaps more than once: one of it.
  std::optional<processors::Event> take_news();
  // The buyer confirms or refuses what waits; opens a dispute about a charge; decides an open one.
  void confirm_one();
  void dispute_one();
  void decide_one();
  // From here on it answers at once and loses nothing.
  void behave() { behaves_ = true; }

  std::string_view name() const override { return "sandbox"; }
  asio::awaitable<Outcome> charge(const processors::Charge& call) override;
  asio::awaitable<Outcome> refund(const processors::Refund& call) override;
  asio::awaitable<Outcome> pay_out(const processors::Payout& call) override;
  asio::awaitable<processors::OnboardingPage> onboard(const processors::Onboarding&) override;
  asio::awaitable<Outcome> look_up(Operation operation, const std::string& key) override;
  asio::awaitable<Outcome> cancel(const std::string& key) override;
  asio::awaitable<std::optional<processors::MethodFacts>> describe_method(
      const std::string& token) override;
  asio::awaitable<Outcome> respond_dispute(const processors::DisputeAnswer& call) override;
  asio::awaitable<std::vector<processors::DisputeNews>> disputes(Instant since) override;
  asio::awaitable<processors::MovementPage> movements(const processors::Period& period,
                                                      const std::string& cursor,
                                                      std::int64_t limit) override;
  processors::Event read_webhook(std::string_view body, const processors::Headers& headers,
                                 Instant now) const override;

 private:
  int die(int sides) { return std::uniform_int_distribution<>(0, sides - 1)(random_); }
  Outcome outcome_of(const Entry& entry) const;
  Outcome take(Operation operation, const std::string& key, Money amount, const std::string& about);
  Outcome answer(const std::string& key, Outcome told);
  void tell(Operation operation, const std::string& key, const Outcome& outcome);
  void tell_dispute(const processors::DisputeNews& news);

  std::mt19937_64& random_;
  const Clock& clock_;
  bool behaves_ = false;
  std::map<std::string, Entry> books_;
  std::map<std::string, processors::DisputeNews> disputes_;
  std::vector<processors::Event> news_;
  std::int64_t count_ = 0;
};

}  // namespace bottega::soak
