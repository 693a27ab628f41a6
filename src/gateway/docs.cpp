#include "gateway/docs.hpp"

#include <map>
#include <vector>

#include "gateway/guide.hpp"
#include "bottega/core/text.hpp"

namespace bottega::gateway {
namespace {

constexpr std::string_view kStyle =
    "<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;"
    "margin:2rem auto;padding:0 1rem}code,pre{font:14px ui-monospace,monospace}pre{overflow:auto;"
    "padding:.6rem;border:1px solid #8886;border-radius:6px}summary{cursor:pointer;padding:.3rem 0}"
    "summary b{display:inline-block;min-width:4.5rem}.who{opacity:.7;font-size:85%}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left}</style>";

std::string page(const std::string& title, const std::string& body) {
  return "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width\"><title>" +
         escape_html(title) + "</title>" + std::string(kStyle) + "</head><body><h1>" +
         escape_html(title) + "</h1>" + body + "</body></html>";
}

std::string pre(const Json& json) { return "<pre>" + escape_html(json.dump(2)) + "</pre>"; }

std::string parameters_of(const Json& operation) {
  if (!operation.contains("parameters")) return {};
  std::string rows;
  for (const auto& p : operation["parameters"])
    rows += "<tr><td><code>" + escape_html(p.value("name", "")) + "</code></td><td>" +
            escape_html(p.value("in", "")) + "</td><td>" +
            (p.value("required", false) ? "required" : "") + "</td><td>" +
            escape_html(p.value("description", "")) + "</td></tr>";
  return rows.empty() ? "" : "<table>" + rows + "</table>";
}

// The schemas of every media type in a `content` object.
std::string content_of(const Json& holder) {
  std::string out;
  if (!holder.contains("content")) return out;
  for (const auto& [media, content] : holder["content"].items())
    out += "<p><code>" + escape_html(media) + "</code></p>" + pre(content.value("schema", Json()));
  return out;
}

std::string section(const std::string& path, const std::string& method, const Json& operation) {
  std::string verb = method;
  for (auto& c : verb) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::string out = "<details><summary><b>" + verb + "</b> <code>" + escape_html(path) +
                    "</code> " + escape_html(operation.value("summary", "")) + "</summary>";
  out += "<p class=\"who\">" + escape_html(operation.value("description", "")) + "</p>";
  out += parameters_of(operation);
  if (operation.contains("requestBody"))
    out += "<h4>Takes</h4>" + content_of(operation["requestBody"]);
  const Json responses = operation.value("responses", Json::object());
  for (const auto& [status, response] : responses.items())
    out += "<h4>" + escape_html(status) + " " + escape_html(response.value("description", "")) +
           "</h4>" + content_of(response);
  return out + "</details>";
}

}  // namespace

std::string docs_page(const Json& openapi) {
  std::map<std::string, std::string> sections;
  for (const auto& [path, operations] : openapi.at("paths").items())
    for (const auto& [method, operation] : operations.items())
      if (operation.is_object())
        sections[operation.at("tags").at(0).get<std::string>()] += section(path, method, operation);
  std::string body =
      guide_html() +
      "<p>As documents: <a href=\"/openapi.json\">OpenAPI</a>, <a "
      "href=\"/asyncapi.json\">AsyncAPI</a>, <a href=\"/problems\">problems</a>.</p>";
  for (const auto& [tag, text] : sections) body += "<h2>" + escape_html(tag) + "</h2>" + text;
  body += "<h2>Schemas</h2>";
  for (const auto& [name, schema] : openapi.at("components").at("schemas").items())
    body += "<details><summary><code>" + escape_html(name) + "</code></summary>" + pre(schema) +
            "</details>";
  return page("Bottega API", body);
}

std::string problem_page(const CodeInfo& row) {
  const std::string retry = row.retry == Retry::later
                                ? "The same request may succeed later."
                                : "The same request will fail again until something changes.";
  return page(std::string(row.title), "<p>Code <code>" + escape_html(row.slug) +
                                          "</code>, HTTP status " + std::to_string(row.status) +
                                          ".</p><p>" + retry +
                                          "</p><p><a href=\"/problems\">All problems</a></p>");
}

std::string back_page() {
  return page("Thank you",
              "<p>What you have done there is told in your chat. You can close this page and go "
              "back to it.</p>");
}

std::string problems_index() {
  std::string rows;
  for (const auto& row : kCodes)
    rows += "<tr><td>" + std::to_string(row.status) + "</td><td><a href=\"/problems/" +
            std::string(row.slug) + "\"><code>" + std::string(row.slug) + "</code></a></td><td>" +
            escape_html(row.title) + "</td></tr>";
  return page("Problems", "<table>" + rows + "</table>");
}

}  // namespace bottega::gateway
