// What may not be written, where, and why; each ban is tried on planted samples first.
#include <map>

#include "tidy/sources.hpp"

namespace bottega::test {
namespace bans_test {

struct Allowed {
  std::string path;  // a file, or the beginning of a path
  const char* why;
};
struct Ban {
  const char* name;
  std::vector<std::string> roots;  // where it holds
  std::vector<std::string>
      needles;  // one of them is in every line that is looked at: this is quick
  std::string pattern;
  std::vector<Allowed> except;
  std::vector<std::string> bad, good;  // samples
};
void PrintTo(const Ban& ban, std::ostream* out) { *out << ban.name; }

const std::vector<std::string> kCode = {"src/", "include/", "tests/", "bench/"};
const std::vector<std::string> kProduct = {"src/", "include/"};
const std::vector<std::string> kMoney = {"src/ledger/",
                                         "src/payments/",
                                         "src/payouts/",
                                         "src/orders/",
                                         "src/attempts/",
                                         "src/wallet/",
                                         "include/bottega/wallet/",
                                         "include/bottega/ledger/",
                                         "src/processors/",
                                         "src/core/money.cpp",
                                         "include/bottega/payments/",
                                         "src/pricing/",
                                         "include/bottega/pricing/",
                                         "include/bottega/payouts/",
                                         "include/bottega/core/money.hpp"};
const std::vector<std::string> kAll = {"src/",     "include/", "tests/", "bench/", "migrations/",
                                       "scripts/", "docker/",  "cmake/", "config/"};

const Ban kBans[] = {
    {"TheDriverOutsideStorage",
     kCode,
     {"pqxx"},
     "#include <pqxx/",
     {{"src/storage/", "it hides the driver"},
      {"tests/support/cluster.cpp", "makes databases before there is a schema"},
      {"tests/soak/", "looks at the books from outside"},
      {"bench/writers.cpp", "compares ways to write that the product does not offer"}},
     {"#include <pqxx/pqxx>", "#include <pqxx/nontransaction>"},
     {"#include \"bottega/storage/tx.hpp\"", "// not pqxx"}},
    {"BeastOutsideTheGateway",
     kCode,
     {"beast"},
     "#include <boost/beast",
     {{"src/gateway/", "it hides the wire"},
      {"src/outbound/", "speaks HTTP to other servers"},
      {"tests/support/http", "a client from outside"},
      {"tests/http/", "a client over TLS, which the others have no need of"},
      {"tests/fuzz/targets/socket.cpp", "gives bytes to the real framing"},
      {"bench/", "a client from outside"}},
     {"#include <boost/beast/http.hpp>", "#include <boost/beast.hpp>"},
     {"#include <boost/asio/post.hpp>"}},
    {"SpdlogOutsideTheLog",
     kCode,
     {"spdlog"},
     "#include <spdlog/",
     {{"src/core/log.cpp", "it costs seconds per file"}},
     {"#include <spdlog/spdlog.h>"},
     {"#include \"bottega/core/log.hpp\""}},
    {"Sleeping",
     kCode,
     {"sleep"},
     R"(\bsleep_(for|until)\b|\b(usleep|nanosleep|sleep)\()",
     {{"src/storage/session.cpp",
       "waits for another process to die, on a database thread of its own, with a deadline"},
      {"bench/main.cpp", "a measurement lasts as long as it lasts"}},
     {"std::this_thread::sleep_for(1s);", "std::this_thread::sleep_until(end);", "::sleep(1);",
      "usleep(10);"},
     {"timer.expires_after(1s);", "// never sleeps", "wait_asleep(1)"}},
    {"TheSystemClock",
     kProduct,
     {"system_clock::now", "time(nullptr)", "gettimeofday", "clock_gettime"},
     R"(system_clock::now|\btime\(nullptr\)|gettimeofday|clock_gettime)",
     {{"src/core/clock.cpp", "it is the clock"},
      {"src/core/log.cpp", "a log line is dated by the machine, whatever the test clock says"},
      {"src/core/typeid.cpp", "ids sort by the machine's time, so that they never go back"},
      {"src/processors/sandbox_webhooks.cpp", "a processor signs by the machine's time"}},
     {"auto now = std::chrono::system_clock::now();", "time(nullptr)"},
     {"tx.now()", "steady_clock::now()", "app.clock.now()"}},
    {"NotesToOurselves",
     kAll,
     {"TO"
      "DO",
      "FIX"
      "ME"},
     "\\b(TO"
     "DO|FIX"
     "ME)\\b",
     {},
     {"// TO"
      "DO: later",
      "-- FIX"
      "ME"},
     {"mastodon", "// METHOD"}},
    {"AbsolutePaths",
     kAll,
     {"/wo"
      "rk",
      "/ho"
      "me",
      "/ro"
      "ot",
      "/Us"
      "ers"},
     "(^|[^A-Za-z0-9_.~}/-])/(wo"
     "rk|ho"
     "me|ro"
     "ot|Us"
     "ers)(/|\\b)",
     {},
     {"\"/wo"
      "rk/main\"",
      "cd /ho"
      "me/pat",
      "see /ro"
      "ot/x",
      "(/Us"
      "ers/pat)"},
     {"\"/v1/work\"", "net/work", "https://shop.example/home"}},
    {"SelectingEverything",
     {"src/", "include/", "migrations/", "bench/", "scripts/"},
     {"*", "RETURNING"},
     R"((SELECT|RETURNING)\s+(\w+\.)?\*)",
     {},
     {"SELECT * FROM orders", "SELECT o.* FROM orders o", "RETURNING *"},
     {"SELECT count(*) FROM orders", "SELECT a * b"}},
    {"PagingByOffset",
     kAll,
     {"OFFSET"},
     R"(\bOFFSET\b(?! 0\b))",
     {},
     {"LIMIT 10 OFFSET 20", "OFFSET $3"},
     {"clock_offset", "offset_us", "WHERE p.id = $1 OFFSET 0)"}},
    {"SqlPutTogether",
     kProduct,
     {"SELECT", "INSERT INTO", "UPDATE", "DELETE FROM", "WHERE", "ORDER BY", "VALUES"},
     R"re("[^"]*\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|ORDER BY|VALUES)\b[^"]*"\s*\+)re"
     R"re(|\+\s*"[^"]*\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|ORDER BY|VALUES)\b)re",
     {{"src/storage/", "migrations and roles have names for parameters"}},
     {R"("SELECT id FROM orders WHERE id = '" + id + "'")", R"(text + " WHERE name = '")",
      R"(const auto sql = "DELETE FROM " + table;)"},
     {R"x(const Sql<Order(OrderId)> k{"fetch", R"(SELECT id FROM orders WHERE id = $1)"};)x",
      R"("Operations on " + name)"}},
    {"FloatingPointNearMoney",
     kMoney,
     {"double", "float"},
     R"(^[^/"]*\b(double|float)\b)",
     {},
     {"double fee = 0.029;", "const float rate", "std::vector<double> v"},
     {"// never double", "\"double entry\"", "doubled(x)"}},
    {"LoopsOverAPartOfATemporary",
     kCode,
     {".items()", ".json()["},
     R"x(for \([^;]*[^:]:\s[^;]*\.json\(\)\["\w+"\]\)|)x"
     R"(for \(.*:\s*([\w:]+\.)*(?!at\()\w+\([^()]*\)\.items\(\))",
     {},
     {"for (auto& [name, value] : event().items()) {",
      "for (const auto& [a, b] : parse_json(text).items())",
      "for (auto& x : reply.json().items())",
      "for (const auto& x : reply.json()[\"data\"])",
      "for (const auto& x : api.get(path).json()[\"data\"]) {"},
     {"for (auto& [name, value] : json.items())",
      "for (auto& [name, value] : json.at(\"paths\").items())",
      "for (auto& [name, value] : json[\"paths\"].items())",
      "for (auto* who : both) EXPECT_EQ(who->get(path).json()[\"data\"], all)"}},
    {"RegularExpressionsInTheProduct",
     kProduct,
     {"regex"},
     "#include <(boost/)?regex",
     {},
     {"#include <regex>", "#include <boost/regex.hpp>"},
     {"// a regex is not linear"}},
    {"GuessableRandomNumbers",
     kProduct,
     {"rand", "mt19937"},
     R"(\bs?rand\(|\bmt19937|\bminstd_rand|\brandom_device)",
     {},
     {"std::mt19937 engine;", "int x = rand();", "std::random_device seed;"},
     {"fill_random(bytes)", "random_token(32)", "operand(1)"}},
};

bool begins_with_one_of(const std::string& path, const std::vector<std::string>& beginnings) {
  return std::ranges::any_of(beginnings, [&](auto& one) { return path.starts_with(one); });
}

const std::regex& compiled(const Ban& ban) {
  static std::map<std::string, std::regex> all;
  const auto found = all.find(ban.name);
  return found != all.end() ? found->second : all.emplace(ban.name, ban.pattern).first->second;
}

Findings banned_lines(const Ban& ban, const Source& source) {
  Findings found;
  if (!begins_with_one_of(source.path, ban.roots)) return found;
  const auto has_needle = [&](const std::string& text) {
    return std::ranges::any_of(ban.needles, [&](auto& one) { return text.find(one) != text.npos; });
  };
  if (!has_needle(source.text)) return found;
  std::size_t number = 0;
  for (const auto& line : lines_of(source.text)) {
    ++number;
    if (has_needle(line) && std::regex_search(line, compiled(ban)))
      found.push_back(finding(source, number, line));
  }
  return found;
}

// Everything but this suite, which holds the samples.
const std::vector<Source>& everything() {
  static const auto files = [] {
    auto all = sources(
        {"src", "include", "tests", "bench", "migrations", "scripts", "docker", "cmake", "config"});
    std::erase_if(all, [](const Source& file) { return file.path.starts_with("tests/tidy/"); });
    return all;
  }();
  return files;
}

class Bans : public testing::TestWithParam<Ban> {
 protected:
  const Ban& ban = GetParam();
  std::size_t count(const std::string& line) {
    return banned_lines(ban, {ban.roots.front() + "x.cpp", line + "\n"}).size();
  }
};

TEST_P(Bans, FindWhatIsPlanted) {
  for (const auto& line : ban.bad) EXPECT_EQ(count(line), 1u) << line;
  for (const auto& line : ban.good) EXPECT_EQ(count(line), 0u) << line;
  ASSERT_FALSE(ban.bad.empty());
  EXPECT_TRUE(banned_lines(ban, {"elsewhere/x.cpp", ban.bad.front()}).empty());
}

TEST_P(Bans, AreKept) {
  ASSERT_GE(everything().size(), 150u);
  Findings found;
  for (const auto& file : everything()) {
    const bool allowed = std::ranges::any_of(
        ban.except, [&](const Allowed& row) { return file.path.starts_with(row.path); });
    if (allowed) continue;
    const auto some = banned_lines(ban, file);
    found.insert(found.end(), some.begin(), some.end());
  }
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST_P(Bans, HaveNoExceptionThatIsNotNeeded) {
  for (const auto& row : ban.except) {
    const bool there = std::ranges::any_of(
        everything(), [&](const Source& file) { return file.path.starts_with(row.path); });
    if (!there) continue;
    const bool used = std::ranges::any_of(everything(), [&](const Source& file) {
      return file.path.starts_with(row.path) && !banned_lines(ban, file).empty();
    });
    EXPECT_TRUE(used) << row.path << ": " << row.why;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Bans, testing::ValuesIn(kBans),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace bans_test
}  // namespace bottega::test
