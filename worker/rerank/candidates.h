// What a re-ranker gets of one user: the best items of the model, of which it chooses a list.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace capstan {

struct Candidates {
  std::span<const std::uint32_t> items;    // best first
  std::span<const double> relevance;       // beside items, descending, in [0, 1]: see scaled()
  std::span<const std::uint32_t> history;  // the user's items, of which categories are asked
  std::uint32_t list_length = 10;
  std::uint64_t seed = 0;  // of this user
};

// Scores brought to [0, 1] by the lowest and highest of the candidates, so that a weight means the same for
// every model and user; all 1 when they are equal. REQUIRES: finite.
std::vector<double> scaled(std::span<const float> scores);

// A choice: indices into Candidates::items, none twice, at most list_length of them. Who chooses fewer leaves
// the other places to the order there was.
using Choice = std::vector<std::uint32_t>;

// The index below taken.size() with the largest value among those that are not taken, of equals the first;
// taken.size() when all are.
template <typename Value>
std::size_t best_left(const std::vector<bool>& taken, const Value& value_of) {
  std::size_t best = taken.size();
  double best_value = 0.0;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (taken[i]) continue;
    const double value = value_of(i);
    if (best != taken.size() && !(value > best_value)) continue;
    best = i;
    best_value = value;
  }
  return best;
}

}  // namespace capstan
