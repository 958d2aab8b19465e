#include "scheduler/shard_loads.h"

#include <algorithm>
#include <cmath>

namespace capstan {

namespace {

constexpr double kWeight = 0.3;  // of the newest report

}  // namespace

void ShardLoads::note(const std::vector<ShardLoad>& reported) {
  for (const ShardLoad& each : reported) {
    const double rate = each.rows_per_second;
    if (each.shard >= loads_.size() || !std::isfinite(rate) || rate < 0.0) continue;
    Load& load = loads_[each.shard];
    load.rate = load.reports == 0 ? rate : load.rate + kWeight * (rate - load.rate);
    load.reports = std::min(load.reports + 1, 2U);
  }
}

std::vector<double> ShardLoads::relative() const {
  double sum = 0.0;
  for (const Load& load : loads_) {
    if (load.reports < 2) return {};
    sum += load.rate;
  }
  if (sum <= 0.0) return {};
  std::vector<double> relative;
  for (const Load& load : loads_) relative.push_back(load.rate * static_cast<double>(loads_.size()) / sum);
  return relative;
}

}  // namespace capstan
