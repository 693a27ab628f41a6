#include "bottega/core/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <simdjson.h>
#include <vector>

#include "bottega/core/error.hpp"

namespace bottega {
namespace {

// Builds the document while it watches the depth and the keys. The library's parser keeps its own
// stack, so hostile nesting costs no recursion.
class StrictBuilder final : public nlohmann::json_sax<Json> {
 public:
  explicit StrictBuilder(unsigned depth_max) : depth_max_(depth_max) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override {
    if (!std::isfinite(value)) return refuse("a number is out of range");
    return put(value);
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return refuse("binary is not JSON"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (stack_.back()->contains(name)) return refuse("an object has the same key twice");
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t at, const std::string&,
                   const nlohmann::detail::exception&) override {
    return refuse("not valid JSON at byte " + std::to_string(at));
  }

  Json root;
  std::string problem;

 private:
  Json* add(Json value) {
    if (stack_.empty()) {
      root = std::move(value);
      return &root;
    }
    Json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[std::move(key_)] = std::move(value));
  }
  bool put(Json value) {
    add(std::move(value));
    return true;
  }
  bool open(Json value) {
    if (stack_.size() == depth_max_) return refuse("nested too deeply");
    stack_.push_back(add(std::move(value)));
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }
  bool refuse(std::string words) {
    if (problem.empty()) problem = std::move(words);
    return false;
  }

  unsigned depth_max_;
  std::vector<Json*> stack_;
  std::string key_;
};

// Longer documents are not for the quick way, whose memory stays with the thread.
constexpr std::size_t kQuickMax = 65'536;

// Fills `to` from what simdjson has read; false where the strict way must say what is wrong.
bool copy(const simdjson::dom::element& from, Json& to, unsigned depth_left) {
  using simdjson::dom::element_type;
  switch (from.type()) {
    case element_type::NULL_VALUE:
      return true;
    case element_type::BOOL:
      to = from.get_bool().value_unsafe();
      return true;
    case element_type::INT64: {
      const auto value = from.get_int64().value_unsafe();
      if (value < 0)
        to = value;
      else
        to = static_cast<std::uint64_t>(value);
      return true;
    }
    case element_type::UINT64:
      to = from.get_uint64().value_unsafe();
      return true;
    case element_type::DOUBLE:
      to = from.get_double().value_unsafe();
      return true;
    case element_type::STRING:
      to = std::string(from.get_string().value_unsafe());
      return true;
    case element_type::ARRAY: {
      const simdjson::dom::array parts = from.get_array().value_unsafe();
      to = Json::array();
      for (const auto part : parts)
        if (depth_left == 0 || !copy(part, to.emplace_back(), depth_left - 1)) return false;
      return depth_left > 0;
    }
    case element_type::OBJECT: {
      const simdjson::dom::object pairs = from.get_object().value_unsafe();
      to = Json::object();
      auto& members = to.get_ref<Json::object_t&>();
      for (const auto [name, value] : pairs) {
        const auto [member, is_new] = members.try_emplace(std::string(name));
        if (!is_new || depth_left == 0 || !copy(value, member->second, depth_left - 1))
          return false;
      }
      return depth_left > 0;
    }
  }
  return false;
}

// Several times as quick as the strict way, to which it leaves whatever it does not take: that one
// says where a fault is, and knows integers of any size.
std::optional<Json> parse_quickly(std::string_view text, unsigned depth_max) {
  thread_local simdjson::dom::parser parser(kQuickMax);
  simdjson::dom::element document;
  Json json;
  if (parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS ||
      !copy(document, json, depth_max))
    return std::nullopt;
  return json;
}

// The number as ECMAScript writes it (RFC 8785, 3.2.2.3), from the shortest digits that read back.
std::string canonical_number(double value) {
  if (value == 0) return "0";
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value),
                                 std::chars_format::scientific)
                       .ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const auto e = text.find('e');
  int exponent = 0;
  const auto* first = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(first, text.data() + text.size(), exponent);
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  const int count = static_cast<int>(digits.size()), point = exponent + 1;
  std::string out;
  if (count <= point && point <= 21) {
    out = digits + std::string(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    out = digits.insert(static_cast<std::size_t>(point), ".");
  } else if (-6 < point && point <= 0) {
    out = "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  } else {
    out = digits.substr(0, 1) + (count > 1 ? "." + digits.substr(1) : "") + 'e' +
          (point > 0 ? "+" : "-") + std::to_string(std::abs(point - 1));
  }
  return (value < 0 ? "-" : "") + out;
}

// UTF-16 code units of UTF-8 text, by which JCS sorts keys.
std::u16string utf16(const std::string& text) {
  std::u16string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t point = size == 1 ? lead : lead & (0xffu >> (size + 1));
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k)
      point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3fu);
    i += size;
    if (point < 0x10000) {
      out += static_cast<char16_t>(point);
    } else {
      out += static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10));
      out += static_cast<char16_t>(0xdc00 + ((point - 0x10000) & 0x3ff));
    }
  }
  return out;
}

