#include "idle.hpp"

#include <chrono>
#include <cstdio>

#include "crowd.hpp"
#include "process.hpp"
#include "bottega/conversations/conversations.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::bench {
namespace {

using identity::Who;

constexpr int kPerTransaction = 500;

// Buyers of one shop, written by the product's own functions: signing up so many over HTTP would
// take longer than what is measured.
std::vector<Person> make_people(const Server& server, int count) {
  const Clock clock;
  DatabaseOptions options;
  options.url = "host=" + server.socket_dir().string() + " user=bottega_app dbname=bottega";
  options.threads = 1;
  Database db(options, clock);
  const auto sign_up = [](Tx& tx, const std::string& name) {
    Who who;
    who.kind = identity::Kind::person;
    who.account = identity::register_account(tx, from_text<Email>(name + "@idle.example"), name,
                                             "no password", std::nullopt)
                      .id;
    return who;
  };
  const auto merchant = db.transact_blocking([&](Tx& tx) {
    const auto shop = from_json<identity::NewMerchant>(
        {{"name", "Idle"}, {"country", "US"}, {"currency", "USD"}});
    return identity::create_merchant(tx, sign_up(tx, "owner"), shop, {0, 0}, "sandbox", "US").id;
  });
  const identity::TokenLife life{std::chrono::hours(1), std::chrono::hours(1)};
  std::vector<Person> people;
  while (static_cast<int>(people.size()) < count) {
    const auto more = db.transact_blocking([&](Tx& tx) {
      std::vector<Person> some;
      const auto first = static_cast<int>(people.size());
      for (int i = first; i < std::min(count, first + kPerTransaction); ++i) {
        const auto who = sign_up(tx, "buyer" + std::to_string(i));
        const auto tokens = identity::open_session(tx, who.account, {"bench", "127.0.0.1"}, life);
        const auto id = conversations::open(tx, who, {merchant}).conversation.id;
        const auto hello = from_json<conversations::NewMessage>({{"text", "Hello"}});
        const auto said = conversations::send(tx, who, id, hello);
        some.push_back({tokens.access_token, text_of(id), said.seq});
      }
      return some;
    });
    people.insert(people.end(), more.begin(), more.end());
  }
  return people;
}

std::vector<std::string> settings_of(bool is_tls, const TemporaryFolder& folder) {
  std::vector<std::string> settings = {"socket.ping_s=5", "http.connections_max=100000"};
  if (!is_tls) return settings;
  const std::string certificate = folder.path() / "certificate.pem",
                    key = folder.path() / "key.pem";
  run({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
       "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout",
       key, "-out", certificate});
  for (const auto& setting : {"tls.certificate=" + certificate, "tls.key=" + key})
    settings.push_back(setting);
  settings.emplace_back("tls.port=0");
  return settings;
}

}  // namespace

void measure_idle(const std::string& binary, int sockets, bool is_tls, bool json) {
  const TemporaryFolder folder;
  Server server(binary, settings_of(is_tls, folder));
  Crowd crowd(make_people(server, sockets), is_tls);
  server.restart();
  const auto empty_mb = server.resident_mb();
  const auto port = [&] { return is_tls ? server.tls_port() : server.port(); };
  const auto first_s = crowd.come(port());
  crowd.stay(2);
  const auto kb = (server.resident_mb() - empty_mb) * 1024 / sockets;
  crowd.stay(12);
  const auto pings = crowd.pings();
  server.restart();
  crowd.see_off();
  server.settle_database();
  const auto before = server.cpu();
  const auto back_s = crowd.come(port());
  const auto after = server.cpu();
  const auto database = (after.postgres_s - before.postgres_s) / back_s;
  const auto refused = crowd.refusals();
  if (json)
    std::printf(
        "{\"sockets\":%d,\"tls\":%s,\"kb_per_socket\":%.1f,\"pings_answered\":%zu,"
        "\"connect_s\":%.2f,\"reconnect_s\":%.2f,\"database_cores_busy\":%.2f,"
        "\"server_cpu_s\":%.2f,\"refusals\":%zu}\n",
        sockets, is_tls ? "true" : "false", kb, pings, first_s, back_s, database,
        after.server_s - before.server_s, refused);
  else
    std::printf(
        "%d idle sockets%s: %.1f KB each, %zu pings answered; all connected in %.2f s\n"
        "after a restart all were back in %.2f s; PostgreSQL took %.2f of a core then, the "
        "server %.2f s of processor time; %zu tries were refused\n",
        sockets, is_tls ? " over TLS" : "", kb, pings, first_s, back_s, database,
        after.server_s - before.server_s, refused);
}

}  // namespace bottega::bench
