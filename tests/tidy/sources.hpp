#pragma once
// The project's own files as the checks of this suite read them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/shared.hpp"

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes a moved-from std::function inside std::regex for an uninitialised one.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <regex>

namespace bottega::test {

struct Source {
  std::string path;  // from the root of the project
  std::string text;
};

using Findings = std::vector<std::string>;  // "path:line: what is wrong"

inline std::string finding(const Source& source, std::size_t line, const std::string& what) {
  return source.path + ':' + std::to_string(line) + ": " + what;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline std::size_t line_at(std::string_view text, std::size_t position) {
  return static_cast<std::size_t>(std::ranges::count(text.substr(0, position), '\n')) + 1;
}

// What people write: no build output, no packages of others, no generated lock files, nothing that
// a fuzzer has come up with.
inline bool is_ours(const std::filesystem::path& file) {
  const auto name = file.filename().string(), whole = file.generic_string();
  for (const auto* folder : {"/node_modules/", "/__pycache__/", "/tests/fuzz/corpus/"})
    if (whole.find(folder) != whole.npos) return false;
  return name != "package-lock.json" && !name.starts_with('.');
}

// All files of ours below the folders, in order; with extensions, only those.
inline std::vector<Source> sources(std::initializer_list<const char*> folders,
                                   std::initializer_list<std::string_view> extensions = {}) {
  namespace fs = std::filesystem;
  const fs::path root = BOTTEGA_SOURCE_DIR;
  std::vector<Source> found;
  for (const auto* folder : folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension().string();
      const bool wanted =
          extensions.size() == 0 || std::ranges::find(extensions, extension) != extensions.end();
      if (!entry.is_regular_file() || !wanted || !is_ours(entry.path())) continue;
      found.push_back({fs::relative(entry.path(), root).generic_string(), read_file(entry.path())});
    }
  }
  std::ranges::sort(found, {}, &Source::path);
  return found;
}
inline std::vector<Source> code() {
  return sources({"src", "include", "tests", "bench"}, {".cpp", ".hpp"});
}

// The end of the literal or comment that begins at `i`, or `i` where none does.
inline std::size_t end_of_words(const std::string& text, std::size_t i) {
  const auto after = [&](std::string_view what, std::size_t from) {
    const auto found = text.find(what, from);
    return found == text.npos ? text.size() : found + what.size();
  };
  if (text.compare(i, 2, "//") == 0) return std::min(text.find('\n', i), text.size());
  if (text.compare(i, 2, "/*") == 0) return after("*/", i + 2);
  if (text.compare(i, 2, "R\"") == 0) {
    const auto open = text.find('(', i);
    return after(")" + text.substr(i + 2, open - i - 2) + "\"", open);
  }
  const char quote = text[i];
  const bool digits =
      quote == '\'' && i > 0 && std::isalnum(static_cast<unsigned char>(text[i - 1]));
  if ((quote != '"' && quote != '\'') || digits) return i;
  for (++i; i < text.size() && text[i] != quote; ++i)
    if (text[i] == '\\') ++i;
  return std::min(i + 1, text.size());
}

// C++ with its comments and literals blanked out, every line where it was.
inline std::string without_words(const std::string& text) {
  std::string out = text;
  for (std::size_t i = 0; i < text.size();) {
    const auto end = end_of_words(text, i);
    if (end == i) {
      ++i;
      continue;
    }
    for (; i < end; ++i)
      if (out[i] != '\n') out[i] = ' ';
  }
  return out;
}

inline std::string joined(const Findings& findings) {
  std::string out;
  for (const auto& one : findings) out += '\n' + one;
  return out;
}

// What a check says about each of the sources.
template <class Check>
Findings all_findings(const std::vector<Source>& files, Check check) {
  Findings all;
  for (const auto& file : files) {
    const Findings some = check(file);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace bottega::test
