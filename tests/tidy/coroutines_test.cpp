// What GCC 12 miscompiles in coroutines: temporaries beside a co_await are destroyed twice, and a
// condition that awaits is not evaluated as it is written.
#include "tidy/sources.hpp"

namespace bottega::test {
namespace coroutines_test {

// The position behind the parenthesis that closes the one at `open`.
std::size_t behind(const std::string& text, std::size_t open) {
  int depth = 0;
  for (auto i = open; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0) return i + 1;
  }
  return text.size();
}

Findings awaiting_conditions(const Source& source) {
  static const std::regex keyword(R"(\b(if|while|switch)\s*(constexpr\s*)?\()");
  Findings found;
  if (source.text.find("co_await") == std::string::npos) return found;
  const auto text = without_words(source.text);
  for (std::sregex_iterator i(text.begin(), text.end(), keyword), end; i != end; ++i) {
    const auto open = static_cast<std::size_t>(i->position() + i->length()) - 1;
    const auto condition = text.substr(open, behind(text, open) - open);
    if (condition.find("co_await") != std::string::npos)
      found.push_back(finding(source, line_at(text, open), "name what is awaited first"));
  }
  return found;
}

bool is_subscript(std::string_view text, std::size_t bracket) {
  const char before = bracket == 0 ? ' ' : text[bracket - 1];
  return std::isalnum(static_cast<unsigned char>(before)) != 0 || before == '_' || before == ')' ||
         before == ']';
}

// Up to the first semicolon behind co_await: a brace before any bracket is a braced temporary, and
// a bracket that begins no subscript, "[&" or "[]" is a lambda that captures by value.
Findings awaited_temporaries(const Source& source) {
  Findings found;
  if (source.text.find("co_await") == std::string::npos) return found;
  const auto text = without_words(source.text);
  for (auto at = text.find("co_await"); at != text.npos; at = text.find("co_await", at + 1)) {
    const auto rest = std::string_view(text).substr(at, text.find(';', at) - at);
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (rest[i] == '[' && is_subscript(rest, i)) continue;
      const bool braced = rest[i] == '{';
      const bool by_value =
          rest[i] == '[' && i + 1 < rest.size() && rest[i + 1] != '&' && rest[i + 1] != ']';
      if (braced || by_value)
        found.push_back(finding(source, line_at(text, at + i), "name this temporary first"));
      if (braced || rest[i] == '[') break;
    }
  }
  return found;
}

TEST(Coroutines, NoConditionAwaits) {
  const auto found = all_findings(code(), awaiting_conditions);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Coroutines, NoTemporaryStandsBesideAnAwait) {
  const auto found = all_findings(code(), awaited_temporaries);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Coroutines, ThereAreSomeToLookAt) {
  std::size_t files = 0;
  for (const auto& file : code())
    files += file.text.find("co_await") != std::string::npos ? 1u : 0u;
  EXPECT_GE(files, 20u);
}

TEST(ConditionsCheck, FindsWhatIsPlanted) {
  const auto count = [](const std::string& text) {
    return awaiting_conditions({"src/x.cpp", text}).size();
  };
  EXPECT_EQ(count("if (co_await ready()) {}"), 1u);
  EXPECT_EQ(count("if (!co_await ready()) {}"), 1u);
  EXPECT_EQ(count("if (a && f(co_await b())) {}"), 1u);
  EXPECT_EQ(count("if (const auto x = co_await b()) {}"), 1u);
  EXPECT_EQ(count("while (\n    co_await next()) {}"), 1u);
  EXPECT_EQ(count("switch (co_await kind()) {}"), 1u);
  EXPECT_EQ(count("else if (co_await a()) {} while (co_await b()) {}"), 2u);
  EXPECT_EQ(count("if (token) co_await sign_in(*token);"), 0u);
  EXPECT_EQ(count("while (size() < n) co_await more();"), 0u);
  EXPECT_EQ(count("const bool is_ready = co_await ready();\nif (is_ready) {}"), 0u);
  EXPECT_EQ(count("// if (co_await x)\nauto s = \"if (co_await x)\"; co_await y();"), 0u);
}

TEST(TemporariesCheck, FindsWhatIsPlanted) {
  const auto count = [](const std::string& text) {
    return awaited_temporaries({"src/x.cpp", text}).size();
  };
  EXPECT_EQ(count("co_await f({id, 1});"), 1u);
  EXPECT_EQ(count("co_await f(Ask{id, 1});"), 1u);
  EXPECT_EQ(count("co_await f(id,\n           Ask{id, 1});"), 1u);
  EXPECT_EQ(count("auto a = Ask{x, co_await y()};"), 0u)
      << "found by eye only: the brace comes first";
  EXPECT_EQ(count("co_await run([=] { return x; });"), 1u);
  EXPECT_EQ(count("co_await run([name] { return name; });"), 1u);
  EXPECT_EQ(count("co_await run([this] { go(); });"), 1u);
  EXPECT_EQ(count("co_await run([&](Tx& tx) { return f(tx, {1, 2}); });"), 0u);
  EXPECT_EQ(count("co_await run([] { return 1; });"), 0u);
  EXPECT_EQ(count("co_await work(queue[i]);"), 0u) << "a subscript is no lambda";
  EXPECT_EQ(count("const Ask ask{id, 1};\nco_await f(ask);"), 0u);
  EXPECT_EQ(count("co_await f(\"{\");"), 0u);
}

}  // namespace coroutines_test
}  // namespace bottega::test
