// Which addresses there are, and which of them are nobody's private business.
#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "bottega/outbound/http.hpp"

namespace bottega::outbound {
namespace {

constexpr std::size_t kUrlMax = 2'048;
constexpr std::size_t kHostMax = 253;  // RFC 1035, 2.3.4

std::uint16_t default_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_host(const std::string& host) {
  return !host.empty() && host.size() <= kHostMax && std::ranges::all_of(host, is_host_character);
}

// "[::1]:8443" or "example.com"; false where it is neither.
bool read_authority(std::string_view text, Url& url) {
  std::string_view host = text, port;
  bool v6 = false;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return false;
    v6 = true;
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (const auto colon = text.find(':'); colon != text.npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  url.host.assign(host);
  std::ranges::transform(url.host, url.host.begin(), lower);
  boost::system::error_code bad;
  if (v6) boost::asio::ip::make_address_v6(url.host, bad);
  if (v6 ? bad.failed() : !is_host(url.host)) return false;
  url.port = default_port(url.scheme);
  if (port.empty()) return true;
  if (port.size() < 2 || port.front() != ':') return false;
  const auto* const end = port.data() + port.size();
  const auto [rest, failed] = std::from_chars(port.data() + 1, end, url.port);
  return failed == std::errc{} && rest == end && url.port != 0;
}

struct Block {
  std::uint32_t address;
  unsigned bits;
};
constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c) {
  return a << 24 | b << 16 | c << 8;
}
// IANA's IPv4 special-purpose registry, with multicast and what is reserved.
constexpr auto kSpecial = std::to_array<Block>({
    {v4(0, 0, 0), 8},
    {v4(10, 0, 0), 8},
    {v4(100, 64, 0), 10},
    {v4(127, 0, 0), 8},
    {v4(169, 254, 0), 16},
    {v4(172, 16, 0), 12},
    {v4(192, 0, 0), 24},
    {v4(192, 0, 2), 24},
    {v4(192, 88, 99), 24},
    {v4(192, 168, 0), 16},
    {v4(198, 18, 0), 15},
    {v4(198, 51, 100), 24},
    {v4(203, 0, 113), 24},
    {v4(224, 0, 0), 3},
});

bool is_public(const boost::asio::ip::address_v4& address) {
  const auto number = static_cast<std::uint32_t>(address.to_uint());
  return std::ranges::none_of(kSpecial, [&](const Block& block) {
    return (number >> (32 - block.bits)) == (block.address >> (32 - block.bits));
  });
}

// Only 2000::/3 is given out; within it, what tunnels to other addresses or is for documentation is
// refused.
bool is_public(const boost::asio::ip::address_v6& address) {
  if (address.is_v4_mapped())
    return is_public(boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address));
  const auto bytes = address.to_bytes();
  const auto group = [&](std::size_t i) { return bytes[2 * i] << 8 | bytes[2 * i + 1]; };
  if ((bytes[0] & 0xe0) != 0x20) return false;
  if (group(0) == 0x2001 && (group(1) < 0x0200 || group(1) == 0x0db8)) return false;
  if (group(0) == 0x2002) return false;                           // 6to4, RFC 3056
  return !(group(0) == 0x3fff && (group(1) & 0xf000) == 0x0000);  // RFC 9637
}

}  // namespace

std::string Url::origin() const {
  const bool v6 = host.find(':') != std::string::npos;
  auto out = scheme + "://" + (v6 ? '[' + host + ']' : host);
  if (port != default_port(scheme)) out += ':' + std::to_string(port);
  return out;
}

std::optional<Url> parse_url(std::string_view text) {
  const auto printable = [](char c) { return c > ' ' && c < '\x7f'; };
  if (text.size() > kUrlMax || !std::ranges::all_of(text, printable)) return std::nullopt;
  if (text.find_first_of("#\\\"<>^`{|}") != text.npos) return std::nullopt;
  const auto colon = text.find("://");
  if (colon == text.npos) return std::nullopt;
  Url url;
  url.scheme.assign(text.substr(0, colon));
  std::ranges::transform(url.scheme, url.scheme.begin(), lower);
  if (url.scheme != "https" && url.scheme != "http") return std::nullopt;
  text.remove_prefix(colon + 3);
  const auto slash = std::min(text.find_first_of("/?"), text.size());
  if (!read_authority(text.substr(0, slash), url)) return std::nullopt;
  url.target.assign(text.substr(slash));
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

bool is_public_address(std::string_view address) {
  boost::system::error_code bad;
  const auto parsed = boost::asio::ip::make_address(std::string(address), bad);
  if (bad) return false;
  return parsed.is_v4() ? is_public(parsed.to_v4()) : is_public(parsed.to_v6());
}

}  // namespace bottega::outbound
