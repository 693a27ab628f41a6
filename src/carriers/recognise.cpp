#include <algorithm>

#include "carriers/rows.hpp"
#include "bottega/carriers/carriers.hpp"

namespace bottega::carriers {
namespace {

constexpr std::size_t kNumberMax = 60;
constexpr std::string_view kRouting = "420";
constexpr std::size_t kZip = 5, kZipPlus4 = 9;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

char capital(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool is_alike(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return capital(x) == capital(y); });
}

std::string url_of(std::string_view form, std::string_view number) {
  std::string url(form);
  const auto at = url.find("%s");
  std::string escaped;
  for (const char c : number) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    if (is_alphanumeric(c))
      escaped += c;
    else
      escaped += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return url.replace(at, 2, escaped);
}

const Carrier* carrier_of(std::string_view code) {
  const auto found = std::ranges::find(carriers(), code, &Carrier::code);
  return found == carriers().end() ? nullptr : &*found;
}

std::optional<std::string> link(std::string_view code, std::string_view number) {
  const auto* carrier = carrier_of(code);
  if (carrier == nullptr || carrier->url.empty()) return std::nullopt;
  return url_of(carrier->url, number);
}

// Two of the posts are carriers with numbers of their own as well.
std::string code_of_post(std::string_view country) {
  if (country == "US") return "usps";
  if (country == "CA") return "canada_post";
  std::string code = "post_";
  for (const char c : country) code += static_cast<char>(c - 'A' + 'a');
  return code;
}

CheckDigit check(const Shape& shape, std::string_view number) {
  if (shape.sum == Sum::none) return CheckDigit::none;
  const auto at = number.size() - 1 - shape.tail;
  const auto length = shape.length == 0 ? at : shape.length;
  std::string characters(number.substr(at - length, length));
  if (!characters.starts_with(shape.before)) characters.insert(0, shape.before);
  return is_right(shape.sum, characters, number[at]) ? CheckDigit::right : CheckDigit::wrong;
}

// The number without the recipient's ZIP code in front, where it may have one.
std::optional<std::string_view> fitting(const Shape& shape, std::string_view number) {
  if (fits(shape.pattern, number)) return number;
  if (!shape.is_routed || !number.starts_with(kRouting)) return std::nullopt;
  for (const auto zip : {kZip, kZipPlus4}) {
    const auto front = kRouting.size() + zip;
    if (number.size() > front && fits(shape.pattern, number.substr(front)))
      return number.substr(front);
  }
  return std::nullopt;
}

std::optional<Candidate> read(const Shape& shape, std::string_view number) {
  const auto found = fitting(shape, number);
  if (!found) return std::nullopt;
  Candidate one{std::string(shape.carrier), "",           std::string(shape.format),
                check(shape, *found),       std::nullopt, std::nullopt};
  if (shape.sum == Sum::s10) {
    const auto country = found->substr(found->size() - 2);
    const auto post = std::ranges::find(posts(), country, &Post::country);
    if (post == posts().end()) return std::nullopt;
    one.carrier = code_of_post(country);
    one.name = post->name;
    one.country = std::string(country);
  } else {
    one.name = carrier_of(shape.carrier)->name;
  }
  one.tracking_url = link(one.carrier, number);
  return one;
}

int rank_of(const Candidate& one) {
  if (one.check_digit == CheckDigit::right) return 0;
  return one.check_digit == CheckDigit::none ? 1 : 2;
}

// The codes of the carriers that are as likely as the likeliest.
std::vector<std::string> likeliest(const std::vector<Candidate>& found) {
  std::vector<std::string> codes;
  for (const auto& one : found)
    if (rank_of(one) == rank_of(found.front()) && std::ranges::count(codes, one.carrier) == 0)
      codes.push_back(one.carrier);
  return codes;
}

constexpr const char* kUnknown = "no carrier that is known here has numbers like this one";
constexpr const char* kWrong = "the check digit of the tracking number is not right";

[[noreturn]] void unclear(const std::vector<std::string>& codes) {
  std::string words = codes.empty() ? "is required: the tracking number does not tell it" : "";
  for (const auto& code : codes) words += (words.empty() ? "must be one of " : ", ") + code;
  throw Error(Code::invalid, "the carrier is not clear", {{"/carrier", words}});
}

Label label_of(const std::string& carrier, const std::string& number,
               const std::vector<Candidate>& found) {
  Label out{carrier, std::nullopt, {}};
  const auto code = find_carrier(carrier);
  if (!code) {
    if (found.empty() && !is_alike(carrier, kOther)) out.warnings.emplace_back(kUnknown);
    return out;
  }
  out.tracking_url = link(*code, normalised(number));
  const auto own = std::ranges::find(found, *code, &Candidate::carrier);
  if (own == found.end())
    out.warnings.emplace_back("the tracking number does not look like one of this carrier");
  else if (own->check_digit == CheckDigit::wrong)
    out.warnings.emplace_back(kWrong);
  return out;
}

}  // namespace

std::string normalised(std::string_view number) {
  std::string out;
  for (const char c : number)
    if (c != ' ' && c != '\t' && c != '-') out += capital(c);
  return out;
}

std::vector<Candidate> candidates(std::string_view number) {
  const auto plain = normalised(number);
  std::vector<Candidate> found;
  if (plain.size() > kNumberMax) return found;
  for (const auto& shape : shapes())
    if (auto one = read(shape, plain)) found.push_back(*std::move(one));
  std::ranges::stable_sort(found, {}, rank_of);
  return found;
}

std::optional<std::string> find_carrier(std::string_view text) {
  for (const auto& carrier : carriers())
    if (is_alike(carrier.code, text) || is_alike(carrier.name, text))
      return std::string(carrier.code);
  for (const auto& post : posts()) {
    auto code = code_of_post(post.country);
    if (is_alike(code, text) || is_alike(post.name, text)) return code;
  }
  return std::nullopt;
}

Label label(const std::optional<std::string>& carrier, const std::optional<std::string>& number) {
  if (!number) return {carrier.value_or(std::string(kOther)), std::nullopt, {}};
  const auto found = candidates(*number);
  if (carrier) return label_of(*carrier, *number, found);
  const auto codes = likeliest(found);
  if (codes.size() != 1) unclear(codes);
  return label_of(codes.front(), *number, found);
}

Recognised recognise(std::string_view number) {
  Recognised out{normalised(number), candidates(number), {}};
  if (out.candidates.empty())
    out.warnings.emplace_back(kUnknown);
  else if (out.candidates.front().check_digit == CheckDigit::wrong)
    out.warnings.emplace_back(kWrong);
  return out;
}

}  // namespace bottega::carriers
