#pragma once
// What a node is made of, in the order of what needs what.
#include "app/background.hpp"
#include "app/databases.hpp"
#include "app/handlers.hpp"
#include "app/heal.hpp"
#include "app/node.hpp"
#include "app/push.hpp"
#include "bus/nats.hpp"
#include "gateway/server.hpp"
#include "bottega/conversations/search.hpp"

namespace bottega {

struct Node::Parts {
  explicit Parts(Config given);
  std::unique_ptr<bus::Nats> make_bus();
  void tell(std::vector<Notice> notices);
  void hear(bus::Parcel parcel);
  void publish(bus::Parcel parcel);
  void open_doors();
  void start_loops();
  void stop();
  void stop_loops(std::chrono::steady_clock::time_point latest);
  void take_leave(std::chrono::steady_clock::time_point latest);

  Config config;
  Clock clock;
  // PostgreSQL, migrated and fit to serve from.
  Storage storage;
  // Live events between the connections of this node, and to and from other nodes.
  bus::Hub hub;
  bus::Recent recent;
  conversations::Written written;
  std::unique_ptr<bus::Nats> nats;
  // The product's database threads, the chat's one, and the sandbox processor's own.
  Database db, chat_db;
  std::unique_ptr<Database> sandbox_db;
  // Where files are, and the threads that read and write them.
  attachments::Depot depot;
  // The processors that merchants may be paid through.
  std::unique_ptr<processors::Sandbox> sandbox;
  processors::Registry registry;
  payments::Rules payment_rules;
  payouts::Rules payout_rules;
  wallet::Rules wallet_rules;
  JobWorld world;
  jobs::Runner runner;
  conversations::Writer writer;
  identity::Passwords passwords;
  // Prints papers.
  Workers papers;
  // Who is there, and how whoever is not hears of what was written; no push without a key.
  const notifications::NodeId node = notifications::NodeId::make();
  notifications::Presence presence;
  std::unique_ptr<Push> push;
  // What the handlers see, and the listeners in front of them.
  gateway::App app;
  std::unique_ptr<gateway::App> sandbox_app;
  std::unique_ptr<asio::ssl::context> tls;
  std::unique_ptr<gateway::Server> server, sandbox_server;
  std::unique_ptr<Healer> healer;
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<Loop*> job_loops;  // one for each lane
  Loop* delivery_loop = nullptr;
  Loop* fresh_loop = nullptr;
  Loop* heal_loop = nullptr;
  std::string url, sandbox_url, tls_url;
  bool stopped = false;
};

}  // namespace bottega
