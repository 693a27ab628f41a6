#include "gateway/openapi_parameters.hpp"

#include <algorithm>

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
    {"shipment_id", "Only what is in this parcel of the order.",
     R"({"type":"string","maxLength":90})"},
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

}  // namespace

void add_query_parameters(Json& out, const Route& route) {
  for (const auto& p : kParameters)
    if (describes(p, route))
      out.push_back({{"name", p.name},
                     {"in", "query"},
                     {"required", p.required_by == route.name},
                     {"description", p.about},
                     {"schema", Json::parse(p.schema)}});
}

}  // namespace bottega::gateway
