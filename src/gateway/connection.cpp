// HTTP/1.1 over one connection. Heads and bodies are read by us, within limits; the gate (admit)
// decides what is HTTP, before anything else looks at it.
#include "gateway/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "gateway/body_stream.hpp"
#include "gateway/chunked.hpp"
#include "gateway/deadline.hpp"
#include "gateway/dispatch.hpp"
#include "gateway/event_stream.hpp"
#include "gateway/head.hpp"
#include "gateway/pour.hpp"
#include "gateway/problem.hpp"
#include "gateway/upgrade.hpp"
#include "gateway/url.hpp"
#include "bottega/core/log.hpp"

namespace bottega::gateway {
namespace {

namespace http = beast::http;
using std::chrono::seconds;

constexpr std::size_t kReadSize = 8'192;
constexpr std::size_t kDrainMax = 262'144;  // what is read and thrown away after a refusal
constexpr auto kDrainTime = seconds(2);

enum class Next : std::uint8_t { more, close, taken_over };

class Connection final : public Open {
 public:
  Connection(App& app, OpenList& list, std::unique_ptr<Stream> stream)
      : app_(app), list_(list), stream_(std::move(stream)), deadline_(stream_->tcp()) {
    list_.add(this);
    beast::error_code ignored;
    const auto peer = stream_->tcp().socket().remote_endpoint(ignored);
    address_ = peer.address().to_string();
  }
  ~Connection() override { list_.remove(this); }

  void wind_down() override {
    stopping_ = true;
    if (idle_) stream_->tcp().cancel();
  }
  void cut() override { stream_->tcp().close(); }

  // An upgrade where it is to go on as a socket.
  asio::awaitable<std::unique_ptr<Upgrade>> run() {
    try {
      stream_->expires_after(seconds(app_.config.http_read_timeout_s));
      co_await stream_->handshake();
      auto next = Next::more;
      while (next == Next::more) next = co_await one();
      if (next == Next::taken_over) co_return std::move(upgrade_);
      co_await hang_up();
    } catch (const Gone&) {
    } catch (const boost::system::system_error&) {
    } catch (const std::exception& error) {  // our fault, but not the other connections'
      log::error("connection.failed", {{"error", std::string(error.what())}});
    }
    stream_->tcp().close();
    co_return nullptr;
  }

 private:
  asio::awaitable<Next> one() {
    std::optional<Head> head;
    Reply refusal;
    std::exception_ptr failure;
    try {
      const auto raw = co_await read_head_bytes();
      head = read_head(raw);
      head->request.address = address_;
      if (head->is_upgrade) {
        co_await take_over(*head);
        co_return Next::taken_over;
      }
      if (!streams_body(app_, head->request)) co_await read_body(*head);
      deadline_.disarm();
    } catch (const Gone&) {
      throw;
    } catch (const boost::system::system_error&) {
      throw;
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      deadline_.disarm();
      // After a refused head or body nobody knows where the next request begins.
      const auto id = head ? head->request.request_id : request_id_of("");
      refusal = problem(error_of(failure, id), id, app_.public_url);
      app_.metrics.answered("refused", refusal.status, {});
      co_await write(refusal, head ? &*head : nullptr, Next::close);
      co_return Next::close;
    }
    co_return co_await answer(*head);
  }

  asio::awaitable<Next> answer(Head& head) {
    Reply reply;
    std::optional<std::string> token;
    std::exception_ptr failure;
    std::optional<BodyStream> body;
    if (streams_body(app_, head.request)) {
      body.emplace(*stream_, buffer_, head.framing, pace());
      head.request.incoming = &*body;
    }
    try {
      token = bearer_token(head.request);
    } catch (const Error&) {
      failure = std::current_exception();
    }
    if (failure) {
      const auto& id = head.request.request_id;
      reply = problem(error_of(failure, id), id, app_.public_url);
    } else if (head.is_options) {
      reply = no_content();
      reply.headers.emplace_back("Allow", allowed_at(app_, head.request.path) + ", OPTIONS");
    } else {
      reply = co_await dispatch(app_, head.request, token);
      if (is_event_stream(reply) && token && !head.is_head) {
        co_await stream_events(reply, head, *token);
        co_return Next::close;
      }
    }
    // Behind a body that nobody wanted, nobody knows where the next request begins.
    if (body && !body->is_whole()) head.framing.keep_alive = false;
    const auto next =
        head.framing.keep_alive && !stopping_ && !app_.stopping ? Next::more : Next::close;
    co_await write(reply, &head, next);
    co_return next;
  }

