// JSON documents from outside: what is read is printed and read again, and is the same.
#include "bottega/core/json.hpp"
#include "fuzz/fuzz.hpp"

namespace bottega::fuzz {

void run(std::string_view input) {
  if (is_utf8(input)) {
    const auto quoted = answer_of([&] { return parse_json(json_quoted(input)); });
    // A NUL is written as an escape, so nothing is lost.
    check(quoted && *quoted == Json(input), "a quoted text is the text");
  }
  const auto json = answer_of([&] { return parse_json(input); });
  if (!json) return;
  check(is_utf8(input), "what was read was UTF-8");
  check(parse_json(json->dump()) == *json, "what is printed reads back");
  const auto canonical = canonical_json(*json);
  const auto again = answer_of([&] { return parse_json(canonical); });
  check(again.has_value(), "the canonical form is JSON");
  check(canonical_json(*again) == canonical, "the canonical form of it is itself");
}

}  // namespace bottega::fuzz
