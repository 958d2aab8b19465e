#include "worker/rerank/random_share.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/rng.h"

namespace capstan {

Choice choose_random_share(const Candidates& candidates, double share) {
  const std::size_t n = candidates.items.size();
  const std::size_t length = std::min<std::size_t>(candidates.list_length, n);
  constexpr double kRounding = 1e-9;  // .3 · 10 is 3, whatever a double makes of it
  const auto drawn = static_cast<std::size_t>(std::floor(share * candidates.list_length + kRounding));
  Choice order(n);
  std::iota(order.begin(), order.end(), 0U);
  Rng rng(candidates.seed);
  for (std::size_t place = length - std::min(drawn, length); place < length; ++place) {
    std::swap(order[place], order[place + rng.below(n - place)]);
  }
  order.resize(length);
  return order;
}

}  // namespace capstan
