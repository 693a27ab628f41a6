#include "chat.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client.hpp"
#include "flood.hpp"
#include "pairs.hpp"
#include "process.hpp"

namespace bottega::bench {
namespace {

constexpr std::size_t kTextBytes = 200;
constexpr double kOpenLoopPerSecond = 1'000;

struct Figure {
  double per_second = 0, server_us = 0, postgres_us = 0, p50_ms = 0, p99_ms = 0;
};

Figure figure_of(FloodCount count) {
  std::ranges::sort(count.times_ms);
  return {static_cast<double>(count.times_ms.size()) / count.seconds, 0, 0,
          percentile(count.times_ms, 0.5), percentile(count.times_ms, 0.99)};
}

// 200 bytes that say who sent them and when.
std::string text_of(std::size_t client, std::uint64_t now) {
  char head[48];
  std::snprintf(head, sizeof head, "t=%016llx c=%05zu ", static_cast<unsigned long long>(now),
                client);
  std::string text = head;
  text.resize(kTextBytes, 'x');
  return text;
}

struct Mark {
  std::uint64_t sent_ns;
  std::size_t client;
};

Mark mark_of(std::string_view frame) {
  const auto at = frame.find("t=");
  if (at == frame.npos) throw std::runtime_error("a frame without a mark: " + std::string(frame));
  return {std::stoull(std::string(frame.substr(at + 2, 16)), nullptr, 16),
          std::stoul(std::string(frame.substr(at + 21, 5)))};
}

Meaning read_echo(std::size_t, std::string_view frame) {
  return {true, true, mark_of(frame).sent_ns};
}

// A reply to the sender, or the event that carries the message to both sides.
Meaning read_chat(std::size_t client, std::string_view frame) {
  if (frame.find("\"status\":") != frame.npos) {
    if (frame.find("\"status\":201") == frame.npos)
      throw std::runtime_error("refused: " + std::string(frame));
    return {true, false, 0};
  }
  if (frame.find("\"event\":\"message.created\"") == frame.npos) return {};
  const auto mark = mark_of(frame);
  return {false, mark.client != client, mark.sent_ns};
}

Figure echo_floor(const ChatPlan& plan) {
  const Echo echo;
  Flood flood;
  for (int i = 0; i < 2 * plan.pairs; ++i) flood.add(echo.port(), "/", "", "");
  double before = 0, after = 0;
  const FloodPlan load{static_cast<std::size_t>(plan.window), 0, plan.seconds};
  const auto count =
      flood.run(load, text_of, read_echo, [&] { before = std::exchange(after, echo.cpu_s()); });
  auto figure = figure_of(count);
  figure.server_us = (after - before) * 1e6 / static_cast<double>(count.times_ms.size());
  return figure;
}

Figure pgbench(const ChatPlan& plan, const Server& server, const std::string& script,
               double per_transaction) {
  server.settle_database();
  const auto before = server.cpu();
  const auto told = server.pgbench(plan.scripts + "/" + script, 32, plan.seconds);
  const auto spent = server.cpu();
  const auto number_after = [&](const std::string& words) {
    const auto at = told.find(words);
    if (at == told.npos) throw std::runtime_error("pgbench said: " + told);
    return std::stod(told.substr(at + words.size()));
  };
  const double rows = number_after("actually processed: ") * per_transaction;
  return {number_after("tps = ") * per_transaction, 0,
          (spent.postgres_s - before.postgres_s) * 1e6 / rows, number_after("latency average = "),
          0};
}

// What the machine itself gives at the rate of the open loop: the same rows, one a transaction;
// after a tenth of the time that is not counted.
Figure pgbench_open(const ChatPlan& plan, const Server& server) {
  const TemporaryFolder folder;
  server.settle_database();
  const auto before = server.cpu();
  server.pgbench(plan.scripts + "/chat_one.sql", 32, plan.seconds,
                 {"--rate=" + std::to_string(static_cast<int>(kOpenLoopPerSecond)), "--log",
                  "--log-prefix=" + (folder.path() / "pgbench").string()});
  const auto spent = server.cpu();
  struct Row {
    double at_s, time_ms;
  };
  std::vector<Row> rows;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    std::ifstream log(entry.path());
    double client = 0, number = 0, time_us = 0, script = 0, at_s = 0, at_us = 0, lag_us = 0;
    while (log >> client >> number >> time_us >> script >> at_s >> at_us >> lag_us)
      rows.push_back({at_s + at_us / 1e6, time_us / 1e3});
  }
  if (rows.empty()) throw std::runtime_error("pgbench has left no log");
  const double warm = std::ranges::min(rows, {}, &Row::at_s).at_s + plan.seconds / 10;
  FloodCount count;
  count.seconds = plan.seconds * 9 / 10;
  for (const auto& row : rows)
    if (row.at_s >= warm) count.times_ms.push_back(row.time_ms);
  auto figure = figure_of(std::move(count));
  figure.postgres_us =
      (spent.postgres_s - before.postgres_s) * 1e6 / static_cast<double>(rows.size());
  return figure;
}

class Field {
 public:
  Field(const Server& server, int pairs) : server_(server), pairs_(make_pairs(server, pairs)) {}

