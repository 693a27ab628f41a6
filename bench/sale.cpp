#include "sale.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

#include "market.hpp"

namespace bottega::bench {
namespace {

// Counters of the database are written down by idle sessions after this long.
constexpr auto kCountersAfter = std::chrono::seconds(11);

using StepTimes = std::array<Times, kStepCount>;

struct Sales {
  int buyers = 0;
  double seconds = 0;
  std::int64_t counted = 0, all = 0;  // with those of the beginning, which does not count
  Server::Cpu cpu{};                  // of what was counted
  StepTimes steps;
  Times whole;
};

// What one buyer has done.
struct Part {
  std::int64_t all = 0;
  StepTimes steps;
  Times whole;
  std::string failure;
};

void sell_until(const Market& market, std::size_t number, steady_clock::time_point warm,
                steady_clock::time_point end, Part& part) {
  Seller seller(market, market.buyers().at(number), number + 1);
  for (auto now = steady_clock::now(); now < end; now = steady_clock::now()) {
    const auto times = seller.sell();
    ++part.all;
    if (now < warm) continue;
    double whole = 0;
    for (std::size_t i = 0; i < kStepCount; ++i) {
      part.steps[i].push_back(times[i]);
      whole += times[i];
    }
    part.whole.push_back(whole);
  }
}

void add(Times& all, const Times& some) { all.insert(all.end(), some.begin(), some.end()); }

// As many buyers at once, each with one sale after the other; the first tenth of the time does not
// count.
Sales run(const Market& market, int buyers, double seconds) {
  Sales sales;
  sales.buyers = buyers;
  std::vector<Part> parts(static_cast<std::size_t>(buyers));
  const auto warm = steady_clock::now() + seconds_of(seconds / 10);
  const auto end = warm + seconds_of(seconds);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < parts.size(); ++i)
      threads.emplace_back([&, i] {
        try {
          sell_until(market, i, warm, end, parts[i]);
        } catch (const std::exception& failure) {
          parts[i].failure = failure.what();
        }
      });
    Alarm().wait_until(warm);
    sales.cpu = market.server().cpu();
  }
  const auto after = market.server().cpu();
  sales.cpu = {after.server_s - sales.cpu.server_s, after.postgres_s - sales.cpu.postgres_s};
  sales.seconds = seconds_since(warm);
  for (const auto& part : parts) {
    if (!part.failure.empty()) throw std::runtime_error("somebody was shown: " + part.failure);
    sales.all += part.all;
    add(sales.whole, part.whole);
    for (std::size_t i = 0; i < kStepCount; ++i) add(sales.steps[i], part.steps[i]);
  }
  sales.counted = std::ssize(sales.whole);
  if (sales.counted == 0) throw std::runtime_error("nothing was sold");
  return sales;
}

Json json_of(const Sales& sales) {
  const auto count = static_cast<double>(sales.counted);
  const double server_ms = sales.cpu.server_s * 1e3 / count;
  const double postgres_ms = sales.cpu.postgres_s * 1e3 / count;
  Json steps = Json::object();
  for (std::size_t i = 0; i < kStepCount; ++i) steps[kSteps[i]] = summary_of(sales.steps[i]);
  return {{"buyers", sales.buyers},
          {"sales", sales.counted},
          {"sales_per_s", count / sales.seconds},
          {"http_calls_per_sale", kStepCount},
          {"cpu_ms_per_sale", server_ms + postgres_ms},
          {"server_cpu_ms_per_sale", server_ms},
          {"postgres_cpu_ms_per_sale", postgres_ms},
          {"server_cpu_ms_per_100_sales", server_ms * 100},
          {"postgres_cpu_ms_per_100_sales", postgres_ms * 100},
          {"sale", summary_of(sales.whole)},
          {"steps", steps}};
}

