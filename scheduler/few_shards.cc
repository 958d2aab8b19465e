#include "scheduler/few_shards.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <bit>

#include "common/config/job_checks.h"

namespace capstan {

std::uint64_t shards_for(std::uint64_t servers) {
  constexpr std::uint64_t kShardsMax = 65536;
  return std::min(std::bit_ceil(servers * kShardsPerServer), kShardsMax);
}

std::string few_shards_note(std::uint64_t servers, std::uint64_t shards) {
  if (shards >= servers * kShardsPerServer) return "";
  const std::uint64_t least = shards / servers;
  const std::string share = shards % servers == 0 ? fmt::format("each leads {}", least)
                                                  : fmt::format("some lead {}, others {}", least + 1, least);
  return fmt::format(
      "{} servers share {} shards (cluster.num_shards), fewer than {} each: {}, and one shard that is asked "
      "for more than others weighs more. Each further server relieves the others less. The number of shards "
      "is fixed for a job's life: a job that needs so many servers begins anew with cluster.num_shards: {}",
      servers, shards, kShardsPerServer, share, shards_for(servers));
}

}  // namespace capstan
