#include <exception>
#include <iostream>

#include "cli/command.h"

int main(int argc, char** argv) {
  try {
    return capstan::run_command_line(std::vector<std::string>(argv + 1, argv + argc), {std::cout, std::cerr});
  } catch (const std::exception& error) {
    std::cerr << "capstan: " << error.what() << '\n';
    return capstan::kExitFailed;
  }
}
