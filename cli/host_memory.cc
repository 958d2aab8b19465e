#include "cli/host_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "common/text.h"

namespace capstan {

std::uint64_t host_memory() {
  std::uint64_t bytes = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
  // As a container sees its own group, of the second and the first version of control groups.
  for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream in(file);
    std::string text;
    std::getline(in, text);
    if (const auto limit = parse_uint(text); limit.has_value() && *limit > 0)
      bytes = std::min<std::uint64_t>(bytes, *limit);
  }
  return bytes;
}

std::uint64_t usual_memory_limit() {
  return host_memory() / 10 * 7;  // the rest: requests, an eighth of that, and what a process takes anyway
}

}  // namespace capstan
