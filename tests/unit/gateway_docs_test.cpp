// The pages: everything is on them, and nothing on them can do anything.
#include "gateway/docs.hpp"

#include <gtest/gtest.h>

#include <regex>

#include "gateway/guide.hpp"
#include "gateway/openapi.hpp"
#include "gateway/routes/routes.hpp"

namespace bottega::test {
namespace gateway_docs_test {

using namespace gateway;

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

// Neither scripts nor anything that is fetched from elsewhere.
void expect_inert(const std::string& page) {
  for (const auto* part : {"<script", "javascript:", "onclick", "onload", "<iframe", "<img",
                           "<link", "src=", "@import", "url(", "href=\"http"})
    EXPECT_FALSE(has(page, part)) << part;
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_TRUE(page.ends_with("</html>"));
}

TEST(Docs, EveryCharacterThatMeansSomethingIsEscaped) {
  EXPECT_EQ(escape_html(R"(<a href="x" title='y'>&amp;</a>)"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
  EXPECT_EQ(escape_html("caf\xc3\xa9 1 + 1"), "caf\xc3\xa9 1 + 1");
  EXPECT_EQ(escape_html(""), "");
}

TEST(Docs, ThePageShowsEveryOperationAndSchema) {
  const auto document = openapi(all_routes(), "https://shop.example");
  const auto page = docs_page(document);
  expect_inert(page);
  for (const auto& [path, operations] : document["paths"].items())
    for (const auto& [method, operation] : operations.items()) {
      EXPECT_TRUE(has(page, "<code>" + escape_html(path) + "</code>")) << path;
      EXPECT_TRUE(has(page, escape_html(operation["summary"].get<std::string>()))) << path;
    }
  for (const auto& [name, schema] : document["components"]["schemas"].items())
    EXPECT_TRUE(has(page, "<code>" + name + "</code>")) << name;
}

// "`POST /v1/orders/{id}/ship`" in the guide is an operation that there is.
TEST(Docs, TheGuideNamesOperationsThatThereAre) {
  const auto paths = openapi(all_routes(), "https://shop.example")["paths"];
  const auto guide = guide_text();
  const std::regex operation("`(GET|POST|PUT|PATCH|DELETE) (/v1[^` ]*)`");
  int named = 0;
  for (auto it = std::sregex_iterator(guide.begin(), guide.end(), operation);
       it != std::sregex_iterator(); ++it, ++named) {
    std::string method = (*it)[1], path = (*it)[2];
    for (auto& c : method) c = static_cast<char>(c - 'A' + 'a');
    ASSERT_TRUE(paths.contains(path)) << path;
    EXPECT_TRUE(paths[path].contains(method)) << method << ' ' << path;
  }
  EXPECT_GT(named, 25);
}

TEST(Docs, WhatADocumentSaysCannotBecomeMarkup) {
  auto document = openapi(all_routes(), "https://shop.example");
  const std::string bad = "<script>alert(1)</script>";
  document["info"]["description"] = bad;
  auto& operation = document["paths"]["/healthz"]["get"];
  operation["summary"] = bad;
  operation["description"] = bad;
  operation["responses"]["200"]["description"] = bad;
  operation["parameters"] = Json::array({{{"name", bad}, {"in", bad}, {"description", bad}}});
  document["components"]["schemas"][bad] = {{"title", bad}};
  const auto page = docs_page(document);
  expect_inert(page);
  EXPECT_TRUE(has(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
}

TEST(Docs, EveryProblemHasAPageAndIsListed) {
  const auto index = problems_index();
  expect_inert(index);
  for (const auto& row : kCodes) {
    const std::string slug(row.slug);
    EXPECT_TRUE(has(index, "<a href=\"/problems/" + slug + "\"><code>" + slug + "</code></a>"))
        << slug;
    const auto page = problem_page(row);
    expect_inert(page);
    EXPECT_TRUE(has(page, escape_html(row.title))) << slug;
    EXPECT_TRUE(has(page, "<code>" + slug + "</code>")) << slug;
    EXPECT_TRUE(has(page, "HTTP status " + std::to_string(row.status))) << slug;
    EXPECT_EQ(has(page, "may succeed later"), row.retry == Retry::later) << slug;
  }
}

}  // namespace gateway_docs_test
}  // namespace bottega::test
