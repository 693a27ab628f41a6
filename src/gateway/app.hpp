#pragma once
// What every handler works with. Built once in app/, top to bottom, and outlives every request.
#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <span>

#include "gateway/limits.hpp"
#include "gateway/metrics.hpp"
#include "gateway/routes/orders.hpp"
#include "gateway/routes/payments.hpp"
#include "gateway/routes/processors.hpp"
#include "gateway/routes/transfers.hpp"
#include "gateway/tokens.hpp"
#include "gateway/turnstile.hpp"
#include "bottega/attachments/depot.hpp"
#include "bottega/bus/hub.hpp"
#include "bottega/bus/recent.hpp"
#include "bottega/bus/traffic.hpp"
#include "bottega/conversations/writer.hpp"
#include "bottega/core/config.hpp"
#include "bottega/core/workers.hpp"
#include "bottega/gateway/route.hpp"
#include "bottega/identity/passwords.hpp"
#include "bottega/jobs/job.hpp"
#include "bottega/notifications/notifier.hpp"
#include "bottega/payments/payments.hpp"
#include "bottega/payouts/payouts.hpp"
#include "bottega/processors/sandbox.hpp"

namespace bottega::gateway {

struct App {
  const Config& config;
  Clock& clock;
  Database& db;
  bus::Hub& hub;
  identity::Passwords& passwords;
  const processors::Registry& registry;
  jobs::Runner& runner;
  conversations::Writer& writer;
  std::function<void()> poke_jobs;  // due work was committed: look now
  std::span<const Route> routes;
  payments::Rules payment_rules;
  payouts::Rules payout_rules;
  wallet::Rules wallet_rules;

  const bus::Traffic* traffic = nullptr;        // none without other nodes
  const bus::Recent* recent = nullptr;          // none where the log is always read
  attachments::Depot* depot = nullptr;          // none where no files are served
  Workers* papers = nullptr;                    // none where no papers are printed
  processors::Sandbox* sandbox = nullptr;       // none in live mode
  notifications::Presence* presence = nullptr;  // none for the sandbox's own listener
  notifications::Notifier* notifier = nullptr;  // none where Web Push is off
  std::string push_key{};                       // the server's public key, empty where it is off
  std::string public_url{};
  Limits limits{};
  // Sockets that are being let in or resume: when all clients come back at once, they must not fill
  // the queue in front of the database.
  Turnstile doorway{static_cast<std::size_t>(config.socket_let_in_at_once)};
  Metrics metrics{};
  TokenCache tokens{};
  // Keeps the moments for which batches wait.
  asio::thread_pool timers{1};
  GroupCommit transfers{db, timers.get_executor(), transfer_writer(wallet_rules), 64, 1024};
  // The two transactions of a payment.
  GroupCommit beginnings{db,   timers.get_executor(),   beginning_writer(payment_rules), 64,
                         1024, GroupCommit::Keys::begun};
  GroupCommit settlements{db,   timers.get_executor(),  settlement_writer(payment_rules), 64,
                          1024, GroupCommit::Keys::held};
  GroupCommit shipments{db, timers.get_executor(), shipment_writer(payout_rules), 64, 1024};
  GroupCommit events{db, timers.get_executor(), event_writer(), 128, 4096};  // of processors
  std::atomic<bool> stopping{false};
};

}  // namespace bottega::gateway
