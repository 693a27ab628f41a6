#pragma once
// The load generator's clients: blocking, one kept connection each, as little work of their own as
// possible.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <filesystem>

#include "bottega/core/digest.hpp"
#include "bottega/core/json.hpp"

namespace bottega::bench {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

class Client {
 public:
  explicit Client(std::uint16_t port, std::string token = "") : token_(std::move(token)) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    socket_.set_option(asio::ip::tcp::no_delay(true));
  }

  enum class Key : std::uint8_t { made, none };
  // The body of the answer; throws where it is not a 2xx. What is posted has a key of its own.
  std::string call(http::verb verb, const std::string& path, const std::string& body = "",
                   Key key = Key::made) {
    http::request<http::string_body> request(verb, path, 11);
    request.set(http::field::host, "127.0.0.1");
    sign(request);
    if (verb != http::verb::get) {
      if (verb == http::verb::post && key == Key::made)
        request.set("Idempotency-Key", random_token(12));
      request.set(http::field::content_type, "application/json");
      request.body() = body;
    }
    request.prepare_payload();
    http::write(socket_, request);
    return answer_to(path);
  }
  // Sends a file as it is; its bytes are read as they leave.
  Json upload(const std::string& path, const std::string& media_type,
              const std::filesystem::path& file) {
    http::request<http::file_body> request(http::verb::post, path, 11);
    request.set(http::field::host, "127.0.0.1");
    sign(request);
    request.set(http::field::content_type, media_type);
    beast::error_code failed;
    request.body().open(file.c_str(), beast::file_mode::scan, failed);
    if (failed) throw std::runtime_error(file.string() + ": " + failed.message());
    request.prepare_payload();
    http::write(socket_, request);
    return Json::parse(answer_to(path));
  }
  // Writes the body of the answer into a file, as it comes.
  void download(const std::string& path, const std::filesystem::path& file) {
    http::request<http::empty_body> request(http::verb::get, path, 11);
    request.set(http::field::host, "127.0.0.1");
    sign(request);
    http::write(socket_, request);
    http::response_parser<http::file_body> parser;
    parser.body_limit(boost::none);
    beast::error_code failed;
    parser.get().body().open(file.c_str(), beast::file_mode::write, failed);
    if (failed) throw std::runtime_error(file.string() + ": " + failed.message());
    http::read(socket_, buffer_, parser);
    if (parser.get().result_int() > 299)
      throw std::runtime_error(path + " answered " + std::to_string(parser.get().result_int()));
  }
  Json get(const std::string& path) { return Json::parse(call(http::verb::get, path)); }
  Json post(const std::string& path, const Json& body) {
    return parsed(call(http::verb::post, path, body.is_null() ? "" : body.dump()));
  }
  // Posts what has a name of its own, a message with its `client_id`: it needs no key.
  Json send(const std::string& path, const Json& body) {
    return Json::parse(call(http::verb::post, path, body.dump(), Key::none));
  }
  Json put(const std::string& path, const Json& body) {
    return parsed(call(http::verb::put, path, body.dump()));
  }
  // Fills in one of the processor's pages.
  void post_form(const std::string& path, const std::string& form) {
    http::request<http::string_body> request(http::verb::post, path, 11);
    request.set(http::field::host, "127.0.0.1");
    request.set(http::field::content_type, "application/x-www-form-urlencoded");
    request.body() = form;
    request.prepare_payload();
    http::write(socket_, request);
    http::response<http::string_body> response;
    http::read(socket_, buffer_, response);
    if (response.result_int() > 399) throw std::runtime_error(path + ": " + response.body());
  }

 private:
  template <class Request>
  void sign(Request& request) const {
    if (!token_.empty()) request.set(http::field::authorization, "Bearer " + token_);
  }
  static Json parsed(const std::string& text) { return text.empty() ? Json() : Json::parse(text); }
  // Of whatever size.
  std::string answer_to(const std::string& path) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    http::read(socket_, buffer_, parser);
    auto& response = parser.get();
    if (response.result_int() > 299)
      throw std::runtime_error(path + " answered " + std::to_string(response.result_int()) + ": " +
                               response.body());
    return std::move(response.body());
  }

  std::string token_;
  asio::io_context io_;
  asio::ip::tcp::socket socket_{io_};
  beast::flat_buffer buffer_;
};

// Listens to a person's events.
class Listener {
 public:
  Listener(std::uint16_t port, const std::string& token) {
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), port});
    stream_.set_option(beast::websocket::stream_base::decorator([&](auto& request) {
      request.set(http::field::authorization, "Bearer " + token);
      request.set(http::field::sec_websocket_protocol, "bottega.v1");
    }));
    stream_.handshake("127.0.0.1", "/v1/socket");
    // Events are held back until the client has said what it has.
    stream_.write(asio::buffer(std::string(R"({"id":"r","method":"RESUME","positions":{}})")));
  }
  // Reads until an event whose text holds the mark.
  void wait_for(const std::string& mark) {
    for (;;) {
      beast::flat_buffer buffer;
      stream_.read(buffer);
      if (beast::buffers_to_string(buffer.data()).find(mark) != std::string::npos) return;
    }
  }

 private:
  asio::io_context io_;
  beast::websocket::stream<asio::ip::tcp::socket> stream_{io_};
};

}  // namespace bottega::bench
