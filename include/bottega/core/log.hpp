#pragma once
// Structured logs: one JSON object per line with the time, the level, an event name and fields.
// Fields are scalars; a Secret has no textual form, so it does not compile here.
#include <boost/describe/enum.hpp>
#include <initializer_list>
#include <string>
#include <string_view>

#include "bottega/core/describe.hpp"

namespace bottega::log {

enum class Level : std::uint8_t { debug, info, warning, error };
BOOST_DESCRIBE_ENUM(Level, debug, info, warning, error)

struct Field {
  template <class T>
  Field(std::string_view given_name, const T& given) : name(given_name), value(to_json(given)) {}
  Field(std::string_view given_name, const char* given) : name(given_name), value(given) {}
  Field(std::string_view given_name, std::string_view given) : name(given_name), value(given) {}
  std::string_view name;
  Json value;
};
using Fields = std::initializer_list<Field>;

// Where lines go and which levels are kept. The file "" means standard error. Call once, early.
void open(Level least, const std::string& file);

void write(Level level, std::string_view event, Fields fields = {});
inline void debug(std::string_view event, Fields fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) { write(Level::info, event, fields); }
inline void warning(std::string_view event, Fields fields = {}) {
  write(Level::warning, event, fields);
}
inline void error(std::string_view event, Fields fields = {}) {
  write(Level::error, event, fields);
}

}  // namespace bottega::log
