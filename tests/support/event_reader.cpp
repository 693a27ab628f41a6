#include "support/event_reader.hpp"

#include <poll.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <sstream>
#include <stdexcept>

namespace bottega::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::steady_clock;

constexpr auto kLimit = std::chrono::seconds(20);

}  // namespace

EventReader::EventReader(std::uint16_t port, const std::string& token, const Options& options)
    : socket_(io_), until_(steady_clock::now() + kLimit) {
  socket_.open(tcp::v4());
  if (options.receive_buffer > 0)
    socket_.set_option(asio::socket_base::receive_buffer_size(options.receive_buffer));
  socket_.connect({asio::ip::address_v4::loopback(), port});
  std::string request =
      "GET /v1/events/stream HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n";
  if (!token.empty()) request += "Authorization: Bearer " + token + "\r\n";
  if (!options.last_event_id.empty()) request += "Last-Event-ID: " + options.last_event_id + "\r\n";
  request += "\r\n";
  if (options.certificate.empty()) {
    asio::write(socket_, asio::buffer(request));
  } else {
    context_.load_verify_file(options.certificate);
    tls_.emplace(socket_, context_);
    tls_->handshake(asio::ssl::stream_base::client);
    asio::write(*tls_, asio::buffer(request));
  }
  while (wire_.find("\r\n\r\n") == wire_.npos)
    if (!read_more()) throw std::runtime_error("no answer: " + wire_);
  std::istringstream head(wire_.substr(0, wire_.find("\r\n\r\n")));
  wire_.erase(0, wire_.find("\r\n\r\n") + 4);
  std::string word;
  head >> word >> status_;
  for (std::string line; std::getline(head, line);) {
    const auto colon = line.find(": ");
    if (colon == line.npos) continue;
    auto name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (line.ends_with('\r')) line.pop_back();
    headers_[name] = line.substr(colon + 2);
  }
}

std::string EventReader::header(const std::string& name) const {
  const auto found = headers_.find(name);
  return found == headers_.end() ? "" : found->second;
}

bool EventReader::read_more() {
  pollfd waiting{socket_.native_handle(), POLLIN, 0};
  const bool buffered = tls_ && SSL_pending(tls_->native_handle()) > 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - steady_clock::now());
  const auto limit = static_cast<int>(std::max<std::int64_t>(0, left.count()));
  if (!buffered && poll(&waiting, 1, limit) != 1) throw std::runtime_error("nothing came in time");
  char bytes[4096];
  boost::system::error_code failed;
  const auto got = tls_ ? tls_->read_some(asio::buffer(bytes), failed)
                        : socket_.read_some(asio::buffer(bytes), failed);
  wire_.append(bytes, got);
  return got > 0;
}

// Moves a whole chunk to the text; false where the last one has come or the other side is gone.
bool EventReader::take_chunk() {
  for (;;) {
    const auto end = wire_.find("\r\n");
    if (end != wire_.npos) {
      const auto size = std::stoul(wire_.substr(0, end), nullptr, 16);
      if (wire_.size() >= end + 2 + size + 2) {
        if (wire_.substr(end + 2 + size, 2) != "\r\n") throw std::runtime_error("a broken chunk");
        text_ += wire_.substr(end + 2, size);
        wire_.erase(0, end + 2 + size + 2);
        is_whole_ = size == 0;
        return size > 0;
      }
    }
    if (!read_more()) return false;
  }
}

std::optional<std::string> EventReader::line() {
  while (text_.find('\n') == text_.npos)
    if (is_whole_ || !take_chunk()) return std::nullopt;
  auto line = text_.substr(0, text_.find('\n'));
  text_.erase(0, line.size() + 1);
  return line;
}

std::optional<EventReader::Event> EventReader::next(Upto upto) {
  until_ = steady_clock::now() + kLimit;
  std::string name, data;
  bool has_comment = false;
  while (const auto one = line()) {
    if (one->empty()) {
      last_id_ = id_buffer_;
      if (!data.empty()) return Event{name, Json::parse(data)};
      if (has_comment && upto == Upto::comment) return Event{};
      name.clear();
      continue;
    }
    const auto colon = std::min(one->find(':'), one->size());
    const auto field = one->substr(0, colon);
    auto value = one->substr(std::min(colon + 1, one->size()));
    if (value.starts_with(' ')) value.erase(0, 1);
    has_comment |= field.empty();
    if (field == "event") name = value;
    if (field == "data") data += value;
    if (field == "id") id_buffer_ = value;
    if (field == "retry") retry_ms_ = std::stoi(value);
  }
  return std::nullopt;
}

Json EventReader::event(const std::string& name) {
  while (auto one = next())
    if (one->name == name) return one->data;
  throw std::runtime_error("the stream ended");
}

}  // namespace bottega::test
