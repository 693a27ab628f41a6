// Escapes, query strings, cursors in them, and the addresses of other people's servers.
#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "gateway/cursor.hpp"
#include "gateway/event_mark.hpp"
#include "gateway/url.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/outbound/http.hpp"

namespace bottega::fuzz {
namespace {

using namespace gateway;

void check_decoded(const std::string& text) {
  check(is_utf8(text), "what is decoded is UTF-8");
  const auto again = answer_of([&] { return decode_url(encode_query(text), Part::query); });
  check(!again || *again == text, "what is encoded decodes to the same");
}

void check_cursor(std::string_view query, std::string_view position) {
  Request request;
  request.path = "/v1/conversations";
  request.query = query;
  const auto cursor = answer_of([&] { return sealed_cursor(request, position); });
  if (!cursor) return;
  const auto back = answer_of([&] { return position_of_cursor(request, *cursor); });
  check(position.empty() || (back && *back == position), "a cursor gives its position back");
  answer_of([&] { return position_of_cursor(request, position); });
  request.path += "/other";
  check(!answer_of([&] { return position_of_cursor(request, *cursor); }),
        "a cursor is of one list");
}

void check_mark(std::string_view text) {
  constexpr std::string_view actor = "person:usr_1";
  const auto seal = from_base64url(mark_text({}, actor))->substr(0, 8);
  const auto mark =
      answer_of([&] { return read_mark(base64url(seal + std::string(text)), actor); });
  if (mark) check(read_mark(mark_text(*mark, actor), actor) == *mark, "a mark reads back the same");
  answer_of([&] { return read_mark(text, actor); });
}

void check_address(std::string_view text) {
  const auto url = outbound::parse_url(text);
  if (!url) return;
  check(url->scheme == "https" || url->scheme == "http", "it is the web");
  check(!url->host.empty() && url->target.starts_with('/'), "it has a host and a target");
  const bool literal = url->host.find(':') != std::string::npos;
  const auto whole = url->scheme + "://" + (literal ? '[' + url->host + ']' : url->host) + ':' +
                     std::to_string(url->port) + url->target;
  const auto again = outbound::parse_url(whole);
  check(whole.size() > 2'048 || (again && again->origin() == url->origin() &&
                                 again->host == url->host && again->target == url->target),
        "it reads back the same");
  outbound::is_public_address(url->host);
}

}  // namespace

void run(std::string_view input) {
  Input in(input);
  const auto query = in.piece();
  for (const auto part : {Part::path, Part::query})
    if (const auto text = answer_of([&] { return decode_url(query, part); })) check_decoded(*text);
  const auto pairs = answer_of([&] { return parse_query(query); });
  if (pairs) {
    std::string again;
    for (const auto& [name, value] : *pairs) {
      check(is_utf8(name) && is_utf8(value), "parameters are UTF-8");
      again += (again.empty() ? "" : "&") + encode_query(name) + '=' + encode_query(value);
    }
    const auto back = answer_of([&] { return parse_query(again); });
    check(back == pairs, "parameters read back the same");
  }
  check_cursor(query, in.rest());
  check_mark(in.rest());
  check_address(input);
}

}  // namespace bottega::fuzz
