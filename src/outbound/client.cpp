// One exchange per connection: resolve, judge, connect, speak. One limit holds for all of it.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <memory>

#include "bottega/core/error.hpp"
#include "bottega/outbound/http.hpp"

namespace bottega::outbound {
namespace {

namespace ssl = asio::ssl;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Stream = ssl::stream<tcp::socket>;
using Endpoints = std::vector<tcp::endpoint>;

constexpr std::uint32_t kHeadMax = 16'384;

ssl::context context_of(const Options& options) {
  ssl::context context(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  context.set_verify_mode(ssl::verify_peer);
  boost::system::error_code failed;
  if (options.ca_file.empty())
    context.set_default_verify_paths(failed);
  else
    context.load_verify_file(options.ca_file, failed);
  if (failed && !options.ca_file.empty())
    throw Error(Code::internal, "cannot read the authorities in " + options.ca_file);
  return context;
}

http::request<http::string_body> message_of(const Request& request) {
  http::request<http::string_body> message;
  message.method_string(request.method);
  message.target(request.url.target);
  message.version(11);
  const auto origin = request.url.origin();
  message.set(http::field::host, origin.substr(origin.find("://") + 3));
  message.set(http::field::connection, "close");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

void fill(Answer& answer, const http::response<http::string_body>& message) {
  answer.status = message.result_int();
  answer.body = message.body();
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    answer.headers.emplace_back(std::move(name), std::string(field.value()));
  }
}

// One call on its way. Closing the socket ends whatever waits on it.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(const asio::any_io_executor& executor, ssl::context& context, const Options& options,
           const Request& request)
      : options_(options),
        request_(request),
        resolver_(executor),
        stream_(executor, context),
        limit_(executor, request.timeout) {}

  asio::awaitable<Answer> run() {
    limit_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
      if (cancelled || self->is_done_) return;
      self->is_late_ = true;
      self->resolver_.cancel();
      self->close();
    });
    co_await go();
    is_done_ = true;
    limit_.cancel();
    close();
    if (answer_.status == 0 && is_late_) answer_.failure = Failure::late;
    co_return std::move(answer_);
  }

 private:
  asio::awaitable<void> go() {
    const auto token = asio::as_tuple(asio::use_awaitable);
    const auto port = std::to_string(request_.url.port);
    const auto [unresolved, found] =
        co_await resolver_.async_resolve(request_.url.host, port, token);
    if (unresolved || is_late_) co_return fail(Failure::unresolved);
    Endpoints endpoints;
    for (const auto& entry : found)
      if (options_.reach == Reach::anywhere ||
          is_public_address(entry.endpoint().address().to_string()))
        endpoints.push_back(entry.endpoint());
    if (endpoints.empty()) co_return fail(Failure::private_address);
    const auto [refused, endpoint] =
        co_await asio::async_connect(stream_.next_layer(), endpoints, token);
    if (refused || is_late_) co_return fail(Failure::unreachable);
    if (request_.url.scheme == "http") {
      co_await talk(stream_.next_layer());
    } else {
      prepare_tls();
      const auto [untrusted] = co_await stream_.async_handshake(Stream::client, token);
      if (untrusted) co_return fail(Failure::untrusted);
      co_await talk(stream_);
    }
  }

  void prepare_tls() {
    const auto& host = request_.url.host;
    boost::system::error_code no_address;
    asio::ip::make_address(host, no_address);
    // An address is no server name (RFC 6066, 3).
    if (no_address) SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str());
    stream_.set_verify_callback(ssl::host_name_verification(host));
  }

  template <class S>
  asio::awaitable<void> talk(S& stream) {
    const auto token = asio::as_tuple(asio::use_awaitable);
    const auto message = message_of(request_);
    const auto [unsent, sent] = co_await http::async_write(stream, message, token);
    if (unsent) co_return fail(Failure::unreachable);
    http::response_parser<http::string_body> parser;
    parser.header_limit(kHeadMax);
    parser.body_limit(options_.answer_max);
    boost::beast::flat_buffer buffer;
    const auto [unread, count] = co_await http::async_read(stream, buffer, parser, token);
    // A head that came whole is an answer, whatever became of the body.
    if (unread && !parser.is_header_done()) co_return fail(Failure::unreachable);
    fill(answer_, parser.get());
  }

  void fail(Failure failure) { answer_.failure = failure; }

  void close() {
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }

  const Options& options_;
  const Request& request_;
  tcp::resolver resolver_;
  Stream stream_;
  asio::steady_timer limit_;
  Answer answer_;
  bool is_late_ = false, is_done_ = false;
};

}  // namespace

std::string_view Answer::header(std::string_view name) const {
  for (const auto& [known, value] : headers)
    if (known == name) return value;
  return {};
}

struct Client::Parts {
  Options options;
  ssl::context context;
};

Client::Client(Options options) : parts_(new Parts{options, context_of(options)}) {}
Client::~Client() = default;

asio::awaitable<Answer> Client::send(const Request& request) {
  const auto executor = co_await asio::this_coro::executor;
  // Shared with the timer, whose handler runs once more after the exchange has ended.
  const auto exchange =
      std::make_shared<Exchange>(executor, parts_->context, parts_->options, request);
  co_return co_await exchange->run();
}

}  // namespace bottega::outbound
