// The parts of reading and writing JSON, and of its schemas, that do not depend on the type.
#include "bottega/core/describe.hpp"

#include <algorithm>
#include <cxxabi.h>
#include <memory>

#include "bottega/core/schema.hpp"

namespace bottega {
namespace {
constexpr std::size_t kUnknownNamesMax = 20;  // how many unknown fields one answer names
constexpr std::size_t kNameShownMax = 64;     // and how much of each name it repeats

// Adds one fault per member of the object that is not among the known ones.
void refuse_unknown(const Json& object, std::span<const detail::Read> known,
                    const std::string& pointer, Faults& faults) {
  std::size_t named = 0;
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(known, name, &detail::Read::name) != known.end()) continue;
    if (++named > kUnknownNamesMax) return;
    const bool is_name = name.size() <= kNameShownMax && is_opaque(name);
    faults.push_back({is_name ? detail::child_pointer(pointer, name) : pointer, "unknown field"});
  }
}

}  // namespace

namespace detail {

std::string child_pointer(const std::string& pointer, std::string_view name) {
  std::string out = pointer + '/';
  for (const char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

Json write_object(std::span<const Written> members) {
  Json object = Json::object();
  for (const auto& member : members) object[member.name] = member.write(member.value);
  return object;
}

void read_object(const Json& json, std::span<const Read> members, const std::string& pointer,
                 Faults& faults) {
  if (!json.is_object()) return refuse(faults, pointer, "an object");
  for (const auto& member : members) {
    const auto found = json.find(member.name);
    const auto place = child_pointer(pointer, member.name);
    if (found != json.end())
      member.read(*found, member.out, place, faults);
    else if (member.is_required)
      faults.push_back({place, "is required"});
  }
  refuse_unknown(json, members, pointer, faults);
}

bool is_array(const Json& json, std::size_t least, std::size_t most, const std::string& pointer,
              Faults& faults) {
  if (!json.is_array()) {
    refuse(faults, pointer, "an array");
    return false;
  }
  if (json.size() >= least && json.size() <= most) return true;
  refuse(faults, pointer, std::to_string(least) + " to " + std::to_string(most) + " items");
  return false;
}

std::optional<std::string> integer_text(const Json& json) {
  const bool fits = json.is_number_unsigned()
                        ? json.get<std::uint64_t>() <= std::uint64_t{INT64_MAX}
                        : json.is_number_integer();
  if (!fits) return std::nullopt;
  return std::to_string(json.get<std::int64_t>());
}

void refuse(Faults& faults, const std::string& pointer, const std::string& expected) {
  faults.push_back({pointer, "expected " + expected});
}

void throw_invalid(Faults faults) {
  const auto detail = std::to_string(faults.size()) + " field(s) are not valid";
  throw Error(Code::invalid, detail, std::move(faults));
}

}  // namespace detail

namespace schemas {

Json reference(const std::type_info& type, std::span<const Field> fields, Components& components) {
  const auto name = schema_name(type);
  if (!components.contains(name)) {
    components[name] = Json::object();  // Reserves the name: a struct may contain itself.
    Json properties = Json::object(), required = Json::array();
    for (const auto& field : fields) {
      properties[field.name] = field.schema(components);
      if (field.is_required) required.push_back(field.name);
    }
    Json schema = {{"type", "object"}, {"properties", properties}};
    if (!required.empty()) schema["required"] = required;
    schema["additionalProperties"] = false;
    components[name] = schema;
  }
  return {{"$ref", "#/components/schemas/" + name}};
}

Json nullable(Json inner) {
  if (inner.contains("type") && inner["type"].is_string() && !inner.contains("enum")) {
    inner["type"] = {inner["type"], "null"};
    return inner;
  }
  return {{"anyOf", Json::array({inner, {{"type", "null"}}})}};
}

Json array(const Json& items) { return {{"type", "array"}, {"items", items}}; }

Json array(const Json& items, std::size_t least, std::size_t most) {
  return {{"type", "array"}, {"items", items}, {"minItems", least}, {"maxItems", most}};
}

Json password(std::size_t least, std::size_t most) {
  auto schema = text(least, most);
  schema["format"] = "password";
  return schema;
}

}  // namespace schemas

std::string schema_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  std::string full = status == 0 ? demangled.get() : type.name();
  constexpr std::string_view hidden = "(anonymous namespace)::";
  for (auto at = full.find(hidden); at != std::string::npos; at = full.find(hidden))
    full.erase(at, hidden.size());
  std::string name;
  // Keeps the last component of each qualified name, so Page<a::b::Order> becomes Page_Order.
  for (std::size_t i = 0, start = 0; i <= full.size(); ++i) {
    const bool word = i < full.size() &&
                      (std::isalnum(static_cast<unsigned char>(full[i])) != 0 || full[i] == '_');
    if (word) continue;
    const bool qualifier = i + 1 < full.size() && full[i] == ':' && full[i + 1] == ':';
    if (i > start && !qualifier) name += (name.empty() ? "" : "_") + full.substr(start, i - start);
    start = i + 1;
  }
  return name;
}

}  // namespace bottega
