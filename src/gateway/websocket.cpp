// A WebSocket (RFC 6455): requests in JSON frames go through the same dispatcher as HTTP; committed
// events come out, each once and in order.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <utility>

#include "gateway/connection.hpp"
#include "gateway/dispatch.hpp"
#include "gateway/feed.hpp"
#include "gateway/frames.hpp"
#include "gateway/head.hpp"
#include "gateway/insist.hpp"
#include "gateway/problem.hpp"
#include "gateway/topics.hpp"
#include "gateway/upgrade.hpp"
#include "bottega/core/log.hpp"

namespace bottega::gateway {
namespace {

namespace websocket = beast::websocket;
namespace http = beast::http;
using std::chrono::seconds;
using Socket = websocket::stream<Stream&, false>;  // without permessage-deflate: no inflated bombs

// How long after signing in a client may take to say RESUME before live events begin without it.
constexpr auto kResumePatience = std::chrono::milliseconds(500);

// What a close tells the client: 3000 to 3499 come back, 3500 to 3999 do not.
enum class Close : std::uint16_t {
  expired = 3005,
  slow = 3008,
  restarting = 3010,
  no_pong = 3012,
  overloaded = 3013,
  bad_token = 3500,
  bad_request = 3501,
};

class SocketSession final : public Open,
                            public bus::Listener,
                            public std::enable_shared_from_this<SocketSession> {
 public:
  SocketSession(App& app, OpenList& list, Stream& stream, Request request)
      : app_(app),
        list_(list),
        stream_(stream),
        executor_(stream.get_executor()),
        socket_(stream),
        request_(std::move(request)),
        topics_(app.hub),
        wake_(stream.get_executor()),
        beat_(stream.get_executor()),
        idle_(stream.get_executor()),
        feed_(app, app.clock.now(), [this](const std::string& text) { push_text(text); }) {
    ++app_.metrics.sockets;
  }
  ~SocketSession() override { --app_.metrics.sockets; }

  // Another thread has committed something.
  void offer(const bus::EventPtr& event) override {
    asio::post(executor_, [self = shared_from_this(), event] { self->hear(event); });
  }
  // Takes nothing new, and closes once what runs has been answered.
  void wind_down() override {
    winding_down_ = true;
    if (in_flight_ == 0) close(Close::restarting, "the server is restarting");
  }
  void cut() override { stream_.tcp().close(); }

  asio::awaitable<void> run(const std::string& target, std::optional<std::string> token) {
    const auto self = shared_from_this();
    co_await accept(target);
    if (token) co_await sign_in(*token);
    list_.add(this);
    if (app_.stopping) wind_down();
    loops_ = 2;
    asio::co_spawn(
        executor_, [self] { return self->write_loop(); }, asio::detached);
    asio::co_spawn(
        executor_, [self] { return self->beat_loop(); }, asio::detached);
    co_await read_loop();
    list_.remove(this);
    ended_ = true;
    topics_.set({}, self);
    wake_.cancel();
    beat_.cancel();
    if (!closing_) stream_.tcp().cancel();  // nobody reads what is still being written
    co_await settle();
  }

 private:
  asio::awaitable<void> accept(const std::string& target) {
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

  asio::awaitable<void> sign_in(std::string token) {
    const auto who = co_await authenticate(app_, token);
    if (request_.who.kind != identity::Kind::nobody && who.actor() != request_.who.actor())
      throw Error(Code::forbidden, "this socket belongs to somebody else");
    const bool first = request_.who.kind == identity::Kind::nobody;
    request_.who = who;
    if (first) {
      co_await join();
      release_at_ = std::chrono::steady_clock::now() + kResumePatience;
    }
    beat_.cancel();  // The token's end may be the next thing to wait for.
  }

  // Listens to what one belongs to now, and no longer to what one has left.
  asio::awaitable<void> join() {
    const auto who = request_.who;
    const auto shops =
        co_await app_.db.read([&](Tx& tx) { return identity::merchants_of(tx, who); });
    if (ended_ || closing_) co_return;
    std::set<std::string> topics;
    if (who.kind == identity::Kind::person)
      topics = {identity::account_topic(who.account), identity::session_topic(who.session)};
    else
      topics = {text_of(who.api_key)};
    for (const auto& shop : shops) topics.insert(identity::merchant_topic(shop.id));
    topics_.set(std::move(topics), shared_from_this());
  }

  asio::awaitable<void> read_loop() {
    const auto token = asio::as_tuple(asio::use_awaitable);
    while (!ended_) {
      beast::flat_buffer buffer;
      const auto [failed, count] = co_await socket_.async_read(buffer, token);
      if (failed) break;
      if (!socket_.got_text()) {
        close(Close::bad_request, "frames are text");
        continue;
      }
      const auto data = buffer.cdata();
      take(std::string(static_cast<const char*>(data.data()), data.size()));
    }
  }

  // One frame from the client. What cannot be read closes the socket: the client is broken.
  void take(const std::string& text) {
    if (closing_ || winding_down_) return;
    Frame frame;
    try {
      frame = read_frame(text);
    } catch (const Error& error) {
      return close(Close::bad_request, error.what());
    }
    if (in_flight_ >= app_.config.socket_in_flight_max) {
      const Error error(Code::rate_limited, "too many requests in flight on this socket");
      return reply(frame.id, problem(error, request_.request_id, app_.public_url));
    }
    ++in_flight_;
    const auto lane = lane_of(frame);
    if (lane.empty()) return start(std::move(frame));
    auto& waiting = lanes_[lane];
    waiting.push_back(std::move(frame));
    if (waiting.size() == 1) run_lane(lane);
  }

  void start(Frame frame) {
    asio::co_spawn(
        executor_,
        [self = shared_from_this(), frame = std::move(frame)] { return self->work(frame); },
        asio::detached);
  }

  // Requests on one conversation take effect in the order in which they were sent.
  void run_lane(const std::string& lane) {
    asio::co_spawn(
        executor_, [self = shared_from_this(), lane] { return self->work_lane(lane); },
        asio::detached);
  }

  asio::awaitable<void> work_lane(std::string lane) {
    while (!lanes_[lane].empty()) {
      const Frame frame = lanes_[lane].front();
      co_await work(frame);
      lanes_[lane].pop_front();
    }
    lanes_.erase(lane);
  }

  asio::awaitable<void> work(Frame frame) {
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
    --in_flight_;
    if (in_flight_ == 0) idle_.cancel();
    if (winding_down_) wind_down();
  }

  void fail(const Frame& frame, std::exception_ptr failure) {
    const auto error = error_of(failure, request_.request_id);
    reply(frame.id, problem(error, request_.request_id, app_.public_url));
    if (frame.method == "AUTH" && error.code() == Code::unauthenticated)
      close(Close::bad_token, "the token is not valid");
  }

  asio::awaitable<void> auth(const Frame& frame) {
    co_await sign_in(frame.token.reveal());
    Reply done;
    done.body = {{"actor", request_.who.actor()}, {"expires_at", text_of(request_.who.expires_at)}};
    if (request_.who.kind == identity::Kind::api_key) done.body["expires_at"] = nullptr;
    reply(frame.id, done);
  }

  asio::awaitable<void> resume(const Frame& frame) {
    if (request_.who.kind == identity::Kind::nobody)
      throw Error(Code::unauthenticated, "send an AUTH frame first");
    const auto done = co_await feed_.resume(request_.who, frame);
    Json event = {{"event", "resumed"}, {"data", done}};
    if (!frame.id.empty()) event["id"] = frame.id;
    push_text(event.dump());
    release();
  }

  asio::awaitable<void> request(const Frame& frame) {
    Request asked = frame.request;
    asked.who = request_.who;
    asked.address = request_.address;
    asked.user_agent = request_.user_agent;
    asked.request_id = request_id_of("");
    asked.trace_parent = child_trace(request_.trace_parent);
    if (asked.who.kind != identity::Kind::nobody && asked.who.expires_at <= app_.clock.now()) {
      close(Close::expired, "the access token has expired");
      throw Error(Code::token_expired, "the access token has expired; refresh it");
    }
    release();
    const auto answer = co_await dispatch(app_, asked, std::nullopt);
    reply(frame.id, answer);
  }

  void reply(const std::string& id, const Reply& given) {
    Json frame = {{"id", id}, {"status", given.status}};
    frame["body"] = given.text.empty() ? given.body : Json(given.text);
    for (const auto& [name, value] : given.headers)
      if (name == "Idempotent-Replayed") frame["replayed"] = true;
    push_text(frame.dump());
  }

  void hear(const bus::EventPtr& event) {
    if (ended_ || closing_) return;
    if (event->position == 0 && event->text == "end") {
      request_.who = {};
      return close(Close::bad_token, "the session has ended");
    }
    if (event->position == 0 && event->text == "join") return join_more();
    if (feed_.hear(event)) catch_up();
  }

  void join_more() {
    insist_on([self = shared_from_this()] { return self->join(); });
  }

  void release() {
    release_at_ = asio::steady_timer::time_point::max();
    if (feed_.release()) catch_up();
  }

  void catch_up() {
    if (std::exchange(filling_, true)) return;
    insist_on([self = shared_from_this()]() -> asio::awaitable<void> {
      co_await self->feed_.catch_up();
      self->filling_ = false;
    });
  }

  // Where the database has no time for what the listener must get, the socket is closed in the end,
  // so that the client knows that it has to resume.
  void insist_on(Work work) {
    ++insisting_;
    asio::co_spawn(
        executor_,
        [self = shared_from_this(), work = std::move(work)] { return self->keep_on(work); },
        asio::detached);
  }

  asio::awaitable<void> keep_on(Work work) {
    const auto given_up = [this] { return ended_ || closing_; };
    const bool done = co_await insist(work, given_up);
    if (!done) close(Close::overloaded, "too busy to keep up; resume");
    --insisting_;
    idle_.cancel();
  }

  // Queues a frame; a reader that owes us too much is cut off and resumes later.
  void push_text(const std::string& text) {
    if (ended_ || closing_) return;
    queued_bytes_ += text.size();
    if (queued_bytes_ > static_cast<std::size_t>(app_.config.socket_queue_max_bytes)) {
      ++app_.metrics.slow_closed;
      outbox_.clear();
      return close(Close::slow, "too slow");
    }
    outbox_.push_back(text);
    wake_.cancel();
  }

  void close(Close code, std::string_view reason) {
    if (closing_ || ended_) return;
    closing_ = websocket::close_reason(static_cast<websocket::close_code>(code),
                                       beast::string_view(reason.data(), reason.size()));
    wake_.cancel();
    beat_.cancel();
  }

  asio::awaitable<void> write_loop() {
    const auto token = asio::as_tuple(asio::use_awaitable);
    while (!ended_) {
      if (!outbox_.empty()) {
        const std::string text = std::move(outbox_.front());
        outbox_.pop_front();
        const auto bytes = asio::buffer(text);
        // A peer that takes nothing for so long is as good as gone.
        stream_.expires_after(seconds(app_.config.http_write_timeout_s));
        const auto [failed, count] = co_await socket_.async_write(bytes, token);
        stream_.expires_never();
        queued_bytes_ -= text.size();
        if (failed) break;
      } else if (closing_) {
        co_await say_goodbye();
        break;
      } else {
        wake_.expires_at(asio::steady_timer::time_point::max());
        co_await wake_.async_wait(token);
      }
    }
    if (!ended_) stream_.tcp().close();
    loop_ended();
  }

  // The peer has a few seconds to answer.
  asio::awaitable<void> say_goodbye() {
    const auto token = asio::as_tuple(asio::use_awaitable);
    const auto reason = *closing_;
    stream_.expires_after(seconds(app_.config.stop_grace_s));
    co_await socket_.async_close(reason, token);
  }

  // Pings a silent peer, ends a socket whose token has expired, and one that never says who it is.
  asio::awaitable<void> beat_loop() {
    const auto token = asio::as_tuple(asio::use_awaitable);
    const auto opened = std::chrono::steady_clock::now();
    auto ping_at = opened + seconds(app_.config.socket_ping_s);
    while (!ended_ && !closing_) {
      const bool nobody = request_.who.kind == identity::Kind::nobody;
      const auto auth_by = opened + seconds(app_.config.socket_auth_s);
      beat_.expires_at(std::min({ping_at, release_at_, nobody ? auth_by : token_ends()}));
      co_await beat_.async_wait(token);
      const auto now = std::chrono::steady_clock::now();
      if (ended_ || closing_) break;
      if (now >= release_at_) release();
      if (request_.who.kind == identity::Kind::nobody && now >= auth_by)
        close(Close::bad_token, "nobody signed in");
      else if (request_.who.kind == identity::Kind::person && now >= token_ends())
        close(Close::expired, "the access token has expired");
      else if (now >= ping_at)
        ping_at = co_await ping();
    }
    loop_ended();
  }

  void loop_ended() {
    --loops_;
    idle_.cancel();
  }

  std::chrono::steady_clock::time_point token_ends() const {
    if (request_.who.kind != identity::Kind::person) return asio::steady_timer::time_point::max();
    return std::chrono::steady_clock::now() + (request_.who.expires_at - app_.clock.now());
  }

  asio::awaitable<std::chrono::steady_clock::time_point> ping() {
    const auto token = asio::as_tuple(asio::use_awaitable);
    const auto before = pongs_;
    const websocket::ping_data empty;
    co_await socket_.async_ping(empty, token);
    const auto until = std::chrono::steady_clock::now() + seconds(app_.config.socket_pong_s);
    while (!ended_ && pongs_ == before && std::chrono::steady_clock::now() < until) {
      beat_.expires_at(until);
      co_await beat_.async_wait(token);
    }
    if (!ended_ && pongs_ == before) stream_.tcp().close();
    co_return std::chrono::steady_clock::now() + seconds(app_.config.socket_ping_s);
  }

  // The connection is let go once nothing uses it any more: no request, and neither loop.
  asio::awaitable<void> settle() {
    const auto token = asio::as_tuple(asio::use_awaitable);
    while (in_flight_ > 0 || loops_ > 0 || insisting_ > 0) {
      idle_.expires_after(std::chrono::milliseconds(100));
      co_await idle_.async_wait(token);
    }
  }

  App& app_;
  OpenList& list_;
  Stream& stream_;  // the connection's, which waits for settle()
  // The session outlives the stream while another thread still offers it an event.
  const asio::any_io_executor executor_;
  Socket socket_;
  Request request_;  // the upgrade; its `who` is the socket's user
  Topics topics_;
  std::map<std::string, std::deque<Frame>> lanes_;
  std::int64_t in_flight_ = 0;
  int loops_ = 0, insisting_ = 0;
  bool filling_ = false;
  std::deque<std::string> outbox_;
  std::size_t queued_bytes_ = 0;
  std::optional<websocket::close_reason> closing_;
  bool ended_ = false, winding_down_ = false;
  std::uint64_t pongs_ = 0;
  asio::steady_timer::time_point release_at_ = asio::steady_timer::time_point::max();
  asio::steady_timer wake_, beat_, idle_;
  Feed feed_;
};

}  // namespace

asio::awaitable<void> serve_socket(App& app, OpenList& list, Stream& stream, Request request,
                                   std::string target, std::optional<std::string> token) {
  check_upgrade(app, request, target);
  if (token) co_await authenticate(app, *token);  // A bad token is refused as HTTP, with a 401.
  const auto session = std::make_shared<SocketSession>(app, list, stream, std::move(request));
  co_await session->run(target, std::move(token));
}

}  // namespace bottega::gateway
