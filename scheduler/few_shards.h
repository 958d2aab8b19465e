// What the operator is told where servers share few shards.
#pragma once

#include <cstdint>
#include <string>

namespace capstan {

// cluster.num_shards of a job that is to have so many servers; fixed for a job's life.
std::uint64_t shards_for(std::uint64_t servers);

// Nothing while there are shards enough to balance with.
std::string few_shards_note(std::uint64_t servers, std::uint64_t shards);

}  // namespace capstan
