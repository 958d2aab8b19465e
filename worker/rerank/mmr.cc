#include "worker/rerank/mmr.h"

#include <algorithm>

namespace capstan {

Choice choose_mmr(const Candidates& candidates, const ItemSimilarity& similarity, double weight) {
  const std::size_t n = candidates.items.size();
  std::vector<double> nearest(n, 0.0);  // similarity to the most alike of the list
  std::vector<bool> taken(n, false);
  Choice choice;
  while (choice.size() < std::min<std::size_t>(candidates.list_length, n)) {
    const std::size_t best = best_left(
        taken, [&](std::size_t i) { return weight * candidates.relevance[i] - (1.0 - weight) * nearest[i]; });
    taken[best] = true;
    for (std::size_t i = 0; i < n; ++i) {
      if (taken[i]) continue;
      const double alike = similarity.between(candidates.items[i], candidates.items[best]);
      nearest[i] = choice.empty() ? alike : std::max(nearest[i], alike);
    }
    choice.push_back(static_cast<std::uint32_t>(best));
  }
  return choice;
}

}  // namespace capstan
