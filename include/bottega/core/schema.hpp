#pragma once
// JSON Schema (2020-12, as OpenAPI 3.1 uses it) of any type that can be read from or written to
// JSON.
#include <array>
#include <span>
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
Json schema_of(Components& components);

// The parts that do not depend on the type, in describe.cpp.
namespace schemas {
struct Field {
  const char* name;
  Json (*schema)(Components&);
  bool is_required;
};
// The name of the struct's schema, which is made and put among the components the first time.
Json reference(const std::type_info& type, std::span<const Field> fields, Components& components);
Json nullable(Json inner);
Json array(const Json& items);
Json array(const Json& items, std::size_t least, std::size_t most);
Json password(std::size_t least, std::size_t most);
}  // namespace schemas

template <class T>
Json schema_of(Components& components) {
  if constexpr (std::same_as<T, Json>) {
    return Json::object();
  } else if constexpr (is_optional<T>::value) {
    return schemas::nullable(schema_of<typename T::value_type>(components));
  } else if constexpr (is_list<T>::value) {
    return schemas::array(schema_of<typename T::value_type>(components), T::kLeast, T::kMost);
  } else if constexpr (is_vector<T>::value) {
    return schemas::array(schema_of<typename T::value_type>(components));
  } else if constexpr (is_secret<T>::value) {
    return schemas::password(is_secret<T>::kLeast, is_secret<T>::kMost);
  } else if constexpr (Described<T>) {
    return with_members<T>([&](auto... member) {
      static constexpr std::array<schemas::Field, sizeof...(member)> fields{
          schemas::Field{member.name, &schema_of<FieldOf<decltype(member)>>,
                         !is_optional<FieldOf<decltype(member)>>::value}...};
      return schemas::reference(typeid(T), fields, components);
    });
  } else {
    return Form<T>::schema();
  }
}

}  // namespace bottega
