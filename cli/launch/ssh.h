// Ssh: commands on other hosts, by the ssh program that the user has set up.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/child_process.h"
#include "cli/launch/host_list.h"
#include "common/result.h"

namespace capstan {

// 'it'\''s' for a POSIX shell; words that mean nothing to it stay as they are.
std::string shell_quoted(std::string_view word);
std::string shell_line(const std::vector<std::string>& words);

class Ssh {
 public:
  // What ends a command with this code is ssh itself.
  static constexpr int kLost = 255;

  // `program`: ssh and its options, separated by spaces; empty: one that never asks for a password, and gives
  // a host up that has not answered for some seconds.
  explicit Ssh(std::string_view program);

  // kInvalid with a remedy: the ssh program cannot be run here.
  Status check_program() const;

  // What to run here so that a shell of the host runs `line`.
  std::vector<std::string> words(const LaunchHost& host, const std::string& line) const;

  struct Answer {
    int code = 0;      // the command's, or kLost
    std::string text;  // what it wrote, errors too
  };
  // One `line` on one host, which reads `input`. Its files lie in the folder `scratch` until its end.
  class Call {
   public:
    Call(const Ssh& ssh, const LaunchHost& host, const std::string& line, const std::string& scratch,
         std::string_view input = {});
    bool ended() { return !child_.ok() || !child_->running(); }
    // Waits for its end, and ends it when that does not come. kTimeout, kIo.
    Result<Answer> wait(std::chrono::milliseconds patience);

   private:
    Result<ChildProcess> start(const std::vector<std::string>& words, std::string_view input);

    std::string log_, input_;
    Result<ChildProcess> child_;
  };

  struct Errand {
    const LaunchHost& host;
    std::string line;
    std::string what;             // it does, for an error: "write job.yaml"
    std::string_view input = {};  // that it reads
  };
  // Runs them all at a time, and tells how each went, in their order.
  void call_all(
      const std::vector<Errand>& errands, const std::string& scratch, std::chrono::milliseconds patience,
      const std::function<void(const Errand& errand, const Result<Answer>& answer)>& answered) const;
  // The same; says of the first that failed on which host, and why.
  Status do_all(const std::vector<Errand>& errands, const std::string& scratch,
                std::chrono::milliseconds patience) const;
  // Whether it was done: `HOST: cannot WHAT: …`.
  static Status done_on(const LaunchHost& host, const Result<Answer>& answer, const std::string& what);

 private:
  std::vector<std::string> program_;
};

}  // namespace capstan
