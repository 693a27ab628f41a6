// Modules look downwards only, and their public headers show nobody else's library.
#include <map>
#include <set>

#include "tidy/sources.hpp"

namespace bottega::test {
namespace modules_test {

// A module may include only modules of a lower rank.
const std::map<std::string, int> kRank = {
    {"core", 0},         {"outbound", 5},       {"documents", 5},
    {"carriers", 5},     {"storage", 10},       {"bus", 10},
    {"processors", 10},  {"jobs", 20},          {"identity", 30},
    {"attachments", 35}, {"conversations", 40}, {"ledger", 40},
    {"catalog", 40},     {"notifications", 42}, {"attempts", 45},
    {"pricing", 45},     {"orders", 50},        {"wallet", 50},
    {"payouts", 55},     {"risk", 57},          {"payments", 60},
    {"checkout", 61},    {"support", 62},       {"reports", 62},
    {"returns", 62},     {"settlements", 65},   {"disputes", 65},
    {"ops", 70},         {"privacy", 75},       {"gateway", 80},
    {"app", 90}};

struct Exception {
  std::string path, module;
  const char* why;
};
const Exception kExceptions[] = {
    {"include/bottega/processors/sandbox.hpp", "storage",
     "the sandbox plays a processor of its own, which keeps books in a database of its own"},
};

std::string module_of(const std::string& path) {
  for (const std::string root : {"include/bottega/", "src/"})
    if (path.starts_with(root))
      return path.substr(root.size(), path.find('/', root.size()) - root.size());
  return {};
}

struct Include {
  std::size_t line;
  std::string module;
};

// The modules that are included with quotation marks: "bottega/orders/…" and "orders/…" alike.
std::vector<Include> includes_of(const Source& source) {
  static const std::regex include("^#include \"(bottega/)?([a-z_]+)/");
  std::vector<Include> found;
  std::size_t number = 0;
  for (const auto& line : lines_of(source.text)) {
    ++number;
    std::smatch match;
    if (line.starts_with("#include") && std::regex_search(line, match, include))
      found.push_back({number, match[2]});
  }
  return found;
}

bool is_excepted(const std::string& path, const std::string& module) {
  return std::ranges::any_of(
      kExceptions, [&](const Exception& row) { return row.path == path && row.module == module; });
}

Findings upward_includes(const Source& source) {
  Findings found;
  const auto from = module_of(source.path);
  if (!kRank.contains(from)) return {finding(source, 1, "the module " + from + " has no rank")};
  for (const auto& [line, to] : includes_of(source)) {
    if (to == from || is_excepted(source.path, to)) continue;
    if (!kRank.contains(to))
      found.push_back(finding(source, line, "there is no module " + to));
    else if (kRank.at(to) >= kRank.at(from))
      found.push_back(finding(source, line, from + " may not include " + to));
  }
  return found;
}

std::vector<Source> product() { return sources({"src", "include"}, {".cpp", ".hpp"}); }

TEST(Modules, LookDownwardsOnly) {
  const auto files = product();
  ASSERT_GE(files.size(), 100u);
  const auto found = all_findings(files, upward_includes);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Modules, EveryModuleThatHasARankIsThere) {
  std::set<std::string> there;
  for (const auto& file : product()) there.insert(module_of(file.path));
  for (const auto& [module, rank] : kRank) EXPECT_TRUE(there.contains(module)) << module;
}

TEST(Modules, EveryExceptionIsStillNeeded) {
  const auto files = product();
  for (const auto& row : kExceptions) {
    const auto file = std::ranges::find(files, row.path, &Source::path);
    ASSERT_NE(file, files.end()) << row.path;
    const auto includes = includes_of(*file);
    EXPECT_TRUE(std::ranges::any_of(includes, [&](auto& one) { return one.module == row.module; }))
        << row.path << ": " << row.why;
  }
}

std::size_t found_in(const char* path, const char* text) {
  return upward_includes({path, text}).size();
}

TEST(ModulesCheck, FindsWhatIsPlanted) {
  const auto* up = "#pragma once\n#include \"bottega/gateway/route.hpp\"\n";
  EXPECT_EQ(upward_includes({"src/orders/x.cpp", up}),
            Findings{"src/orders/x.cpp:2: orders may not include gateway"});
  EXPECT_EQ(found_in("include/bottega/orders/x.hpp", up), 1u);
  EXPECT_EQ(found_in("src/ledger/x.cpp", "#include \"bottega/conversations/conversations.hpp\"\n"),
            1u)
      << "equal ranks never include each other";
  EXPECT_EQ(found_in("src/storage/x.cpp", "#include \"bus/rows.hpp\"\n"), 1u)
      << "private headers count too";
  EXPECT_EQ(found_in("src/core/x.cpp", "#include \"bottega/storage/tx.hpp\"\n"), 1u);
  EXPECT_EQ(found_in("src/orders/x.cpp", "#include \"bottega/attic/x.hpp\"\n"), 1u);
  EXPECT_EQ(found_in("src/attic/x.cpp", ""), 1u);
}

TEST(ModulesCheck, LetsPassWhatIsRight) {
  EXPECT_EQ(found_in("src/gateway/x.cpp", "#include \"gateway/app.hpp\"\n#include <vector>\n"), 0u);
  EXPECT_EQ(found_in("src/payments/x.cpp", "#include \"bottega/attempts/attempts.hpp\"\n"), 0u);
  EXPECT_EQ(found_in("src/orders/x.cpp", "#include \"bottega/ledger/ledger.hpp\"\n"), 0u);
  EXPECT_EQ(found_in("src/app/x.cpp", "#include \"storage/embedded_postgres.hpp\"\n"), 0u);
}

Findings bad_header(const Source& source) {
  const auto lines = lines_of(source.text);
  Findings found;
  if (lines.empty() || lines[0] != "#pragma once")
    found.push_back(finding(source, 1, "a header begins with #pragma once"));
  if (lines.size() < 2 || !lines[1].starts_with("// ") || lines[1].size() < 20)
    found.push_back(finding(source, 2, "a header says in its second line what it is for"));
  static const std::regex library("#include <(boost/beast|pqxx|openssl|spdlog|sodium|prometheus)");
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (source.path.starts_with("include/") && std::regex_search(lines[i], library))
      found.push_back(finding(source, i + 1, "a public header shows a library"));
  return found;
}

TEST(Headers, BeginWithPragmaOnceAndAComment) {
  const auto files = sources({"src", "include", "tests", "bench"}, {".hpp"});
  ASSERT_GE(files.size(), 60u);
  const auto found = all_findings(files, bad_header);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(HeadersCheck, FindsWhatIsPlanted) {
  const std::string good = "#pragma once\n// What an order is and does.\n";
  const auto count = [](const std::string& text) {
    return bad_header({"include/bottega/x/x.hpp", text}).size();
  };
  EXPECT_EQ(count(good), 0u);
  EXPECT_EQ(count("// What an order is and does.\n#pragma once\n"), 2u);
  EXPECT_EQ(count("#pragma once\n#include <string>\n"), 1u);
  EXPECT_EQ(count("#pragma once\n// Orders.\n"), 1u) << "a word is no sentence";
  EXPECT_EQ(count(""), 2u);
  EXPECT_EQ(count(good + "#include <boost/beast/http.hpp>\n"), 1u);
  EXPECT_EQ(count(good + "#include <openssl/evp.h>\n"), 1u);
  EXPECT_EQ(bad_header({"src/gateway/x.hpp", good + "#include <boost/beast/http.hpp>\n"}).size(),
            0u);
}

// A header is public where another module includes it, or a public header of its own module does.
bool is_needed(const Source& header, const std::vector<Source>& files) {
  const auto name = "#include \"" + header.path.substr(std::string("include/").size()) + '"';
  return std::ranges::any_of(files, [&](const Source& user) {
    const bool outside = module_of(user.path) != module_of(header.path);
    const bool is_public = user.path.starts_with("include/") && user.path != header.path;
    return (outside || is_public) && user.text.find(name) != std::string::npos;
  });
}

TEST(Headers, ArePublicOnlyWhereAnotherModuleNeedsThem) {
  // What a route is: named as public by the architecture, though only the gateway has routes yet.
  const std::string kept = "include/bottega/gateway/route.hpp";
  const auto files = product();
  for (const auto& header : files) {
    if (!header.path.starts_with("include/") || header.path == kept) continue;
    EXPECT_TRUE(is_needed(header, files)) << header.path << " is for its own module only";
  }
}

TEST(HeadersCheck, FindsAPublicHeaderThatNobodyElseNeeds) {
  const Source header{"include/bottega/orders/x.hpp", ""};
  const auto is_needed_by = [&](const char* path) {
    return is_needed(header, {header, {path, "#include \"bottega/orders/x.hpp\"\n"}});
  };
  EXPECT_FALSE(is_needed(header, {header}));
  EXPECT_FALSE(is_needed_by("src/orders/x.cpp"));
  EXPECT_TRUE(is_needed_by("src/payments/x.cpp"));
  EXPECT_TRUE(is_needed_by("include/bottega/orders/y.hpp"));
}

}  // namespace modules_test
}  // namespace bottega::test
