#include "gateway/openapi.hpp"

#include <algorithm>

#include "gateway/event_mark.hpp"
#include "gateway/guide.hpp"

namespace bottega::gateway {
namespace {

struct Parameter {
  std::string_view name, about;
  std::string_view schema;
  std::string_view required_by = {};  // the operation that does not do without
  std::string_view only_of = {};      // the operations where the name means something else
};
constexpr std::string_view kText = R"({"type":"string","maxLength":254})";
constexpr std::string_view kSubjects =
    R"({"type":"string","enum":["not_received","damaged","wrong_item","refund","payment",)"
    R"("account","withdrawal","other"]})";
constexpr std::string_view kReports =
    "getSalesReport getRefundsReport getProductsReport getConversionReport";
constexpr std::string_view kBrowsing = "listProducts listConversationProducts";
const Parameter kParameters[] = {
    {"limit", "How many at most.", R"({"type":"integer","minimum":1,"maximum":100,"default":20})"},
    {"cursor", "Where to go on: next_cursor of the page before.", kText},
    {"after", "Only entries after this sequence number.", R"({"type":"integer","minimum":0})"},
    {"before", "Only entries before this sequence number, newest first.",
     R"({"type":"integer","minimum":1})"},
    {"status", "Only of this status.",
     R"({"type":"string","enum":["open","pending","snoozed","closed"]})"},
    {"label", "Only with this label.", R"({"type":"string","maxLength":128})"},
    {"assignee", "Only of this member: me, nobody, or an account's id.", kText},
    {"merchant_id", "Only of this merchant.", R"({"type":"string","maxLength":90})"},
    {"number", "Only the one with this number, of the shop.",
     R"({"type":"string","maxLength":20})"},
    {"number", "The tracking number.", R"({"type":"string","minLength":1,"maxLength":60})",
     "recogniseTracking", "recogniseTracking"},
    {"account_id", "Only of this person.", R"({"type":"string","maxLength":90})"},
    {"conversation_id", "Of this conversation.", R"({"type":"string","maxLength":90})",
     "listPaymentRequests"},
    {"q",
     "Words; \"in quotes\" one after the other, or between two, - before what must not be there.",
     R"({"type":"string","minLength":1,"maxLength":200})", "searchMessages"},
    {"language", "In this language; else in each shop's own.",
     R"({"type":"string","enum":["simple","arabic","armenian","basque","catalan","danish",)"
     R"("dutch","english","finnish","french","german","greek","hindi","hungarian","indonesian",)"
     R"("irish","italian","lithuanian","nepali","norwegian","portuguese","romanian","russian",)"
     R"("serbian","spanish","swedish","tamil","turkish","yiddish"]})"},
    {"author", "Only what this side wrote.", R"({"type":"string","enum":["buyer","merchant"]})"},
    {"sent_before", "Only what was sent before this time.",
     R"({"type":"string","format":"date-time"})"},
    {"at", "As it was at this time; now where none is given.",
     R"({"type":"string","format":"date-time"})"},
    {"format", "Of the file.", R"({"type":"string","enum":["csv","beancount"],"default":"csv"})"},
    {"until", "Nothing later than this time, a minute ago where none is given.",
     R"({"type":"string","format":"date-time"})"},
    {"from", "Nothing before this time, nor at it; 30 days before until where none is given.",
     R"({"type":"string","format":"date-time"})", "", "getWalletStatement"},
    {"until", "Nothing later than this time; now where none is given.",
     R"({"type":"string","format":"date-time"})", "", "getWalletStatement"},
    {"format", "Of the answer.", R"({"type":"string","enum":["json","csv"],"default":"json"})", "",
     "getWalletStatement"},
    {"from", "From this day on (UTC); the month before `to` where none is given.",
     R"({"type":"string","format":"date"})"},
    {"to", "Up to this day; today where none is given.", R"({"type":"string","format":"date"})"},
    {"currency", "Of this currency.", R"({"type":"string","pattern":"^[A-Z]{3}$"})"},
    {"until", "The last day, in UTC; today where none is given. At most 366 days.",
     R"({"type":"string","format":"date"})", "", "adminGetRevenue"},
    {"format", "Of the answer; by Accept where none is given.",
     R"({"type":"string","enum":["json","csv"]})", "", "adminGetRevenue"},
    {"merchant_id", "Of this shop.", R"({"type":"string","maxLength":90})", "listProducts",
     "listProducts"},
    {"merchant_id", "Of this shop.", R"({"type":"string","maxLength":90})", "listCollections",
     "listCollections"},
    {"q", "Words that it has, each from its beginning on.",
     R"({"type":"string","minLength":1,"maxLength":200})", "", kBrowsing},
    {"state", "In this state; members see other states than published.",
     R"({"type":"string","enum":["draft","published","archived"],"default":"published"})", "",
     kBrowsing},
    {"collection_id", "Only of this collection.", R"({"type":"string","maxLength":90})"},
    {"brand", "Only of this brand.", R"({"type":"string","minLength":1,"maxLength":70})"},
    {"category", "Only of this category, such as Food > Drinks, and what is below it.",
     R"({"type":"string","minLength":1,"maxLength":750})"},
    {"condition", "Only in this condition.",
     R"({"type":"string","enum":["new","refurbished","used"]})"},
    {"in_stock", "Only what is there.", R"({"type":"boolean","default":false})"},
    {"price_from", "At least this much now, in minor units of the shop's default currency.",
     R"({"type":"integer","minimum":0})"},
    {"price_to", "At most this much now.", R"({"type":"integer","minimum":0})"},
    {"sort", "Newest first, or by the price now: what has none is left out then.",
     R"({"type":"string","enum":["newest","price_up","price_down"],"default":"newest"})"},
    {"on_error", "What becomes of the good rows of a file that has bad ones.",
     R"({"type":"string","enum":["skip","stop"],"default":"skip"})"},
    {"missing", "What becomes of published products that the file does not have.",
     R"({"type":"string","enum":["keep","archive"],"default":"keep"})"},
    {"format", "Of the answer; csv is the whole report.",
     R"({"type":"string","enum":["json","csv"],"default":"json"})", "", "getFeedImportReport"},
    {"format", "Of the file.", R"({"type":"string","enum":["csv","tsv","xml"],"default":"csv"})",
     "", "getFeed"},
    {"from", "The first day, by the clocks of the merchant's country; 30 days before `to`.",
     R"({"type":"string","format":"date"})", "", kReports},
    {"to", "The last day, likewise; today where none is given. At most 366 days.",
     R"({"type":"string","format":"date"})", "", kReports},
    {"format", "Of the answer.", R"({"type":"string","enum":["json","csv"],"default":"json"})", "",
     kReports},
    {"format", "A page, or a file.", R"({"type":"string","enum":["html","pdf"],"default":"html"})",
     "", "getReceipt getPackingSlip"},
    {"state", "Only in this state.", kText},
    {"email", "Only with this mail address.", kText},
    {"name", "With this in the name, or the name of what is uploaded.", kText},
    {"subject", "Only about this id.", kText},
    {"subject", "Only of this subject.", kSubjects, "", "listSupportCases adminListSupportCases"},
    {"priority", "Only as urgent as this.",
     R"({"type":"string","enum":["low","normal","high","urgent"]})"},
    {"kind", "Who asked: the shop's buyers, or the shop itself.",
     R"({"type":"string","enum":["buyer","merchant"],"default":"buyer"})"},
    {"variant", "The file itself, or its thumbnail.",
     R"({"type":"string","enum":["original","thumbnail"],"default":"original"})"},
    {"expires", "As it is in the link: seconds since 1970.", R"({"type":"integer","minimum":0})"},
    {"signature", "As it is in the link.", kText},
};

// Successes that a row cannot say with its one status.
struct Also {
  std::string_view name;
  unsigned status;
};
constexpr Also kAlso[] = {{"openConversation", 200},     {"acceptPaymentRequest", 202},
                          {"getAttachmentContent", 206}, {"createTopUp", 202},
                          {"cancelTopUp", 202},          {"createTransfer", 202}};

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

// Whether a list of operations, with spaces between them, has this one.
bool names(std::string_view operations, std::string_view operation) {
  while (!operations.empty()) {
    const auto one = operations.substr(0, operations.find(' '));
    if (one == operation) return true;
    operations.remove_prefix(std::min(one.size() + 1, operations.size()));
  }
  return false;
}

// Whether the route's parameter of this name is the one that the row describes.
bool describes(const Parameter& row, const Route& route) {
  if (!is_parameter(route, row.name)) return false;
  if (!row.only_of.empty()) return names(row.only_of, route.name);
  return std::ranges::none_of(kParameters, [&](const Parameter& other) {
    return other.name == row.name && names(other.only_of, route.name);
  });
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
  for (const auto& p : kParameters)
    if (describes(p, route))
      out.push_back({{"name", p.name},
                     {"in", "query"},
                     {"required", p.required_by == route.name},
                     {"description", p.about},
                     {"schema", Json::parse(p.schema)}});
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
