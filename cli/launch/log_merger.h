// LogMerger: the logs of several nodes in one file, each line behind its host and node.
#pragma once

#include <cstdio>
#include <fstream>
#include <map>
#include <string>

namespace capstan {

class LogMerger {
 public:
  // What is merged goes to `path`, and to `screen` unless it is null.
  LogMerger(const std::string& path, std::FILE* screen) : out_(path, std::ios::app), screen_(screen) {}

  // Lines that are in it already are merged, too. The same path twice is once.
  void add(const std::string& path, const std::string& prefix) { logs_[path].prefix = prefix; }
  // Takes over the lines that have come since.
  void pump();

 private:
  struct Source {
    std::string prefix;
    std::streamoff at = 0;
    std::string begun;  // of a line whose end has not come
  };
  void pump(const std::string& path, Source& log);

  std::ofstream out_;
  std::FILE* screen_;
  std::map<std::string, Source> logs_;
};

}  // namespace capstan
