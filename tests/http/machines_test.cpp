// No machine of the product is forgotten: each is walked by a test here, or is named with the
// reason why it has no calls of its own.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "http/story.hpp"

namespace bottega::test {
namespace machines_test {

const std::map<std::string, std::string> kWithoutCalls = {
    {"attempts::kLifecycle",
     "a call to the processor is no thing of the API: it is seen in what it is for"},
    {"attachments::kLifecycle",
     "an upload, a message and time move it, and a message that names what it may not take is 422"},
};

std::string text_of_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> files_below(const std::string& folder,
                                               const std::string& extension) {
  std::vector<std::filesystem::path> found;
  const auto root = std::filesystem::path(BOTTEGA_SOURCE_DIR) / folder;
  for (const auto& file : std::filesystem::recursive_directory_iterator(root))
    if (file.path().extension() == extension) found.push_back(file.path());
  return found;
}

// As a test names them, such as "orders::kLifecycle".
std::set<std::string> machines() {
  const std::string space = "namespace bottega::", machine = "inline constexpr Machine ";
  std::set<std::string> names;
  for (const auto& path : files_below("include", ".hpp")) {
    const auto text = text_of_file(path);
    for (auto at = text.find(machine); at != text.npos; at = text.find(machine, at + 1)) {
      const auto begin = at + machine.size(), module = text.find(space) + space.size();
      names.insert(text.substr(module, text.find(' ', module) - module) +
                   "::" + text.substr(begin, text.find('{', begin) - begin));
    }
  }
  return names;
}

TEST(Machines, AreAllWalkedOverHttp) {
  std::string tests;
  for (const auto& path : files_below("tests/http", ".cpp")) tests += text_of_file(path);
  const auto all = machines();
  EXPECT_GE(all.size(), 16u);
  for (const auto& name : all)
    EXPECT_NE(tests.find("Walk<" + name + '>') != tests.npos, kWithoutCalls.contains(name)) << name;
  for (const auto& [name, why] : kWithoutCalls) EXPECT_TRUE(all.contains(name)) << name << why;
}

}  // namespace machines_test
}  // namespace bottega::test
