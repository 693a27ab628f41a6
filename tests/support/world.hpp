#pragma once
// The domain without its gateway: a database of its own, the sandbox processor, the jobs, and
// people to begin with. Everything runs on the calling thread and the database's own.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <exception>
#include <future>

#include "app/handlers.hpp"
#include "support/cluster.hpp"
#include "support/context.hpp"
#include "support/errors.hpp"
#include "bottega/conversations/writer.hpp"
#include "bottega/ops/ops.hpp"
#include "bottega/processors/sandbox.hpp"

namespace bottega::test {

// Runs a coroutine to its end on the calling thread; throws what it throws.
template <class T>
T run(asio::awaitable<T> work) {
  Context io;
  auto result = asio::co_spawn(*io, std::move(work), asio::use_future);
  io->run();
  return result.get();
}

// A buyer and an active merchant in one conversation.
struct Shop {
  identity::Who buyer, owner;
  identity::MerchantId merchant;
  conversations::ConversationId conversation;
};

class World {
 public:
  explicit World(processors::SandboxOptions options = default_options());
  ~World();
  static processors::SandboxOptions default_options();

  identity::Who person(const std::string& name = "Pat");
  identity::Who staff(identity::StaffRole role = identity::StaffRole::admin);
  // A merchant that the processor has not seen.
  identity::Merchant merchant(const identity::Who& owner, const std::string& currency = "USD");
  void activate(identity::MerchantId merchant);
  Shop shop(const std::string& currency = "USD");
  // The currencies of new requests, set by the way of the settings; the first is the default.
  identity::Merchant take(const Shop& shop, const std::vector<std::string>& currencies);

  // A new person with this role in the shop; and a key that it gave out.
  identity::Who member(const Shop& shop, identity::Role role);
  identity::Who key_with(const Shop& shop, identity::Scope scope);
  // The last entry of the shop's conversation.
  std::int64_t last_seq(const Shop& shop);

  payments::Request ask(const Shop& shop, std::int64_t amount = 1250,
                        const std::string& currency = "USD");
  // Accepts with a sandbox token such as "tok_approved", the way the gateway does it.
  payments::Accepted pay(const Shop& shop, const payments::Request& request,
                         const std::string& token = "tok_approved");
  payouts::Shipped ship(const Shop& shop, const orders::Order& order);
  // A paid order.
  orders::Order sell(const Shop& shop, std::int64_t amount = 1250,
                     const std::string& currency = "USD");

  // Cancels what was not sent, as its owner; a job carries out the refund.
  payments::Cancelled cancel(const Shop& shop, const orders::Order& order);
  // Gives back this much, or all that is left, as its owner.
  payments::Refund give_back(const Shop& shop, const orders::Order& order,
                             std::optional<std::int64_t> amount = std::nullopt);

  // Gathers what is due with this payout and sends it, as the jobs do.
  void pay_out(const payouts::Payout& payout, const processors::Registry& with);
  void pay_out(const payouts::Payout& payout) { pay_out(payout, registry); }
  // Charges a card for the balance, the way the gateway does it.
  wallet::TopUp top_up(const identity::Who& who, std::int64_t amount,
                       const std::string& token = "tok_approved");
  wallet::Transfer send(const identity::Who& from, const identity::Who& to, std::int64_t amount);
  // In USD.
  wallet::WalletBalance balance(const identity::Who& who);

  // Moves the product's time.
  void advance(std::chrono::seconds by);
  // Does all jobs that are due now, also the ones that these make due; answers how many.
  int run_jobs();
  // Hands the sandbox's webhooks to the product, as its webhook route does; answers how many came.
  int deliver_webhooks();

  ops::TrialBalance trial_balance();
  // The sandbox's own books.
  std::vector<processors::BookEntry> books();

  template <class Op>
  auto transact(Op op) {
    return db.transact_blocking(std::move(op));
  }

  BorrowedDatabase database;
  Urls urls;
  Clock clock;
  std::vector<Notice> notices;  // all that was announced, in order
  Database db, chat_db, sandbox_db;
  processors::Sandbox sandbox;
  processors::Registry registry;
  payments::Rules payment_rules;
  payouts::Rules payout_rules;
  wallet::Rules wallet_rules;
  Config config;
  TempDir files;
  attachments::Depot depot;
  JobWorld job_world;
  jobs::Runner runner;

 private:
  void hear(std::vector<Notice> news);

  std::mutex mutex_;  // owns notices while transactions run
};

// An address that passes.
orders::Address an_address();
payments::Acceptance acceptance(const std::string& token);

}  // namespace bottega::test
