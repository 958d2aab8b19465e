#include "ps/hot_keys.h"

#include <algorithm>

namespace capstan {

// Steps between 1 and 2 * kSampled - 1: batches of the same length must not have the same places looked at.
void HotKeys::note(std::uint32_t table, std::span<const Key> keys) {
  while (skip_ < keys.size()) {
    count(table, keys[skip_]);
    skip_ += 1 + mix64(++drawn_) % (2 * kSampled - 1);
  }
  skip_ -= keys.size();
}

void HotKeys::count(std::uint32_t table, Key key) {
  const auto found = at_.find({table, key});
  if (found != at_.end()) {
    ++counters_[found->second].count;
    return;
  }
  if (counters_.size() < kCounters) {
    at_[{table, key}] = counters_.size();
    counters_.push_back({table, key, 1, 0});
    return;
  }
  const auto least = std::min_element(counters_.begin(), counters_.end(),
                                      [](const auto& a, const auto& b) { return a.count < b.count; });
  at_.erase({least->table, least->key});
  at_[{table, key}] = static_cast<std::size_t>(least - counters_.begin());
  *least = {table, key, least->count + 1, least->count};
}

std::vector<HotKeys::Hot> HotKeys::take(double seconds, std::size_t most) {
  std::vector<Hot> hot;
  for (const Counter& each : counters_) {
    const auto surely = static_cast<double>((each.count - each.too_high) * kSampled);
    // One look is no evidence.
    if (each.count - each.too_high > 1) hot.push_back({each.table, each.key, surely / seconds});
  }
  std::sort(hot.begin(), hot.end(), [](const Hot& a, const Hot& b) {
    return a.rows_per_second != b.rows_per_second ? a.rows_per_second > b.rows_per_second : a.key < b.key;
  });
  if (hot.size() > most) hot.resize(most);
  counters_.clear();
  at_.clear();
  return hot;
}

}  // namespace capstan
