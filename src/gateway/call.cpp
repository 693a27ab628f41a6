// What a handler asks of its request: the body, parameters, pages, and exactly-once transactions.
#include <algorithm>

#include "gateway/app.hpp"
#include "gateway/cursor.hpp"
#include "gateway/once.hpp"
#include "gateway/url.hpp"

namespace bottega::gateway {
namespace {

constexpr std::int64_t kLimitDefault = 20, kLimitMost = 100;

std::string link_target(const Request& request, const std::string& cursor, std::int64_t limit) {
  std::string target = request.path + "?limit=" + std::to_string(limit);
  for (const auto& [name, value] : parse_query(request.query))
    if (name != "cursor" && name != "limit") target += '&' + name + '=' + encode_query(value);
  return cursor.empty() ? target : target + "&cursor=" + cursor;
}

}  // namespace

bool is_parameter(const Route& route, std::string_view name) {
  for (auto words = route.parameters; !words.empty();) {
    const auto one = words.substr(0, words.find(' '));
    if (one == name) return true;
    words.remove_prefix(std::min(one.size() + 1, words.size()));
  }
  return false;
}

Reply html(std::string text, unsigned status) {
  return {status, nullptr, {}, std::move(text), "text/html; charset=utf-8"};
}

Json Call::json_body() const {
  if (request.json) return *request.json;
  if (request.body.empty()) return Json::object();
  if (request.media_type != "application/json")
    throw Error(Code::unsupported_media_type, "send the body as application/json");
  return parse_json(request.body);
}

std::int64_t Call::version() const {
  auto given = request.header("if-match");
  if (given.empty() || given == "*")
    throw Error(Code::precondition_required, "send If-Match with the ETag of what you have read");
  const Error other(Code::precondition_failed, "this is no version of it; read it again");
  if (given.size() < 3 || !given.starts_with('"') || !given.ends_with('"')) throw other;
  const auto number = Form<std::int64_t>::parse(given.substr(1, given.size() - 2));
  if (!number) throw other;
  return *number;
}

std::optional<std::string> Call::parameter(std::string_view name) const {
  std::optional<std::string> value;
  for (auto& [given, text] : parse_query(request.query)) {
    if (given != name) continue;
    if (value) throw Error(Code::malformed, "a query parameter is given twice");
    value = text;
  }
  return value;
}

std::int64_t Call::limit() const {
  return parameter_as<Count<1, kLimitMost>>("limit").value_or(Count<1, kLimitMost>{kLimitDefault});
}

std::optional<std::string> Call::cursor() const {
  const auto given = parameter("cursor");
  if (!given) return std::nullopt;
  return position_of_cursor(request, *given);
}

Reply Call::page_of(Json data, std::optional<std::string> next_position) const {
  Reply reply;
  std::string next;
  if (next_position) next = sealed_cursor(request, *next_position);
  reply.body = {{"data", std::move(data)},
                {"has_more", next_position.has_value()},
                {"next_cursor", next.empty() ? Json(nullptr) : Json(next)}};
  std::string link = '<' + link_target(request, "", limit()) + ">; rel=\"first\"";
  if (!next.empty()) link = '<' + link_target(request, next, limit()) + ">; rel=\"next\", " + link;
  reply.headers.emplace_back("Link", link);
  return reply;
}

asio::awaitable<Reply> Call::transact(std::function<Reply(Tx&)> op) {
  const auto key = once_ == Once::none ? std::nullopt : once_key(request);
  co_return co_await app.db.transact([&](Tx& tx) {
    if (key) claim(tx, *key);
    auto reply = op(tx);
    if (key) keep(tx, *key, reply);
    return reply;
  });
}

asio::awaitable<Reply> Call::read(std::function<Reply(Tx&)> op) {
  co_return co_await app.db.read([&](Tx& tx) { return op(tx); });
}

asio::awaitable<bool> Call::is_repeat() {
  const auto key = once_ == Once::none ? std::nullopt : once_key(request);
  if (!key) co_return false;
  co_return co_await app.db.read([&](Tx& tx) { return is_begun(tx, *key); });
}

asio::awaitable<std::string> Call::begin(std::function<std::string(Tx&)> op,
                                         std::chrono::seconds more) {
  const auto key = once_key(request);
  const auto patience = patience_of(app.payment_rules) + more;
  co_return co_await app.db.transact([&](Tx& tx) {
    if (const auto begun = claim_flow(tx, *key, patience)) return *begun;
    auto resource = op(tx);
    note_resource(tx, *key, resource);
    return resource;
  });
}

asio::awaitable<Reply> Call::finish(std::function<Reply(Tx&)> op) {
  const auto key = once_key(request);
  std::exception_ptr failure;
  try {
    co_return co_await app.db.transact([&](Tx& tx) {
      auto reply = op(tx);
      keep(tx, *key, reply);
      return reply;
    });
  } catch (...) {
    failure = std::current_exception();
  }
  co_await app.db.transact([&](Tx& tx) { let_go(tx, *key); });
  std::rethrow_exception(failure);
}

}  // namespace bottega::gateway
