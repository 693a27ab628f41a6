// How the server is, and what it speaks: health, metrics, the contract and its pages.
#include <algorithm>

#include "gateway/asyncapi.hpp"
#include "gateway/dispatch.hpp"
#include "gateway/docs.hpp"
#include "gateway/event_mark.hpp"
#include "gateway/openapi.hpp"
#include "gateway/routes/routes.hpp"
#include "bottega/risk/reviews.hpp"
#include "bottega/settlements/settlements.hpp"

namespace bottega::gateway {
namespace {

struct Health {
  std::string status;
};
BOOST_DESCRIBE_STRUCT(Health, (), (status))

asio::awaitable<Reply> alive(Call&) { co_return ok(Health{"alive"}); }

asio::awaitable<Reply> ready(Call& call) {
  if (call.app.stopping) throw Error(Code::stopping, "the server is stopping");
  const bool reachable = co_await call.app.db.reachable();
  if (!reachable)
    throw Error(Code::busy, "the database cannot be reached").retry_after(std::chrono::seconds(2));
  co_return ok(Health{"ready"});
}

asio::awaitable<Reply> metrics(Call& call) {
  // A scrape must work while the database does not.
  jobs::Runner::Counts counts{0, 0};
  const bool reachable = co_await call.app.db.reachable();
  try {
    if (reachable) {
      counts = co_await call.app.runner.counts();
      const auto open =
          co_await call.app.db.read([](Tx& tx) { return settlements::count_open(tx); });
      call.app.metrics.settlement_differences = open;
      const auto reviews = co_await call.app.db.read([](Tx& tx) { return risk::count_open(tx); });
      call.app.metrics.reviews_open = reviews;
    }
  } catch (const Error&) {}
  Reply reply;
  reply.text = call.app.metrics.page(call.app, counts.due, counts.dead);
  reply.media_type = "text/plain; version=0.0.4; charset=utf-8";
  co_return reply;
}

asio::awaitable<Reply> openapi_document(Call& call) {
  Reply reply;
  reply.body = openapi(call.app.routes, call.app.public_url);
  co_return reply;
}

asio::awaitable<Reply> asyncapi_document(Call& call) {
  const auto scheme_end = call.app.public_url.find("://");
  Reply reply;
  reply.body = asyncapi(call.app.public_url.substr(scheme_end + 3));
  co_return reply;
}

asio::awaitable<Reply> docs(Call& call) {
  co_return html(docs_page(openapi(call.app.routes, call.app.public_url)));
}

asio::awaitable<Reply> problems(Call&) { co_return html(problems_index()); }

asio::awaitable<Reply> problem_named(Call& call) {
  const auto* row = std::ranges::find(kCodes, call.segment(0), &CodeInfo::slug);
  if (row == kCodes.end()) throw Error(Code::not_found, "there is no such problem");
  co_return html(problem_page(*row));
}

asio::awaitable<Reply> back(Call&) { co_return html(back_page()); }

asio::awaitable<Reply> home(Call&) {
  Reply reply;
  reply.status = 302;
  reply.headers.emplace_back("Location", "/docs");
  co_return reply;
}

// The socket answers to upgrades only; a plain request learns so.
asio::awaitable<Reply> socket(Call&) {
  throw Error(Code::upgrade_required, "this address speaks WebSocket");
  co_return Reply{};
}

// The connection takes over from here (event_stream.cpp). A frame of a socket has no host.
asio::awaitable<Reply> events(Call& call) {
  const auto& who = call.who();
  if (!call.request.headers.contains("host"))
    throw Error(Code::not_acceptable, "this is a stream over HTTP; a socket has its events");
  if (who.kind == identity::Kind::api_key &&
      std::ranges::count(who.scopes, identity::Scope::read) == 0)
    throw Error(Code::forbidden, "this key may not read");
  if (const auto mark = resumed_from(call.request, who)) {
    Frame resume;
    resume.positions = mark->positions;
    resume.since = mark->since;
    admit_resume(call.app, who, call.request.address, resume);
  }
  Reply reply;
  reply.headers.emplace_back("X-Accel-Buffering", "no");
  reply.media_type = kEventStream;
  co_return reply;
}

Json any_object(Components&) { return {{"type", "object"}}; }

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/healthz",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = alive,
     .name = "getHealth",
     .summary = "Alive",
     .gives = kGives<Health>},
    {.verb = Verb::get,
     .path = "/readyz",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = ready,
     .name = "getReadiness",
     .summary = "Ready to take traffic: the database answers",
     .gives = kGives<Health>},
    {.verb = Verb::get,
     .path = "/metrics",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = metrics,
     .name = "getMetrics",
     .summary = "Metrics in Prometheus' text format",
     .gives = any_text,
     .media_type = "text/plain"},
    {.verb = Verb::get,
     .path = "/openapi.json",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = openapi_document,
     .name = "getOpenApi",
     .summary = "This contract, generated from the routes",
     .gives = any_object},
    {.verb = Verb::get,
     .path = "/asyncapi.json",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = asyncapi_document,
     .name = "getAsyncApi",
     .summary = "The contract of the socket",
     .gives = any_object},
    {.verb = Verb::get,
     .path = "/docs",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = docs,
     .name = "getDocs",
     .summary = "The contract as a page",
     .gives = any_text,
     .media_type = "text/html"},
    {.verb = Verb::get,
     .path = "/back",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = back,
     .name = "getBackPage",
     .summary = "Where somebody comes back to from a processor's page: the chat says how it went",
     .gives = any_text,
     .media_type = "text/html"},
    {.verb = Verb::get,
     .path = "/problems",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = problems,
     .name = "listProblems",
     .summary = "Every kind of problem",
     .gives = any_text,
     .media_type = "text/html"},
    {.verb = Verb::get,
     .path = "/problems/{code}",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = problem_named,
     .name = "getProblem",
     .summary = "What a problem's type means",
     .gives = any_text,
     .media_type = "text/html"},
    {.verb = Verb::get,
     .path = "/v1/socket",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = socket,
     .name = "openSocket",
     .summary = "The WebSocket, described in /asyncapi.json",
     .status = 101},
    {.verb = Verb::get,
     .path = "/v1/events/stream",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = events,
     .name = "streamEvents",
     .summary = "The events of a socket as an event stream; Last-Event-ID goes on after a break",
     .gives = any_text,
     .media_type = "text/event-stream"},
    {.verb = Verb::get,
     .path = "/",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = home,
     .name = "getHome",
     .summary = "To the docs",
     .status = 302},
};

}  // namespace

std::span<const Route> system_routes() { return kRoutes; }

std::span<const Route> all_routes() {
  static const auto all = [] {
    std::vector<Route> rows;
    for (const auto part :
         {account_routes(),      merchant_routes(),      member_routes(),
          conversation_routes(), message_routes(),       search_routes(),
          inbox_routes(),        inbox_tool_routes(),    safety_routes(),
          notification_routes(), attachment_routes(),    privacy_routes(),
          payment_routes(),      order_routes(),         payout_routes(),
          processor_routes(),    admin_routes(),         staff_money_routes(),
          book_routes(),         fee_routes(),           settlement_routes(),
          dispute_routes(),      wallet_routes(),        transfer_routes(),
          risk_routes(),         product_routes(),       stock_routes(),
          collection_routes(),   feed_routes(),          shipping_routes(),
          tax_routes(),          discount_routes(),      checkout_setting_routes(),
          support_routes(),      staff_support_routes(), paper_routes(),
          report_routes(),       shipment_routes(),      return_routes(),
          shopping_routes(),     checkout_routes(),      payment_link_routes(),
          guest_routes(),        system_routes()})
      rows.insert(rows.end(), part.begin(), part.end());
    return rows;
  }();
  return all;
}

}  // namespace bottega::gateway