void write_canonical(const Json& json, std::string& out) {
  if (json.is_object()) {
    std::vector<std::pair<std::u16string, const std::string*>> keys;
    for (const auto& [name, value] : json.items()) keys.emplace_back(utf16(name), &name);
    std::ranges::sort(keys, {}, [](const auto& key) { return key.first; });
    out += '{';
    for (const auto& [sort, name] : keys) {
      if (out.back() != '{') out += ',';
      out += Json(*name).dump() + ':';
      write_canonical(json.at(*name), out);
    }
    out += '}';
  } else if (json.is_array()) {
    out += '[';
    for (std::size_t i = 0; i < json.size(); ++i) {
      if (i > 0) out += ',';
      write_canonical(json[i], out);
    }
    out += ']';
  } else if (json.is_number()) {
    out += canonical_number(json.get<double>());
  } else {
    out += json.dump();
  }
}

}  // namespace

Json parse_json(std::string_view text, unsigned depth_max) {
  if (text.starts_with("\xef\xbb\xbf"))
    throw Error(Code::malformed, "the document begins with a byte order mark");
  // The library takes a NUL for the end of its input.
  if (text.find('\0') != text.npos) throw Error(Code::malformed, "the document has a NUL byte");
  if (text.size() <= kQuickMax)
    if (auto json = parse_quickly(text, depth_max)) return std::move(*json);
  StrictBuilder builder(depth_max);
  if (!Json::sax_parse(text.begin(), text.end(), &builder))
    throw Error(Code::malformed, builder.problem.empty() ? "not valid JSON" : builder.problem);
  return std::move(builder.root);
}

Json stored_json(std::string_view text) { return Json::parse(text); }

std::string json_quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(text.size() + 2 + text.size() / 16);
  out += '"';
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, done, i - done) += '\\';
    done = i + 1;
    switch (c) {
      case '\b':
        out += 'b';
        break;
      case '\t':
        out += 't';
        break;
      case '\n':
        out += 'n';
        break;
      case '\f':
        out += 'f';
        break;
      case '\r':
        out += 'r';
        break;
      case '"':
      case '\\':
        out += static_cast<char>(c);
        break;
      default:
        (out.append("u00") += kHex[c >> 4]) += kHex[c & 15];
    }
  }
  return out.append(text, done) += '"';
}

std::string canonical_json(const Json& json) {
  std::string out;
  write_canonical(json, out);
  return out;
}

}  // namespace bottega

template class nlohmann::basic_json<>;
template class nlohmann::detail::serializer<nlohmann::json>;
template class std::map<std::string, nlohmann::json, std::less<>>;
template class std::vector<nlohmann::json>;
template class nlohmann::detail::parser<nlohmann::json,
                                        nlohmann::detail::iterator_input_adapter<const char*>>;
template class nlohmann::detail::parser<
    nlohmann::json, nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>;
