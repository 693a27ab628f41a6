#include "support/http.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>

#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr auto kLimit = std::chrono::seconds(20);

tcp::endpoint local(std::uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Answer answer_of(const http::response<http::string_body>& response) {
  Answer answer;
  answer.status = static_cast<int>(response.result_int());
  answer.body = response.body();
  for (const auto& field : response)
    answer.headers[lower(std::string(field.name_string()))] = std::string(field.value());
  return answer;
}

}  // namespace

Json Answer::json() const { return Json::parse(body, nullptr, false); }

std::string Answer::header(const std::string& name) const {
  const auto found = headers.find(lower(name));
  return found == headers.end() ? "" : found->second;
}

std::string new_key() { return random_token(18); }

Client::Client(std::uint16_t port, std::string token) : port_(port), token_(std::move(token)) {}

Answer Client::get(const std::string& path, const HeaderList& headers) {
  return send("GET", path, "", headers);
}

Answer Client::post(const std::string& path, const Json& body, const HeaderList& headers) {
  auto all = headers;
  if (!body.is_null()) all.try_emplace("Content-Type", "application/json");
  all.try_emplace("Idempotency-Key", new_key());
  return send("POST", path, body.is_null() ? "" : body.dump(), all);
}

Answer Client::put(const std::string& path, const Json& body) {
  return send("PUT", path, body.dump(), {{"Content-Type", "application/json"}});
}

Answer Client::patch(const std::string& path, const Json& body) {
  return send("PATCH", path, body.dump(), {{"Content-Type", "application/json"}});
}

Answer Client::remove(const std::string& path, const HeaderList& headers) {
  return send("DELETE", path, "", headers);
}

Answer Client::send(const std::string& method, const std::string& path, const std::string& body,
                    const HeaderList& headers) {
  asio::io_context io;
  beast::tcp_stream stream(io);
  stream.connect(local(port_));
  http::request<http::string_body> request;
  request.method_string(method);
  request.target(path);
  request.version(11);
  request.set(http::field::host, "127.0.0.1");
  request.set(http::field::connection, "close");
  if (!token_.empty()) request.set(http::field::authorization, "Bearer " + token_);
  for (const auto& [name, value] : headers)
    if (!(name == "Idempotency-Key" && value.empty())) request.set(name, value);
  request.body() = body;
  if (!body.empty() || method == "POST") request.prepare_payload();
  http::write(stream, request);
  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  boost::system::error_code result = asio::error::timed_out;
  http::response_parser<http::string_body> parser;
  parser.skip(method == "HEAD");
  stream.expires_after(kLimit);
  http::async_read(stream, buffer, parser, [&](auto error, std::size_t) { result = error; });
  io.run();
  if (result) throw boost::system::system_error(result, method + " " + path);
  return answer_of(parser.get());
}

std::string exchange(std::uint16_t port, const std::string& bytes, int quiet_ms) {
  asio::io_context io;
  tcp::socket socket(io);
  socket.connect(local(port));
  boost::system::error_code error;
  // The other side may refuse and close before everything is written.
  asio::write(socket, asio::buffer(bytes), error);
  std::string answer;
  for (;;) {
    pollfd waiting{socket.native_handle(), POLLIN, 0};
    const int limit = answer.empty() ? 20'000 : quiet_ms;
    if (poll(&waiting, 1, limit) != 1) return answer;
    char buffer[4096];
    const auto got = ::recv(socket.native_handle(), buffer, sizeof buffer, 0);
    if (got <= 0) return answer;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
}

// ---- the socket ---------------------------------------------------------------------------------

template <class Start>
boost::system::error_code Socket::run(Start start) {
  boost::system::error_code result = asio::error::timed_out;
  beast::get_lowest_layer(stream_).expires_after(kLimit);
  start([&](boost::system::error_code error, std::size_t = 0) { result = error; });
  io_.restart();
  io_.run();
  return result;
}

Socket::Socket(std::uint16_t port, const std::string& token) : stream_(io_) {
  beast::get_lowest_layer(stream_).connect(local(port));
  stream_.set_option(beast::websocket::stream_base::decorator([&](auto& request) {
    request.set(http::field::sec_websocket_protocol, "bottega.v1");
    if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  }));
  const auto error =
      run([&](auto done) { stream_.async_handshake("127.0.0.1", "/v1/socket", done); });
  if (error) throw boost::system::system_error(error, "upgrade");
}

void Socket::send(const Json& frame) { send_text(frame.dump()); }

void Socket::send_text(const std::string& text) {
  stream_.text(true);
  run([&](auto done) { stream_.async_write(asio::buffer(text), done); });
}

void Socket::send_binary(const std::string& bytes) {
  stream_.binary(true);
  run([&](auto done) { stream_.async_write(asio::buffer(bytes), done); });
}

std::optional<Json> Socket::read() {
  beast::flat_buffer buffer;
  const auto error = run([&](auto done) { stream_.async_read(buffer, done); });
  if (error == beast::error::timeout) throw std::runtime_error("nothing came in time");
  if (error) return std::nullopt;
  return Json::parse(beast::buffers_to_string(buffer.data()));
}

Json Socket::call(const std::string& method, const std::string& path, const Json& body,
                  const std::string& key) {
  const auto id = "t" + std::to_string(next_id_++);
  Json frame = {{"id", id}, {"method", method}, {"path", path}};
  if (!key.empty() && method == "POST") frame["idempotency_key"] = key;
  if (!body.is_null()) frame["body"] = body;
  send(frame);
  return reply(id);
}

Json Socket::reply(const std::string& id) {
  for (;;) {
    const auto found =
        std::ranges::find_if(replies_, [&](const Json& one) { return one["id"] == id; });
    if (found != replies_.end()) {
      Json reply = *found;
      replies_.erase(found);
      return reply;
    }
    auto frame = read();
    if (!frame) throw std::runtime_error("the socket was closed");
    (frame->contains("event") ? events_ : replies_).push_back(*std::move(frame));
  }
}

Json Socket::event(const std::string& name) {
  for (;;) {
    const auto found = std::ranges::find_if(
        events_, [&](const Json& one) { return name.empty() || one["event"] == name; });
    if (found != events_.end()) {
      Json event = *found;
      events_.erase(found);
      return event;
    }
    auto frame = read();
    if (!frame) throw std::runtime_error("the socket was closed");
    (frame->contains("event") ? events_ : replies_).push_back(*std::move(frame));
  }
}

int Socket::close_code() {
  while (auto frame = read())
    (frame->contains("event") ? events_ : replies_).push_back(*std::move(frame));
  return stream_.reason().code;
}

void Socket::close() {
  run([&](auto done) { stream_.async_close(beast::websocket::close_code::normal, done); });
}

}  // namespace bottega::test
