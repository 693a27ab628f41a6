// Objects in the order of what needs what, one comment each; stop() goes the other way.
#include "app/node_parts.hpp"

#include <filesystem>

#include "app/demo.hpp"
#include "app/options.hpp"
#include "gateway/routes/routes.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/core/log.hpp"
#include "bottega/ops/ops.hpp"
#include "bottega/storage/migrate.hpp"

namespace bottega {
namespace {

using std::chrono::milliseconds;

// Two statements, which are better not begun than cut off.
constexpr auto kLeaveWithin = milliseconds(400);

std::filesystem::path attachments_dir_of(const Config& config) {
  if (!config.attachments_dir.empty()) return config.attachments_dir;
  return std::filesystem::path(data_dir_of(config)) / "attachments";
}

// All nodes on one database sign alike.
Secret url_secret_of(const Config& config, Database& db) {
  if (!config.attachments_url_secret.empty()) return config.attachments_url_secret;
  return db.transact_blocking([](Tx& tx) { return attachments::shared_url_secret(tx); });
}

// A base URL that works on this machine: nobody can connect to the wildcard address.
std::string url_of(const std::string& scheme, const std::string& address, std::uint16_t port) {
  const auto host = address == "0.0.0.0" ? "127.0.0.1" : address == "::" ? "::1" : address;
  const bool v6 = host.find(':') != std::string::npos;
  return scheme + "://" + (v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

}  // namespace

Node::Parts::Parts(Config given)
    : config(std::move(given)),
      storage(config),
      recent(static_cast<std::size_t>(config.chat_recent_max_bytes)),
      nats(make_bus()),
      db(options_of(config, storage.url), clock,
         [this](std::vector<Notice> notices) { tell(std::move(notices)); }),
      chat_db(conversations::Writer::options_from(options_of(config, storage.url)), clock,
              [this](std::vector<Notice> notices) { tell(std::move(notices)); }),
      depot(config, attachments_dir_of(config), clock, url_secret_of(config, db)),
      payment_rules(payment_rules_of(config)),
      payout_rules(payout_rules_of(config)),
      wallet_rules(wallet_rules_of(config)),
      world{db,
            registry,
            payment_rules,
            payout_rules,
            wallet_rules,
            depot,
            settlement_rules_of(config),
            completion_rules_of(config)},
      runner(db, job_kinds(world), config.jobs_batch),
      writer(chat_db, static_cast<std::size_t>(config.chat_batch_max),
             static_cast<std::size_t>(config.chat_waiting_max)),
      passwords(cost_of(config), static_cast<unsigned>(config.auth_threads),
                static_cast<unsigned>(config.auth_waiting_max)),
      papers(static_cast<unsigned>(config.papers_threads), config.papers_waiting_max,
             "too many papers at once"),
      presence(db, node, presence_options_of(config)),
      app{.config = config,
          .clock = clock,
          .db = db,
          .hub = hub,
          .passwords = passwords,
          .registry = registry,
          .runner = runner,
          .writer = writer,
          .poke_jobs =
              [this] {
                for (auto* loop : job_loops) loop->poke();
              },
          .routes = gateway::all_routes(),
          .payment_rules = payment_rules,
          .payout_rules = payout_rules,
          .wallet_rules = wallet_rules,
          .recent = &recent,
          .depot = &depot,
          .papers = &papers} {
  clock.set_offset(db.transact_blocking([](Tx& tx) { return ops::clock_offset(tx); }));
  db.transact_blocking([&](Tx& tx) {
    settlements::plan(tx, world.settlement_rules);
    orders::plan(tx);
  });
  if (config.mode == "live") refuse_demo_people(db);
  if (config.mode == "sandbox") {
    sandbox_db = std::make_unique<Database>(sandbox_options_of(config, storage.sandbox_url), clock);
    sandbox = std::make_unique<processors::Sandbox>(*sandbox_db, processor_options_of(config));
    registry.add(processors::make_sandbox_processor(*sandbox));
    app.sandbox = sandbox.get();
  }
  if (!config.push_vapid_private_key.empty()) {
    push = std::make_unique<Push>(config, db, clock, node);
    app.notifier = &push->notifier();
    app.push_key = notifications::vapid_public_key(config.push_vapid_private_key);
  }
  app.presence = &presence;
  open_doors();
  start_loops();
  server->start();
  if (sandbox_server) sandbox_server->start();
  if (nats) nats->start();  // last: it calls into what has been built before
}

std::unique_ptr<bus::Nats> Node::Parts::make_bus() {
  if (config.bus_url.empty()) return nullptr;
  return std::make_unique<bus::Nats>(
      bus::NatsOptions{config.bus_url, config.bus_subject,
                       static_cast<std::size_t>(config.bus_queue_max_bytes)},
      [this](bus::Parcel parcel) { hear(std::move(parcel)); },
      [this](bus::Doubt why) {
        healer->doubt(why);
        heal_loop->poke();
      });
}

// What was committed here, to the listeners of this node and to the other nodes.
void Node::Parts::tell(std::vector<Notice> notices) {
  std::vector<bus::Parcel> parcels;
  for (auto& notice : notices) {
    if (push) push->notifier().hear(notice);
    if (notice.position > 0) written.note(notice.stream);
    parcels.push_back(
        {std::move(notice.topics),
         {std::move(notice.stream), notice.position, std::move(notice.text), notice.rewrites}});
  }
  if (nats) nats->send(parcels);
  for (auto& parcel : parcels) publish(std::move(parcel));
}

void Node::Parts::publish(bus::Parcel parcel) {
  const auto event = std::make_shared<const bus::Event>(std::move(parcel.event));
  recent.keep(event);
  hub.publish(parcel.topics, event);
}

// What was committed on another node.
void Node::Parts::hear(bus::Parcel parcel) {
  // The end of a session, or another membership: what was known of tokens may be wrong now.
  if (parcel.event.position == 0 && !parcel.event.text.starts_with('{')) app.tokens.clear();
  publish(std::move(parcel));
}

void Node::Parts::open_doors() {
  server = std::make_unique<gateway::Server>(app, static_cast<unsigned>(config.http_threads));
  const auto port =
      server->listen({config.http_address, static_cast<std::uint16_t>(config.http_port)}, nullptr);
  url = url_of("http", config.http_address, port);
  if (!config.tls_certificate.empty()) {
    tls = gateway::make_tls(config.tls_certificate, config.tls_key);
    const auto secure = server->listen(
        {config.http_address, static_cast<std::uint16_t>(config.tls_port)}, tls.get());
    tls_url = url_of("https", config.http_address, secure);
  }
  app.public_url = config.http_public_url.empty() ? url : config.http_public_url;
  if (!sandbox) return;
  sandbox_app.reset(new gateway::App{.config = config,
                                     .clock = clock,
                                     .db = *sandbox_db,
                                     .hub = hub,
                                     .passwords = passwords,
                                     .registry = registry,
                                     .runner = runner,
                                     .writer = writer,
                                     .poke_jobs = [] {},
                                     .routes = gateway::sandbox_routes(),
                                     .payment_rules = payment_rules,
                                     .payout_rules = payout_rules,
                                     .wallet_rules = wallet_rules});
  sandbox_server = std::make_unique<gateway::Server>(*sandbox_app, 1);
  const auto sandbox_port = sandbox_server->listen(
      {config.sandbox_address, static_cast<std::uint16_t>(config.sandbox_port)}, nullptr);
  sandbox_url = url_of("http", config.sandbox_address, sandbox_port);
  sandbox_app->sandbox = sandbox.get();
  sandbox_app->public_url = sandbox_url;
  sandbox->set_page_url(sandbox_url);
  sandbox->set_webhook_url(url + "/v1/webhooks/processors/sandbox");
}

// What this node has heard and not passed on is written down for another. Where there is no time
// for it, the log is searched when this node is found dead.
void Node::Parts::take_leave(std::chrono::steady_clock::time_point latest) {
  if (std::chrono::steady_clock::now() + kLeaveWithin > latest) return;
  const auto done = std::make_shared<std::promise<void>>();
  try {
    db.post(
        Mode::write,
        [this](Tx& tx) {
          if (push) push->notifier().end(tx);
          presence.end(tx);
        },
        [done](std::exception_ptr) { done->set_value(); });
  } catch (const Error&) {
    return;
  }
  done->get_future().wait_until(latest);
}

void Node::Parts::stop() {
  if (stopped) return;
  stopped = true;
  const auto now = std::chrono::steady_clock::now();
  const auto grace = std::chrono::milliseconds(std::chrono::seconds(config.stop_grace_s));
  const auto soft_end = now + grace * 3 / 4, hard_end = now + grace;
  server->wind_down();
  // A call to a processor that has no answer by then is asked about after the next start.
  stop_loops(soft_end);
  server->stop(soft_end, hard_end);
  if (sandbox_server) {
    sandbox_server->wind_down();
    sandbox_server->stop(soft_end, hard_end);
  }
  if (push) push->stop(soft_end);
  take_leave(hard_end);
  // Joined before the contexts go: a thread may still be answering into one.
  chat_db.stop(hard_end);
  db.stop(hard_end);
  if (sandbox_db) sandbox_db->stop(hard_end);
  depot.stop();
  papers.stop();
  // What waited for more to be written with it answers into the contexts as well.
  app.timers.join();
  if (sandbox_app) sandbox_app->timers.join();
  // The last news of this node; and nobody hears of others' any more.
  if (nats) nats->stop(hard_end);
  // Their timers live in the servers' contexts.
  loops.clear();
  push.reset();
  server.reset();
  sandbox_server.reset();
  if (storage.embedded) storage.embedded->stop();
  log::info("server.stopped");
}

Node::Node(Config config) : parts_(std::make_unique<Parts>(std::move(config))) {}
Node::~Node() { stop(); }
void Node::stop() { parts_->stop(); }
const std::string& Node::url() const { return parts_->url; }
const std::string& Node::sandbox_url() const { return parts_->sandbox_url; }
const std::string& Node::tls_url() const { return parts_->tls_url; }

std::string Node::add_demo_people() {
  if (!parts_->sandbox) throw Error(Code::internal, "demo people live in the sandbox mode only");
  return bottega::add_demo_people(parts_->db, cost_of(parts_->config));
}

void Node::add_staff(const std::string& email, const std::string& name, const Secret& password,
                     const std::string& role) {
  const auto hash = identity::hash_password(password, cost_of(parts_->config));
  parts_->db.transact_blocking([&](Tx& tx) {
    return identity::register_account(tx, from_text<Email>(email), name, hash,
                                      from_text<identity::StaffRole>(role));
  });
}

void Node::reset_password(const std::string& email, const Secret& password) {
  const auto hash = identity::hash_password(password, cost_of(parts_->config));
  parts_->db.transact_blocking([&](Tx& tx) {
    const auto known = identity::find_credential(tx, from_text<Email>(email));
    if (!known) throw Error(Code::not_found, "nobody has this mail address");
    identity::set_password(tx, *known, hash, {});
  });
}

}  // namespace bottega
