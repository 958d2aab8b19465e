#include "worker/baselines/most_popular.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {

Status MostPopular::fit(const Dataset& dataset, History history) {
  const auto counts = users_per_item(history_items(dataset, history), dataset.num_users, dataset.num_items);
  counts_.clear();
  for (const std::uint32_t count : counts) counts_.push_back(static_cast<float>(count));
  return ok_status();
}

void MostPopular::scores(std::span<const std::uint32_t>, std::span<float> out) const {
  CAPSTAN_ASSERT(out.size() == counts_.size(), "a place for every item");
  std::copy(counts_.begin(), counts_.end(), out.begin());
}

std::vector<Contribution> MostPopular::reasons(std::span<const std::uint32_t>, std::uint32_t,
                                               std::size_t) const {
  return {};
}

}  // namespace capstan
