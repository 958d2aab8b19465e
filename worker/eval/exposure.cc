#include "worker/eval/exposure.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace capstan {

double coverage(std::span<const std::uint64_t> exposures, std::uint64_t num_items) {
  if (num_items == 0) return 0.0;
  return static_cast<double>(exposures.size()) / static_cast<double>(num_items);
}

double gini(std::span<const std::uint64_t> exposures, std::uint64_t num_items) {
  std::vector<std::uint64_t> sorted(exposures.begin(), exposures.end());
  std::sort(sorted.begin(), sorted.end());
  const double n = static_cast<double>(num_items);
  const double unseen = n - static_cast<double>(sorted.size());  // the first in order, adding nothing
  double total = 0.0, weighted = 0.0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    total += static_cast<double>(sorted[i]);
    weighted += (2.0 * (unseen + static_cast<double>(i + 1)) - n - 1.0) * static_cast<double>(sorted[i]);
  }
  return total == 0.0 ? 0.0 : weighted / (n * total);
}

double novelty(std::span<const std::uint32_t> list, std::span<const std::uint32_t> item_counts,
               std::uint32_t num_users) {
  if (list.empty()) return 0.0;
  double bits = 0.0;
  for (const std::uint32_t item : list) {
    const std::uint32_t count = std::max(item_counts[item], 1U);
    bits += std::log2(static_cast<double>(num_users) / static_cast<double>(count));
  }
  return bits / static_cast<double>(list.size());
}

}  // namespace capstan
