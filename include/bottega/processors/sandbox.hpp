#pragma once
// The sandbox: a payment processor of our own, as badly behaved as the real ones. It keeps its own
// books in its own schema, with its own connections and commits, and tells its news by signed
// webhooks.
//
// How it behaves is chosen by the payment method's token, or by the card number that was exchanged
// for it:
//   tok_approved            4242 4242 4242 4242   succeeds
//   tok_declined            4000 0000 0000 0002   declined: card_declined
//   tok_insufficient_funds  4000 0000 0000 9995   declined: insufficient_funds
//   tok_confirm             4000 0025 0000 3155   the buyer must confirm on a page of ours
//   tok_no_answer           4000 0000 0000 0119   nothing is done and no answer comes
//   tok_answer_lost         4000 0000 0000 0259   it is done, but the answer is lost
//   tok_slow                4000 0000 0000 0077   succeeds after SandboxOptions::slow
//   tok_bank                                      a bank account: money goes to it, none comes
// A refund or payout whose amount ends in 17 minor units loses its answer; one that ends in 13 is
// declined: refund_rejected, bank_rejected. A dispute is opened by a page, and decided some time
// after evidence came: lost where its amount ends in 13, else won; lost where none came in time.
// One that ends in 17 loses the answer to our answer.
#include <functional>
#include <memory>

#include "bottega/processors/processor.hpp"
#include "bottega/storage/gather.hpp"

