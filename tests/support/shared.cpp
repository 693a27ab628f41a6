#include "support/shared.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace bottega::test {

std::optional<std::filesystem::path> shared(const std::string& below) {
  const char* given = std::getenv("BOTTEGA_SHARED");
  const std::filesystem::path root =
      given ? given : std::filesystem::path(BOTTEGA_SOURCE_DIR).parent_path() / "shared";
  auto path = root / below;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace bottega::test
