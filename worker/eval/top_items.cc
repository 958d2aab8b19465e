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

// The k-th largest. Almost every score is below the k best so far, and costs one comparison.
float lowest_of_best(std::span<const float> scores, std::size_t k) {
  std::vector<float> best(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(k));
  std::make_heap(best.begin(), best.end(), std::greater<>());
  for (const float score : scores.subspan(k)) {
    if (!(score > best.front())) continue;
    std::pop_heap(best.begin(), best.end(), std::greater<>());
    best.back() = score;
    std::push_heap(best.begin(), best.end(), std::greater<>());
  }
  return best.front();
}

}  // namespace

TopItems top_items(std::span<const std::uint32_t> items, std::span<const float> scores, std::uint32_t k,
                   std::uint64_t tie_seed) {
  CAPSTAN_ASSERT(items.size() == scores.size(), "a score an item");
  TopItems top;
  top.list_size = std::min<std::size_t>(k, items.size());
  if (top.list_size == 0) return top;
  const float threshold = lowest_of_best(scores, top.list_size);

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
