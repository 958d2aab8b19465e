#include "worker/rerank/dpp.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace capstan {

Choice greedy_determinant(const Kernel& kernel, std::uint32_t n, std::uint32_t most) {
  constexpr double kNothingNew = 1e-10;  // of what an index adds, relative to its own entry
  const std::uint32_t wanted = std::min(n, most);
  std::vector<double> factor(std::size_t{n} * wanted, 0.0);  // [n, wanted]: rows of the Cholesky factor
  std::vector<double> own(n), left(n);  // the diagonal, and what of it the chosen ones do not explain
  for (std::uint32_t i = 0; i < n; ++i) own[i] = left[i] = kernel(i, i);
  std::vector<bool> taken(n, false);
  Choice choice;
  while (choice.size() < wanted) {
    std::uint32_t best = n;
    for (std::uint32_t i = 0; i < n; ++i) {
      if (taken[i] || !(left[i] > kNothingNew * own[i])) continue;
      if (best == n || left[i] > left[best]) best = i;
    }
    if (best == n) break;
    taken[best] = true;
    const double root = std::sqrt(left[best]);
    const double* const chosen = factor.data() + std::size_t{best} * wanted;
    for (std::uint32_t i = 0; i < n; ++i) {
      if (taken[i]) continue;
      double* const row = factor.data() + std::size_t{i} * wanted;
      const double known = std::inner_product(row, row + choice.size(), chosen, 0.0);
      const double entry = (kernel(best, i) - known) / root;
      row[choice.size()] = entry;
      left[i] -= entry * entry;
    }
    choice.push_back(best);
  }
  return choice;
}

Choice choose_dpp(const Candidates& candidates, const ItemSimilarity& similarity, double weight) {
  if (weight >= 1.0) return {};
  const double growth = weight / (2.0 * (1.0 - weight));
  std::vector<double> quality;
  // Relative to the best one, which changes no choice and keeps a weight near 1 within a double's range.
  for (const double relevance : candidates.relevance) quality.push_back(std::exp(growth * (relevance - 1.0)));
  const Kernel kernel = [&](std::uint32_t i, std::uint32_t j) {
    const double alike =
        i == j ? 1.0 : kDppSimilarity * similarity.between(candidates.items[i], candidates.items[j]);
    return quality[i] * alike * quality[j];
  };
  return greedy_determinant(kernel, static_cast<std::uint32_t>(candidates.items.size()),
                            candidates.list_length);
}

}  // namespace capstan
