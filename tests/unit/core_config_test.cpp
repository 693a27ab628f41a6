// Every row of the table of settings: its default, its bounds, its choices, its name in the
// environment, and that nothing secret is shown.
#include "bottega/core/config.hpp"

#include <gtest/gtest.h>

#include <set>

#include "bottega/core/json.hpp"

namespace bottega::test {
namespace core_config_test {

using Integer = std::int64_t Config::*;
using Word = std::string Config::*;
using Hidden = Secret Config::*;

template <class Member>
std::vector<Setting> rows_of() {
  std::vector<Setting> rows;
  for (const auto& row : settings())
    if (std::holds_alternative<Member>(row.member)) rows.push_back(row);
  return rows;
}

std::string test_name(const testing::TestParamInfo<Setting>& test) {
  std::string name(test.param.name);
  std::ranges::replace(name, '.', '_');
  return name;
}

std::vector<std::string> apply(std::string_view name, const std::string& value, Config& config) {
  return apply_settings({{std::string(name), value}}, config);
}

class AnySetting : public testing::TestWithParam<Setting> {};

TEST_P(AnySetting, HasANameOfASectionAndAWordAndASentence) {
  const auto& row = GetParam();
  EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_."), row.name.npos);
  EXPECT_LE(std::ranges::count(row.name, '.'), 1);
  ASSERT_GT(row.about.size(), 10u);
  EXPECT_TRUE(row.about.ends_with('.'));
}

TEST_P(AnySetting, IsOnThePageWithItsVariable) {
  const auto page = settings_page(Config{});
  const auto name = std::string(GetParam().name);
  const auto at = ('\n' + page).find('\n' + name + " = ");
  ASSERT_NE(at, page.npos);
  const auto entry = page.substr(at, page.find("\n    BOTTEGA_", at) + 60 - at);
  EXPECT_NE(entry.find(std::string(GetParam().about)), entry.npos);
  EXPECT_NE(entry.find("\n    " + environment_name(name) + "\n"), entry.npos);
}

TEST_P(AnySetting, HasAVariableOfItsOwn) {
  const auto variable = environment_name(GetParam().name);
  EXPECT_TRUE(variable.starts_with("BOTTEGA_"));
  EXPECT_EQ(variable.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), variable.npos);
  int same = 0;
  for (const auto& other : settings()) same += environment_name(other.name) == variable ? 1 : 0;
  EXPECT_EQ(same, 1);
}

INSTANTIATE_TEST_SUITE_P(Table, AnySetting, testing::ValuesIn(settings().begin(), settings().end()),
                         test_name);

class IntegerSetting : public testing::TestWithParam<Setting> {
 protected:
  std::int64_t of(const Config& config) const {
    return config.*std::get<Integer>(GetParam().member);
  }
};

TEST_P(IntegerSetting, HasADefaultWithinItsBounds) {
  EXPECT_LT(GetParam().least, GetParam().most);
  EXPECT_GE(of(Config{}), GetParam().least);
  EXPECT_LE(of(Config{}), GetParam().most);
}

TEST_P(IntegerSetting, TakesBothOfItsBoundsAndLeavesTheOthersAlone) {
  for (const auto value : {GetParam().least, GetParam().most}) {
    Config config;
    EXPECT_TRUE(apply(GetParam().name, std::to_string(value), config).empty());
    EXPECT_EQ(of(config), value);
    for (const auto& other : rows_of<Integer>())
      if (other.name != GetParam().name) {
        const auto member = std::get<Integer>(other.member);
        EXPECT_EQ(config.*member, Config{}.*member) << other.name;
      }
  }
}

TEST_P(IntegerSetting, RefusesWhatLiesBeyondThemWithItsNameAndKeepsItsValue) {
  const auto& row = GetParam();
  const std::vector<std::string> wanted{std::string(row.name) + ": must be from " +
                                        std::to_string(row.least) + " to " +
                                        std::to_string(row.most)};
  for (const auto value : {row.least - 1, row.most + 1, INT64_MIN, INT64_MAX}) {
    Config config;
    EXPECT_EQ(apply(row.name, std::to_string(value), config), wanted) << value;
    EXPECT_EQ(of(config), of(Config{}));
  }
}

TEST_P(IntegerSetting, RefusesWhatIsNoInteger) {
  const std::vector<std::string> wanted{std::string(GetParam().name) + ": expected an integer"};
  for (const auto* text :
       {"", " 5", "5 ", "+5", "5s", "5.0", "true", "0x10", "many", "99999999999999999999"}) {
    Config config;
    EXPECT_EQ(apply(GetParam().name, text, config), wanted) << text;
    EXPECT_EQ(of(config), of(Config{}));
  }
}

INSTANTIATE_TEST_SUITE_P(Table, IntegerSetting, testing::ValuesIn(rows_of<Integer>()), test_name);

class WordSetting : public testing::TestWithParam<Setting> {};

TEST_P(WordSetting, TakesItsChoicesOrAnyTextAndRefusesTheRest) {
  const auto& row = GetParam();
  const auto member = std::get<Word>(row.member);
  Config config;
  EXPECT_TRUE(apply(row.name, config.*member, config).empty()) << "its default is one it takes";
  const auto mistakes = apply(row.name, "somewhere/else", config);
  if (row.choices.empty()) {
    EXPECT_TRUE(mistakes.empty());
    EXPECT_EQ(config.*member, "somewhere/else");
    return;
  }
  const std::vector<std::string> wanted{std::string(row.name) + ": must be one of " +
                                        std::string(row.choices)};
  EXPECT_EQ(mistakes, wanted);
  EXPECT_EQ(config.*member, Config{}.*member);
  std::istringstream choices{std::string(row.choices)};
  for (std::string choice; std::getline(choices, choice, '|');) {
    EXPECT_TRUE(apply(row.name, choice, config).empty()) << choice;
    EXPECT_EQ(config.*member, choice);
    EXPECT_EQ(apply(row.name, choice.substr(1), config), wanted);
    EXPECT_EQ(apply(row.name, choice + "|", config), wanted);
  }
  EXPECT_EQ(apply(row.name, "", config), wanted);
  EXPECT_EQ(apply(row.name, std::string(row.choices), config), wanted);
}

INSTANTIATE_TEST_SUITE_P(Table, WordSetting, testing::ValuesIn(rows_of<Word>()), test_name);

class SecretSetting : public testing::TestWithParam<Setting> {};

TEST_P(SecretSetting, IsTakenAndNeverShown) {
  const auto member = std::get<Hidden>(GetParam().member);
  Config config;
  EXPECT_TRUE((config.*member).empty()) << "a secret has no default";
  EXPECT_TRUE(apply(GetParam().name, "hunter2-hunter2", config).empty());
  EXPECT_EQ((config.*member).reveal(), "hunter2-hunter2");
  const auto page = settings_page(config);
  EXPECT_EQ(page.find("hunter2"), page.npos);
  EXPECT_NE(page.find(std::string(GetParam().name) + " = ********\n"), page.npos);
  const auto empty = settings_page(Config{});
  EXPECT_NE(empty.find(std::string(GetParam().name) + " = \n"), empty.npos);
}

INSTANTIATE_TEST_SUITE_P(Table, SecretSetting, testing::ValuesIn(rows_of<Hidden>()), test_name);

TEST(SettingsTable, HasEachNameAndEachMemberOnce) {
  std::set<std::string_view> names;
  for (const auto& row : settings()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
  for (const auto& row : settings()) {
    const auto same = std::ranges::count_if(
        settings(), [&](const Setting& other) { return other.member == row.member; });
    EXPECT_EQ(same, 1) << row.name;
  }
}

TEST(SettingsTable, CoversEveryMemberOfTheConfiguration) {
  const std::size_t bytes = rows_of<Integer>().size() * sizeof(std::int64_t) +
                            rows_of<Word>().size() * sizeof(std::string) +
                            rows_of<Hidden>().size() * sizeof(Secret);
  EXPECT_EQ(bytes, sizeof(Config)) << "a member without a row, for all are of one alignment";
}

TEST(SettingsTable, KeepsThePromisesOfTheContract) {
  const Config config;
  EXPECT_EQ(config.socket_frame_max_bytes, 65'536);
  EXPECT_EQ(config.socket_queue_max_bytes, 1'048'576);
  EXPECT_EQ(config.socket_in_flight_max, 64);
  EXPECT_EQ(config.socket_ping_s, 25);
  EXPECT_EQ(config.socket_pong_s, 8);
  EXPECT_EQ(config.socket_auth_s, 10);
  EXPECT_EQ(config.socket_resume_max, 500);
  EXPECT_EQ(config.payments_expiry_default_s, 24 * 3'600);
  EXPECT_EQ(config.orders_cancel_after_days, 7);
  EXPECT_EQ(config.payouts_business_days, 3);
  EXPECT_EQ(config.http_address, "127.0.0.1") << "reachable from this machine only by default";
}

TEST(SettingsGiven, AreAllCheckedAndEveryMistakeIsNamedAtOnce) {
  Config config;
  const auto mistakes = apply_settings({{"http.port", "70000"},
                                        {"htpp.port", "8080"},
                                        {"log.level", "chatty"},
                                        {"jobs.batch", "none"},
                                        {"http.threads", "4"}},
                                       config);
  const std::vector<std::string> wanted{
      "htpp.port: there is no such setting", "http.port: must be from 0 to 65535",
      "jobs.batch: expected an integer", "log.level: must be one of debug|info|warning|error"};
  EXPECT_EQ(mistakes, wanted);
  EXPECT_EQ(config.http_threads, 4);
}

TEST(SettingsGiven, AreNeverQuotedInTheWordsOfAMistake) {
  Config config;
  for (const auto& row : settings())
    for (const auto& mistake : apply(row.name, "hunter2", config))
      EXPECT_EQ(mistake.find("hunter2"), mistake.npos) << mistake;
}

TEST(SettingsGiven, AreFoundByTheirExactNameOnly) {
  Config config;
  for (const auto* name : {"", "http", "http.", ".port", "HTTP.PORT", "http.port ", "http_port",
                           "http.port.x", "port"})
    EXPECT_EQ(apply(name, "1", config).size(), 1u) << name;
  EXPECT_EQ(config.http_port, Config{}.http_port);
}

TEST(EnvironmentName, IsInCapitalsWithUnderscoresForDots) {
  EXPECT_EQ(environment_name("http.port"), "BOTTEGA_HTTP_PORT");
  EXPECT_EQ(environment_name("database.owner_url"), "BOTTEGA_DATABASE_OWNER_URL");
  EXPECT_EQ(environment_name("mode"), "BOTTEGA_MODE");
}

using Flat = std::map<std::string, std::string>;

TEST(SettingsFile, MayNestOrDotItsNames) {
  const auto file = parse_json(R"({"mode":"live","http":{"port":8080,"public_url":"https://a.b"},
    "http.threads":4,"a":{"b":{"c":-1}},"flag":true,"empty":{}})");
  const Flat wanted{
      {"mode", "live"},      {"http.port", "8080"}, {"http.public_url", "https://a.b"},
      {"http.threads", "4"}, {"a.b.c", "-1"},       {"flag", "true"}};
  EXPECT_EQ(flatten_settings(file), wanted);
}

class BadSettingsFile : public testing::TestWithParam<const char*> {};
TEST_P(BadSettingsFile, IsRefused) {
  try {
    flatten_settings(Json::parse(GetParam()));
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << error.what();
  }
}
INSTANTIATE_TEST_SUITE_P(Documents, BadSettingsFile,
                         testing::Values("[]", "null", "7", "\"mode\"", R"({"http":null})",
                                         R"({"http":{"port":80.5}})", R"({"http":["hunter2"]})",
                                         R"({"http":{"port":[8080]}})"));

}  // namespace core_config_test
}  // namespace bottega::test
