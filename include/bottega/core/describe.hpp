#pragma once
// Describe a struct once (BOOST_DESCRIBE_STRUCT) and it is read from JSON, written to JSON, read
// from SQL rows and described in JSON Schema. Reading names every bad field at once.
#include <array>
#include <boost/describe/class.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "bottega/core/scalar.hpp"
#include "bottega/core/text.hpp"

namespace bottega {

template <class T>
concept Described = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class T, class F>
void each_member(F&& visit) {
  boost::mp11::mp_for_each<Members<T>>(visit);
}

// Calls `use` once with all of the members, for a table with a row for each. What is done with the
// rows is then compiled once, and not again for every member of every struct in every file.
template <class T, class F>
decltype(auto) with_members(F&& use) {
  return [&]<template <class...> class List, class... Member>(List<Member...>) -> decltype(auto) {
    return use(Member{}...);
  }(Members<T>{});
}

// The type of a member.
template <class T, class Class>
T field_of(T Class::*);
template <class Member>
using FieldOf = decltype(field_of(Member::pointer));

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_list : std::false_type {};
template <class T, std::size_t A, std::size_t B>
struct is_list<List<T, A, B>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_secret : std::false_type {};
template <std::size_t A, std::size_t B>
struct is_secret<SecretText<A, B>> : std::true_type {
  static constexpr std::size_t kLeast = A, kMost = B;
};
template <class T>
struct is_count : std::false_type {};
template <std::int64_t A, std::int64_t B>
struct is_count<Count<A, B>> : std::true_type {};

// A scalar that JSON writes as a number.
template <class T>
concept JsonNumber = (std::integral<T> && !std::same_as<T, bool>) || is_count<T>::value;

// A described struct may add rules across its fields: `void check(Faults&, pointer) const`.
template <class T>
concept SelfChecking = requires(const T& value, Faults& faults, const std::string& pointer) {
  value.check(faults, pointer);
};

template <class T>
Json to_json(const T& value);

namespace detail {
// A member to be written, and to be read.
struct Written {
  const char* name;
  const void* value;
  Json (*write)(const void*);
};
template <class T>
Written written(const char* name, const T& value) {
  return {name, &value, [](const void* of) { return to_json(*static_cast<const T*>(of)); }};
}
Json write_object(std::span<const Written> members);
}  // namespace detail

template <class T>
Json to_json(const T& value) {
  if constexpr (std::same_as<T, Json>) {
    return value;
  } else if constexpr (std::same_as<T, bool> || std::integral<T>) {
    return value;
  } else if constexpr (is_count<T>::value) {
    return value.value;
  } else if constexpr (is_optional<T>::value) {
    return value ? to_json(*value) : Json(nullptr);
  } else if constexpr (is_list<T>::value || is_vector<T>::value) {
    Json array = Json::array();
    for (const auto& item : value) array.push_back(to_json(item));
    return array;
  } else if constexpr (Described<T>) {
    return with_members<T>([&](auto... member) {
      const std::array<detail::Written, sizeof...(member)> members{
          detail::written(member.name, value.*member.pointer)...};
      return detail::write_object(members);
    });
  } else {
    static_assert(Scalar<T>, "this type has no JSON form (a Secret never has)");
    return text_of(value);
  }
}

template <class T>
void read_json(const Json& json, T& out, const std::string& pointer, Faults& faults);

namespace detail {
struct Read {
  std::string_view name;
  void* out;
  void (*read)(const Json&, void*, const std::string& pointer, Faults&);
  bool is_required;
};
template <class T>
Read read_into(std::string_view name, T& out) {
  const auto read = [](const Json& json, void* to, const std::string& pointer, Faults& faults) {
    read_json(json, *static_cast<T*>(to), pointer, faults);
  };
  return {name, &out, read, !is_optional<T>::value};
}
std::string child_pointer(const std::string& pointer, std::string_view name);
// Adds a fault for each member that is missing, and for what is in the object beside them.
void read_object(const Json& json, std::span<const Read> members, const std::string& pointer,
                 Faults& faults);
// Whether it is an array of so many items; adds a fault where it is not.
bool is_array(const Json& json, std::size_t least, std::size_t most, const std::string& pointer,
              Faults& faults);
// Whether it is an integer of 64 bits with its sign, which is then the text of one.
std::optional<std::string> integer_text(const Json& json);
void refuse(Faults& faults, const std::string& pointer, const std::string& expected);
[[noreturn]] void throw_invalid(Faults faults);
}  // namespace detail

template <class T>
void read_items(const Json& json, std::vector<T>& out, std::size_t least, std::size_t most,
                const std::string& pointer, Faults& faults) {
  if (!detail::is_array(json, least, most, pointer, faults)) return;
  for (std::size_t i = 0; i < json.size(); ++i) {
    out.emplace_back();
    read_json(json[i], out.back(), pointer + '/' + std::to_string(i), faults);
  }
}

template <Described T>
void read_object(const Json& json, T& out, const std::string& pointer, Faults& faults) {
  const auto before = faults.size();
  with_members<T>([&](auto... member) {
    const std::array<detail::Read, sizeof...(member)> members{
        detail::read_into(member.name, out.*member.pointer)...};
    detail::read_object(json, members, pointer, faults);
  });
  if constexpr (SelfChecking<T>) {
    if (faults.size() == before) out.check(faults, pointer);
  }
}

template <class T>
void read_number(const Json& json, T& out, const std::string& pointer, Faults& faults) {
  const auto text = detail::integer_text(json);
  if (const auto value = text ? Form<T>::parse(*text) : std::nullopt)
    out = *value;
  else
    detail::refuse(faults, pointer, Form<T>::expected());
}

template <class T>
void read_json(const Json& json, T& out, const std::string& pointer, Faults& faults) {
  if constexpr (is_optional<T>::value) {
    if (json.is_null()) return out.reset();
    out.emplace();
    read_json(json, *out, pointer, faults);
  } else if constexpr (std::same_as<T, bool>) {
    if (json.is_boolean())
      out = json.get<bool>();
    else
      detail::refuse(faults, pointer, Form<T>::expected());
  } else if constexpr (JsonNumber<T>) {
    read_number(json, out, pointer, faults);
  } else if constexpr (is_list<T>::value) {
    read_items(json, out.items, T::kLeast, T::kMost, pointer, faults);
  } else if constexpr (is_vector<T>::value) {
    read_items(json, out, 0, 10'000, pointer, faults);
  } else if constexpr (is_secret<T>::value) {
    constexpr auto least = is_secret<T>::kLeast, most = is_secret<T>::kMost;
    const auto* text = json.template get_ptr<const std::string*>();
    if (text != nullptr && code_points(*text) >= least && text->size() <= most)
      out.value = Secret(*text);
    else
      detail::refuse(faults, pointer,
                     "a string of " + std::to_string(least) + " or more characters, at most " +
                         std::to_string(most) + " bytes");
  } else if constexpr (Described<T>) {
    read_object(json, out, pointer, faults);
  } else {
    static_assert(Scalar<T>);
    auto value = json.is_string() ? Form<T>::parse(json.template get_ref<const std::string&>())
                                  : std::nullopt;
    if (value)
      out = *std::move(value);
    else
      detail::refuse(faults, pointer, Form<T>::expected());
  }
}

// Reads a whole document; throws Error(invalid) with every fault that was found.
template <class T>
T from_json(const Json& json) {
  T out{};
  Faults faults;
  read_json(json, out, "", faults);
  if (!faults.empty()) detail::throw_invalid(std::move(faults));
  return out;
}

}  // namespace bottega
