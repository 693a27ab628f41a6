// The catalogue as product feeds: a file in, what became of it, and the whole of it out.
#include "bottega/catalog/feeds.hpp"

#include "gateway/once.hpp"
#include "gateway/routes/routes.hpp"
#include "bottega/core/csv.hpp"

namespace bottega::gateway {
namespace {

using namespace catalog;

enum class ReportFormat : std::uint8_t { json, csv };
BOOST_DESCRIBE_ENUM(ReportFormat, json, csv)

attachments::Depot& depot_of(Call& call) {
  if (call.app.depot == nullptr) throw Error(Code::not_found, "there is no such address");
  return *call.app.depot;
}

// ---- in -----------------------------------------------------------------------------------------

// The key of the request with a digest of what has come: nobody has the body as a whole.
std::optional<OnceKey> key_of_feed(const Request& request, const std::string& sha256) {
  Request seen;
  seen.verb = request.verb;
  seen.path = request.path;
  seen.headers = request.headers;
  seen.who = request.who;
  seen.json = Json{{"query", request.query}, {"sha256", sha256}, {"type", request.media_type}};
  return once_key(seen);
}

asio::awaitable<void> read_all(Incoming& body, FeedIntake& intake) {
  for (;;) {
    const auto bytes = co_await body.next();
    if (bytes.empty()) co_return;
    co_await intake.take(bytes);
  }
}

asio::awaitable<Reply> take_in(Call& call) {
  auto& depot = depot_of(call);
  auto& body = *call.request.incoming;
  NewFeedImport given;
  given.merchant = call.at<MerchantId>(0);
  co_await call.app.db.read([&](Tx& tx) { require_editor(tx, call.who(), given.merchant); });
  given.format = feed_format_of(call.request.media_type);
  given.on_error = call.parameter_as<OnError>("on_error").value_or(OnError::skip);
  given.missing = call.parameter_as<Missing>("missing").value_or(Missing::keep);
  once_key(call.request);  // a key that is none is refused before the bytes come
  body.limit(static_cast<std::uint64_t>(call.app.config.catalog_feed_bytes_max));
  const auto id = FeedImportId::make();
  co_await call.app.db.transact([&](Tx& tx) { expect_feed(tx, call.who(), given.merchant, id); });
  FeedIntake intake(depot, id);
  co_await read_all(body, intake);
  co_await intake.put();
  const auto key = key_of_feed(call.request, intake.sha256());
  const auto reply = co_await call.app.db.transact([&](Tx& tx) {
    if (key) claim(tx, *key);
    auto made = created(begin_feed(tx, call.who(), given, id, intake.bytes()));
    if (key) keep(tx, *key, made);
    return made;
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> list(Call& call) {
  const auto shop = call.at<MerchantId>(0);
  const auto after = cursor_id<FeedImportId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read(
      [&](Tx& tx) { return list_feeds(tx, call.who(), shop, after, limit + 1); });
  co_return call.page(found, limit, id_of<FeedImport>);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<FeedImportId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(fetch_feed(tx, call.who(), id)); });
}

asio::awaitable<Reply> cancel(Call& call) {
  const auto id = call.at<FeedImportId>(0);
  const auto reply =
      co_await call.transact([&](Tx& tx) { return ok(cancel_feed(tx, call.who(), id)); });
  call.app.poke_jobs();
  co_return reply;
}

// ---- the report ---------------------------------------------------------------------------------

std::string csv_of(const std::vector<FeedRemark>& remarks) {
  auto out = csv_line({"line", "severity", "sku", "field", "detail"});
  for (const auto& one : remarks)
    out += csv_line({std::to_string(one.line), text_of(one.severity), one.sku.value_or(""),
                     one.field.value_or(""), one.detail});
  return out;
}

asio::awaitable<Reply> report(Call& call) {
  const auto id = call.at<FeedImportId>(0);
  const auto format = call.parameter_as<ReportFormat>("format").value_or(ReportFormat::json);
  const bool is_csv = format == ReportFormat::csv;
  const auto position = call.cursor();
  const auto after =
      position ? from_text<std::int64_t>(*position, Code::bad_cursor) : std::int64_t{0};
  const auto limit = call.limit();
  const auto most = is_csv ? kFeedReportMax : limit + 1;
  const auto found = co_await call.app.db.read(
      [&](Tx& tx) { return feed_report(tx, call.who(), id, after, most); });
  if (!is_csv) {
    co_return call.page(found, limit,
                        [](const FeedRemark& one) { return std::to_string(one.number); });
  }
  Reply reply;
  reply.text = csv_of(found);
  reply.media_type = "text/csv; charset=utf-8";
  reply.headers = {{"Content-Disposition", "attachment; filename=\"" + text_of(id) + ".csv\""}};
  co_return reply;
}

// ---- out ----------------------------------------------------------------------------------------

class FeedDownload final : public Outgoing {
 public:
  FeedDownload(Database& db, const identity::Merchant& shop, FeedFormat format)
      : feed_(db, shop, format) {}
  asio::awaitable<std::string_view> next() override { return feed_.next(); }

 private:
  FeedExport feed_;
};

std::string_view media_type_of(FeedFormat format) {
  if (format == FeedFormat::xml) return "application/xml";
  return format == FeedFormat::csv ? "text/csv; charset=utf-8"
                                   : "text/tab-separated-values; charset=utf-8";
}

asio::awaitable<Reply> give(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto format = call.parameter_as<FeedFormat>("format").value_or(FeedFormat::csv);
  const auto shop = co_await call.app.db.read([&](Tx& tx) {
    if (!sees_all(tx, call.who(), id))
      throw Error(Code::not_found, "there is no such thing, or it is not yours");
    return identity::fetch_merchant(tx, id);
  });
  Reply reply;
  reply.media_type = media_type_of(format);
  reply.headers = {
      {"Content-Disposition", "attachment; filename=\"catalogue." + text_of(format) + '"'},
      {"Cache-Control", "no-store"}};
  reply.stream = std::make_shared<FeedDownload>(call.app.db, shop, format);
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/merchants/{id}/feed_imports",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = take_in,
     .name = "importFeed",
     .summary = "Import a product feed of Google's or Meta's form; the body is the file",
     .status = 201,
     .gives = kGives<FeedImport>,
     .parameters = "on_error missing",
     .streams = feed_media_types},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/feed_imports",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listFeedImports",
     .summary = "A shop's imports, newest first",
     .gives = kGivesPage<FeedImport>,
     .parameters = "limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/feed_imports/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getFeedImport",
     .summary = "How far an import is, and what became of it",
     .gives = kGives<FeedImport>},
    {.verb = Verb::get,
     .path = "/v1/feed_imports/{id}/report",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = report,
     .name = "getFeedImportReport",
     .summary = "What is wrong with its rows, line by line; the first ten thousand things",
     .gives = kGivesPage<FeedRemark>,
     .parameters = "format limit cursor"},
    {.verb = Verb::post,
     .path = "/v1/feed_imports/{id}/cancel",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = cancel,
     .name = "cancelFeedImport",
     .summary = "Stop an import; what is in the catalogue already stays",
     .gives = kGives<FeedImport>},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/feed",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = give,
     .name = "getFeed",
     .summary = "The whole catalogue as a product feed, for Google, Meta, or another import",
     .gives = any_text,
     .media_type = "text/csv",
     .parameters = "format"},
};

}  // namespace

std::span<const Route> feed_routes() { return kRoutes; }

}  // namespace bottega::gateway
