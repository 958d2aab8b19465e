// HuntOptions: the command line of capstan-sim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace capstan {

struct HuntOptions {
  std::uint64_t first = 1, last = 200;  // seeds
  double minutes = 0.0;                 // 0: until the seeds are done
  std::uint32_t jobs = 1;
  std::optional<std::uint64_t> replay;
};

struct HuntCommand {
  std::optional<HuntOptions> options;
  std::string text;   // without options: for the user, help or what is wrong
  int exit_code = 0;  // without options: 2 for what is wrong
};
// `jobs`: when the command line does not say.
HuntCommand read_hunt_command(int argc, const char* const* argv, std::uint32_t jobs);

}  // namespace capstan
