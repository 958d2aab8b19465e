#include "worker/eval/top_items.h"

#include <algorithm>
#include <functional>

#include "common/assert.h"
#include "common/hash.h"

namespace capstan {
namespace {

struct Entry {
  float score;
  std::uint64_t order;
  std::uint32_t item;
};

// A type, so that the sort below can inline it.
struct StandsBefore {
  bool operator()(const Entry& a, const Entry& b) const {
    if (a.score != b.score) return a.score > b.score;
    return a.order != b.order ? a.order < b.order : a.item < b.item;
  }
};

}  // namespace

TopItems top_items(std::span<const std::uint32_t> items, std::span<const float> scores, std::uint32_t k,
                   std::uint64_t tie_seed) {
  CAPSTAN_ASSERT(items.size() == scores.size(), "a score an item");
  TopItems top;
  top.list_size = std::min<std::size_t>(k, items.size());
  if (top.list_size == 0) return top;
  std::vector<float> copy(scores.begin(), scores.end());
  const auto last = copy.begin() + static_cast<std::ptrdiff_t>(top.list_size - 1);
  std::nth_element(copy.begin(), last, copy.end(), std::greater<>());
  const float threshold = *last;

  std::vector<Entry> entries;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (scores[i] >= threshold) entries.push_back({scores[i], combine(tie_seed, items[i]), items[i]});
  }
  std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(top.list_size),
                    entries.end(), StandsBefore());
  for (const Entry& entry : entries) {
    top.items.push_back(entry.item);
    top.scores.push_back(entry.score);
  }
  return top;
}

}  // namespace capstan
