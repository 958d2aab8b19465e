#include "worker/rerank/calibrated.h"

#include <algorithm>
#include <cmath>

namespace capstan {
namespace {

constexpr double kSmoothing = 0.01;

void add_item(std::map<std::uint32_t, double>& counts, const std::vector<std::uint32_t>& categories) {
  for (const std::uint32_t category : categories)
    counts[category] += 1.0 / static_cast<double>(categories.size());
}

Shares normalised(std::map<std::uint32_t, double> counts, double total) {
  for (auto& [category, count] : counts) count /= total;
  return counts;
}

// `counts` of `items` items; without any the list's share of everything is 0.
double distance(const Shares& history, const std::map<std::uint32_t, double>& counts, double items) {
  double sum = 0.0;
  for (const auto& [category, wanted] : history) {
    const auto found = counts.find(category);
    const double share = found == counts.end() || items == 0.0 ? 0.0 : found->second / items;
    sum += wanted * std::log(wanted / ((1.0 - kSmoothing) * share + kSmoothing * wanted));
  }
  return sum;
}

}  // namespace

Shares category_shares(std::span<const std::uint32_t> items, const ItemCategories& categories) {
  std::map<std::uint32_t, double> counts;
  double total = 0.0;
  for (const std::uint32_t item : items) {
    add_item(counts, categories[item]);
    total += categories[item].empty() ? 0.0 : 1.0;
  }
  return total == 0.0 ? Shares{} : normalised(std::move(counts), total);
}

double calibration_distance(const Shares& history, const Shares& list) {
  return distance(history, list, 1.0);
}

Choice choose_calibrated(const Candidates& candidates, const ItemCategories& categories, double weight) {
  const Shares history = category_shares(candidates.history, categories);
  const std::size_t n = candidates.items.size();
  std::vector<bool> taken(n, false);
  std::map<std::uint32_t, double> counts;
  double counted = 0.0;
  Choice choice;
  while (choice.size() < std::min<std::size_t>(candidates.list_length, n)) {
    const std::size_t best = best_left(taken, [&](std::size_t i) {
      const std::vector<std::uint32_t>& own = categories[candidates.items[i]];
      std::map<std::uint32_t, double> with = counts;
      add_item(with, own);
      const double divergence = distance(history, with, counted + (own.empty() ? 0.0 : 1.0));
      return weight * candidates.relevance[i] - (1.0 - weight) * divergence;
    });
    taken[best] = true;
    const std::vector<std::uint32_t>& own = categories[candidates.items[best]];
    add_item(counts, own);
    counted += own.empty() ? 0.0 : 1.0;
    choice.push_back(static_cast<std::uint32_t>(best));
  }
  return choice;
}

}  // namespace capstan
