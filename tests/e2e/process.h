// A process that a test starts and owns: its output goes to files, it never outlives the object.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace capstan {

// In the environment of a test's processes.
inline constexpr const char* kTagVariable = "CAPSTAN_TEST_TAG";

// Asks `happened` again and again until it says yes (true) or the patience is over (false). The environment's
// CAPSTAN_TEST_PATIENCE multiplies every patience: sanitizers slow the processes down.
bool eventually(const std::function<bool()>& happened, std::chrono::milliseconds patience);

// The text of a file; empty when there is none.
std::string text_of(const std::string& path);

class Process {
 public:
  // Runs args[0] with stdout and stderr in OUTPUT.out and OUTPUT.err. `tag` goes into its environment and so
  // into that of all processes that it starts.
  Process(const std::vector<std::string>& args, const std::string& output, const std::string& tag);
  ~Process();  // kill -9 if it still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  // Its exit code once it has ended; 128 + n when signal n ended it.
  std::optional<int> ended();
  // Waits; without an end in time the process is killed and -1 given.
  int wait(std::chrono::milliseconds patience);
  void signal(int number);
  std::string out() const { return text_of(output_ + ".out"); }
  std::string err() const { return text_of(output_ + ".err"); }

 private:
  std::string output_;
  pid_t pid_ = -1;
  std::optional<int> code_;
};

struct RunningProcess {
  pid_t pid = 0;
  std::vector<std::string> args;
};

// The living processes of this host whose environment has the tag.
std::vector<RunningProcess> tagged_processes(const std::string& tag);

}  // namespace capstan
