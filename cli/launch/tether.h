// Tether: a node that does not outlive the connection that started it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace capstan {

struct TetherArgs {
  std::string job;
  std::string folder;                         // where the node runs; empty: here
  std::chrono::milliseconds patience{30000};  // for a sign of life on stdin
  std::vector<std::string> command;           // of `capstan`
};

// Runs the command until it ends, stdin ends, or nothing has been read from stdin for `patience`: a launcher
// that lives sends something every second. Then the node is asked to end, and killed after some seconds.
// Signals are passed on. Gives the node's exit code, 128 + n when signal n ended it.
int run_tether(const TetherArgs& args);

// Ends every tether of the job that this user runs on this host. Gives how many there were, -1 when some do
// not end.
int stop_tethers(const std::string& job, std::chrono::milliseconds patience);

}  // namespace capstan
