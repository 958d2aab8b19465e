// ChildProcess: this program again in another role, or one that leads to it, with its log in a file.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/result.h"

namespace capstan {

class ChildProcess {
 public:
  enum class LogFile { kNew, kGoesOn };
  // Starts `capstan ARGS...`; what it writes goes to log_path. The child is told to end when this process
  // dies.
  static Result<ChildProcess> start(const std::string& name, const std::vector<std::string>& args,
                                    const std::string& log_path, LogFile log_file = LogFile::kNew);
  // The same with another program, which is looked for in the PATH, and reads `input`; -1: nothing.
  static Result<ChildProcess> start_program(const std::string& name, const std::vector<std::string>& words,
                                            const std::string& log_path, LogFile log_file, int input);

  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }
  // How it ended, in words ("exit code 1", "killed by signal 9 (Killed)"); nothing while it runs. Never
  // waits.
  std::optional<std::string> ended();
  bool running() { return !ended().has_value(); }
  bool ended_well() const { return ended_ && exit_code_ == 0; }
  bool killed() const { return ended_ && exit_code_ < 0; }  // by a signal
  int exit_code() const { return exit_code_; }              // REQUIRES: ended by itself
  void signal(int number) const;
  // The last lines of its log.
  std::string log_tail(std::size_t lines) const;

 private:
  ChildProcess(std::string name, std::string log_path)
      : name_(std::move(name)), log_path_(std::move(log_path)) {}
  static Result<ChildProcess> become(const std::string& program, std::vector<std::string> words,
                                     ChildProcess child, LogFile log_file, int input);

  std::string name_;
  std::string log_path_;
  pid_t pid_ = 0;
  std::optional<std::string> ended_;
  int exit_code_ = -1;
};

}  // namespace capstan