// How much longer each step takes in the large database.
Json ratio_of(const Sales& large, const Sales& small) {
  Json out = Json::object();
  for (std::size_t i = 0; i < kStepCount; ++i)
    out[kSteps[i]] = median_of(large.steps[i]) / median_of(small.steps[i]);
  out["sale"] = median_of(large.whole) / median_of(small.whole);
  return out;
}

std::vector<Sales> run_all(const Market& market, const SaleBench& bench, const std::string& where) {
  std::vector<Sales> all;
  for (const int buyers : bench.buyers) {
    market.server().settle_database();
    all.push_back(run(market, buyers, bench.seconds));
    say(std::to_string(buyers) + " buyers in " + where + ": " +
        std::to_string(static_cast<double>(all.back().counted) / all.back().seconds) +
        " sales a second");
  }
  market.audit();
  return all;
}

struct Counted {
  double transactions = 0, statements = 0, at_s = 0;
};
Counted counters_of(const Server& server, bool has_statements) {
  Alarm().wait_for(kCountersAfter);
  const auto number = [&](const std::string& sql) { return std::stod(server.as_owner(sql)); };
  Counted out;
  out.transactions = number("SELECT xact_commit FROM pg_stat_database WHERE datname = 'bottega'");
  if (has_statements) out.statements = number("SELECT sum(calls) FROM counting.pg_stat_statements");
  out.at_s = std::chrono::duration<double>(steady_clock::now().time_since_epoch()).count();
  return out;
}

// What the database is asked to do for a sale, BEGIN and COMMIT too, without what the server asks
// it by itself: in a run of its own, for counting costs time.
Json count(Market& market, const SaleBench& bench) {
  say("counting statements");
  const bool has_statements = market.server().count_statements();
  if (has_statements) market.server().restart();
  market.server().settle_database();
  const auto idle = counters_of(market.server(), has_statements);
  const auto before = counters_of(market.server(), has_statements);
  const auto sales = run(market, bench.buyers.back(), std::max(2.0, bench.seconds / 3));
  const auto after = counters_of(market.server(), has_statements);
  const auto per_sale = [&](double Counted::*number) {
    const auto by_itself =
        (before.*number - idle.*number) / (before.at_s - idle.at_s) * (after.at_s - before.at_s);
    return (after.*number - before.*number - by_itself) / static_cast<double>(sales.all);
  };
  Json out = {{"transactions_per_sale", per_sale(&Counted::transactions)},
              {"sales_of_these", sales.all}};
  if (has_statements) out["statements_per_sale"] = per_sale(&Counted::statements);
  return out;
}

}  // namespace

void measure_sale(const SaleBench& bench) {
  MarketPlan plan{bench.binary, bench.scripts, 0, 0, std::ranges::max(bench.buyers)};
  std::vector<Sales> small;
  {
    const Market market(plan);
    small = run_all(market, bench, "an empty database");
  }
  plan.products = bench.products;
  plan.orders = bench.orders;
  Market market(plan);
  const auto large = run_all(market, bench, "a large database");
  const auto counted = count(market, bench);
  market.audit();
  Json runs = Json::array(), empty = Json::array();
  double worst = 0;
  for (std::size_t i = 0; i < large.size(); ++i) {
    auto told = json_of(large[i]);
    told["step_ratio"] = ratio_of(large[i], small[i]);
    for (const auto* step : kSteps) worst = std::max(worst, told["step_ratio"][step].get<double>());
    runs.push_back(std::move(told));
    empty.push_back(json_of(small[i]));
  }
  // The figures of the last run, which has most buyers, are those of the whole.
  auto line = runs.back();
  line.update({{"name", "sale"},
               {"products", bench.products},
               {"orders", bench.orders},
               {"books_balance", true},
               {"worst_step_ratio", worst},
               {"runs", runs},
               {"runs_in_an_empty_database", empty}});
  line.update(counted);
  std::printf("%s\n", line.dump().c_str());
}

}  // namespace bottega::bench
