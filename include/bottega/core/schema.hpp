#pragma once
// JSON Schema (2020-12, as OpenAPI 3.1 uses it) of any type that can be read from or written to
// JSON.
#include <string>
#include <typeinfo>

#include "bottega/core/describe.hpp"
#include "bottega/core/money.hpp"

namespace bottega {

// Named schemas of described structs, by their C++ name without namespaces.
using Components = std::map<std::string, Json>;

// "Order" for bottega::orders::Order.
std::string schema_name(const std::type_info& type);

template <class T>
Json schema_of(Components& components) {
  if constexpr (std::same_as<T, Json>) {
    return Json::object();
  } else if constexpr (is_optional<T>::value) {
    auto inner = schema_of<typename T::value_type>(components);
    if (inner.contains("type") && inner["type"].is_string() && !inner.contains("enum")) {
      inner["type"] = {inner["type"], "null"};
      return inner;
    }
    return {{"anyOf", Json::array({inner, {{"type", "null"}}})}};
  } else if constexpr (is_list<T>::value) {
    return {{"type", "array"},
            {"items", schema_of<typename T::value_type>(components)},
            {"minItems", T::kLeast},
            {"maxItems", T::kMost}};
  } else if constexpr (is_vector<T>::value) {
    return {{"type", "array"}, {"items", schema_of<typename T::value_type>(components)}};
  } else if constexpr (is_secret<T>::value) {
    return {{"type", "string"},
            {"format", "password"},
            {"minLength", is_secret<T>::kLeast},
            {"maxLength", is_secret<T>::kMost}};
  } else if constexpr (Described<T>) {
    const auto name = schema_name(typeid(T));
    if (!components.contains(name)) {
      components[name] = Json::object();  // Reserves the name: a struct may contain itself.
      Json properties = Json::object(), required = Json::array();
      each_member<T>([&](auto member) {
        using Field = std::remove_reference_t<decltype(std::declval<T&>().*member.pointer)>;
        properties[member.name] = schema_of<Field>(components);
        if (!is_optional<Field>::value) required.push_back(member.name);
      });
      Json schema = {{"type", "object"}, {"properties", properties}};
      if (!required.empty()) schema["required"] = required;
      schema["additionalProperties"] = false;
      components[name] = schema;
    }
    return {{"$ref", "#/components/schemas/" + name}};
  } else {
    return Form<T>::schema();
  }
}

}  // namespace bottega