  void connect(Flood& flood) const {
    for (const auto& pair : pairs_)
      for (const auto& token : {pair.owner_token, pair.buyer_token})
        flood.add(server_.port(), "/v1/socket", token,
                  R"({"id":"r","method":"RESUME","positions":{}})");
  }
  std::string compose(std::size_t client, std::uint64_t now) {
    const auto id = std::to_string(++sent_);
    return R"({"id":")" + id + R"(","method":"POST","path":"/v1/conversations/)" +
           pairs_[client / 2].conversation + R"(/messages","body":{"client_id":")" + id +
           R"(","text":")" + text_of(client, now) + R"("}})";
  }
  std::uint64_t sent() const { return sent_; }

 private:
  const Server& server_;
  const std::vector<Pair> pairs_;
  std::uint64_t sent_ = 0;
};

Figure chat(const ChatPlan& plan, const Server& server, Field& field, double per_second) {
  Flood flood;
  field.connect(flood);
  Server::Cpu before{}, after{};
  const FloodPlan load{static_cast<std::size_t>(plan.window), per_second, plan.seconds};
  server.settle_database();
  const auto count = flood.run(
      load, [&](std::size_t client, std::uint64_t now) { return field.compose(client, now); },
      read_chat, [&] { before = std::exchange(after, server.cpu()); });
  const auto counted = static_cast<double>(count.times_ms.size());
  auto figure = figure_of(count);
  figure.server_us = (after.server_s - before.server_s) * 1e6 / counted;
  figure.postgres_us = (after.postgres_s - before.postgres_s) * 1e6 / counted;
  return figure;
}

// Every message that was answered must be in the database, once.
void check_rows(const Server& server, std::uint64_t sent) {
  const auto rows = std::stoull(
      server.query("SELECT count(*) FROM bottega.entries WHERE data->>'text' LIKE 't=%'"));
  if (rows != sent)
    throw std::runtime_error(std::to_string(sent) + " messages were sent, the database has " +
                             std::to_string(rows));
}

Json json_of(const Figure& figure) {
  return {{"per_second", figure.per_second},
          {"server_cpu_us", figure.server_us},
          {"postgres_cpu_us", figure.postgres_us},
          {"p50_ms", figure.p50_ms},
          {"p99_ms", figure.p99_ms}};
}

void print(const std::string& name, const Figure& figure) {
  std::printf("%-34s %9.0f/s %8.1f us %8.1f us %9.2f %9.2f\n", name.c_str(), figure.per_second,
              figure.server_us, figure.postgres_us, figure.p50_ms, figure.p99_ms);
  std::fflush(stdout);
}

}  // namespace

void measure_chat(const ChatPlan& plan) {
  const auto say = [&](const std::string& name, const Figure& figure) {
    if (!plan.json) print(name, figure);
  };
  if (!plan.json)
    std::printf("%-34s %11s %11s %11s %9s %9s\n", "", "", "server CPU", "PG CPU", "p50 ms",
                "p99 ms");
  const auto echo = echo_floor(plan);
  say("Beast echo, 200 bytes", echo);
  const Server server(plan.binary, {"auth.password_ops=1", "auth.password_memory_bytes=8192",
                                    "auth.tries_per_address=100000"});
  Field field(server, plan.pairs);
  const auto one = pgbench(plan, server, "chat_one.sql", 1);
  say("pgbench, one a transaction", one);
  const auto batch = pgbench(plan, server, "chat_batch.sql", 64);
  say("pgbench, 64 a transaction", batch);
  const auto one_open = pgbench_open(plan, server);
  say("pgbench, 1,000 a second", one_open);
  // What pgbench has written is not for the search.
  server.query(
      "INSERT INTO bottega.search_positions SELECT merchant_id, id, 'simple', last_seq "
      "FROM bottega.conversations ON CONFLICT (merchant_id, conversation_id) DO UPDATE "
      "SET indexed_seq = excluded.indexed_seq");
  server.query("DELETE FROM bottega.search_due");
  // Before the rush of the closed loop, whose messages the search takes in for a minute afterwards.
  const auto open = chat(plan, server, field, kOpenLoopPerSecond);
  say("chat, 1,000 a second", open);
  const auto closed = chat(plan, server, field, 0);
  say("chat, window " + std::to_string(plan.window), closed);
  check_rows(server, field.sent());
  const double over_pgbench = closed.per_second / one.per_second;
  const double over_floor =
      (closed.server_us + closed.postgres_us) / (echo.server_us + batch.postgres_us);
  if (plan.json)
    std::printf("%s\n", Json({{"pairs", plan.pairs},
                              {"window", plan.window},
                              {"echo", json_of(echo)},
                              {"pgbench_one", json_of(one)},
                              {"pgbench_batch", json_of(batch)},
                              {"pgbench_open_loop", json_of(one_open)},
                              {"chat", json_of(closed)},
                              {"chat_open_loop", json_of(open)},
                              {"messages_per_s_over_pgbench", over_pgbench},
                              {"cpu_over_floor", over_floor},
                              {"resident_mb", server.resident_mb()}})
                            .dump()
                            .c_str());
  else
    std::printf("%.2f times the messages of pgbench, %.2f times the CPU of the floor\n",
                over_pgbench, over_floor);
}

}  // namespace bottega::bench
