#include "common/adapters/production_node.h"

#include <sched.h>

#include <algorithm>
#include <thread>

namespace capstan {
namespace {

// Honours taskset and cpusets, which the number of processors does not.
std::uint32_t usable_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return static_cast<std::uint32_t>(CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());
}

std::uint32_t threads_of(const ProductionOptions& options) {
  return options.threads > 0 ? options.threads : usable_processors();
}

}  // namespace

ProductionNode::ProductionNode(ProductionOptions options)
    : tasks_(loop_, threads_of(options), options.lanes > 0 ? options.lanes : 2 * threads_of(options)),
      transport_(loop_, std::move(options.transport)) {}

}  // namespace capstan
