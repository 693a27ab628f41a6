// The schemas of scalars, as JSON Schema (2020-12) has them.
#include "bottega/core/scalar.hpp"

namespace bottega::schemas {

Json text() { return {{"type", "string"}}; }

Json text(std::size_t least, std::size_t most) {
  return {{"type", "string"}, {"minLength", least}, {"maxLength", most}};
}

Json text_like(const std::string& pattern) { return {{"type", "string"}, {"pattern", pattern}}; }

Json text_like(const std::string& pattern, std::size_t least, std::size_t most) {
  auto schema = text(least, most);
  schema["pattern"] = pattern;
  return schema;
}

Json text_of_format(const char* format) { return {{"type", "string"}, {"format", format}}; }

Json text_of_format(const char* format, std::size_t most) {
  auto schema = text_of_format(format);
  schema["maxLength"] = most;
  return schema;
}

Json one_of(const std::vector<std::string>& words) { return {{"type", "string"}, {"enum", words}}; }

Json integer() { return {{"type", "integer"}, {"format", "int64"}}; }

Json integer(std::int64_t least, std::int64_t most) {
  return {{"type", "integer"}, {"minimum", least}, {"maximum", most}};
}

}  // namespace bottega::schemas
