// The head of an HTTP request, up to its first empty line.
#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "gateway/head.hpp"

namespace bottega::fuzz {
namespace {

using namespace gateway;

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

void check_head(const Head& head) {
  const auto& request = head.request;
  check(is_printable(head.target) && !head.target.empty(), "a target has no control characters");
  check(head.target ==
            request.path + (head.target.find('?') == std::string::npos ? "" : "?") + request.query,
        "a target is a path and a query");
  for (const auto& [name, value] : request.headers) {
    check(!name.empty() && is_printable(name) && is_printable(value), "fields are clean");
    check(std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }),
          "names are in lower case");
  }
  check(request.headers.contains("host") || head.framing.minor_version == 0, "1.1 names its host");
  check(
      !request.headers.contains("content-length") || !request.headers.contains("transfer-encoding"),
      "a body has one length");
  const bool told = request.headers.contains("content-length");
  check(told || head.framing.kind != Framing::Kind::length, "a length was told");
  check(!told || head.framing.kind == Framing::Kind::length || head.framing.length == 0,
        "a body has the length that was told");
  check(!request.request_id.empty() && is_opaque(request.request_id), "an id is decent");
  check(request.trace_parent.size() == 55 && request.trace_parent[2] == '-', "a trace is one");
  answer_of([&] { return bearer_token(request); });
}

}  // namespace

void run(std::string_view input) {
  const auto end = input.find("\r\n\r\n");
  const auto raw =
      end == input.npos ? std::string(input) + "\r\n\r\n" : std::string(input.substr(0, end + 4));
  const auto head = answer_of([&] { return read_head(raw); });
  if (head) check_head(*head);
}

}  // namespace bottega::fuzz