namespace bottega::processors {

struct SandboxOptions {
  Secret webhook_secret;    // must not be empty
  std::string webhook_url;  // where events are sent
  std::string page_url;     // base URL of the sandbox's own listener
  std::chrono::milliseconds answer_timeout{10'000};
  std::chrono::milliseconds slow{2'000};
  // How long after a charge it is told of: whoever is told before they have written down its answer
  // has the work twice.
  std::chrono::milliseconds webhook_after{0};
  std::int64_t fee_basis_points = 0;  // of every charge, half to even; 0: it says nothing of fees
  std::chrono::hours evidence_within{7 * 24};
  std::chrono::seconds review{60};
};

enum class MovementState : std::uint8_t { needs_confirmation, succeeded, declined };
BOOST_DESCRIBE_ENUM(MovementState, needs_confirmation, succeeded, declined)
enum class AccountState : std::uint8_t { pending, active, rejected };
BOOST_DESCRIBE_ENUM(AccountState, pending, active, rejected)
enum class Confirm : std::uint8_t { yes, no };

// What the hosted pages ask a merchant. It decides, and is forgotten.
struct Application {
  Secret name, address, tax_number;
};
// A card as its owner types it into the sandbox's page; exchanged for a token and forgotten.
struct Card {
  SecretText<12, 23> number;
  Count<1, 12> month;
  Count<2000, 2099> year;
  SecretText<3, 4> cvc;
};
BOOST_DESCRIBE_STRUCT(Card, (), (number, month, year, cvc))
struct Token {
  std::string token, brand, last_four;
};
BOOST_DESCRIBE_STRUCT(Token, (), (token, brand, last_four))

struct BookEntry {
  std::string key;
  Operation operation{};
  std::string reference;
  Money amount;
  MovementState state{};
  std::string reason, return_url;
  std::optional<std::int64_t> fee;
};
BOOST_DESCRIBE_STRUCT(BookEntry, (),
                      (key, operation, reference, amount, state, reason, return_url, fee))

// A dispute as somebody opens it on the sandbox's page, and as its books have it.
struct NewDispute {
  Opaque<128> charge;                          // the reference of a charge
  std::optional<Count<1, kAmountMax>> amount;  // all of the charge where none is given
  std::optional<Opaque<64>> reason;            // product_not_received where none is given
};
BOOST_DESCRIBE_STRUCT(NewDispute, (), (charge, amount, reason))
struct BookDispute {
  std::string reference, charge, charge_key;
  Money amount;
  std::string reason;
  DisputeState state{};
  Instant evidence_due_at{};
  std::optional<std::string> answer_key, evidence;
};
BOOST_DESCRIBE_STRUCT(BookDispute, (),
                      (reference, charge, charge_key, amount, reason, state, evidence_due_at,
                       answer_key, evidence))

// Stripe's layout: "t=<unix seconds>,v1=<hex HMAC-SHA256 of 't.body'>".
std::string sign_webhook(const Secret& secret, std::string_view body, std::int64_t at_s);
// Throws Error(forbidden) unless one of the signatures is genuine and at most five minutes off.
void verify_webhook(const Secret& secret, std::string_view body, std::string_view signature,
                    std::int64_t now_s);

struct Ask;
struct News;
enum class Behaviour : std::uint8_t;

// The connections over which one loop sends webhooks: they are kept, and end with it.
class WebhookLines {
 public:
  WebhookLines();
  ~WebhookLines();

 private:
  friend class Sandbox;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

class Sandbox {
 public:
  // `books` is connected to the sandbox's schema, with options_from(). Throws Error(internal)
  // without a webhook secret.
  Sandbox(Database& books, SandboxOptions options);
  ~Sandbox();
  static DatabaseOptions options_from(DatabaseOptions options);

  // Charges that come at once are entered together, and answered when that is durable.
  asio::awaitable<Outcome> charge(const Charge& call);
  asio::awaitable<Outcome> refund(const Refund& call);
  asio::awaitable<Outcome> pay_out(const Payout& call);
  asio::awaitable<std::optional<MethodFacts>> describe_method(const std::string& token);
  asio::awaitable<OnboardingPage> open_account(const Onboarding& call);
  asio::awaitable<Outcome> look_up(Operation operation, const std::string& key);
  asio::awaitable<Outcome> cancel(const std::string& key);
  asio::awaitable<MovementPage> movements(const Period& period, const std::string& cursor,
                                          std::int64_t limit);
  asio::awaitable<Outcome> respond_dispute(const DisputeAnswer& call);
  asio::awaitable<std::vector<DisputeNews>> disputes(Instant since);

  // What its pages ask and show.
  asio::awaitable<AccountState> account_state(const std::string& reference);
  // Answers where the merchant goes back to; throws Error(invalid) that names the bad fields.
  asio::awaitable<std::string> apply(const std::string& reference, const Application& application);
  asio::awaitable<BookEntry> charge_page(const std::string& reference);
  asio::awaitable<std::string> confirm(const std::string& reference, Confirm answer);
  asio::awaitable<Token> tokenize(const Card& card);
  // Throws Error(invalid) for what is no charge, or more than it.
  asio::awaitable<BookDispute> open_dispute(const NewDispute& given);
  asio::awaitable<BookDispute> dispute_page(const std::string& reference);
  // Decides what is due to be decided; answers how many that were.
  asio::awaitable<int> decide_disputes();
  // Its books, newest last, for whoever compares them with ours.
  asio::awaitable<std::vector<BookEntry>> books();

  // Sends what is due; answers how many were taken up.
  asio::awaitable<int> deliver_events(WebhookLines& lines);
  // Sends what this process has queued and keeps for itself, at its time; answers how many.
  asio::awaitable<int> deliver_fresh(WebhookLines& lines);
  // Called after something was queued, from any thread: for deliver_events(), and for
  // deliver_fresh(), without which nothing is kept.
  void on_queued(std::function<void()> poke) { poke_ = std::move(poke); }
  void on_fresh(std::function<void()> poke) { poke_fresh_ = std::move(poke); }
  void set_webhook_url(std::string url) { options_.webhook_url = std::move(url); }
  void set_page_url(std::string url) { options_.page_url = std::move(url); }
  const SandboxOptions& options() const { return options_; }

 private:
  struct Memory;
  struct Entry;  // a charge on its way into the books

  static void write_charges(Tx& tx, std::span<Gather::Part* const> parts);
  asio::awaitable<std::optional<Behaviour>> behaviour_of(const std::string& method);
  asio::awaitable<std::optional<Outcome>> enter_together(const Ask& ask);
  void keep_fresh(News news);
  asio::awaitable<bool> send(std::vector<News> news, WebhookLines& lines);
  asio::awaitable<void> wait(std::chrono::milliseconds time);
  Outcome outcome_of(const BookEntry& entry) const;
  void queued() {
    if (poke_) poke_();
  }

  Database& books_;
  SandboxOptions options_;
  std::function<void()> poke_, poke_fresh_;
  std::unique_ptr<Memory> memory_;
  Gather charges_;
};

// The adapter that the product calls: every call has a time limit, and what takes longer is
// unknown.
std::unique_ptr<Processor> make_sandbox_processor(Sandbox& sandbox);

}  // namespace bottega::processors
