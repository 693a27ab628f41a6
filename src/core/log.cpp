// The only file that sees spdlog.
#include "bottega/core/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>

namespace bottega::log {
namespace {

spdlog::level::level_enum spd_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

void open(Level least, const std::string& file) {
  spdlog::drop("bottega");
  auto logger =
      file.empty() ? spdlog::stderr_logger_mt("bottega") : spdlog::basic_logger_mt("bottega", file);
  logger->set_level(spd_level(least));
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
}

void write(Level level, std::string_view event, Fields fields) {
  if (!spdlog::should_log(spd_level(level))) return;
  const auto now =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  nlohmann::ordered_json line = {
      {"at", to_text(Instant(now))}, {"level", text_of(level)}, {"event", event}};
  for (const auto& field : fields) line[std::string(field.name)] = field.value;
  spdlog::log(spd_level(level), "{}",
              line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace bottega::log
