#include "common/adapters/this_process.h"

#include <unistd.h>

#include <random>

namespace capstan {

std::uint64_t fresh_incarnation() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

std::string host_name() {
  char name[256] = "localhost";
  gethostname(name, sizeof(name) - 1);
  return name;
}

}  // namespace capstan
