// Bounds of the field types, and the list of countries.
#include "bottega/core/text.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace bottega {
namespace {

// ISO 3166-1 alpha-2, sorted; XK is user-assigned and widely accepted.
constexpr std::string_view kCountries =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS "
    "BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC "
    "EE "
    "EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK "
    "HM "
    "HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB "
    "LC "
    "LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ "
    "NA "
    "NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU "
    "RW "
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN "
    "TO "
    "TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

bool is_control(char32_t point) { return point < 0x20 || (point >= 0x7f && point < 0xa0); }

// Takes one code point from the front; none where it is not valid UTF-8 (RFC 3629).
std::optional<char32_t> take_point(std::string_view& utf8) {
  const auto lead = static_cast<unsigned char>(utf8.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || utf8.size() < size) return std::nullopt;
  char32_t point = size == 1 ? lead : lead & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<unsigned char>(utf8[i]);
    if ((next & 0xc0) != 0x80) return std::nullopt;
    point = (point << 6) | (next & 0x3fu);
  }
  const bool overlong = (size == 3 && point < 0x800) || (size == 4 && point < 0x10000);
  const bool surrogate = point >= 0xd800 && point < 0xe000;
  if (overlong || surrogate || point > 0x10ffff) return std::nullopt;
  utf8.remove_prefix(size);
  return point;
}

bool is_mail_character(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u > 0x20 && u != 0x7f && c != '"' && c != '(' && c != ')' && c != ',' && c != ':' &&
         c != ';' && c != '<' && c != '>' && c != '[' && c != ']' && c != '\\';
}

// What shows text in another order than it is written in (UAX #9): overrides nowhere, for they make
// one thing look like another; in a line, where one name stands beside others, no direction at all.
bool turns_around(char32_t point, Lines lines) {
  if (point == 0x202d || point == 0x202e) return true;
  const bool direction =
      (point >= 0x202a && point <= 0x202c) || (point >= 0x2066 && point <= 0x2069);
  return direction && lines == Lines::one;
}

struct Range {
  char32_t first, last;
};
// White_Space and Default_Ignorable_Code_Point of the Unicode Character Database, and the Braille
// pattern without dots.
constexpr Range kBlank[] = {
    {0x00, 0x20},       {0x7f, 0xa0},      {0xad, 0xad},     {0x34f, 0x34f},   {0x61c, 0x61c},
    {0x115f, 0x1160},   {0x1680, 0x1680},  {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200f},
    {0x2028, 0x202f},   {0x205f, 0x206f},  {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},  {0xffa0, 0xffa0}, {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};

// What emoji sequences are made of (Unicode Technical Standard #51): pictures, what is put between
// and behind them, and the signs of keycaps.
constexpr Range kEmojiParts[] = {
    {0x23, 0x23},     {0x2a, 0x2a},     {0x30, 0x39},       {0xa9, 0xa9},      {0xae, 0xae},
    {0x200d, 0x200d}, {0x203c, 0x203c}, {0x2049, 0x2049},   {0x20e3, 0x20e3},  {0x2122, 0x2122},
    {0x2139, 0x2139}, {0x2194, 0x2bff}, {0x3030, 0x3030},   {0x303d, 0x303d},  {0x3297, 0x3297},
    {0x3299, 0x3299}, {0xfe0f, 0xfe0f}, {0x1f000, 0x1faff}, {0xe0020, 0xe007f}};

bool is_in(std::span<const Range> ranges, char32_t point) {
  return std::ranges::any_of(
      ranges, [&](const Range& range) { return point >= range.first && point <= range.last; });
}

bool is_blank(char32_t point) { return is_in(kBlank, point); }

}  // namespace

std::size_t code_points(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_clean(std::string_view utf8, Lines lines) {
  const auto is_special = [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u < 0x20 || u > 0x7e;
  };
  for (;;) {
    utf8 = {std::ranges::find_if(utf8, is_special), utf8.end()};
    if (utf8.empty()) return true;
    const auto point = take_point(utf8);
    if (!point) return false;
    const bool layout = *point == U'\n' || *point == U'\t' || *point == U'\r';
    if (is_control(*point) && !(layout && lines == Lines::many)) return false;
    const bool separator = *point == 0x2028 || *point == 0x2029;  // of lines, of paragraphs
    if (separator && lines == Lines::one) return false;
    if (turns_around(*point, lines)) return false;
  }
}

bool is_visible(std::string_view utf8) {
  while (!utf8.empty()) {
    const auto point = take_point(utf8);
    if (!point) return false;
    if (!is_blank(*point)) return true;
  }
  return false;
}

bool is_emoji(std::string_view utf8) {
  bool has_picture = false;
  while (!utf8.empty()) {
    const auto point = take_point(utf8);
    if (!point || !is_in(kEmojiParts, *point)) return false;
    has_picture |= *point > 0x39 && !is_blank(*point);
  }
  return has_picture;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

bool is_opaque(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
  });
}

std::optional<Email> Form<Email>::parse(std::string_view text) {
  const auto at = text.find('@');
  if (text.size() > 254 || at == text.npos || at == 0 || at > 64 ||
      text.find('@', at + 1) != text.npos)
    return std::nullopt;
  const auto domain = text.substr(at + 1);
  const auto dot = domain.find('.');
  if (dot == domain.npos || dot == 0 || domain.ends_with('.') || domain.find("..") != domain.npos)
    return std::nullopt;
  if (!is_clean(text, Lines::one) || !std::ranges::all_of(text, is_mail_character))
    return std::nullopt;
  Email email{std::string(text)};
  for (auto& c : email.value)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return email;
}

std::optional<Country> Form<Country>::parse(std::string_view text) {
  if (text.size() != 2 || text.find(' ') != text.npos) return std::nullopt;
  for (std::size_t i = 0; i < kCountries.size(); i += 3)
    if (kCountries.substr(i, 2) == text) return Country{std::string(text)};
  return std::nullopt;
}

bool list_has(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    auto found = list.substr(0, list.find(','));
    list.remove_prefix(std::min(found.size() + 1, list.size()));
    while (found.starts_with(' ')) found.remove_prefix(1);
    while (found.ends_with(' ')) found.remove_suffix(1);
    if (found == item) return true;
  }
  return false;
}

}  // namespace bottega
