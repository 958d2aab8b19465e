// A node's log: a cheap handle that every node gets through its constructor, so that many nodes can share a
// process.
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace capstan {

enum class LogLevel { kDebug, kInfo, kWarn, kError, kOff };

// Lines look like `12:31:07.512 ps-0 info  shard map 3: 128 shards`; with CAPSTAN_LOG=json in the environment
// each is a JSON object. Thread-safe.
class Log {
 public:
  static Log to_stderr(std::string_view node, LogLevel level);
  // Appends to `path`; falls back to stderr when it cannot be opened.
  static Log to_file(std::string_view node, const std::string& path, LogLevel level);
  static Log silent();

  template <typename... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) const {
    logger_->debug(format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) const {
    logger_->info(format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) const {
    logger_->warn(format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) const {
    logger_->error(format, std::forward<Args>(args)...);
  }

 private:
  explicit Log(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace capstan
