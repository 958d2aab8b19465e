#include "common/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <ctime>

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

// {"time":"2026-01-31T12:31:07.512Z","node":"ps-0","level":"info","text":"..."}
class JsonLines final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto since =
        std::chrono::time_point_cast<std::chrono::milliseconds>(message.time).time_since_epoch();
    const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(since).count();
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char time[32];
    std::strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &utc);
    const auto text = [](spdlog::string_view_t view) {
      return boost::json::string(view.data(), view.size());
    };
    const boost::json::object line = {{"time", fmt::format("{}.{:03}Z", time, since.count() % 1000)},
                                      {"node", text(message.logger_name)},
                                      {"level", text(spdlog::level::to_string_view(message.level))},
                                      {"text", text(message.payload)}};
    const std::string bytes = boost::json::serialize(line) + "\n";
    out.append(bytes.data(), bytes.data() + bytes.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonLines>(); }
};

bool wants_json() {
  const char* wish = std::getenv("CAPSTAN_LOG");
  return wish != nullptr && std::string_view(wish) == "json";
}

std::shared_ptr<spdlog::logger> make_logger(std::string_view node, spdlog::sink_ptr sink, LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>(std::string(node), std::move(sink));
  if (wants_json()) {
    logger->set_formatter(std::make_unique<JsonLines>());
  } else {
    logger->set_pattern("%H:%M:%S.%e %n %l %v");
  }
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
