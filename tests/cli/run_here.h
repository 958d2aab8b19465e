// Runs a command line within the test's own process.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "cli/command.h"

namespace capstan {

struct Outcome {
  int code;
  std::string out, err;
};

inline Outcome run(const std::vector<std::string>& arguments) {
  std::ostringstream out, err;
  const int code = run_command_line(arguments, {out, err});
  return {code, out.str(), err.str()};
}

}  // namespace capstan
