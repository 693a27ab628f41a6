#include "gateway/frames.hpp"

#include <algorithm>

namespace bottega::gateway {
namespace {

constexpr std::string_view kConversations = "/v1/conversations/";
constexpr std::size_t kIdMax = 64, kPathMax = 8'192, kPositionsMax = 1'000;

[[noreturn]] void refuse(const char* words) { throw Error(Code::malformed, words); }

std::string text_at(const Json& frame, const char* name, std::size_t most) {
  const auto found = frame.find(name);
  if (found == frame.end()) return {};
  if (!found->is_string() || found->get_ref<const std::string&>().size() > most)
    refuse("a member of the frame is not a string of decent length");
  return found->get<std::string>();
}

void refuse_others(const Json& frame, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : frame.items())
    if (std::ranges::find(known, name) == known.end()) refuse("the frame has an unknown member");
}

std::optional<Verb> verb_of(const std::string& method) {
  if (method == "GET") return Verb::get;
  if (method == "POST") return Verb::post;
  if (method == "PUT") return Verb::put;
  if (method == "PATCH") return Verb::patch;
  if (method == "DELETE") return Verb::del;
  return std::nullopt;
}

void read_request(Json& json, Frame& frame) {
  refuse_others(json, {"id", "method", "path", "idempotency_key", "if_match", "body"});
  const auto verb = verb_of(frame.method);
  if (!verb) refuse("the method is GET, POST, PUT, PATCH, DELETE, AUTH or RESUME");
  auto& request = frame.request;
  request.verb = *verb;
  const auto target = text_at(json, "path", kPathMax);
  const bool visible =
      std::ranges::all_of(target, [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (!target.starts_with('/') || !visible) refuse("the path begins with /");
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  if (json.contains("idempotency_key"))
    request.headers["idempotency-key"] = text_at(json, "idempotency_key", 257);
  if (json.contains("if_match")) request.headers["if-match"] = text_at(json, "if_match", 40);
  if (const auto body = json.find("body"); body != json.end() && !body->is_null()) {
    request.json = std::move(*body);
    request.media_type = "application/json";
  }
}

void read_resume(const Json& json, Frame& frame) {
  refuse_others(json, {"id", "method", "positions", "since"});
  if (const auto since = json.find("since"); since != json.end()) {
    frame.since = parse_instant(text_at(json, "since", 40));
    if (!frame.since || *frame.since < Instant{}) refuse("since is an RFC 3339 time after 1970");
  }
  const auto positions = json.find("positions");
  if (positions == json.end()) return;
  if (!positions->is_object() || positions->size() > kPositionsMax)
    refuse("positions is an object of at most 1000 conversations");
  for (const auto& [name, value] : positions->items()) {
    const auto id = Form<conversations::ConversationId>::parse(name);
    if (!id || !value.is_number_unsigned() || value.get<std::uint64_t>() > INT64_MAX)
      refuse("positions maps a conversation's id to the last sequence number seen");
    frame.positions[*id] = value.get<std::int64_t>();
  }
}

}  // namespace

Frame read_frame(std::string_view text) {
  auto json = parse_json(text);
  if (!json.is_object()) refuse("a frame is a JSON object");
  Frame frame;
  frame.id = text_at(json, "id", kIdMax);
  frame.method = text_at(json, "method", 16);
  if (frame.method == "AUTH") {
    refuse_others(json, {"id", "method", "token"});
    frame.token = Secret(text_at(json, "token", 256));
  } else if (frame.method == "RESUME") {
    read_resume(json, frame);
  } else {
    if (frame.id.empty()) refuse("a request has an id");
    read_request(json, frame);
  }
  return frame;
}

bool is_message(const Frame& frame, std::string_view lane) {
  constexpr std::string_view messages = "/messages";
  const auto& request = frame.request;
  for (const auto* offer : {"product", "products", "catalogue", "about"})
    if (request.json && request.json->contains(offer)) return false;
  return !lane.empty() && frame.method == "POST" && request.path.starts_with(kConversations) &&
         request.path.ends_with(messages) && request.query.empty() && request.headers.empty() &&
         request.path.size() == kConversations.size() + lane.size() + messages.size();
}

std::string lane_of(const Frame& frame) {
  if (frame.method == "AUTH" || frame.method == "RESUME") return "session";
  const auto& request = frame.request;
  if (request.verb == Verb::get) return {};
  if (request.path == "/v1/payment_requests" && request.json && request.json->is_object()) {
    const auto named = request.json->find("conversation_id");
    if (named != request.json->end() && named->is_string()) return named->get<std::string>();
  }
  for (const auto prefix : {kConversations, std::string_view("/v1/payment_requests/"),
                            std::string_view("/v1/payments/"), std::string_view("/v1/orders/")}) {
    if (!request.path.starts_with(prefix)) continue;
    const auto rest = std::string_view(request.path).substr(prefix.size());
    return std::string(rest.substr(0, rest.find('/')));
  }
  return {};
}

}  // namespace bottega::gateway