  // The bytes of the next head, up to and with its empty line.
  asio::awaitable<std::string> read_head_bytes() {
    bool started = !buffer_.empty();
    idle_ = !started;
    for (std::size_t searched = 0;;) {
      skip_empty_lines();
      const auto end = buffer_.find("\r\n\r\n", searched < 3 ? 0 : searched - 3);
      if (end != std::string::npos) {
        std::string head = buffer_.substr(0, end + 4);
        buffer_.erase(0, end + 4);
        idle_ = false;
        check_head_size(head.size());
        co_return head;
      }
      check_head_size(buffer_.size());
      searched = buffer_.size();
      co_await read_more(started);
      started = true;
      idle_ = false;
    }
  }

  void check_head_size(std::size_t size) const {
    if (size > static_cast<std::size_t>(app_.config.http_header_max_bytes))
      throw Error(Code::headers_too_large, "the head of the request is too large");
  }

  // RFC 9112, 2.2: an empty line before a request is forgiven, a few of them.
  void skip_empty_lines() {
    for (int i = 0; i < 2 && buffer_.starts_with("\r\n"); ++i) buffer_.erase(0, 2);
  }

  // Between requests a connection may be idle for a while and is then closed without a word. A
  // client that dribbles must not hold it, though: a request has one deadline as a whole.
  asio::awaitable<void> read_more(bool in_request) {
    if (in_request) {
      stream_->expires_never();
      deadline_.arm(seconds(app_.config.http_read_timeout_s));
    } else {
      stream_->expires_after(seconds(app_.config.http_idle_timeout_s));
    }
    co_await read_some(in_request);
  }

  asio::awaitable<void> read_some(bool in_request) {
    const auto old = buffer_.size();
    buffer_.resize(old + kReadSize);
    const auto space = asio::buffer(buffer_.data() + old, kReadSize);
    const auto token = asio::as_tuple(asio::use_awaitable);
    const auto [failed, count] = co_await stream_->async_read_some(space, token);
    buffer_.resize(old + count);
    if (in_request && deadline_.has_passed())
      throw Error(Code::request_timeout, "the request did not arrive in time");
    if (failed) throw Gone{};
  }

  asio::awaitable<void> read_body(Head& head) {
    const auto& framing = head.framing;
    if (framing.kind == Framing::Kind::none) co_return;
    const auto most = static_cast<std::size_t>(app_.config.http_body_max_bytes);
    if (framing.kind == Framing::Kind::length && framing.length > most)
      throw Error(Code::too_large, "the body is larger than " + std::to_string(most) + " bytes");
    if (framing.expect_continue && buffer_.empty()) co_await say_continue();
    if (framing.kind == Framing::Kind::chunked) {
      head.request.body = co_await read_chunks(most);
      co_return;
    }
    const auto length = static_cast<std::size_t>(framing.length);
    while (buffer_.size() < length) co_await read_more(true);
    head.request.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
  }

  asio::awaitable<std::string> read_chunks(std::size_t most) {
    ChunkedDecoder decoder(most);
    for (;;) {
      buffer_.erase(0, decoder.feed(buffer_));
      if (decoder.done()) co_return decoder.take();
      co_await read_more(true);
    }
  }

  asio::awaitable<void> say_continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto bytes = asio::buffer(kContinue.data(), kContinue.size());
    co_await asio::async_write(*stream_, bytes, asio::use_awaitable);
  }

  Pace pace() const {
    return {seconds(app_.config.http_read_timeout_s), app_.config.attachments_rate_min_bytes_per_s};
  }

  asio::awaitable<void> write(const Reply& reply, const Head* head, Next next) {
    http::response<http::string_body> out;
    out.result(reply.status);
    out.version(11);
    out.body() = body_text(reply);
    set_fields(out, reply, head, next);
    const bool no_body = reply.status == 204 || reply.status == 304;
    if (reply.stream) co_return co_await write_stream(*reply.stream, out, *head);
    if (!no_body) out.content_length(out.body().size());
    if (no_body || (head != nullptr && head->is_head)) out.body().clear();
    stream_->expires_after(seconds(app_.config.http_write_timeout_s));
    co_await http::async_write(*stream_, out, asio::use_awaitable);
  }

  // In chunks where nobody knows how long it will be; an old client, which knows no chunks, reads
  // until the connection ends.
  asio::awaitable<void> write_stream(Outgoing& body, http::response<http::string_body>& out,
                                     const Head& head) {
    const auto length = body.length();
    const bool chunked = !length && head.framing.minor_version == 1;
    out.body().clear();
    if (length) out.content_length(*length);
    if (chunked) out.chunked(true);
    if (!length && !chunked) out.set(http::field::connection, "close");
    http::response_serializer<http::string_body> serializer(out);
    stream_->expires_after(seconds(app_.config.http_write_timeout_s));
    co_await http::async_write_header(*stream_, serializer, asio::use_awaitable);
    if (head.is_head) co_return;
    const Pace pace{seconds(app_.config.http_write_timeout_s),
                    app_.config.attachments_rate_min_bytes_per_s};
    co_await pour(*stream_, body, pace, chunked);
    if (!length && !chunked) throw Gone{};
  }

