// The frame of the program: from a command line to an exit code.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "common/result.h"

namespace capstan {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed =
    1;  // something went wrong while it ran: data, disk, network, a node's crash
inline constexpr int kExitUsage = 2;  // the command line or the job file is wrong

// Where a command writes. Tests give their own streams.
struct Console {
  std::ostream& out;
  std::ostream& err;
};

// Says it on stderr; gives the exit code.
int complain(const Error& error, int code);

// The whole program. Arguments without the program's name.
int run_command_line(const std::vector<std::string>& arguments, Console console);

}  // namespace capstan
