#pragma once
// Percent-encoding and query strings (RFC 3986), strictly: what cannot be decoded is refused.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bottega::gateway {

// Throws Error(malformed) for a broken escape, a NUL or what is not UTF-8. '+' is a space in a
// query only.
enum class Part { path, query };
std::string decode_url(std::string_view text, Part part);
std::string encode_query(std::string_view text);
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

}  // namespace bottega::gateway
