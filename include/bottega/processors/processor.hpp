#pragma once
// What the product needs of a payment processor. An adapter is stateless: everything it needs is in
// the call, every call that may move money carries our key, and each key can be asked about
// afterwards.
#include <boost/asio/awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bottega/core/money.hpp"

namespace bottega::processors {
namespace asio = boost::asio;

// What became of a call. Anything that is not a clear word is `unknown`, and is asked about by its
// key.
enum class Verdict : std::uint8_t {
  unknown,       // no answer: it may have been done
  succeeded,     // done; it has a reference
  buyer_action,  // nothing moved yet: the buyer must confirm at `action_url`
  pending,       // accepted; the outcome comes by webhook
  declined,      // a definite no
  not_found,     // look_up only: the processor never saw the key, so nothing was done
  refused,       // our request or our credentials are wrong: nothing was done, a person must look
};
BOOST_DESCRIBE_ENUM(Verdict, unknown, succeeded, buyer_action, pending, declined, not_found,
                    refused)

// A dispute takes a charge back (`dispute`), and gives it back where it is won (`dispute_return`).
enum class Operation : std::uint8_t { charge, refund, payout, onboarding, dispute, dispute_return };
BOOST_DESCRIBE_ENUM(Operation, charge, refund, payout, onboarding, dispute, dispute_return)

// How we know: it is the answer to a call or a question of ours, or it came by itself.
enum class Origin : std::uint8_t { answer, news };

struct Outcome {
  Verdict verdict = Verdict::unknown;
  std::string reference;   // the processor's own id of the thing
  std::string reason;      // a short code such as "insufficient_funds"; empty when it went well
  std::string action_url;  // with buyer_action
  std::string key = {};    // the call it is about, where it comes by itself; empty: the newest
  // What the processor keeps of it, in minor units of its currency, where that is known.
  std::optional<std::int64_t> fee = {};
  // What has moved, before fees, where the processor says it: observed, never what it was asked
  // for.
  std::optional<Money> amount = {};
  Origin origin = Origin::answer;
};

struct Charge {
  std::string key;  // our attempt's id
  Money amount;
  std::string method;      // the processor's token of a payment method; never a card number
  std::string account;     // the merchant's account at the processor
  std::string return_url;  // where the buyer comes back to after confirming
};
struct Refund {
  std::string key;
  Money amount;
  std::string charge;  // the processor's reference of the charge
  std::string account;
};
struct Payout {
  std::string key;
  Money amount;
  std::string account;
  std::string method = {};  // to this bank account; empty: to the one of the account's owner
};
// The account of whoever runs this server; a merchant's is never called so.
inline constexpr std::string_view kPlatformAccount = "platform";
// No fields for names, addresses or tax numbers: what the merchant tells the processor we cannot
// store.
struct Onboarding {
  std::string merchant;  // our id of the merchant
  std::string return_url;
};
struct OnboardingPage {
  std::string account;  // the merchant's account at the processor
  std::string url;      // the hosted page that asks the questions
};

// What a processor tells of a payment method by its token.
enum class Brand : std::uint8_t { visa, mastercard, amex, bank, other };
BOOST_DESCRIBE_ENUM(Brand, visa, mastercard, amex, bank, other)
struct MethodFacts {
  Brand brand = Brand::other;
  std::string last_four;
  std::optional<std::int64_t> expiry_month, expiry_year;  // a bank account has none
};
// How far a dispute has come: opened without a question, waiting for evidence, or decided.
enum class DisputeState : std::uint8_t { opened, evidence_due, under_review, won, lost };
BOOST_DESCRIBE_ENUM(DisputeState, opened, evidence_due, under_review, won, lost)
// How a dispute stands, whoever tells of it: all of it each time, so that what was missed is made
// up for by whatever comes next.
struct DisputeNews {
  std::string charge;     // our key of the charge
  std::string reference;  // the processor's own id of the dispute
  Money amount;
  std::string reason;  // a code such as "product_not_received"
  DisputeState state{};
  std::optional<Instant> evidence_due_at;
};
BOOST_DESCRIBE_STRUCT(DisputeNews, (), (charge, reference, amount, reason, state, evidence_due_at))

enum class Stance : std::uint8_t { contest, accept };
BOOST_DESCRIBE_ENUM(Stance, contest, accept)
struct DisputeAnswer {
  std::string key;  // our attempt's id
  std::string reference;
  Stance stance{};
  std::string evidence;  // a document, where it is contested
};

// One thing that moved, as the processor's own books have it.
struct Movement {
  std::string key;
  Operation operation{};
  Money amount;
  std::string reference;
  std::optional<std::int64_t> fee = {};  // what was kept of it
  Instant moved_at{};                    // by the processor's clock
};
BOOST_DESCRIBE_STRUCT(Movement, (), (key, operation, amount, reference, fee, moved_at))

// From one instant up to another, which is not in it.
struct Period {
  Instant since{}, until{};
};
// A part of a list; `next` says where it goes on, and is empty at the end.
struct MovementPage {
  std::vector<Movement> movements;
  std::string next;
};

// A verified message from the processor.
struct Event {
  std::string id;  // the processor's id of the event: the same event may come twice
  Operation operation{};
  std::string key;  // our key, or the merchant's account for onboarding
  Outcome outcome;
  std::optional<DisputeNews> dispute = {};  // with Operation::dispute, whose key is the charge's
};

using Headers = std::map<std::string, std::string, std::less<>>;  // names in lower case

// Arguments must outlive the call.
class Processor {
 public:
  virtual ~Processor() = default;
  virtual std::string_view name() const = 0;
  virtual asio::awaitable<Outcome> charge(const Charge& call) = 0;
  virtual asio::awaitable<Outcome> refund(const Refund& call) = 0;
  virtual asio::awaitable<Outcome> pay_out(const Payout& call) = 0;
  virtual asio::awaitable<OnboardingPage> onboard(const Onboarding& call) = 0;
  // What a token stands for; nothing where the processor does not know it.
  virtual asio::awaitable<std::optional<MethodFacts>> describe_method(const std::string& token) = 0;
  // What became of the call with this key. Never moves money.
  virtual asio::awaitable<Outcome> look_up(Operation operation, const std::string& key) = 0;
  // Makes sure that the charge with this key does not happen any more: `declined` when it is dead,
  // also where it was never seen; `succeeded` when it was too late.
  virtual asio::awaitable<Outcome> cancel(const std::string& key) = 0;
  // Everything that has moved in a period, as the processor's books have it, page by page: the
  // first is at the cursor "". A page has at most `limit` movements.
  virtual asio::awaitable<MovementPage> movements(const Period& period, const std::string& cursor,
                                                  std::int64_t limit) = 0;
  // Answers a dispute, once. Where a processor has no disputes, these two say so by themselves.
  virtual asio::awaitable<Outcome> respond_dispute(const DisputeAnswer&) {
    co_return Outcome{Verdict::refused, {}, "no_disputes", {}};
  }
  // How all disputes stand that have changed since a time, for news that was lost.
  virtual asio::awaitable<std::vector<DisputeNews>> disputes(Instant) {
    co_return std::vector<DisputeNews>();
  }
  // Throws Error(forbidden) unless the signature over the raw bytes is genuine and fresh.
  virtual Event read_webhook(std::string_view body, const Headers& headers, Instant now) const = 0;
};

// The processors that this server was configured with, by name.
class Registry {
 public:
  void add(std::unique_ptr<Processor> processor) {
    auto name = std::string(processor->name());
    rows_[std::move(name)] = std::move(processor);
  }
  // Throws Error(not_found) where there is none of that name.
  Processor& get(std::string_view name) const {
    const auto found = rows_.find(name);
    if (found == rows_.end()) throw Error(Code::not_found, "there is no such processor");
    return *found->second;
  }
  std::vector<Processor*> all() const {
    std::vector<Processor*> found;
    for (const auto& [name, processor] : rows_) found.push_back(processor.get());
    return found;
  }

 private:
  std::map<std::string, std::unique_ptr<Processor>, std::less<>> rows_;
};

}  // namespace bottega::processors
