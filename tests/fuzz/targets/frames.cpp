// What a client says over a socket, as text.
#include "gateway/frames.hpp"
#include "fuzz/fuzz.hpp"

namespace bottega::fuzz {
namespace {

using gateway::Frame;
using gateway::Verb;

// The frame as a client would have written it.
Json written(const Frame& frame) {
  Json json = {{"id", frame.id}, {"method", frame.method}};
  if (frame.method == "AUTH") {
    json["token"] = frame.token.reveal();
  } else if (frame.method == "RESUME") {
    json["positions"] = Json::object();
    for (const auto& [id, position] : frame.positions) json["positions"][text_of(id)] = position;
    if (frame.since) json["since"] = text_of(*frame.since);
  } else {
    const auto& request = frame.request;
    json["path"] = request.path + (request.query.empty() ? "" : "?" + request.query);
    if (const auto key = request.headers.find("idempotency-key"); key != request.headers.end())
      json["idempotency_key"] = key->second;
    if (request.json) json["body"] = *request.json;
  }
  return json;
}

void check_request(const Frame& frame, const std::string& lane) {
  const auto& request = frame.request;
  check(!frame.id.empty() && frame.id.size() <= 64, "a request has an id of decent length");
  check(request.path.starts_with('/'), "a path begins with /");
  check(request.path.find_first_of("?# \t\r\n") == std::string::npos, "a path is a path");
  check(request.verb != Verb::get || lane.empty(), "who reads waits for nobody");
  check(!request.json || request.media_type == "application/json", "a body is JSON");
  if (!is_message(frame, lane)) return;
  check(!lane.empty(), "a message has a lane");
  check(request.path == "/v1/conversations/" + lane + "/messages", "and it is its conversation");
  check(request.headers.empty() && request.query.empty(), "a message is nothing but one");
  // What the writer is given, if it is given anything.
  answer_of(
      [&] { return from_json<conversations::NewMessage>(request.json.value_or(Json::object())); });
}

}  // namespace

void run(std::string_view input) {
  const auto frame = answer_of([&] { return gateway::read_frame(input); });
  if (!frame) return;
  const auto lane = lane_of(*frame);
  if (frame->method == "AUTH" || frame->method == "RESUME") {
    check(lane == "session" && !is_message(*frame, lane), "a session has one lane");
    for (const auto& [id, position] : frame->positions)
      check(position >= 0, "a position is not negative");
  } else {
    check_request(*frame, lane);
  }
  const auto text = written(*frame);
  const auto again = answer_of([&] { return gateway::read_frame(text.dump()); });
  check(again && written(*again) == text && lane_of(*again) == lane, "it reads back the same");
}

}  // namespace bottega::fuzz
