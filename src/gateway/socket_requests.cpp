// What a client asks over a socket, and in which order it takes effect.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "gateway/dispatch.hpp"
#include "gateway/head.hpp"
#include "gateway/problem.hpp"
#include "gateway/socket_session.hpp"

namespace bottega::gateway {

namespace {

// The frame of a reply whose body is this JSON text.
std::string reply_frame(std::string_view id, std::string_view body, unsigned status,
                        bool is_replayed = false) {
  std::string frame = "{\"body\":";
  frame.reserve(body.size() + id.size() + 64);
  frame.append(body).append(",\"id\":") += json_quoted(id);
  if (is_replayed) frame += ",\"replayed\":true";
  return frame.append(",\"status\":").append(std::to_string(status)) += '}';
}

}  // namespace

void SocketSession::take(std::string_view text) {
  if (closing_ || winding_down_) return;
  Frame frame;
  try {
    frame = read_frame(text);
  } catch (const Error& error) {
    return close(Close::bad_request, error.what());
  }
  if (in_flight_ >= app_.config.socket_in_flight_max) {
    const Error error(Code::rate_limited, "too many requests in flight on this socket");
    return reply(frame.id, problem(error, caller_.request_id, app_.public_url));
  }
  ++in_flight_;
  if (frame.method == "RESUME") ++resuming_;
  const auto lane = lane_of(frame);
  if (lane.empty()) return start(std::move(frame));
  auto& line = lanes_[lane];
  if (line.waiting.empty() && is_message(frame, lane)) return say(frame, lane);
  line.waiting.push_back(std::move(frame));
  if (line.waiting.size() == 1 && line.spoken == 0) run_lane(lane);
}

void SocketSession::say(const Frame& frame, const std::string& lane) {
  ++lanes_[lane].spoken;
  auto done = [self = shared_from_this(), id = frame.id, lane,
               started = std::chrono::steady_clock::now()](conversations::Sent sent) {
    self->post(Said{id, lane, started, std::move(sent)});
  };
  try {
    check_token();
    release();
    auto spoken = admit_message(app_, caller_.who, caller_.address, lane, frame.request);
    app_.writer.send(caller_.who, spoken.conversation, std::move(spoken.message), done);
  } catch (...) {
    done({nullptr, std::current_exception()});
  }
}

void SocketSession::said(const Said& said) {
  unsigned status = 201;
  if (said.sent.failure) {
    const auto request_id = request_id_of("");
    const auto refusal =
        problem(error_of(said.sent.failure, request_id), request_id, app_.public_url);
    status = refusal.status;
    reply(said.id, refusal);
  } else {
    push_text(reply_frame(said.id, *said.sent.frame, status));
    count_message(app_, from_text<conversations::ConversationId>(said.lane));
  }
  app_.metrics.answered("sendMessage", status, std::chrono::steady_clock::now() - said.started);
  auto& line = lanes_[said.lane];
  if (--line.spoken == 0) {
    if (line.waiting.empty())
      lanes_.erase(said.lane);
    else
      run_lane(said.lane);
  }
  finished();
}

void SocketSession::start(Frame frame) {
  asio::co_spawn(
      executor_,
      [self = shared_from_this(), frame = std::move(frame)] { return self->work(frame); },
      asio::detached);
}

void SocketSession::run_lane(const std::string& lane) {
  asio::co_spawn(
      executor_, [self = shared_from_this(), lane] { return self->work_lane(lane); },
      asio::detached);
}

asio::awaitable<void> SocketSession::work_lane(std::string lane) {
  while (!lanes_[lane].waiting.empty()) {
    const Frame frame = lanes_[lane].waiting.front();
    co_await work(frame);
    lanes_[lane].waiting.pop_front();
  }
  lanes_.erase(lane);
}

asio::awaitable<void> SocketSession::work(Frame frame) {
  std::exception_ptr failure;
  try {
    if (frame.method == "AUTH")
      co_await auth(frame);
    else if (frame.method == "RESUME")
      co_await resume(frame);
    else
      co_await request(frame);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) fail(frame, failure);
  if (frame.method == "RESUME") resumed(!failure);
  finished();
}

void SocketSession::finished() {
  --in_flight_;
  if (in_flight_ == 0) idle_.cancel();
  if (winding_down_) wind_down();
}

void SocketSession::fail(const Frame& frame, std::exception_ptr failure) {
  const auto error = error_of(failure, caller_.request_id);
  reply(frame.id, problem(error, caller_.request_id, app_.public_url));
  if (frame.method == "AUTH" && error.code() == Code::unauthenticated)
    close(Close::bad_token, "the token is not valid");
}

asio::awaitable<void> SocketSession::auth(const Frame& frame) {
  admit_address(app_, caller_.address);
  co_await sign_in(frame.token.reveal());
  Reply done;
  done.body = {{"actor", caller_.who.actor()}, {"expires_at", text_of(caller_.who.expires_at)}};
  if (caller_.who.kind == identity::Kind::api_key) done.body["expires_at"] = nullptr;
  reply(frame.id, done);
}

asio::awaitable<void> SocketSession::resume(const Frame& frame) {
  if (caller_.who.kind == identity::Kind::nobody)
    throw Error(Code::unauthenticated, "send an AUTH frame first");
  admit_resume(app_, caller_.who, caller_.address, frame);
  Json done;
  {
    const auto pass = co_await app_.doorway.enter();
    // The session may end meanwhile.
    const auto who = caller_.who;
    done = co_await feed_.resume(who, frame);
  }
  Json event = {{"event", "resumed"}, {"data", done}};
  if (!frame.id.empty()) event["id"] = frame.id;
  push_text(event.dump());
}

// A client whose RESUME was refused has a moment to ask again.
void SocketSession::resumed(bool is_done) {
  --resuming_;
  if (is_done) return release();
  if (caller_.who.kind == identity::Kind::nobody) return;
  release_at_ = std::chrono::steady_clock::now() + kResumePatience;
  beat_.cancel();
}

void SocketSession::check_token() {
  const auto& who = caller_.who;
  if (who.kind == identity::Kind::nobody || who.expires_at > app_.clock.now()) return;
  close(Close::expired, "the access token has expired");
  throw Error(Code::token_expired, "the access token has expired; refresh it");
}

asio::awaitable<void> SocketSession::request(const Frame& frame) {
  Request asked = frame.request;
  asked.who = caller_.who;
  asked.address = caller_.address;
  asked.user_agent = caller_.user_agent;
  asked.request_id = request_id_of("");
  asked.trace_parent = child_trace(caller_.trace_parent);
  check_token();
  release();
  const auto answer = co_await dispatch(app_, asked, std::nullopt);
  reply(frame.id, answer);
}

void SocketSession::reply(const std::string& id, const Reply& given) {
  const bool is_json = given.text.empty() || given.media_type == "application/json";
  if (given.stream || (!is_json && !given.media_type.starts_with("text/")))
    return reply(id, problem(Error(Code::not_acceptable,
                                   "a file does not fit into a frame: ask for it over HTTP"),
                             caller_.request_id, app_.public_url));
  const bool is_replayed = std::ranges::any_of(
      given.headers, [](const auto& field) { return field.first == "Idempotent-Replayed"; });
  const auto body = given.text.empty() ? given.body.dump()
                    : is_json          ? given.text
                                       : json_quoted(given.text);
  push_text(reply_frame(id, body, given.status, is_replayed));
}

}  // namespace bottega::gateway
