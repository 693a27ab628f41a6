#include "feed.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "load.hpp"
#include "shops.hpp"
#include "bottega/catalog/feeds.hpp"
#include "bottega/core/text.hpp"

namespace bottega::bench {
namespace {

// The lines with an error, in the order of the report, each once.
std::vector<std::int64_t> lines_of_report(Client& client, const std::string& import) {
  std::vector<std::int64_t> lines;
  std::istringstream report(
      client.call(http::verb::get, "/v1/feed_imports/" + import + "/report?format=csv"));
  std::string text;
  std::getline(report, text);  // the head
  while (std::getline(report, text)) {
    const auto comma = text.find(',');
    if (comma == text.npos || !text.substr(comma + 1).starts_with("error")) continue;
    const auto line = std::stoll(text);
    if (lines.empty() || lines.back() != line) lines.push_back(line);
  }
  return lines;
}

// What differs, and nothing where the report is exactly right. It has the first ten thousand.
std::vector<std::string> wrong_lines(std::vector<std::int64_t> made,
                                     std::vector<std::int64_t> reported) {
  std::ranges::sort(reported);
  if (std::ssize(reported) >= catalog::kFeedReportMax) made.resize(reported.size());
  std::vector<std::int64_t> missed, invented;
  std::ranges::set_difference(made, reported, std::back_inserter(missed));
  std::ranges::set_difference(reported, made, std::back_inserter(invented));
  std::vector<std::string> words;
  for (const auto line : missed) words.push_back("line " + std::to_string(line) + " was bad");
  for (const auto line : invented) words.push_back("line " + std::to_string(line) + " was good");
  words.resize(std::min<std::size_t>(words.size(), 10));
  return words;
}

std::string uuid_of(const std::string& shop) {
  return uuid_text(from_text<catalog::MerchantId>(shop).uuid);
}

std::vector<std::string> differences(const FeedBench& bench, const Server& server,
                                     const std::string& one, const std::string& two) {
  std::istringstream told(server.script_as_owner(bench.scripts + "/feed_compare.sql",
                                                 {{"one", uuid_of(one)}, {"two", uuid_of(two)}}));
  std::vector<std::string> lines;
  for (std::string line; std::getline(told, line);) lines.push_back(line);
  return lines;
}

// Something done with the server, with what it took.
struct Spent {
  double seconds = 0, server_s = 0, postgres_s = 0, before_mb = 0, peak_mb = 0;
};
template <class Work>
Spent spend(const Server& server, Work work) {
  server.settle_database();
  Spent spent;
  server.forget_peak();
  spent.before_mb = server.resident_mb();
  const auto before = server.cpu();
  const auto began = steady_clock::now();
  work();
  spent.seconds = seconds_since(began);
  const auto after = server.cpu();
  spent.server_s = after.server_s - before.server_s;
  spent.postgres_s = after.postgres_s - before.postgres_s;
  spent.peak_mb = server.peak_mb();
  return spent;
}

Json json_of(const Spent& spent, std::int64_t rows) {
  const auto count = static_cast<double>(rows);
  return {{"seconds", spent.seconds},
          {"rows_per_s", count / spent.seconds},
          {"server_cpu_us_per_row", spent.server_s * 1e6 / count},
          {"postgres_cpu_us_per_row", spent.postgres_s * 1e6 / count},
          {"resident_mb_before", spent.before_mb},
          {"peak_rss_mb", spent.peak_mb}};
}

// The first shop's import with its report.
struct First {
  Json told;
  std::vector<std::string> wrong;
};
First import_first(const Server& server, const std::string& token, const std::string& shop,
                   const std::filesystem::path& path, const FeedFile& file,
                   const FeedBench& bench) {
  Imported imported;
  const auto spent =
      spend(server, [&] { imported = import_feed(server, token, shop, path, bench.format); });
  Client client(server.port(), token);
  const auto reported = lines_of_report(client, imported.answer.at("id"));
  First out{json_of(spent, bench.rows), wrong_lines(file.bad_lines, reported)};
  const auto made = std::ssize(file.bad_lines);
  if (imported.answer.at("rows_bad") != made)
    out.wrong.push_back("rows_bad is " + imported.answer.at("rows_bad").dump());
  if (imported.answer.at("rows_good") != file.good)
    out.wrong.push_back("rows_good is " + imported.answer.at("rows_good").dump());
  out.told.update({{"upload_s", imported.upload_s},
                   {"check_s", imported.check_s},
                   {"write_s", imported.write_s},
                   {"bad_rows_made", made},
                   {"bad_rows_reported", imported.answer.at("rows_bad")},
                   {"lines_in_report", reported.size()},
                   {"lines_are_exact", out.wrong.empty()},
                   {"wrong_lines", out.wrong}});
  return out;
}

}  // namespace

Imported import_feed(const Server& server, const std::string& token, const std::string& shop,
                     const std::filesystem::path& file, const std::string& format) {
  Imported out;
  const auto began = steady_clock::now();
  Client client(server.port(), token);
  out.answer = client.upload("/v1/merchants/" + shop + "/feed_imports?on_error=skip",
                             media_type_of_feed(format), file);
  out.upload_s = seconds_since(began);
  const std::string path = "/v1/feed_imports/" + out.answer.at("id").get<std::string>();
  Alarm alarm;
  auto told = began;
  while (out.answer.at("ended_at").is_null()) {
    alarm.wait_for(std::chrono::milliseconds(50));
    out.answer = client.get(path);
    const std::string state = out.answer.at("state");
    if (state != "importing" && out.answer.at("ended_at").is_null())
      out.check_s = seconds_since(began) - out.upload_s;
    if (steady_clock::now() < told + std::chrono::seconds(5)) continue;
    told = steady_clock::now();
    say(state + ", " + out.answer.at("rows_read").dump() + " rows read, " +
        out.answer.at("rows_applied").dump() + " applied");
  }
  out.seconds = seconds_since(began);
  out.write_s = out.seconds - out.upload_s - out.check_s;
  if (out.answer.at("state") != "done")
    throw std::runtime_error("the import ended as " + out.answer.dump());
  return out;
}

void measure_feed(const FeedBench& bench) {
  const TemporaryFolder folder;
  const auto given = folder.path() / ("given." + bench.format);
  const auto taken = folder.path() / ("taken." + bench.format);
  FeedPlan plan;
  plan.rows = bench.rows;
  plan.format = bench.format;
  const auto file = write_feed(given, plan);
  say(std::to_string(bench.rows) + " rows, " + std::to_string(file.bytes >> 20) + " MB, " +
      std::to_string(file.bad_lines.size()) + " of them bad");
  const Server server(bench.binary, shop_settings());
  const auto owner = log_in(server, "owner@demo.example");
  const auto ops = log_in(server, "ops@demo.example");
  const auto one = open_shop(server, owner, ops, "One"), two = open_shop(server, owner, ops, "Two");
  const auto first = import_first(server, owner, one, given, file, bench);
  say("exporting");
  const auto out = spend(server, [&] {
    Client(server.port(), owner)
        .download("/v1/merchants/" + one + "/feed?format=" + bench.format, taken);
  });
  say("reading it back");
  Imported again;
  const auto back =
      spend(server, [&] { again = import_feed(server, owner, two, taken, bench.format); });
  say("comparing");
  auto different = differences(bench, server, one, two);
  if (again.answer.at("rows_bad") != 0)
    different.push_back("refused of the export: " + again.answer.at("rows_bad").dump());
  auto line = Json{{"name", "feed"},
                   {"format", bench.format},
                   {"rows", bench.rows},
                   {"bytes", file.bytes},
                   {"export", json_of(out, file.good)},
                   {"read_back", json_of(back, file.good)},
                   {"catalogues_are_equal", different.empty()},
                   {"differences", different}};
  line.update(first.told);
  std::printf("%s\n", line.dump().c_str());
  if (!first.wrong.empty()) throw std::runtime_error("the report is not right");
  if (!different.empty()) throw std::runtime_error("the catalogue that was read back is another");
}

}  // namespace bottega::bench
