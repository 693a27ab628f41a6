// Log lines: one well-formed JSON object each, whatever is written into them; and that a secret has
// no way into one.
#include "bottega/core/log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <thread>

#include "support/shared.hpp"
#include "bottega/core/id.hpp"
#include "bottega/core/money.hpp"

namespace bottega::test {
namespace core_log_test {

// What to_json can write, branch by branch; for a Secret none of them holds, so a log line, an
// answer or an event with one in it does not compile.
template <class T>
concept HasJsonForm = std::same_as<T, Json> || std::integral<T> || is_count<T>::value ||
    is_optional<T>::value || is_list<T>::value || is_vector<T>::value || Described<T> || Scalar<T>;
template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
template <class T>
concept HasText = requires(const T& value) {
  text_of(value);
};
template <class T>
concept HasForm = requires(const T& value) {
  Form<T>::text(value);
};

static_assert(HasJsonForm<std::string> && Printable<std::string> && HasText<std::string>);
static_assert(!HasJsonForm<Secret> && !Printable<Secret> && !HasText<Secret> && !HasForm<Secret>);
using Password = SecretText<1, 200>;
static_assert(!HasJsonForm<Password> && !Printable<Password> && !HasText<Password>);
static_assert(!std::is_constructible_v<Json, Secret> && !std::is_constructible_v<Json, Password>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_constructible_v<std::string, Secret>);
static_assert(!std::is_convertible_v<Secret, bool>);
static_assert(!std::is_convertible_v<std::string, Secret>, "a text becomes a secret by name only");
static_assert(!std::equality_comparable<Secret>, "secrets are compared in constant time");

TEST(SecretValue, IsRevealedByNameOnlyAndKnowsWhetherItIsEmpty) {
  EXPECT_TRUE(Secret().empty());
  EXPECT_EQ(Secret().reveal(), "");
  const Secret secret("hunter2");
  EXPECT_FALSE(secret.empty());
  EXPECT_EQ(secret.reveal(), "hunter2");
}

// Logs into a file of its own and goes back to the quiet standard error of the tests.
class LogFile : public testing::Test {
 protected:
  LogFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "bottega_log_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~LogFile() override {
    log::open(log::Level::error, "");
    std::filesystem::remove_all(folder_);
  }
  void open(log::Level least) { log::open(least, path()); }
  std::string path() const { return (folder_ / "lines").string(); }

  std::vector<nlohmann::ordered_json> lines() {
    log::open(log::Level::error, "");  // The file is closed and so complete.
    std::vector<nlohmann::ordered_json> out;
    std::ifstream file(path());
    for (std::string line; std::getline(file, line);)
      out.push_back(nlohmann::ordered_json::parse(line));
    return out;
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(LogFile, HasTheTimeTheLevelTheEventAndTheFieldsInTheirOrder) {
  open(log::Level::info);
  const Instant at = *parse_instant("2026-11-21T04:11:20.5Z");
  log::warning("payment.unknown", {{"payment", Id<"pay">{}},
                                   {"tries", 3},
                                   {"amount", Money{1250, parse_currency("USD")}},
                                   {"due", at},
                                   {"known", false},
                                   {"why", std::optional<std::string>()},
                                   {"words", std::string_view("no answer")},
                                   {"plain", "text"}});
  const auto written = lines();
  ASSERT_EQ(written.size(), 1u);
  const auto& line = written.front();
  std::vector<std::string> names;
  for (const auto& [name, value] : line.items()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"at", "level", "event", "payment", "tries", "amount",
                                             "due", "known", "why", "words", "plain"}));
  EXPECT_TRUE(parse_instant(line["at"].get<std::string>()));
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["event"], "payment.unknown");
  EXPECT_EQ(line["payment"], "pay_00000000000000000000000000");
  EXPECT_EQ(line["tries"], 3);
  EXPECT_EQ(line["amount"]["currency"], "USD");
  EXPECT_EQ(line["due"], "2026-11-21T04:11:20.500Z");
  EXPECT_EQ(line["known"], false);
  EXPECT_TRUE(line["why"].is_null());
  EXPECT_EQ(line["words"], "no answer");
  EXPECT_EQ(line["plain"], "text");
}

TEST_F(LogFile, IsOneWellFormedLinePerEventHoweverHostileItsTextIs) {
  std::vector<std::string> hostile{"a\nb",
                                   "a\r\nb",
                                   "\",\"level\":\"error\"}",
                                   "}\n{\"event\":\"forged\"}",
                                   "\\",
                                   "{}",
                                   "%v %s",
                                   "{fmt}",
                                   "\x1b[31mred",
                                   "\x7f",
                                   "\xe2\x80\xa8",
                                   std::string("a\0b", 3),
                                   std::string(100'000, 'x')};
  for (int c = 0; c < 0x20; ++c) hostile.emplace_back(1, static_cast<char>(c));
  open(log::Level::info);
  for (const auto& text : hostile) log::info("hostile", {{"text", text}, {text, 1}});
  for (const auto& text : hostile) log::info(text);
  const auto written = lines();
  ASSERT_EQ(written.size(), 2 * hostile.size());
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    EXPECT_EQ(written[i]["text"], hostile[i]);
    EXPECT_EQ(written[i]["event"], "hostile");
    EXPECT_EQ(written[hostile.size() + i]["event"], hostile[i]);
  }
}

TEST_F(LogFile, ReplacesWhatIsNotUtf8) {
  open(log::Level::info);
  log::info("bad", {{"text", std::string("a\xff"
                                         "b\xc3")}});
  const auto written = lines();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0]["text"],
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

struct Kept {
  log::Level least;
  std::vector<std::string> events;
};
TEST_F(LogFile, KeepsWhatIsAtLeastAsGraveAsItsLevel) {
  using log::Level;
  const Kept rows[] = {{Level::debug, {"d", "i", "w", "e"}},
                       {Level::info, {"i", "w", "e"}},
                       {Level::warning, {"w", "e"}},
                       {Level::error, {"e"}}};
  for (const auto& row : rows) {
    std::filesystem::remove(path());
    open(row.least);
    log::debug("d");
    log::info("i");
    log::warning("w");
    log::error("e");
    std::vector<std::string> events;
    for (const auto& line : lines()) events.push_back(line["event"].get<std::string>());
    EXPECT_EQ(events, row.events) << text_of(row.least);
  }
}

TEST_F(LogFile, IsAddedToWhenItIsOpenedAgain) {
  open(log::Level::info);
  log::info("first");
  ASSERT_EQ(lines().size(), 1u);
  open(log::Level::info);
  log::info("second");
  const auto written = lines();
  ASSERT_EQ(written.size(), 2u);
  EXPECT_EQ(written[1]["event"], "second");
}

TEST_F(LogFile, IsWrittenAtOnceFromInformationUpwards) {
  open(log::Level::info);
  log::info("seen");
  EXPECT_NE(read_file(path()).find("\"event\":\"seen\""), std::string::npos);
}

class LogConcurrency : public LogFile {};
TEST_F(LogConcurrency, NeverMixesTheLinesOfTwoThreads) {
  open(log::Level::info);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 250; ++i) log::info("tick", {{"thread", t}, {"i", i}});
    });
  for (auto& thread : threads) thread.join();
  std::array<int, 4> next{};
  const auto written = lines();
  ASSERT_EQ(written.size(), 1'000u);
  for (const auto& line : written)
    EXPECT_EQ(line["i"].get<int>(), next[line["thread"].get<std::size_t>()]++);
}

}  // namespace core_log_test
}  // namespace bottega::test
