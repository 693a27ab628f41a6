#pragma once
// The official vectors and specifications that lie beside the project, not in it.
#include <filesystem>
#include <optional>
#include <string>

namespace bottega::test {

// A file or folder below the shared folder (BOTTEGA_SHARED, else ../shared beside the sources);
// none where it is absent.
std::optional<std::filesystem::path> shared(const std::string& below);

// The whole file; throws where it cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace bottega::test

// Binds `name` to the path, or skips the test and says why.
#define BOTTEGA_NEEDS_SHARED(name, below)                                  \
  const auto name##_found = ::bottega::test::shared(below);                \
  if (!name##_found) GTEST_SKIP() << "skipped: there is no shared/" below; \
  const auto& name = *name##_found
