#include "gateway/admit.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>

#include "bottega/core/error.hpp"

namespace bottega::gateway {
namespace {

constexpr std::size_t kFieldsMax = 100, kLineMax = 8'192, kTargetMax = 8'192;
constexpr auto kMethods =
    std::to_array<std::string_view>({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"});
// Fields of which a second one could be read in two ways.
constexpr auto kSingletons = std::to_array<std::string_view>(
    {"host", "content-length", "transfer-encoding", "content-type", "authorization", "expect",
     "idempotency-key", "origin", "upgrade", "sec-websocket-key", "sec-websocket-version",
     "x-request-id"});

[[noreturn]] void refuse(const char* words) { throw Error(Code::malformed, words); }

bool is_token_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_character);
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The next line without its CRLF; a CR or LF of any other kind is refused.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find_first_of("\r\n");
  if (end == text.npos || text.substr(end, 2) != "\r\n") refuse("a line does not end in CRLF");
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

unsigned read_version(std::string_view text) {
  if (text == "HTTP/1.1") return 1;
  if (text == "HTTP/1.0") return 0;
  const bool form = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                    text[6] == '.' && is_digit(text[7]);
  if (form) throw Error(Code::http_version, "HTTP/1.1 is spoken here");
  refuse("the request line is not one");
}

struct RequestLine {
  std::string_view method;
  unsigned minor_version;
};

RequestLine read_request_line(std::string_view line) {
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == line.npos || first == last) refuse("the request line is not one");
  const auto method = line.substr(0, first), target = line.substr(first + 1, last - first - 1);
  if (!is_token(method)) refuse("the method is not a token");
  const auto version = read_version(line.substr(last + 1));
  if (std::ranges::find(kMethods, method) == kMethods.end())
    throw Error(Code::not_implemented, "this method is not offered");
  if (target.size() > kTargetMax) throw Error(Code::uri_too_long, "the address is too long");
  if (!std::ranges::all_of(target, [](char c) { return c > ' ' && c < 0x7f && c != '#'; }))
    refuse("the address has characters that do not belong there");
  const bool asterisk = target == "*" && method == "OPTIONS";
  if (!target.starts_with('/') && !asterisk) refuse("the address must begin with /");
  return {method, version};
}

// uri-host [ ":" port ] (RFC 9110, 7.2), never with user information.
bool is_host(std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos || close < 3) return false;
    const auto inside = text.substr(1, close - 1);
    const bool address = std::ranges::all_of(inside, [](char c) {
      return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
    });
    if (!address || inside.find(':') == inside.npos) return false;
    port = text.substr(close + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    const auto name = text.substr(0, colon);
    const bool valid = !name.empty() && std::ranges::all_of(name, [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
    });
    if (!valid) return false;
    port = text.substr(colon);
  }
  if (port.empty()) return true;
  return port.size() >= 2 && port.size() <= 6 && port.front() == ':' &&
         std::ranges::all_of(port.substr(1), is_digit);
}

struct Fields {
  std::optional<std::string_view> host, content_length, transfer_encoding, expect;
  std::string connection;
  std::array<bool, kSingletons.size()> seen{};
};

void note_singleton(Fields& fields, std::string_view name) {
  for (std::size_t i = 0; i < kSingletons.size(); ++i) {
    if (!equal_ignoring_case(kSingletons[i], name)) continue;
    if (fields.seen[i]) refuse("a field that may come once comes twice");
    fields.seen[i] = true;
  }
}

void read_field(Fields& fields, std::string_view line) {
  if (line.size() > kLineMax) throw Error(Code::headers_too_large, "a field is too long");
  if (line.front() == ' ' || line.front() == '\t') refuse("a field is folded over two lines");
  const auto colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon)))
    refuse("a field's name is not a token");
  const auto name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
  const bool printable = std::ranges::all_of(value, [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u == '\t' || (u >= 0x20 && u != 0x7f);
  });
  if (!printable) refuse("a field has control characters");
  note_singleton(fields, name);
  if (equal_ignoring_case(name, "host")) fields.host = value;
  if (equal_ignoring_case(name, "content-length")) fields.content_length = value;
  if (equal_ignoring_case(name, "transfer-encoding")) fields.transfer_encoding = value;
  if (equal_ignoring_case(name, "expect")) fields.expect = value;
  if (equal_ignoring_case(name, "connection")) fields.connection += std::string(value) + ',';
}

bool lists(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const auto item = list.substr(0, list.find(','));
    if (equal_ignoring_case(trimmed(item), token)) return true;
    list.remove_prefix(std::min(item.size() + 1, list.size()));
  }
  return false;
}

void frame_body(const Fields& fields, Framing& framing) {
  if (fields.transfer_encoding) {
    if (framing.minor_version == 0) refuse("HTTP/1.0 has no Transfer-Encoding");
    if (fields.content_length) refuse("Transfer-Encoding and Content-Length exclude each other");
    if (!equal_ignoring_case(*fields.transfer_encoding, "chunked"))
      throw Error(Code::not_implemented, "the only transfer coding is chunked");
    framing.kind = Framing::Kind::chunked;
  } else if (fields.content_length) {
    const auto text = *fields.content_length;
    if (text.empty() || text.size() > 9 || !std::ranges::all_of(text, is_digit))
      refuse("Content-Length is not a decent number");
    for (const char c : text)
      framing.length = framing.length * 10 + static_cast<std::uint64_t>(c - '0');
    if (framing.length > 0) framing.kind = Framing::Kind::length;
  }
}

}  // namespace

Framing admit(std::string_view head) {
  Framing framing;
  framing.minor_version = read_request_line(take_line(head)).minor_version;
  Fields fields;
  std::size_t count = 0;
  for (auto line = take_line(head); !line.empty(); line = take_line(head)) {
    if (++count > kFieldsMax) throw Error(Code::headers_too_large, "too many fields");
    read_field(fields, line);
  }
  if (!head.empty()) refuse("there is something behind the head");
  if (fields.host ? !is_host(*fields.host) : framing.minor_version == 1)
    refuse("exactly one valid Host is needed");
  frame_body(fields, framing);
  if (fields.expect) {
    if (!equal_ignoring_case(*fields.expect, "100-continue"))
      throw Error(Code::expectation_failed, "the only expectation is 100-continue");
    framing.expect_continue = framing.minor_version == 1;
  }
  framing.keep_alive = framing.minor_version == 1 ? !lists(fields.connection, "close")
                                                  : lists(fields.connection, "keep-alive");
  return framing;
}

}  // namespace bottega::gateway
