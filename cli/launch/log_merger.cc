#include "cli/launch/log_merger.h"

#include <sstream>

namespace capstan {

void LogMerger::pump() {
  for (auto& [path, log] : logs_) pump(path, log);
  out_.flush();
}

void LogMerger::pump(const std::string& path, Source& log) {
  std::ifstream in(path, std::ios::binary);
  if (!in.seekg(log.at)) return;
  std::ostringstream fresh;
  fresh << in.rdbuf();
  const std::string text = fresh.str();
  log.at += static_cast<std::streamoff>(text.size());
  log.begun += text;
  for (std::size_t end = 0; (end = log.begun.find('\n')) != std::string::npos;) {
    const std::string line = log.prefix + log.begun.substr(0, end + 1);
    log.begun.erase(0, end + 1);
    out_ << line;
    if (screen_ != nullptr) std::fputs(line.c_str(), screen_);
  }
}

}  // namespace capstan
