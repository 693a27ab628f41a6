// The life of a socket: upgrade, signing in, listening, pings, and an orderly end.
#include "gateway/socket_session.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <utility>

#include "gateway/deflate.hpp"
#include "gateway/dispatch.hpp"
#include "gateway/listening.hpp"
#include "gateway/upgrade.hpp"
#include "bottega/core/log.hpp"

namespace bottega::gateway {
namespace {

namespace websocket = beast::websocket;
namespace http = beast::http;
using std::chrono::seconds;

constexpr std::size_t kDeflateFrom = 200;  // bytes; less is not worth it
// What a silent socket keeps ready for the next frame; what does not fit is read in larger pieces.
constexpr std::size_t kPieceBytes = 512, kMoreBytes = 4'096;

}  // namespace

SocketSession::SocketSession(App& app, OpenList& list, Stream& stream, Request& request)
    : app_(app),
      list_(list),
      stream_(stream),
      executor_(stream.get_executor()),
      wire_(stream),
      socket_(stream, wire_),
      caller_{{},
              std::move(request.address),
              std::move(request.user_agent),
              request.request_id,
              std::move(request.trace_parent)},
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

asio::awaitable<void> SocketSession::run(std::unique_ptr<Upgrade> upgrade) {
  const auto self = shared_from_this();
  co_await accept(*upgrade);
  std::optional<Close> refused;
  if (upgrade->token) refused = co_await refusal_of(*upgrade->token);
  upgrade.reset();
  list_.add(this);
  if (app_.stopping) wind_down();
  ++loops_;  // a goodbye may have begun
  const auto now = std::chrono::steady_clock::now();
  auth_by_ = now + seconds(app_.config.socket_auth_s);
  ping_at_ = now + seconds(app_.config.socket_ping_s);
  beat();
  if (refused)
    close(*refused, refused == Close::bad_token ? "the token is not valid" : "too busy; come back");
  co_await read_loop();
  list_.remove(this);
  ended_ = true;
  attendance_.end();
  topics_.set({}, self);
  beat_.cancel();
  // A goodbye that waits for a peer who does not read ends by its own patience.
  if (!closing_) patience_.cancel();
  wire_.stop();
  if (!closing_) stream_.tcp().cancel();  // nobody reads what is still being written
  co_await settle();
}

asio::awaitable<void> SocketSession::accept(const Upgrade& given) {
  http::request<http::empty_body> upgrade{http::verb::get, given.target, 11};
  for (const auto& [name, value] : given.request.headers) upgrade.insert(name, value);
  const bool offered = given.request.headers.contains("sec-websocket-protocol");
  socket_.set_option(websocket::stream_base::decorator([&](websocket::response_type& response) {
    if (offered) response.set(http::field::sec_websocket_protocol, kProtocol);
    response.set("X-Request-Id", caller_.request_id);
    const auto extensions = response[http::field::sec_websocket_extensions];
    deflates_ = may_deflate({extensions.data(), extensions.size()});
  }));
  // What comes in is inflated message by message, and may not become larger than a message may be.
  websocket::permessage_deflate deflate;
  deflate.server_enable = app_.config.socket_deflate == "yes";
  deflate.server_no_context_takeover = deflate.client_no_context_takeover = true;
  deflate.server_max_window_bits = deflate.client_max_window_bits = kDeflateWindowBits;
  socket_.set_option(deflate);
  socket_.read_message_max(static_cast<std::size_t>(app_.config.socket_frame_max_bytes));
  socket_.control_callback([this](websocket::frame_type kind, beast::string_view) {
    if (kind == websocket::frame_type::pong) has_ponged_ = true;
  });
  stream_.expires_after(seconds(app_.config.http_read_timeout_s));
  co_await socket_.async_accept(upgrade, asio::use_awaitable);
  stream_.expires_never();
  socket_.text(true);
  socket_.set_option(websocket::stream_base::decorator([](websocket::response_type&) {}));
}

asio::awaitable<std::optional<Close>> SocketSession::refusal_of(std::string token) {
  try {
    co_await sign_in(token);
    co_return std::nullopt;
  } catch (const Error& error) {
    const bool is_bad =
        error.code() == Code::unauthenticated || error.code() == Code::token_expired;
    co_return is_bad ? Close::bad_token : Close::overloaded;
  }
}

asio::awaitable<void> SocketSession::sign_in(std::string token) {
  const auto pass = co_await app_.doorway.enter();
  const auto who = co_await authenticate(app_, token);
  if (caller_.who.kind != identity::Kind::nobody && who.actor() != caller_.who.actor())
    throw Error(Code::forbidden, "this socket belongs to somebody else");
  const auto before = caller_.who;
  const bool first = before.kind == identity::Kind::nobody;
  caller_.who = who;
  if (first || who.session != before.session) {
    std::exception_ptr failure;
    try {
      co_await join();
    } catch (...) {
      failure = std::current_exception();
    }
    // Signed in is whoever also hears what is theirs.
    if (failure && !closing_) caller_.who = before;
    if (failure) std::rethrow_exception(failure);
  }
  if (first) {
    if (!ended_) attendance_.begin(app_.presence, who);
    release_at_ = std::chrono::steady_clock::now() + kResumePatience;
  }
  beat_.cancel();  // The token's end may be the next thing to wait for.
}

asio::awaitable<void> SocketSession::join() {
  const auto who = caller_.who;
  topics_.add(own_topics(who), shared_from_this());
  auto topics = co_await topics_of(app_, who);
  if (!ended_ && !closing_) topics_.set(std::move(topics), shared_from_this());
}

asio::awaitable<void> SocketSession::read_loop() {
  const auto token = asio::as_tuple(asio::use_awaitable);
  std::array<char, kPieceBytes> piece;
  std::string whole;  // of a frame that does not come in one piece
  while (!ended_) {
    auto space = asio::buffer(piece);
    const auto before = whole.size();
    if (before > 0) {
      whole.resize(before + kMoreBytes);
      space = asio::buffer(whole.data() + before, kMoreBytes);
    }
    const auto [failed, count] = co_await socket_.async_read_some(space, token);
    if (failed) break;
    const bool is_done = socket_.is_message_done();
    if (before > 0)
      whole.resize(before + count);
    else if (!is_done)
      whole.assign(piece.data(), count);
    if (!is_done) continue;
    if (!socket_.got_text()) close(Close::bad_request, "frames are text");
    take(before > 0 ? std::string_view(whole) : std::string_view(piece.data(), count));
    if (before > 0) whole = {};
  }
}

void SocketSession::hear(const bus::EventPtr& event) {
  if (ended_ || closing_) return;
  if (event->position == 0 && event->text == "end") {
    caller_.who = {};
    return close(Close::bad_token, "the session has ended");
  }
  if (event->position == 0 && event->text == "join") return join_more();
  if (feed_.hear(event)) catch_up();
}

void SocketSession::join_more() {
  insist_on([self = shared_from_this()] { return self->join(); });
}

void SocketSession::check() {
  if (ended_ || closing_ || check_at_ != Time::max()) return;
  check_at_ = std::chrono::steady_clock::now() + check_wait(app_.metrics.sockets);
  beat_.cancel();
}

asio::awaitable<void> SocketSession::join_or_end() {
  try {
    co_await join();
  } catch (const Error& error) {
    if (error.code() != Code::unauthenticated) throw;
    caller_.who = {};
    close(Close::bad_token, "the session has ended");
  }
}

void SocketSession::release() {
  release_at_ = Time::max();
  if (resuming_ > 0) return;  // what it sends comes first
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
  if (deflates_ && text.size() >= kDeflateFrom)
    wire_.text(deflated(text), Wire::Form::deflated);
  else
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

void SocketSession::beat() {
  if (!ended_ && !closing_) look_after(std::chrono::steady_clock::now());
  if (ended_ || closing_) return loop_ended();
  const bool nobody = caller_.who.kind == identity::Kind::nobody;
  beat_.expires_at(
      std::min({ping_at_, pong_by_, release_at_, check_at_, nobody ? auth_by_ : token_ends()}));
  beat_.async_wait([self = shared_from_this()](beast::error_code) { self->beat(); });
}

void SocketSession::look_after(Time now) {
  if (now >= release_at_) release();
  if (now >= check_at_) {
    check_at_ = Time::max();
    insist_on([self = shared_from_this()] { return self->join_or_end(); });
  }
  if (caller_.who.kind == identity::Kind::nobody && now >= auth_by_)
    close(Close::bad_token, "nobody signed in");
  else if (caller_.who.kind == identity::Kind::person && now >= token_ends())
    close(Close::expired, "the access token has expired");
  else if (now >= pong_by_)
    look_for_pong();
  else if (now >= ping_at_)
    ping(now);
}

void SocketSession::ping(Time now) {
  has_ponged_ = false;
  is_pinging_ = true;
  ping_at_ = now + seconds(std::max(app_.config.socket_ping_s, app_.config.socket_pong_s + 1));
  pong_by_ = now + seconds(app_.config.socket_pong_s);
  socket_.async_ping({},
                     [self = shared_from_this()](beast::error_code) { self->is_pinging_ = false; });
}

void SocketSession::look_for_pong() {
  pong_by_ = Time::max();
  // Whoever says that it has our ping, which is still on its way, does not read.
  if (!has_ponged_ || is_pinging_) stream_.tcp().close();
}

void SocketSession::loop_ended() {
  --loops_;
  idle_.cancel();
}

SocketSession::Time SocketSession::token_ends() const { return ends_at(app_, caller_.who); }

asio::awaitable<void> SocketSession::settle() {
  const auto token = asio::as_tuple(asio::use_awaitable);
  while (in_flight_ > 0 || loops_ > 0 || insisting_ > 0 || !wire_.is_idle()) {
    idle_.expires_after(std::chrono::milliseconds(100));
    co_await idle_.async_wait(token);
  }
}

asio::awaitable<void> serve_socket(App& app, OpenList& list, std::unique_ptr<Upgrade> upgrade) {
  const auto stream = std::move(upgrade->stream);
  const auto session = std::make_shared<SocketSession>(app, list, *stream, upgrade->request);
  try {
    co_await session->run(std::move(upgrade));
  } catch (const boost::system::system_error&) {  // it has gone while it was upgraded
  } catch (const std::exception& error) {         // our fault, but not the other sockets'
    log::error("socket.failed", {{"error", std::string(error.what())}});
  }
  stream->tcp().close();
}

}  // namespace bottega::gateway
