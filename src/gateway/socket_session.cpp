// The life of a socket: upgrade, signing in, listening, pings, and an orderly end.
#include "gateway/socket_session.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <utility>

#include "gateway/dispatch.hpp"
#include "gateway/listening.hpp"
#include "gateway/upgrade.hpp"

namespace bottega::gateway {
namespace {

namespace websocket = beast::websocket;
namespace http = beast::http;
using std::chrono::seconds;

// How long after signing in a client may take to say RESUME before live events begin without it.
constexpr auto kResumePatience = std::chrono::milliseconds(500);
constexpr std::size_t kKeepBytes = 1'024;  // of the memory for a frame, on a socket that is silent

}  // namespace

SocketSession::SocketSession(App& app, OpenList& list, Stream& stream, Request request)
    : app_(app),
      list_(list),
      stream_(stream),
      executor_(stream.get_executor()),
      wire_(stream),
      socket_(stream, wire_),
      request_(std::move(request)),
      topics_(app.hub),
      beat_(stream.get_executor()),
      idle_(stream.get_executor()),
      patience_(stream.get_executor()),
      feed_(app, app.clock.now(), [this](const std::string& text) { push_text(text); }) {
  ++app_.metrics.sockets;
}

void SocketSession::offer(const bus::EventPtr& event) { post(event); }

void SocketSession::post(Mail mail) {
  if (!mail_.put(std::move(mail))) return;
  asio::post(executor_, [self = shared_from_this()] { self->read_mail(); });
}

void SocketSession::read_mail() {
  for (const auto& mail : mail_.take()) {
    if (const auto* event = std::get_if<bus::EventPtr>(&mail)) hear(*event);
    if (const auto* answered = std::get_if<Said>(&mail)) said(*answered);
  }
}

void SocketSession::wind_down() {
  winding_down_ = true;
  if (in_flight_ == 0) close(Close::restarting, "the server is restarting");
}

asio::awaitable<void> SocketSession::run(const std::string& target,
                                         std::optional<std::string> token) {
  const auto self = shared_from_this();
  co_await accept(target);
  bool known = true;
  if (token) known = co_await is_let_in(*token);
  list_.add(this);
  if (app_.stopping) wind_down();
  loops_ = 1;
  asio::co_spawn(
      executor_, [self] { return self->beat_loop(); }, asio::detached);
  if (!known) close(Close::bad_token, "the token is not valid");
  co_await read_loop();
  list_.remove(this);
  ended_ = true;
  attendance_.end();
  topics_.set({}, self);
  beat_.cancel();
  patience_.cancel();
  wire_.stop();
  if (!closing_) stream_.tcp().cancel();  // nobody reads what is still being written
  co_await settle();
}

asio::awaitable<void> SocketSession::accept(const std::string& target) {
  http::request<http::empty_body> upgrade{http::verb::get, target, 11};
  for (const auto& [name, value] : request_.headers) upgrade.insert(name, value);
  const bool offered = request_.headers.contains("sec-websocket-protocol");
  socket_.set_option(websocket::stream_base::decorator([&](websocket::response_type& response) {
    if (offered) response.set(http::field::sec_websocket_protocol, kProtocol);
    response.set("X-Request-Id", request_.request_id);
  }));
  socket_.read_message_max(static_cast<std::size_t>(app_.config.socket_frame_max_bytes));
  socket_.control_callback([this](websocket::frame_type kind, beast::string_view) {
    if (kind == websocket::frame_type::pong) ++pongs_;
  });
  stream_.expires_after(seconds(app_.config.http_read_timeout_s));
  co_await socket_.async_accept(upgrade, asio::use_awaitable);
  stream_.expires_never();
  socket_.text(true);
}

asio::awaitable<bool> SocketSession::is_let_in(std::string token) {
  try {
    co_await sign_in(token);
    co_return true;
  } catch (const Error& error) {
    if (error.code() != Code::unauthenticated && error.code() != Code::token_expired) throw;
    co_return false;
  }
}

asio::awaitable<void> SocketSession::sign_in(std::string token) {
  const auto pass = co_await app_.doorway.enter();
  const auto who = co_await authenticate(app_, token);
  if (request_.who.kind != identity::Kind::nobody && who.actor() != request_.who.actor())
    throw Error(Code::forbidden, "this socket belongs to somebody else");
  const bool first = request_.who.kind == identity::Kind::nobody;
  request_.who = who;
  if (first) {
    co_await join();
    if (!ended_) attendance_.begin(app_.presence, who);
    release_at_ = std::chrono::steady_clock::now() + kResumePatience;
  }
  beat_.cancel();  // The token's end may be the next thing to wait for.
}

asio::awaitable<void> SocketSession::join() {
  const auto who = request_.who;
  topics_.add(own_topics(who), shared_from_this());
  auto topics = co_await topics_of(app_, who);
  if (!ended_ && !closing_) topics_.set(std::move(topics), shared_from_this());
}

asio::awaitable<void> SocketSession::read_loop() {
  const auto token = asio::as_tuple(asio::use_awaitable);
  beast::flat_buffer buffer;
  while (!ended_) {
    const auto [failed, count] = co_await socket_.async_read(buffer, token);
    if (failed) break;
    const auto data = buffer.cdata();
    if (socket_.got_text())
      take(std::string_view(static_cast<const char*>(data.data()), data.size()));
    else
      close(Close::bad_request, "frames are text");
    buffer.clear();
    if (buffer.capacity() > kKeepBytes) buffer.shrink_to_fit();
  }
}

void SocketSession::hear(const bus::EventPtr& event) {
  if (ended_ || closing_) return;
  if (event->position == 0 && event->text == "end") {
    request_.who = {};
    return close(Close::bad_token, "the session has ended");
  }
  if (event->position == 0 && event->text == "join") return join_more();
  if (feed_.hear(event)) catch_up();
}

void SocketSession::join_more() {
  insist_on([self = shared_from_this()] { return self->join(); });
}

void SocketSession::check() {
  if (ended_ || closing_ || check_at_ != asio::steady_timer::time_point::max()) return;
  check_at_ = std::chrono::steady_clock::now() + check_wait(app_.metrics.sockets);
  beat_.cancel();
}

asio::awaitable<void> SocketSession::join_or_end() {
  try {
    co_await join();
  } catch (const Error& error) {
    if (error.code() != Code::unauthenticated) throw;
    request_.who = {};
    close(Close::bad_token, "the session has ended");
  }
}

void SocketSession::release() {
  release_at_ = asio::steady_timer::time_point::max();
  if (feed_.release()) catch_up();
}

void SocketSession::catch_up() {
  if (std::exchange(filling_, true)) return;
  insist_on([self = shared_from_this()]() -> asio::awaitable<void> {
    co_await self->feed_.catch_up();
    self->filling_ = false;
  });
}

void SocketSession::insist_on(Work work) {
  ++insisting_;
  asio::co_spawn(
      executor_,
      [self = shared_from_this(), work = std::move(work)] { return self->keep_on(work); },
      asio::detached);
}

asio::awaitable<void> SocketSession::keep_on(Work work) {
  const auto given_up = [this] { return ended_ || closing_; };
  const bool done = co_await insist(work, given_up);
  if (!done) close(Close::overloaded, "too busy to keep up; resume");
  --insisting_;
  idle_.cancel();
}

void SocketSession::push_text(const std::string& text) {
  if (ended_ || closing_) return;
  if (wire_.queued_bytes() + text.size() >
      static_cast<std::size_t>(app_.config.socket_queue_max_bytes)) {
    ++app_.metrics.slow_closed;
    wire_.drop();
    return close(Close::slow, "too slow");
  }
  wire_.text(text);
}

void SocketSession::close(Close code, std::string_view reason) {
  if (closing_ || ended_) return;
  closing_ = websocket::close_reason(static_cast<websocket::close_code>(code),
                                     beast::string_view(reason.data(), reason.size()));
  beat_.cancel();
  ++loops_;
  asio::co_spawn(
      executor_, [self = shared_from_this()] { return self->say_goodbye(); }, asio::detached);
}

asio::awaitable<void> SocketSession::say_goodbye() {
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto reason = *closing_;
  patience_.expires_after(seconds(app_.config.stop_grace_s));
  patience_.async_wait([self = shared_from_this()](beast::error_code cancelled) {
    if (!cancelled) self->stream_.tcp().close();
  });
  co_await socket_.async_close(reason, token);
  patience_.cancel();
  stream_.tcp().close();
  loop_ended();
}

asio::awaitable<void> SocketSession::beat_loop() {
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto opened = std::chrono::steady_clock::now();
  auto ping_at = opened + seconds(app_.config.socket_ping_s);
  while (!ended_ && !closing_) {
    const bool nobody = request_.who.kind == identity::Kind::nobody;
    const auto auth_by = opened + seconds(app_.config.socket_auth_s);
    beat_.expires_at(std::min({ping_at, release_at_, check_at_, nobody ? auth_by : token_ends()}));
    co_await beat_.async_wait(token);
    const auto now = std::chrono::steady_clock::now();
    if (ended_ || closing_) break;
    if (now >= release_at_) release();
    if (now >= check_at_) {
      check_at_ = asio::steady_timer::time_point::max();
      insist_on([self = shared_from_this()] { return self->join_or_end(); });
    }
    if (request_.who.kind == identity::Kind::nobody && now >= auth_by)
      close(Close::bad_token, "nobody signed in");
    else if (request_.who.kind == identity::Kind::person && now >= token_ends())
      close(Close::expired, "the access token has expired");
    else if (now >= ping_at)
      ping_at = co_await ping();
  }
  loop_ended();
}

void SocketSession::loop_ended() {
  --loops_;
  idle_.cancel();
}

std::chrono::steady_clock::time_point SocketSession::token_ends() const {
  return ends_at(app_, request_.who);
}

asio::awaitable<std::chrono::steady_clock::time_point> SocketSession::ping() {
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto before = pongs_;
  const websocket::ping_data empty;
  const auto until = std::chrono::steady_clock::now() + seconds(app_.config.socket_pong_s);
  // Behind a close of Beast's own the ping waits for as long as the peer does not hang up.
  asio::steady_timer late(executor_, until);
  late.async_wait([self = shared_from_this(), before](beast::error_code cancelled) {
    if (!cancelled && !self->ended_ && self->pongs_ == before) self->stream_.tcp().close();
  });
  co_await socket_.async_ping(empty, token);
  while (!ended_ && pongs_ == before && std::chrono::steady_clock::now() < until) {
    beat_.expires_at(until);
    co_await beat_.async_wait(token);
  }
  if (!ended_ && pongs_ == before) stream_.tcp().close();
  co_return std::chrono::steady_clock::now() + seconds(app_.config.socket_ping_s);
}

asio::awaitable<void> SocketSession::settle() {
  const auto token = asio::as_tuple(asio::use_awaitable);
  while (in_flight_ > 0 || loops_ > 0 || insisting_ > 0 || !wire_.is_idle()) {
    idle_.expires_after(std::chrono::milliseconds(100));
    co_await idle_.async_wait(token);
  }
}

asio::awaitable<void> serve_socket(App& app, OpenList& list, Stream& stream, Request request,
                                   std::string target, std::optional<std::string> token) {
  check_upgrade(app, request, target);
  if (token) {
    const auto pass = co_await app.doorway.enter();
    co_await authenticate(app, *token);  // A bad token is refused as HTTP, with a 401.
  }
  const auto session = std::make_shared<SocketSession>(app, list, stream, std::move(request));
  co_await session->run(target, std::move(token));
}

}  // namespace bottega::gateway
