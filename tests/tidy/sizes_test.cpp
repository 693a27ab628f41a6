// Files, functions and lines fit a screen.
#include <functional>

#include "tidy/sources.hpp"
#include "bottega/core/text.hpp"

namespace bottega::test {
namespace sizes_test {

constexpr std::size_t kFileMax = 400, kFunctionMax = 70, kLineMax = 100;

Findings long_file(const Source& source) {
  const auto count = lines_of(source.text).size();
  if (count <= kFileMax) return {};
  return {finding(source, count, "the file has " + std::to_string(count) + " lines")};
}

// JSON has no say in where a text may be broken.
Findings long_lines(const Source& source) {
  Findings found;
  if (source.path.ends_with(".json")) return found;
  std::size_t number = 0;
  for (const auto& line : lines_of(source.text)) {
    ++number;
    if (line.size() > kLineMax && code_points(line) > kLineMax)
      found.push_back(finding(source, number, std::to_string(code_points(line)) + " columns"));
  }
  return found;
}

// Whether what stands before a brace is the head of a function: it ends in its parameters, or in
// what may follow them.
bool is_function_head(const std::string& head) {
  static const std::regex end(
      R"(\)(\s*(const|override|final|noexcept|mutable))*\s*(->[^=()]*)?\s*$)");
  constexpr std::size_t enough = 300;
  return std::regex_search(head.size() > enough ? head.substr(head.size() - enough) : head, end);
}

bool is_container(const std::string& head) {
  static const std::regex word(R"(\b(namespace|class|struct|enum|union|extern)\b)");
  return !is_function_head(head) && std::regex_search(head, word);
}

// Outermost blocks that are functions: those inside nothing but namespaces and classes.
Findings long_functions(const Source& source) {
  const auto text = without_words(source.text);
  Findings found;
  std::size_t head_begins = 0, function_begins = 0;
  std::size_t blocks = 0;  // open ones that are no containers
  bool inside_function = false;
  std::vector<bool> containers;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') {
      const auto head = text.substr(head_begins, i - head_begins);
      containers.push_back(blocks == 0 && is_container(head));
      if (!containers.back() && blocks++ == 0) {
        inside_function = is_function_head(head);
        function_begins = std::min(text.find_first_not_of(" \n", head_begins), i);
      }
    } else if (text[i] == '}' && !containers.empty()) {
      if (!containers.back() && --blocks == 0 && inside_function) {
        const auto first = line_at(text, function_begins), last = line_at(text, i);
        if (last - first + 1 > kFunctionMax)
          found.push_back(
              finding(source, first, std::to_string(last - first + 1) + " lines of function"));
      }
      containers.pop_back();
    }
    if (text[i] == '{' || text[i] == '}' || text[i] == ';') head_begins = i + 1;
    if (text[i] == '#' && blocks == 0) head_begins = i = std::min(text.find('\n', i), text.size());
  }
  return found;
}

std::vector<Source> written() {
  return sources({"src", "include", "tests", "bench", "migrations", "scripts"});
}

TEST(Sizes, NoFileIsLongerThanFourHundredLines) {
  ASSERT_GE(written().size(), 150u);
  const auto found = all_findings(written(), long_file);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Sizes, NoLineIsWiderThanAHundredColumns) {
  const auto found = all_findings(written(), long_lines);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Sizes, NoFunctionIsLongerThanSeventyLines) {
  const auto found = all_findings(code(), long_functions);
  EXPECT_TRUE(found.empty()) << joined(found);
}

std::string lines(int count, const std::string& line = "  f();\n") {
  std::string out;
  for (int i = 0; i < count; ++i) out += line;
  return out;
}

TEST(SizesCheck, MeasuresFiles) {
  EXPECT_EQ(long_file({"x", lines(400)}).size(), 0u);
  EXPECT_EQ(long_file({"x", lines(401)}), Findings{"x:401: the file has 401 lines"});
}

TEST(SizesCheck, MeasuresLinesInCharacters) {
  EXPECT_EQ(long_lines({"x", std::string(100, 'a') + "\n"}).size(), 0u);
  EXPECT_EQ(long_lines({"x", "\n" + std::string(101, 'a')}), Findings{"x:2: 101 columns"});
  EXPECT_EQ(long_lines({"x", lines(100, "\xc3\xa9") + "\n"}).size(), 0u);
  EXPECT_EQ(long_lines({"x", lines(101, "\xc3\xa9") + "\n"}).size(), 1u);
}

std::size_t long_functions_in(const std::string& text) {
  return long_functions({"x.cpp", text}).size();
}

TEST(SizesCheck, MeasuresFunctions) {
  EXPECT_EQ(long_functions_in("void f() {\n" + lines(68) + "}\n"), 0u);
  EXPECT_EQ(long_functions({"x.cpp", "int a;\n\nvoid f() {\n" + lines(69) + "}\n"}),
            Findings{"x.cpp:3: 71 lines of function"});
  EXPECT_EQ(long_functions_in("namespace a {\nclass B {\n  void f() const override {\n" +
                              lines(69) + "  }\n};\n}\n"),
            1u);
  EXPECT_EQ(
      long_functions_in("auto f(int a)\n    -> asio::awaitable<void> {\n" + lines(69) + "}\n"), 1u);
  EXPECT_EQ(long_functions_in("B::B(int a) : a_{a}, b_(a) {\n" + lines(69) + "}\n"), 1u);
  EXPECT_EQ(long_functions_in("TEST(A, B) {\n" + lines(69) + "}\n"), 1u);
  EXPECT_EQ(long_functions_in("#define A {\nvoid f() {\n" + lines(69) + "}\n"), 1u);
}

TEST(SizesCheck, LeavesTablesAndClassesAlone) {
  EXPECT_EQ(long_functions_in("class B {\n" + lines(100, "  void f();\n") + "};\n"), 0u);
  EXPECT_EQ(long_functions_in("const Row kRows[] = {\n" + lines(100, "  {1, f()},\n") + "};\n"),
            0u);
  EXPECT_EQ(long_functions_in("constexpr auto k = std::to_array<Row>({\n" +
                              lines(100, "  {1, 2},\n") + "});\n"),
            0u);
  EXPECT_EQ(long_functions_in("void f() {\n" + lines(40) + "}\nvoid g() {\n" + lines(40) + "}\n"),
            0u);
  EXPECT_EQ(long_functions_in("void f() {\n  g(R\"({\n)\");\n}\n" + lines(80, "int a;\n")), 0u);
}

}  // namespace sizes_test
}  // namespace bottega::test
