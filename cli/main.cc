#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string_view>

#include "cli/command.h"

namespace {

// No row is worth going on with half a change: what was acknowledged lives on at the replicas.
[[noreturn]] void on_memory_exhausted() {
  constexpr std::string_view kWords = "capstan: out of memory\n";
  (void)!write(STDERR_FILENO, kWords.data(), kWords.size());
  _exit(capstan::kExitFailed);
}

// An answer that could not be written is none.
int written(int code) {
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good()) return code;
  std::cerr << "capstan: standard output could not be written in full\n";
  return code == capstan::kExitOk ? capstan::kExitFailed : code;
}

}  // namespace

int main(int argc, char** argv) {
  std::set_new_handler(on_memory_exhausted);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may grow no further is an error of the write
  try {
    return written(
        capstan::run_command_line(std::vector<std::string>(argv + 1, argv + argc), {std::cout, std::cerr}));
  } catch (const std::exception& error) {
    std::cerr << "capstan: " << error.what() << '\n';
    return capstan::kExitFailed;
  }
}
