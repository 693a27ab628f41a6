// scripts/bench NAME: what an operation costs, side by side with pgbench doing the same inserts in
// the same database, in one run. Times are of the whole operation as its client sees it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <thread>

#include "browse.hpp"
#include "chat.hpp"
#include "client.hpp"
#include "echo.hpp"
#include "feed.hpp"
#include "idle.hpp"
#include "process.hpp"
#include "sale.hpp"
#include "shops.hpp"
#include "transfers.hpp"
#include "writers.hpp"

namespace bottega::bench {
namespace {

using std::chrono::steady_clock;

struct Row {
  std::string name;
  std::int64_t operations = 0;
  double seconds = 0, p50_ms = 0, p99_ms = 0, server_us = 0, postgres_us = 0;
};

Row row_of(const std::string& name, std::vector<double> times_ms, double seconds) {
  if (times_ms.empty()) throw std::runtime_error(name + ": nothing was done");
  std::ranges::sort(times_ms);
  return {name,
          static_cast<std::int64_t>(times_ms.size()),
          seconds,
          percentile(times_ms, 0.50),
          percentile(times_ms, 0.99),
          0,
          0};
}

// A conversation with an active merchant, and its two people.
struct Pair {
  std::string merchant, conversation;
};

struct Field {
  Server& server;
  int clients;
  double seconds;
  std::string owner, buyer;  // tokens
  std::vector<Pair> pairs;   // one per client
};

Pair open_pair(const Field& field, const std::string& ops) {
  const auto merchant = open_shop(field.server, field.owner, ops, "Bench");
  const auto id = Client(field.server.port(), field.buyer)
                      .post("/v1/conversations", {{"merchant_id", merchant}})
                      .at("id");
  return {merchant, id};
}

// Does `operation` again and again on every client at once; the first tenth of the time does not
// count.
using Operation = std::function<void()>;
Row measure(const Field& field, const std::string& name,
            const std::function<Operation(const Pair&)>& prepare) {
  std::vector<Operation> operations;
  for (const auto& pair : field.pairs) operations.push_back(prepare(pair));
  std::vector<std::vector<double>> times(operations.size());
  const auto warm = steady_clock::now() + std::chrono::duration<double>(field.seconds / 10);
  const auto end = warm + std::chrono::duration<double>(field.seconds);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < operations.size(); ++i)
    threads.emplace_back([&, i] {
      for (auto now = steady_clock::now(); now < end;) {
        operations[i]();
        const auto after = steady_clock::now();
        if (now >= warm)
          times[i].push_back(std::chrono::duration<double, std::milli>(after - now).count());
        now = after;
      }
    });
  std::this_thread::sleep_until(warm);
  const auto before = field.server.cpu();
  threads.clear();
  const auto spent = field.server.cpu();
  std::vector<double> all;
  for (const auto& part : times) all.insert(all.end(), part.begin(), part.end());
  auto row = row_of(name, std::move(all), field.seconds);
  row.server_us = (spent.server_s - before.server_s) * 1e6 / static_cast<double>(row.operations);
  row.postgres_us =
      (spent.postgres_s - before.postgres_s) * 1e6 / static_cast<double>(row.operations);
  return row;
}

Operation healthz(const Field& field, const Pair&) {
  auto client = std::make_shared<Client>(field.server.port());
  return [client] { client->call(http::verb::get, "/healthz"); };
}

// Sent by the buyer over REST and received by the merchant's device over its socket.
Operation message(const Field& field, const Pair& pair) {
  auto sender = std::make_shared<Client>(field.server.port(), field.buyer);
  auto receiver = std::make_shared<Listener>(field.server.port(), field.owner);
  const auto path = "/v1/conversations/" + pair.conversation + "/messages";
  return [=] {
    const auto mark = random_token(12);
    sender->post(path, {{"text", "Is the brass lamp still there? " + mark}});
    receiver->wait_for(mark);
  };
}

Json a_request(const Pair& pair) {
  return {{"conversation_id", pair.conversation},
          {"title", "Lamp"},
          {"description", "A lamp"},
          {"currency", "USD"},
          {"lines", {{{"name", "Lamp"}, {"quantity", 1}, {"unit_amount", 12'500}}}}};
}

Operation request(const Field& field, const Pair& pair) {
  auto owner = std::make_shared<Client>(field.server.port(), field.owner);
  return [=] { owner->post("/v1/payment_requests", a_request(pair)); };
}

// pgbench with a transaction log, so that its percentiles are as exact as ours.
Row pgbench(const Field& field, const std::string& name, const std::string& script) {
  const auto prefix = (field.server.socket_dir().parent_path() / ("pgbench-" + name)).string();
  field.server.settle_database();
  const auto before = field.server.cpu();
  field.server.pgbench(script, field.clients, field.seconds, {"-l", "--log-prefix=" + prefix});
  const auto spent = field.server.cpu();
  std::vector<double> times;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(prefix).parent_path())) {
    if (!entry.path().string().starts_with(prefix)) continue;
    std::ifstream file(entry.path());
    std::string client, number, micros, rest;
    while (file >> client >> number >> micros && std::getline(file, rest))
      times.push_back(std::stod(micros) / 1000);
  }
  auto row = row_of(name, std::move(times), std::max(1.0, field.seconds));
  row.postgres_us =
      (spent.postgres_s - before.postgres_s) * 1e6 / static_cast<double>(row.operations);
  return row;
}

void print_json(const Row& row) {
  const Json line = {{"name", row.name},
                     {"operations", row.operations},
                     {"per_second", static_cast<double>(row.operations) / row.seconds},
                     {"p50_ms", row.p50_ms},
                     {"p99_ms", row.p99_ms},
                     {"server_cpu_us", row.server_us},
                     {"postgres_cpu_us", row.postgres_us}};
  std::printf("%s\n", line.dump().c_str());
}

void print_table(const std::vector<Row>& rows) {
  std::printf("%-28s %10s %9s %9s %12s %12s\n", "", "per second", "p50 ms", "p99 ms", "server CPU",
              "postgres CPU");
  for (const auto& row : rows)
    std::printf("%-28s %10.0f %9.2f %9.2f %9.0f us %9.0f us\n", row.name.c_str(),
                static_cast<double>(row.operations) / row.seconds, row.p50_ms, row.p99_ms,
                row.server_us, row.postgres_us);
  const auto find = [&](const std::string& name) {
    return std::ranges::find(rows, name, &Row::name);
  };
  for (const std::string name : {"message", "request"}) {
    const auto ours = find(name), theirs = find("pgbench " + name);
    if (ours == rows.end() || theirs == rows.end()) continue;
    const double share = (static_cast<double>(ours->operations) / ours->seconds) /
                         (static_cast<double>(theirs->operations) / theirs->seconds);
    std::printf("%s: %.0f %% of what pgbench does per second, %.1f times its p50\n", name.c_str(),
                share * 100, ours->p50_ms / theirs->p50_ms);
  }
}

struct Given {
  std::string name = "all", binary = "build/release/bottega", scripts = "bench", format = "csv";
  int clients = 8, pairs = 64, window = 8, sockets = 10'000;
  std::int64_t rows = 200'000, products = 100'000, orders = 100'000;
  std::vector<int> buyers = {8, 32};
  double seconds = 5, rate = 200;
  bool json = false, tls = false;
};

void measure_all(const Given& given) {
  Server server(given.binary);
  Field field{server,
              given.clients,
              given.seconds,
              log_in(server, "owner@demo.example"),
              log_in(server, "buyer@demo.example"),
              {}};
  const auto ops = log_in(server, "ops@demo.example");
  for (int i = 0; i < given.clients; ++i) field.pairs.push_back(open_pair(field, ops));
  struct Scenario {
    std::string name;
    std::function<Row()> run;
  };
  const auto of = [&](const std::string& name, Operation (*prepare)(const Field&, const Pair&)) {
    return Scenario{name, [&field, name, prepare] {
                      return measure(field, name,
                                     [&](const Pair& pair) { return prepare(field, pair); });
                    }};
  };
  const auto pg = [&](const std::string& name) {
    return Scenario{"pgbench " + name, [&field, &given, name] {
                      auto row = pgbench(field, name, given.scripts + "/" + name + ".sql");
                      row.name = "pgbench " + name;
                      return row;
                    }};
  };
  std::vector<Row> rows;
  for (const auto& scenario : {of("healthz", healthz), of("message", message), pg("message"),
                               of("request", request), pg("request")}) {
    const bool wanted = given.name == "all" || scenario.name.ends_with(given.name);
    if (!wanted) continue;
    rows.push_back(scenario.run());
    if (given.json) print_json(rows.back());
  }
  if (!given.json) print_table(rows);
}

void read_options(CLI::App& cli, Given& given) {
  cli.add_option("name", given.name,
                 "chat, idle, writers, transfers, feed, browse, sale, healthz, message, request or "
                 "all (of the last three)")
      ->check(CLI::IsMember({"chat", "idle", "writers", "transfers", "feed", "browse", "sale",
                             "healthz", "message", "request", "all", "echo-server"}));
  cli.add_option("--pairs", given.pairs, "chat: people who write to each other")
      ->check(CLI::Range(1, 1'000));
  cli.add_option("--window", given.window, "chat: messages of one person that may be unanswered")
      ->check(CLI::Range(1, 64));
  cli.add_option("--sockets", given.sockets, "idle: how many")->check(CLI::Range(1, 25'000));
  cli.add_flag("--tls", given.tls, "idle: over TLS");
  cli.add_option("--rows", given.rows, "feed: of the file")
      ->check(CLI::Range(std::int64_t{100}, std::int64_t{100'000'000}));
  cli.add_option("--format", given.format, "feed: csv, tsv or xml")
      ->check(CLI::IsMember({"csv", "tsv", "xml"}));
  cli.add_option("--products", given.products, "browse, sale: in the database")
      ->check(CLI::Range(std::int64_t{10'000}, std::int64_t{10'000'000}));
  cli.add_option("--orders", given.orders, "sale: in the database")
      ->check(CLI::Range(std::int64_t{1'000}, std::int64_t{10'000'000}));
  cli.add_option("--buyers", given.buyers, "sale: how many at once, one run after the other")
      ->delimiter(',')
      ->check(CLI::Range(1, 500));
  cli.add_option("--rate", given.rate, "browse: requests a second")
      ->check(CLI::Range(1.0, 100'000.0));
  cli.add_option("--clients", given.clients, "Connections at once")->check(CLI::Range(1, 100));
  cli.add_option("--seconds", given.seconds, "How long each is measured")
      ->check(CLI::Range(0.5, 600.0));
  cli.add_option("--binary", given.binary, "The server");
  cli.add_flag("--json", given.json,
               "One JSON object per line; feed, browse and sale print nothing else");
}

void measure_named(const Given& given) {
  if (given.name == "chat")
    measure_chat(
        {given.binary, given.scripts, given.pairs, given.window, given.seconds, given.json});
  else if (given.name == "idle")
    measure_idle(given.binary, given.sockets, given.tls, given.json);
  else if (given.name == "transfers")
    measure_transfers(given.binary, given.seconds, given.json);
  else if (given.name == "writers")
    measure_writers(given.binary, given.pairs, given.seconds);
  else if (given.name == "feed")
    measure_feed({given.binary, given.scripts, given.format, given.rows});
  else if (given.name == "browse")
    measure_browse({given.binary, given.products, given.rate, given.seconds});
  else if (given.name == "sale")
    measure_sale(
        {given.binary, given.scripts, given.products, given.orders, given.buyers, given.seconds});
  else
    measure_all(given);
}

}  // namespace
}  // namespace bottega::bench

int main(int argc, char** argv) {
  bottega::bench::Given given;
  CLI::App cli{"What an operation costs, beside pgbench doing the same inserts."};
  bottega::bench::read_options(cli, given);
  CLI11_PARSE(cli, argc, argv);
  try {
    if (given.name == "echo-server") return bottega::bench::serve_echo();
    bottega::bench::measure_named(given);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench: %s\n", failure.what());
    return 1;
  }
  return 0;
}
