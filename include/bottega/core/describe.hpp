#pragma once
// Describe a struct once (BOOST_DESCRIBE_STRUCT) and it is read from JSON, written to JSON, read
// from SQL rows and described in JSON Schema. Reading names every bad field at once.
#include <boost/describe/class.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "bottega/core/scalar.hpp"
#include "bottega/core/text.hpp"

namespace bottega {

template <class T>
concept Described = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T, class F>
void each_member(F&& visit) {
  boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>(
      visit);
}

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
    Json object = Json::object();
    each_member<T>([&](auto member) { object[member.name] = to_json(value.*member.pointer); });
    return object;
  } else {
    static_assert(Scalar<T>, "this type has no JSON form (a Secret never has)");
    return text_of(value);
  }
}

namespace detail {
std::string child_pointer(const std::string& pointer, std::string_view name);
// Adds one fault per member of the object that is not among the known names.
void refuse_unknown(const Json& object, const std::vector<std::string_view>& known,
                    const std::string& pointer, Faults& faults);
}  // namespace detail

template <class T>
void read_json(const Json& json, T& out, const std::string& pointer, Faults& faults);

template <class T>
void read_items(const Json& json, std::vector<T>& out, std::size_t least, std::size_t most,
                const std::string& pointer, Faults& faults) {
  if (!json.is_array()) return faults.push_back({pointer, "expected an array"});
  if (json.size() < least || json.size() > most)
    return faults.push_back(
        {pointer, "expected " + std::to_string(least) + " to " + std::to_string(most) + " items"});
  for (std::size_t i = 0; i < json.size(); ++i) {
    out.emplace_back();
    read_json(json[i], out.back(), pointer + '/' + std::to_string(i), faults);
  }
}

template <Described T>
void read_object(const Json& json, T& out, const std::string& pointer, Faults& faults) {
  if (!json.is_object()) return faults.push_back({pointer, "expected an object"});
  std::vector<std::string_view> known;
  const auto before = faults.size();
  each_member<T>([&](auto member) {
    known.push_back(member.name);
    using Field = std::remove_reference_t<decltype(out.*member.pointer)>;
    const auto found = json.find(member.name);
    const auto place = detail::child_pointer(pointer, member.name);
    if (found != json.end()) return read_json(*found, out.*member.pointer, place, faults);
    if constexpr (!is_optional<Field>::value) faults.push_back({place, "is required"});
  });
  detail::refuse_unknown(json, known, pointer, faults);
  if constexpr (SelfChecking<T>) {
    if (faults.size() == before) out.check(faults, pointer);
  }
}

template <class T>
void read_number(const Json& json, T& out, const std::string& pointer, Faults& faults) {
  const bool fits = json.is_number_unsigned()
                        ? json.get<std::uint64_t>() <= std::uint64_t{INT64_MAX}
                        : json.is_number_integer();
  auto value = fits ? Form<T>::parse(std::to_string(json.get<std::int64_t>())) : std::nullopt;
  if (value)
    out = *value;
  else
    faults.push_back({pointer, "expected " + std::string(Form<T>::expected())});
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
      faults.push_back({pointer, "expected true or false"});
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
      faults.push_back({pointer, "expected a string of " + std::to_string(least) +
                                     " or more characters, at most " + std::to_string(most) +
                                     " bytes"});
  } else if constexpr (Described<T>) {
    read_object(json, out, pointer, faults);
  } else {
    static_assert(Scalar<T>);
    auto value = json.is_string() ? Form<T>::parse(json.template get_ref<const std::string&>())
                                  : std::nullopt;
    if (value)
      out = *std::move(value);
    else
      faults.push_back({pointer, "expected " + std::string(Form<T>::expected())});
  }
}

// Reads a whole document; throws Error(invalid) with every fault that was found.
template <class T>
T from_json(const Json& json) {
  T out{};
  Faults faults;
  read_json(json, out, "", faults);
  if (!faults.empty())
    throw Error(Code::invalid, std::to_string(faults.size()) + " field(s) are not valid", faults);
  return out;
}

}  // namespace bottega
