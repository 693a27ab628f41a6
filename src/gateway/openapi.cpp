#include "gateway/openapi.hpp"

#include <algorithm>

#include "gateway/event_mark.hpp"
#include "gateway/guide.hpp"
#include "gateway/openapi_parameters.hpp"

namespace bottega::gateway {
namespace {

// Successes that a row cannot say with its one status.
struct Also {
  std::string_view name;
  unsigned status;
};
constexpr Also kAlso[] = {
    {"openConversation", 200}, {"acceptPaymentRequest", 202}, {"getAttachmentContent", 206},
    {"createTopUp", 202},      {"cancelTopUp", 202},          {"createTransfer", 202},
    {"checkout", 202}};

// Answers that have another form than the row's.
struct AlsoAs {
  std::string_view name, media_type;
};
constexpr AlsoAs kAlsoAs[] = {
    {"adminGetRevenue", "text/csv"},       {"getWalletStatement", "text/csv"},
    {"getFeedImportReport", "text/csv"},   {"getFeed", "text/tab-separated-values"},
    {"getFeed", "application/xml"},        {"getReceipt", "application/pdf"},
    {"getPackingSlip", "application/pdf"}, {"getSalesReport", "text/csv"},
    {"getRefundsReport", "text/csv"},      {"getProductsReport", "text/csv"},
    {"getConversionReport", "text/csv"}};

std::string_view method_of(Verb verb) {
  switch (verb) {
    case Verb::get:
      return "get";
    case Verb::post:
      return "post";
    case Verb::put:
      return "put";
    case Verb::patch:
      return "patch";
    case Verb::del:
      return "delete";
  }
  return "get";
}

std::string tag_of(std::string_view path) {
  if (path.starts_with("/v1/admin/")) return "admin";
  if (!path.starts_with("/v1/")) return "system";
  const auto rest = path.substr(4);
  return std::string(rest.substr(0, rest.find('/')));
}

std::string who_may(Access access) {
  switch (access) {
    case Access::anyone:
      return "Open to everybody.";
    case Access::person:
      return "For a signed-in person.";
    case Access::member:
      return "For a signed-in person or an API key.";
    case Access::support:
      return "For the staff.";
    case Access::finance:
      return "For the staff: finance or admin.";
    case Access::admin:
      return "For the staff: admin.";
    case Access::nobody:
      return "Closed.";
  }
  return {};
}

bool is_single(const Route& route) {
  return route.verb == Verb::get && route.gives != nullptr && route.parameters.empty() &&
         route.media_type != kEventStream;
}

Json parameters_of(const Route& route) {
  Json out = Json::array();
  for (auto path = route.path; path.find('{') != path.npos;) {
    path.remove_prefix(path.find('{') + 1);
    const auto name = path.substr(0, path.find('}'));
    out.push_back({{"name", name},
                   {"in", "path"},
                   {"required", true},
                   {"description", "Which one."},
                   {"schema", {{"type", "string"}, {"maxLength", 90}}}});
  }
  add_query_parameters(out, route);
  if (route.once != Once::none)
    out.push_back(
        {{"name", "Idempotency-Key"},
         {"in", "header"},
         {"required", route.once == Once::required},
         {"description", "The same key and body again give the same answer, kept 7 days."},
         {"schema", {{"type", "string"}, {"minLength", 1}, {"maxLength", 257}}}});
  if (route.media_type == "*/*")
    for (const auto name : {"Range", "If-Range"})
      out.push_back({{"name", name},
                     {"in", "header"},
                     {"required", false},
                     {"description", "RFC 9110, 14: one range of bytes."},
                     {"schema", {{"type", "string"}}}});
  if (route.media_type == kEventStream)
    out.push_back({{"name", "Last-Event-ID"},
                   {"in", "header"},
                   {"required", false},
                   {"description", "The id of the last event that came: the stream goes on there."},
                   {"schema", {{"type", "string"}, {"maxLength", 8'192}}}});
  if (route.versions == Versions::required)
    out.push_back({{"name", "If-Match"},
                   {"in", "header"},
                   {"required", true},
                   {"description", "The ETag of what was read: the version that is edited."},
                   {"schema", {{"type", "string"}, {"maxLength", 40}}}});
  if (is_single(route))
    out.push_back({{"name", "If-None-Match"},
                   {"in", "header"},
                   {"required", false},
                   {"description", "ETags that the client has: 304 where one is current."},
                   {"schema", {{"type", "string"}}}});
  return out;
}

Json header(std::string_view about) {
  return {{"description", about}, {"schema", {{"type", "string"}}}};
}

Json headers_of(const Route& route) {
  Json out = {{"RateLimit-Policy", header("What is allowed.")},
              {"RateLimit", header("What is left of it.")},
              {"X-Request-Id", header("Names this request in the log.")}};
  if (route.verb == Verb::get && route.gives != nullptr && route.media_type != kEventStream)
    out["ETag"] = header("A strong validator.");
  if (route.versions != Versions::none && route.gives != nullptr)
    out["ETag"] = header("The number of the version, in quotes.");
  if (is_parameter(route, "cursor")) out["Link"] = header("RFC 8288: next and first.");
  if (route.once != Once::none)
    out["Idempotent-Replayed"] = header("true where this is the stored answer.");
  return out;
}

Json success_of(const Route& route, Components& components) {
  Json out = {{"description", route.summary}, {"headers", headers_of(route)}};
  if (route.gives != nullptr) {
    const auto media = route.verb == Verb::get ? route.media_type : "application/json";
    out["content"][std::string(media)]["schema"] = route.gives(components);
    for (const auto& also : kAlsoAs)
      if (also.name == route.name)
        out["content"][std::string(also.media_type)]["schema"] = {{"type", "string"}};
  }
  return out;
}

Json responses_of(const Route& route, Components& components) {
  Json out = Json::object();
  out[std::to_string(route.status)] = success_of(route, components);
  for (const auto& also : kAlso)
    if (also.name == route.name) out[std::to_string(also.status)] = success_of(route, components);
  const bool is_file = route.media_type == "*/*";
  if (is_file) out["307"] = {{"description", "The store itself has it, at Location."}};
  if (is_single(route) || is_file) out["304"] = {{"description", "The client has it."}};
  if (route.versions == Versions::required)
    for (const auto* status : {"412", "428"})
      out[status] = {{"$ref", "#/components/responses/Problem"}};
  out["4XX"] = {{"$ref", "#/components/responses/Problem"}};
  out["5XX"] = {{"$ref", "#/components/responses/Problem"}};
  return out;
}

Json operation_of(const Route& route, Components& components) {
  Json out = {{"operationId", route.name},
              {"summary", route.summary},
              {"description", who_may(route.access)},
              {"tags", {tag_of(route.path)}},
              {"responses", responses_of(route, components)}};
  out["security"] = route.access == Access::anyone ? Json::array()
                                                   : Json::array({Json{{"bearer", Json::array()}}});
  if (const auto parameters = parameters_of(route); !parameters.empty())
    out["parameters"] = parameters;
  Json content = Json::object();
  if (route.takes != nullptr) content["application/json"]["schema"] = route.takes(components);
  if (route.streams != nullptr)
    for (const auto& type : route.streams()) content[type]["schema"] = Json::object();
  if (!content.empty()) out["requestBody"] = {{"required", true}, {"content", content}};
  return out;
}

Json problem_schema() {
  Json codes = Json::array();
  for (const auto& row : kCodes) codes.push_back(row.slug);
  const Json text = {{"type", "string"}};
  return {{"type", "object"},
          {"required", {"type", "title", "status", "detail", "instance", "code", "retry"}},
          {"additionalProperties", false},
          {"properties",
           {{"type", {{"type", "string"}, {"format", "uri"}}},
            {"title", text},
            {"status", {{"type", "integer"}, {"minimum", 400}, {"maximum", 599}}},
            {"detail", text},
            {"instance", text},
            {"code", {{"type", "string"}, {"enum", codes}}},
            {"retry", {{"type", "string"}, {"enum", {"never", "later"}}}},
            {"reason", text},
            {"errors",
             {{"type", "array"},
              {"items",
               {{"type", "object"},
                {"required", {"pointer", "detail"}},
                {"additionalProperties", false},
                {"properties", {{"pointer", text}, {"detail", text}}}}}}}}}};
}

Json tags_of(std::span<const Route> routes) {
  std::vector<std::string> names;
  for (const auto& route : routes)
    if (route.status != 101) names.push_back(tag_of(route.path));
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  Json out = Json::array();
  for (const auto& name : names)
    out.push_back({{"name", name}, {"description", "Operations on " + name + "."}});
  return out;
}

}  // namespace

Json openapi(std::span<const Route> routes, const std::string& server_url) {
  Components components;
  Json paths = Json::object();
  for (const auto& route : routes)
    if (route.status != 101)
      paths[std::string(route.path)][std::string(method_of(route.verb))] =
          operation_of(route, components);
  components["Problem"] = problem_schema();
  const Json problem = {
      {"description", "A problem document (RFC 9457)."},
      {"content",
       {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "Bottega"},
            {"version", BOTTEGA_VERSION},
            {"description", guide_text()},
            {"contact", {{"name", "The operator of this server"}, {"url", server_url}}},
            {"license", {{"name", "Apache 2.0"}, {"identifier", "Apache-2.0"}}}}},
          {"servers", {{{"url", server_url}}}},
          {"tags", tags_of(routes)},
          {"paths", paths},
          {"components",
           {{"schemas", components},
            {"responses", {{"Problem", problem}}},
            {"securitySchemes",
             {{"bearer",
               {{"type", "http"},
                {"scheme", "bearer"},
                {"description", "An access token (bat_…) or an API key (sk_…)."}}}}}}}};
}

}  // namespace bottega::gateway