  // The answer that ends with the stream.
  asio::awaitable<void> stream_events(const Reply& reply, const Head& head, std::string token) {
    auto who = co_await authenticate(app_, token);
    const bool chunked = head.framing.minor_version == 1;
    http::response<http::string_body> out;
    out.version(11);
    set_fields(out, reply, &head, Next::close);
    out.set(http::field::content_type, reply.media_type);
    out.chunked(chunked);
    http::response_serializer<http::string_body> serializer(out);
    stream_->expires_after(seconds(app_.config.http_write_timeout_s));
    co_await http::async_write_header(*stream_, serializer, asio::use_awaitable);
    list_.remove(this);
    co_await serve_events(app_, list_, *stream_, head.request, std::move(who), chunked);
  }

  void set_fields(http::response<http::string_body>& out, const Reply& reply, const Head* head,
                  Next next) const {
    for (const auto& [name, value] : reply.headers) out.insert(name, value);
    if (!out.body().empty() || reply.stream) out.set(http::field::content_type, media_type(reply));
    out.set("X-Content-Type-Options", "nosniff");
    out.set("Referrer-Policy", "no-referrer");
    if (out.find(http::field::cache_control) == out.end())
      out.set(http::field::cache_control, "no-store");
    if (reply.media_type.starts_with("text/html") &&
        out.find("Content-Security-Policy") == out.end())
      out.set("Content-Security-Policy",
              "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
              "frame-ancestors 'none'");
    if (head != nullptr) {
      out.set("X-Request-Id", head->request.request_id);
      out.set("traceparent", head->request.trace_parent);
      allow_origin(*head, out);
    }
    out.keep_alive(next == Next::more);
  }

  // Pages of listed origins may call us (https://fetch.spec.whatwg.org, CORS); by default none may.
  void allow_origin(const Head& head, http::response<http::string_body>& out) const {
    const auto origin = head.request.header("origin");
    if (origin.empty() || !list_has(app_.config.http_origins, origin)) return;
    out.set("Access-Control-Allow-Origin", origin);
    out.insert("Vary", "Origin");  // beside what the answer itself says
    out.set(
        "Access-Control-Expose-Headers",
        "ETag, Link, Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id");
    if (!head.is_options) return;
    out.set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE");
    out.set("Access-Control-Allow-Headers",
            "Authorization, Content-Type, Idempotency-Key, If-None-Match, If-Match, X-Request-Id, "
            "traceparent");
    out.set("Access-Control-Max-Age", "600");
  }

  asio::awaitable<void> take_over(Head& head) {
    if (head.framing.kind != Framing::Kind::none || !buffer_.empty())
      throw Error(Code::malformed, "an upgrade has no body and nothing behind it");
    deadline_.disarm();
    buffer_ = {};  // thousands may wait at the doorway
    check_upgrade(app_, head.request, head.target);
    auto token = bearer_token(head.request);
    if (token) {
      const auto pass = co_await app_.doorway.enter();
      co_await authenticate(app_, *token);  // A bad token is refused as HTTP, with a 401.
    }
    upgrade_ = std::make_unique<Upgrade>(Upgrade{std::move(stream_), std::move(head.request),
                                                 std::move(head.target), std::move(token)});
  }

  // Closes in an order that lets the peer read our last words (RFC 9112, 9.6).
  asio::awaitable<void> hang_up() {
    beast::error_code ignored;
    stream_->finish();
    stream_->tcp().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    stream_->expires_after(kDrainTime);
    for (std::size_t drained = 0; drained < kDrainMax;) {
      buffer_.clear();
      co_await read_some(false);
      drained += buffer_.size();
    }
  }

  App& app_;
  OpenList& list_;
  std::unique_ptr<Stream> stream_;
  Deadline deadline_;
  std::string address_;
  std::string buffer_;
  std::unique_ptr<Upgrade> upgrade_;
  bool idle_ = false, stopping_ = false;
};

}  // namespace

asio::awaitable<void> serve(App& app, OpenList& list, std::unique_ptr<Stream> stream) {
  ++app.metrics.connections;
  std::unique_ptr<Upgrade> upgrade;
  {
    Connection connection(app, list, std::move(stream));
    upgrade = co_await connection.run();
  }
  if (upgrade) co_await serve_socket(app, list, std::move(upgrade));
  --app.metrics.connections;
}

}  // namespace bottega::gateway
