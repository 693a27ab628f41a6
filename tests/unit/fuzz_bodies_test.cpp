// The fuzz targets know every type of body that a route takes.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>

#include "support/shared.hpp"

namespace bottega::test {
namespace fuzz_bodies_test {

std::set<std::string> names_in(const std::string& file, const std::regex& pattern) {
  std::set<std::string> names;
  const auto text = read_file(file);
  for (std::sregex_iterator i(text.begin(), text.end(), pattern), end; i != end; ++i)
    names.insert((*i)[1]);
  return names;
}

TEST(FuzzBodies, AreAllThatRoutesTake) {
  const std::filesystem::path root = BOTTEGA_SOURCE_DIR;
  std::set<std::string> taken;
  const std::regex takes(R"(kTakes<([A-Za-z:]+)>)");
  for (const auto& file : std::filesystem::directory_iterator(root / "src/gateway/routes"))
    taken.merge(names_in(file.path().string(), takes));
  ASSERT_GT(taken.size(), 20u);
  const auto fuzzed = names_in((root / "tests/fuzz/targets/bodies.cpp").string(),
                               std::regex(R"(read<([A-Za-z:]+)>)"));
  for (const auto& name : taken) EXPECT_TRUE(fuzzed.contains(name)) << name;
}

}  // namespace fuzz_bodies_test
}  // namespace bottega::test
