// Scalars as they stand in URLs, JSON and cursors: what is read prints back to the same.
#include "fuzz/fuzz.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/core/calendar.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/core/id.hpp"
#include "bottega/core/text.hpp"
#include "bottega/notifications/subscriptions.hpp"

namespace bottega::fuzz {
namespace {

// `Exact`: there is one spelling of each value.
enum class Spelling : std::uint8_t { one, many };

template <class T>
void check_form(std::string_view text, Spelling spelling) {
  const auto value = Form<T>::parse(text);
  if (!value) return;
  const auto printed = text_of(*value);
  const auto again = Form<T>::parse(printed);
  check(again && text_of(*again) == printed, "a value prints back to the same");
  check(spelling == Spelling::many || printed == text, "it has one spelling");
}

void check_text(std::string_view text) {
  check_form<Text<0, 4'096>>(text, Spelling::one);
  check_form<Line<1, 32>>(text, Spelling::one);
  check_form<Emoji>(text, Spelling::one);
  if (const auto line = Form<Line<1, 32>>::parse(text)) {
    check(is_utf8(line->value), "a line is UTF-8");
    check(line->value.find_first_of("\r\n\t") == std::string::npos, "a line is one line");
    check(code_points(line->value) <= 32, "a line is as short as it must be");
  }
}

// Their pairs agree.
void check_ids(std::string_view text) {
  if (const auto uuid = parse_uuid(text)) {
    const auto suffix = typeid_suffix(*uuid);
    check(parse_typeid_suffix(suffix) == uuid, "an id has a suffix");
    check(parse_uuid(uuid_text(*uuid)) == uuid, "an id has a text");
  }
  if (const auto id = parse_typeid(text)) check(typeid_text(*id) == text, "a TypeID has one text");
  if (const auto bytes = from_base64url(text))
    check(from_base64url(base64url(*bytes)) == bytes, "base64url reads back");
}

void check_times(std::string_view text) {
  const auto instant = parse_instant(text);
  if (instant) check(parse_instant(to_text(*instant)) == instant, "an instant reads back");
  const auto stored = parse_sql_instant(text);
  check(!instant || !stored || *instant == *stored, "both readers see the same time");
  const auto date = parse_date(text);
  if (!date) return;
  check(to_text(*date) == text, "a date has one text");
  check(Calendars::built_in().of("US").add_business_days(*date, 3) > *date, "days go forward");
}

}  // namespace

void run(std::string_view text) {
  check_form<Id<"conv">>(text, Spelling::one);
  check_form<Instant>(text, Spelling::many);
  check_form<Date>(text, Spelling::one);
  check_form<Email>(text, Spelling::many);
  check_form<Country>(text, Spelling::one);
  check_form<Currency>(text, Spelling::one);
  check_form<Opaque<64>>(text, Spelling::one);
  check_form<Count<1, 100>>(text, Spelling::many);
  check_form<std::int64_t>(text, Spelling::many);
  check_form<conversations::ClockTime>(text, Spelling::one);
  check_form<notifications::Endpoint>(text, Spelling::one);
  check_form<notifications::PublicKey>(text, Spelling::one);
  check_text(text);
  check_ids(text);
  check_times(text);
}

}  // namespace bottega::fuzz
