// The parts of reading JSON that do not depend on the type.
#include "bottega/core/describe.hpp"

#include <algorithm>
#include <cxxabi.h>
#include <memory>

#include "bottega/core/schema.hpp"

namespace bottega {
namespace {
constexpr std::size_t kUnknownNamesMax = 20;  // how many unknown fields one answer names
constexpr std::size_t kNameShownMax = 64;     // and how much of each name it repeats
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

void refuse_unknown(const Json& object, const std::vector<std::string_view>& known,
                    const std::string& pointer, Faults& faults) {
  std::size_t named = 0;
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(known, name) != known.end()) continue;
    if (++named > kUnknownNamesMax) return;
    const bool is_name = name.size() <= kNameShownMax && is_opaque(name);
    faults.push_back({is_name ? child_pointer(pointer, name) : pointer, "unknown field"});
  }
}

}  // namespace detail

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
