// ShardLoads: how much each shard is asked for, as the servers that lead them say in their heartbeats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/message.h"

namespace capstan {

// Rates are smoothed over some reports, so that a burst moves no shard.
class ShardLoads {
 public:
  explicit ShardLoads(std::uint32_t num_shards = 0) : loads_(num_shards) {}

  // Of shards that do not exist, and rates that are none, nothing is taken.
  void note(const std::vector<ShardLoad>& reported);
  double rows_per_second(std::uint32_t shard) const { return loads_[shard].rate; }
  // [shards], 1 on the average. Empty until every shard has been reported twice, and while nobody asks for
  // any.
  std::vector<double> relative() const;

 private:
  struct Load {
    double rate = 0.0;
    std::uint32_t reports = 0;
  };
  std::vector<Load> loads_;
};

}  // namespace capstan
