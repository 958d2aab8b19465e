#include "common/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

namespace capstan {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

std::shared_ptr<spdlog::logger> make_logger(std::string_view node, spdlog::sink_ptr sink, LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>(std::string(node), std::move(sink));
  logger->set_pattern("%H:%M:%S.%e %n %l %v");
  logger->set_level(spdlog_level(level));
  logger->flush_on(spdlog::level::info);
  return logger;
}

}  // namespace

Log Log::to_stderr(std::string_view node, LogLevel level) {
  return Log(make_logger(node, std::make_shared<spdlog::sinks::stderr_color_sink_mt>(), level));
}

Log Log::to_file(std::string_view node, const std::string& path, LogLevel level) {
  try {
    return Log(make_logger(node, std::make_shared<spdlog::sinks::basic_file_sink_mt>(path), level));
  } catch (const spdlog::spdlog_ex& failure) {
    Log fallback = to_stderr(node, level);
    fallback.warn("cannot log to {}: {}", path, failure.what());
    return fallback;
  }
}

Log Log::silent() {
  return Log(make_logger("silent", std::make_shared<spdlog::sinks::null_sink_mt>(), LogLevel::kOff));
}

}  // namespace capstan
