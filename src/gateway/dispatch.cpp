#include "gateway/dispatch.hpp"

#include <algorithm>

#include "gateway/event_mark.hpp"
#include "gateway/guests.hpp"
#include "gateway/once.hpp"
#include "gateway/problem.hpp"
#include "gateway/url.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/core/log.hpp"
#include "bottega/identity/guests.hpp"

namespace bottega::gateway {
namespace {

using namespace std::chrono_literals;
using identity::StaffRole;

struct Match {
  const Route* route = nullptr;
  std::vector<std::string> captured;
};

std::string_view name_of(Verb verb) {
  switch (verb) {
    case Verb::get:
      return "GET";
    case Verb::post:
      return "POST";
    case Verb::put:
      return "PUT";
    case Verb::patch:
      return "PATCH";
    case Verb::del:
      return "DELETE";
  }
  return "GET";
}

// The {captured} segments where the path fits the pattern.
std::optional<std::vector<std::string>> fit(std::string_view pattern, std::string_view path) {
  std::vector<std::string> captured;
  while (!pattern.empty() && !path.empty()) {
    const auto p = pattern.substr(0, pattern.find('/')), s = path.substr(0, path.find('/'));
    if (p.starts_with('{')) {
      if (s.empty()) return std::nullopt;
      captured.push_back(decode_url(s, Part::path));
    } else if (p != s) {
      return std::nullopt;
    }
    if ((p.size() == pattern.size()) != (s.size() == path.size())) return std::nullopt;
    pattern.remove_prefix(std::min(p.size() + 1, pattern.size()));
    path.remove_prefix(std::min(s.size() + 1, path.size()));
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return captured;
}

// Whether a path fits the pattern; what cannot be decoded is refused later.
bool fits(std::string_view pattern, std::string_view path) {
  try {
    return fit(pattern, path).has_value();
  } catch (const Error&) {
    return false;
  }
}

std::string methods_of(std::span<const Route> routes, std::string_view path) {
  std::string allowed;
  for (const auto& route : routes)
    if (fits(route.path, path))
      allowed += (allowed.empty() ? "" : ", ") + std::string(name_of(route.verb)) +
                 (route.verb == Verb::get ? ", HEAD" : "");
  return allowed;
}

Match match(std::span<const Route> routes, const Request& request) {
  for (const auto& route : routes)
    if (route.verb == request.verb)
      if (auto captured = fit(route.path, request.path)) return {&route, *std::move(captured)};
  const auto allowed = methods_of(routes, request.path);
  if (allowed.empty()) throw Error(Code::not_found, "there is no such address");
  throw Error(Code::method_not_allowed, "this address takes: " + allowed).allow(allowed);
}

void admit(const Route& route, const identity::Who& who) {
  const auto refuse = [] { return Error(Code::not_found, "there is no such address"); };
  switch (route.access) {
    case Access::anyone:
      return;
    case Access::person:
      if (who.kind == identity::Kind::person) return;
      throw Error(Code::forbidden, "an API key cannot do this");
    case Access::member:
      if (who.kind != identity::Kind::nobody) return;
      break;
    // To everybody but the staff there is no such address.
    case Access::support:
      if (who.staff) return;
      throw refuse();
    case Access::finance:
      if (who.staff == StaffRole::finance || who.staff == StaffRole::admin) return;
      if (who.staff) throw Error(Code::forbidden, "this takes the role of finance");
      throw refuse();
    case Access::admin:
      if (who.staff == StaffRole::admin) return;
      if (who.staff) throw Error(Code::forbidden, "this takes the role of admin");
      throw refuse();
    case Access::nobody:
      break;
  }
  throw Error(Code::unauthenticated, "send a bearer token");
}

[[noreturn]] void exceeded(const Allowance& allowance) {
  throw Error(Code::rate_limited, "too many requests in this minute")
      .retry_after(std::max(allowance.resets_in, 1s));
}

Allowance spend(App& app, Budget budget, const identity::Who& who, const std::string& address) {
  const auto& config = app.config;
  const bool writes = budget != Budget::reads;
  const auto quota = writes ? config.limits_writes_per_minute : config.limits_requests_per_minute;
  auto actor = who.actor();
  if (who.kind == identity::Kind::nobody) actor += ":" + network_of(address);
  return app.limits.take((writes ? "writes:" : "reads:") + actor, quota, 60s);
}

void check_body(const Route& route, const Request& request) {
  if (route.streams != nullptr) {
    if (request.incoming != nullptr) return;
    throw Error(Code::unsupported_media_type, "send the bytes as the body of an HTTP request");
  }
  if (request.body.empty() && !request.json) return;
  const bool is_nothing = request.json ? *request.json == Json::object() : request.body == "{}";
  if (route.takes == nullptr && route.media_type == "application/json" && !is_nothing)
    throw Error(Code::invalid, "this address takes no body", {{"", "must be empty"}});
  const bool json = request.media_type == "application/json";
  if (!json && route.media_type == "application/json")
    throw Error(Code::unsupported_media_type, "send the body as application/json");
}

// A filter that is misspelled must not look as if it had matched everything.
void check_query(const Route& route, const Request& request) {
  if (!route.path.starts_with("/v1/")) return;
  for (const auto& [name, value] : parse_query(request.query))
    if (!is_parameter(route, name))
      throw Error(Code::malformed,
                  "there is no such query parameter here" + (name.size() > 40 ? "" : ": " + name));
}

void check_key(const Route& route, const Request& request) {
  if (route.once == Once::required && request.header("idempotency-key").data() == nullptr)
    throw Error(Code::idempotency_key_required, "money moves here: send an Idempotency-Key");
}

void check_version(const Route& route, const Request& request) {
  if (route.versions == Versions::required && request.header("if-match").empty())
    throw Error(Code::precondition_required, "send If-Match with the ETag of what you have read");
}

// A strong validator for what a GET answers (RFC 9110, 8.8.3), unless its handler has given one,
// and 304 where the client has it.
void tag(const Request& request, Reply& reply) {
  if (request.verb != Verb::get || reply.status != 200 || reply.stream || is_event_stream(reply))
    return;
  auto given = std::ranges::find_if(reply.headers,
                                    [](const auto& header) { return header.first == "ETag"; });
  if (given == reply.headers.end()) {
    const auto digest = '"' + sha256_hex(body_text(reply)).substr(0, 24) + '"';
    given = reply.headers.emplace(given, "ETag", digest);
  }
  const auto& etag = given->second;
  const auto seen = request.header("if-none-match");
  if (seen != "*" && seen.find(etag) == seen.npos) return;
  reply.status = 304;
  reply.body = nullptr;
  reply.text.clear();
}

struct Progress {
  std::string_view route;
  std::optional<Allowance> allowance;
};

asio::awaitable<Reply> handle(App& app, Request& request, std::optional<std::string>& token,
                              Progress& progress) {
  admit_address(app, request.address);
  auto matched = match(app.routes, request);
  const Route& route = *matched.route;
  progress.route = route.name;
  if (token && route.access != Access::anyone) request.who = co_await authenticate(app, *token);
  if (route.access != Access::anyone && request.who.kind == identity::Kind::nobody)
    throw Error(Code::unauthenticated, "send a bearer token");
  admit(route, request.who);
  if (!is_for_guests(route)) identity::require_account(request.who);
  if (route.budget != Budget::events) {
    progress.allowance = spend(app, route.budget, request.who, request.address);
    if (progress.allowance->exceeded) exceeded(*progress.allowance);
  }
  check_query(route, request);
  check_body(route, request);
  check_key(route, request);
  check_version(route, request);
  Call call(app, request, std::move(matched.captured), route.once);
  auto reply = co_await route.handler(call);
  tag(request, reply);
  co_return reply;
}

void add_limits(Reply& reply, const Progress& progress) {
  if (!progress.allowance) return;
  const auto& a = *progress.allowance;
  reply.headers.emplace_back("RateLimit-Policy", "\"minute\";q=" + std::to_string(a.quota) +
                                                     ";w=" + std::to_string(a.window.count()));
  reply.headers.emplace_back("RateLimit", "\"minute\";r=" + std::to_string(a.left) +
                                              ";t=" + std::to_string(a.resets_in.count()));
}

}  // namespace

std::string allowed_at(const App& app, std::string_view path) {
  auto allowed = methods_of(app.routes, path);
  return allowed.empty() ? "GET, HEAD, POST, PUT, PATCH, DELETE" : allowed;
}

bool streams_body(const App& app, const Request& request) {
  for (const auto& route : app.routes)
    if (route.streams != nullptr && route.verb == request.verb && fits(route.path, request.path))
      return true;
  return false;
}

asio::awaitable<identity::Who> authenticate(App& app, std::string token) {
  const auto hash = sha256_hex(token);
  if (const auto known = app.tokens.find(hash)) {
    if (known->expires_at <= app.clock.now())
      throw Error(Code::token_expired, "the access token has expired; refresh it");
    co_return *known;
  }
  const auto generation = app.tokens.generation();
  const auto who = co_await app.db.read([&](Tx& tx) { return identity::authenticate(tx, token); });
  if (who.kind == identity::Kind::api_key)
    co_await app.db.transact([&](Tx& tx) { identity::note_use(tx, who); });
  app.tokens.keep(hash, who, generation);
  co_return who;
}

void check_conversation(App& app, conversations::ConversationId id) {
  const auto quota = app.config.limits_conversation_per_minute;
  const auto allowance = app.limits.look(text_of(id), quota, 60s);
  if (allowance.exceeded) exceeded(allowance);
}

void count_message(App& app, conversations::ConversationId id) {
  app.limits.take(text_of(id), app.config.limits_conversation_per_minute, 60s);
}

void admit_address(App& app, const std::string& address) {
  const auto from =
      app.limits.take("address:" + network_of(address), app.config.limits_address_per_minute, 60s);
  if (from.exceeded) exceeded(from);
}

void admit_event(App& app, const std::string& processor) {
  const auto allowance =
      app.limits.take("events:" + processor, app.config.limits_events_per_minute, 60s);
  if (allowance.exceeded) exceeded(allowance);
}

void admit_forgery(App& app, const identity::Who& who, const std::string& address) {
  const auto allowance = spend(app, Budget::writes, who, address);
  if (allowance.exceeded) exceeded(allowance);
}

Spoken admit_message(App& app, const identity::Who& who, const std::string& address,
                     std::string_view conversation, const Request& request) {
  admit_address(app, address);
  if (who.kind == identity::Kind::nobody) throw Error(Code::unauthenticated, "send a bearer token");
  const auto allowance = spend(app, Budget::writes, who, address);
  if (allowance.exceeded) exceeded(allowance);
  const auto id = from_text<conversations::ConversationId>(conversation, Code::not_found);
  check_conversation(app, id);
  static const Json nothing = Json::object();
  return {id, from_json<conversations::NewMessage>(request.json ? *request.json : nothing)};
}

void admit_resume(App& app, const identity::Who& who, const std::string& address,
                  const Frame& frame) {
  constexpr std::size_t kPerRead = 100;
  const auto most = frame.positions.size() + (frame.since ? kSinceMax : 0);
  for (std::size_t i = 0; i <= most; i += kPerRead) {
    admit_address(app, address);
    const auto allowance = spend(app, Budget::reads, who, address);
    if (allowance.exceeded) exceeded(allowance);
  }
}

asio::awaitable<Reply> dispatch(App& app, Request request, std::optional<std::string> token) {
  const auto started = std::chrono::steady_clock::now();
  Progress progress;
  Reply reply;
  std::exception_ptr failure;
  try {
    reply = co_await handle(app, request, token, progress);
  } catch (const Replayed& replayed) {
    reply = replayed.reply;
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure)
    reply = problem(error_of(failure, request.request_id), request.request_id, app.public_url);
  add_limits(reply, progress);
  const auto took = std::chrono::steady_clock::now() - started;
  app.metrics.answered(progress.route, reply.status, took);
  log::debug("request",
             {{"request", request.request_id},
              {"route", progress.route},
              {"status", reply.status},
              {"who", request.who.actor()},
              {"us", std::chrono::duration_cast<std::chrono::microseconds>(took).count()}});
  co_return reply;
}

std::string body_text(const Reply& reply) {
  if (!reply.text.empty()) return reply.text;
  return reply.body.is_null() ? std::string() : reply.body.dump();
}

std::string media_type(const Reply& reply) {
  if (!reply.media_type.empty()) return reply.media_type;
  return reply.body.is_null() ? "" : "application/json";
}

}  // namespace bottega::gateway
