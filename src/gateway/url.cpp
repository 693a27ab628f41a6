#include "gateway/url.hpp"

#include <algorithm>
#include <cctype>

#include "bottega/core/error.hpp"
#include "bottega/core/json.hpp"

namespace bottega::gateway {
namespace {

constexpr std::size_t kParametersMax = 50;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_utf8(const std::string& text) {
  try {
    return !Json(text).dump().empty();  // the library's own check
  } catch (const Json::exception&) {
    return false;
  }
}

}  // namespace

std::string decode_url(std::string_view text, Part part) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && part == Part::query) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0 || (high == 0 && low == 0))
        throw Error(Code::malformed, "the address has a %-escape that is broken or forbidden");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  if (!is_utf8(out)) throw Error(Code::malformed, "the address is not UTF-8");
  return out;
}

std::string encode_query(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[u >> 4];
      out += kHex[u & 15];
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    if (out.size() == kParametersMax) throw Error(Code::malformed, "too many query parameters");
    const auto equals = std::min(pair.find('='), pair.size());
    out.emplace_back(decode_url(pair.substr(0, equals), Part::query),
                     decode_url(pair.substr(std::min(equals + 1, pair.size())), Part::query));
  }
  return out;
}

}  // namespace bottega::gateway
