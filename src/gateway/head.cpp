#include "gateway/head.hpp"

#include <algorithm>
#include <cctype>

#include "bottega/core/digest.hpp"

namespace bottega::gateway {
namespace {

constexpr std::size_t kRequestIdMax = 64;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Verb verb_of(std::string_view method) {
  if (method == "POST") return Verb::post;
  if (method == "PUT") return Verb::put;
  if (method == "PATCH") return Verb::patch;
  if (method == "DELETE") return Verb::del;
  return Verb::get;
}

bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const auto item = list.substr(0, list.find(','));
    if (lower(trimmed(item)) == token) return true;
    list.remove_prefix(std::min(item.size() + 1, list.size()));
  }
  return false;
}

// "application/json" of "application/json; charset=utf-8"; another charset is not JSON (RFC
// 8259, 8.1).
std::string media_type_of(std::string_view value) {
  const auto semicolon = value.find(';');
  const auto type = lower(trimmed(value.substr(0, semicolon)));
  if (semicolon == value.npos) return type;
  const auto parameters = lower(value.substr(semicolon));
  const bool other_charset = parameters.find("charset") != std::string::npos &&
                             parameters.find("utf-8") == std::string::npos;
  return other_charset ? type + ";" + parameters : type;
}

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string random_hex(std::size_t digits) {
  return sha256_hex(random_token(32)).substr(0, digits);
}

// A higher version than ours is read as far as we know it, and may go on behind another dash.
bool is_trace_parent(std::string_view text) {
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  if (text.size() > 55 && (text.starts_with("00") || text[55] != '-')) return false;
  const auto trace = text.substr(3, 32), span = text.substr(36, 16);
  return is_lower_hex(text.substr(0, 2)) && text.substr(0, 2) != "ff" && is_lower_hex(trace) &&
         is_lower_hex(span) && is_lower_hex(text.substr(53, 2)) &&
         trace.find_first_not_of('0') != trace.npos && span.find_first_not_of('0') != span.npos;
}

void read_fields(std::string_view lines, Request& request) {
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(std::min(line.size() + 2, lines.size()));
    const auto colon = line.find(':');
    if (colon == line.npos) continue;
    const auto value = trimmed(line.substr(colon + 1));
    auto [row, fresh] = request.headers.emplace(lower(line.substr(0, colon)), value);
    // A list in several fields is one list (RFC 9110, 5.3).
    if (!fresh) row->second += ", " + std::string(value);
  }
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

Head read_head(std::string_view raw) {
  Head head;
  head.framing = admit(raw);
  const auto first = raw.substr(0, raw.find("\r\n"));
  const auto space = first.find(' ');
  head.method = first.substr(0, space);
  head.target = first.substr(space + 1, first.rfind(' ') - space - 1);
  head.is_head = head.method == "HEAD";
  head.is_options = head.method == "OPTIONS";
  auto& request = head.request;
  request.verb = verb_of(head.method);
  const auto question = head.target.find('?');
  request.path = head.target.substr(0, question);
  if (question != std::string::npos) request.query = head.target.substr(question + 1);
  read_fields(raw.substr(first.size() + 2), request);
  if (head.is_head) request.headers.erase("range");  // RFC 9110, 14.2: it is for GET
  request.media_type = media_type_of(request.header("content-type"));
  request.user_agent = std::string(request.header("user-agent").substr(0, 200));
  request.request_id = request_id_of(request.header("x-request-id"));
  request.trace_parent = child_trace(request.header("traceparent"));
  head.is_upgrade = has_token(request.header("connection"), "upgrade") &&
                    has_token(request.header("upgrade"), "websocket");
  return head;
}

std::optional<std::string> bearer_token(const Request& request) {
  const auto value = request.header("authorization");
  if (value.data() == nullptr) return std::nullopt;
  if (value.size() < 8 || lower(value.substr(0, 7)) != "bearer ")
    throw Error(Code::unauthenticated, "Authorization takes: Bearer <token>");
  return std::string(trimmed(value.substr(7)));
}

std::string child_trace(std::string_view trace_parent) {
  const bool given = is_trace_parent(trace_parent);
  return "00-" + (given ? std::string(trace_parent.substr(3, 32)) : random_hex(32)) + '-' +
         random_hex(16) + '-' + (given ? std::string(trace_parent.substr(53, 2)) : "00");
}

std::string request_id_of(std::string_view given) {
  if (!given.empty() && given.size() <= kRequestIdMax && is_opaque(given))
    return std::string(given);
  return "req_" + typeid_suffix(make_uuid_v7());
}

}  // namespace bottega::gateway
