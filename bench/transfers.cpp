// A transfer is two requests, each a transaction on disk: sent by one, accepted by the other. One
// transaction of TPC-B is three updates, a select and an insert.
#include "transfers.hpp"

#include <array>
#include <atomic>
#include <cstdio>
#include <thread>

#include "client.hpp"
#include "process.hpp"

namespace bottega::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kWallets = 8, kClients = 64;
constexpr std::int64_t kEach = 50'000'000;
constexpr const char* kPassword = "a bench password";

struct Person {
  std::string id, token;
};

Person open_wallet(const Server& server, std::size_t number) {
  Client guest(server.port());
  const auto email = "wallet" + std::to_string(number) + "@bench.example";
  const std::string id =
      guest.post("/v1/accounts", {{"email", email}, {"password", kPassword}, {"name", "Wallet"}})
          .at("id");
  const std::string token =
      guest.post("/v1/sessions", {{"email", email}, {"password", kPassword}}).at("access_token");
  Client(server.port(), token)
      .post("/v1/wallet/top_ups", {{"amount", kEach},
                                   {"currency", "USD"},
                                   {"payment_method", {{"token", "tok_approved"}}}});
  return {id, token};
}

// What all wallets have together; throws where one has less than nothing.
std::int64_t total_of(const Server& server, const std::vector<Person>& people) {
  std::int64_t total = 0;
  for (const auto& person : people)
    for (const auto& row : Client(server.port(), person.token).get("/v1/wallet").at("balances")) {
      const std::int64_t balance = row.at("balance");
      if (balance < 0 || row.at("available") < 0)
        throw std::runtime_error("a wallet is below zero");
      total += balance;
    }
  return total;
}

// One client: sends from one wallet to another, and accepts there, until the time is over.
std::int64_t transfer_until(const Server& server, const std::vector<Person>& people,
                            std::size_t number, steady_clock::time_point end) {
  const auto& from = people[number % kWallets];
  const auto& to = people[(number + 1 + number / kWallets % (kWallets - 1)) % kWallets];
  Client sender(server.port(), from.token), recipient(server.port(), to.token);
  std::int64_t done = 0;
  while (steady_clock::now() < end) {
    const Json gift = {
        {"to", {{"account_id", to.id}}}, {"amount", 1 + done % 100}, {"currency", "USD"}};
    const std::string id = sender.post("/v1/transfers", gift).at("id");
    recipient.post("/v1/transfers/" + id + "/accept", nullptr);
    ++done;
  }
  return done;
}

struct Rate {
  double per_second = 0, server_us = 0, postgres_us = 0;
};

Rate rate_of(std::int64_t done, double seconds, const Server::Cpu& before,
             const Server::Cpu& after) {
  const auto each = 1e6 / static_cast<double>(std::max<std::int64_t>(done, 1));
  return {static_cast<double>(done) / seconds, (after.server_s - before.server_s) * each,
          (after.postgres_s - before.postgres_s) * each};
}

Rate transfers(const Server& server, const std::vector<Person>& people, double seconds) {
  server.settle_database();
  const auto before = server.cpu();
  const auto end = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                             std::chrono::duration<double>(seconds));
  std::atomic<std::int64_t> done = 0;
  std::array<std::string, kClients> failures;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kClients; ++i)
      threads.emplace_back([&, i] {
        try {
          done += transfer_until(server, people, i, end);
        } catch (const std::exception& failure) {
          failures[i] = failure.what();
        }
      });
  }
  for (const auto& failure : failures)
    if (!failure.empty()) throw std::runtime_error("somebody was shown: " + failure);
  return rate_of(done, seconds, before, server.cpu());
}

// As many branches as there are wallets, so that as many rows are fought over.
Rate tpc_b(const Server& server, double seconds) {
  server.prepare_tpc_b(static_cast<int>(kWallets));
  server.settle_database();
  const auto before = server.cpu();
  const auto printed = server.tpc_b(static_cast<int>(kClients), seconds);
  const auto after = server.cpu();
  const auto at = printed.find("actually processed: ");
  if (at == printed.npos) throw std::runtime_error("pgbench printed: " + printed);
  return rate_of(std::stoll(printed.substr(at + 20)), seconds, before, after);
}

}  // namespace

void measure_transfers(const std::string& binary, double seconds, bool json) {
  const std::string most = "=1000000000000";
  Server server(binary,
                {"wallet.top_up_day_max" + most, "transfers.sent_day_max" + most,
                 "transfers.sent_month_max" + most, "transfers.received_day_max" + most,
                 "transfers.received_month_max" + most, "limits.connections_per_minute=100000",
                 "auth.tries_per_address=100000", "auth.fresh_login_s=86400"});
  std::vector<Person> people;
  for (std::size_t i = 0; i < kWallets; ++i) people.push_back(open_wallet(server, i));
  const auto before = total_of(server, people);
  const auto theirs = tpc_b(server, seconds);
  const auto ours = transfers(server, people, seconds);
  if (total_of(server, people) != before) throw std::runtime_error("money was made or lost");
  const auto ratio = ours.per_second / theirs.per_second;
  if (json) {
    const Json line = {{"name", "transfers"},
                       {"transfers_per_s", ours.per_second},
                       {"tpc_b_per_s", theirs.per_second},
                       {"transfers_per_s_over_tpc_b", ratio},
                       {"server_cpu_us", ours.server_us},
                       {"postgres_cpu_us", ours.postgres_us},
                       {"tpc_b_postgres_cpu_us", theirs.postgres_us}};
    std::printf("%s\n", line.dump().c_str());
    return;
  }
  std::printf("%-40s %10s %12s %12s\n", "64 clients, 8 wallets", "per second", "server CPU",
              "postgres CPU");
  std::printf("%-40s %10.0f %9.0f us %9.0f us\n", "pgbench TPC-B, 8 branches", theirs.per_second,
              theirs.server_us, theirs.postgres_us);
  std::printf("%-40s %10.0f %9.0f us %9.0f us\n", "transfers, sent and accepted over HTTP",
              ours.per_second, ours.server_us, ours.postgres_us);
  std::printf("%.2f of TPC-B; all wallets together have what they had\n", ratio);
}

}  // namespace bottega::bench
