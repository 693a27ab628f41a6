#include "gateway/cursor.hpp"

#include "gateway/url.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::gateway {
namespace {

std::string seal_of(const Request& request) {
  std::string filters;
  for (const auto& [name, value] : parse_query(request.query))
    if (name != "cursor" && name != "limit") filters += name + '=' + value + '&';
  return sha256_hex(request.who.actor() + ' ' + request.path + '?' + filters).substr(0, 16);
}

}  // namespace

std::string sealed_cursor(const Request& request, std::string_view position) {
  return base64url(seal_of(request) + std::string(position));
}

std::string position_of_cursor(const Request& request, std::string_view cursor) {
  const auto text = from_base64url(cursor).value_or("");
  const auto seal = seal_of(request);
  if (text.size() <= seal.size() || !text.starts_with(seal))
    throw Error(Code::bad_cursor, "take the cursor from this list's own next_cursor");
  return text.substr(seal.size());
}

}  // namespace bottega::gateway
