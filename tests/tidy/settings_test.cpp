// Every setting is told to people: its row has words and bounds, and the README names it.
#include <set>

#include "tidy/sources.hpp"
#include "bottega/core/config.hpp"

namespace bottega::test {
namespace settings_test {

// The settings that a text does not name, as `name`.
std::vector<std::string> unnamed_in(const std::string& text) {
  std::vector<std::string> missing;
  for (const auto& row : settings())
    if (text.find('`' + std::string(row.name) + '`') == text.npos) missing.emplace_back(row.name);
  return missing;
}

TEST(Settings, AreAllNamedInTheReadme) {
  const auto readme = std::filesystem::path(BOTTEGA_SOURCE_DIR) / "README.md";
  if (!std::filesystem::exists(readme)) GTEST_SKIP() << "skipped: there is no README.md yet";
  const auto missing = unnamed_in(read_file(readme));
  EXPECT_TRUE(missing.empty()) << joined(missing);
}

TEST(SettingsCheck, FindsWhatIsPlanted) {
  EXPECT_EQ(unnamed_in("").size(), settings().size());
  std::string all;
  for (const auto& row : settings()) all += "| `" + std::string(row.name) + "` | … |\n";
  EXPECT_TRUE(unnamed_in(all).empty());
  const std::string one = "`http.port`";
  EXPECT_EQ(unnamed_in(all.erase(all.find(one), one.size())),
            std::vector<std::string>{"http.port"});
}

TEST(Settings, HaveDistinctNamesOfTheirModuleAndASentence) {
  static const std::regex name("[a-z]+(\\.[a-z0-9_]+)?");
  std::set<std::string_view> seen;
  for (const auto& row : settings()) {
    EXPECT_TRUE(seen.insert(row.name).second) << row.name;
    EXPECT_TRUE(std::regex_match(std::string(row.name), name)) << row.name;
    EXPECT_TRUE(row.about.ends_with('.') && row.about.size() >= 10) << row.name;
  }
  EXPECT_GE(seen.size(), 50u);
}

TEST(Settings, ThatAreNumbersHaveBoundsThatTheirDefaultsKeep) {
  const Config config;
  for (const auto& row : settings()) {
    const auto* member = std::get_if<std::int64_t Config::*>(&row.member);
    if (member == nullptr) continue;
    EXPECT_LT(row.least, row.most) << row.name;
    EXPECT_GE(config.*(*member), row.least) << row.name;
    EXPECT_LE(config.*(*member), row.most) << row.name;
  }
}

// Everything has a limit, and every limit is a setting that the code reads.
TEST(Settings, AreAllRead) {
  std::string text;
  for (const auto& file : sources({"src"}, {".cpp", ".hpp"}))
    if (file.path != "src/core/settings.cpp") text += without_words(file.text);
  for (const auto& row : settings()) {
    std::string member(row.name);
    std::ranges::replace(member, '.', '_');
    EXPECT_NE(text.find("config." + member), text.npos) << row.name << " is read by nobody";
  }
}

}  // namespace settings_test
}  // namespace bottega::test
