#include "worker/eval/judged_items.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/hash.h"
#include "common/rng.h"

namespace capstan {
namespace {

bool holds(std::span<const std::uint32_t> sorted, std::uint32_t item) {
  return std::binary_search(sorted.begin(), sorted.end(), item);
}

std::vector<std::uint32_t> all_but(std::uint32_t num_items, std::span<const std::uint32_t> seen) {
  std::vector<std::uint32_t> items;
  items.reserve(num_items);
  auto next_seen = seen.begin();
  for (std::uint32_t item = 0; item < num_items; ++item) {
    if (next_seen != seen.end() && *next_seen == item) {
      ++next_seen;
    } else {
      items.push_back(item);
    }
  }
  return items;
}

}  // namespace

bool JudgedItems::given(const Dataset& dataset) const {
  return split == EvalSplit::kTest && !dataset.candidates.empty();
}

bool JudgedItems::sampled(const Dataset& dataset) const {
  return sampled_negatives > 0 || given(dataset);
}

std::string JudgedItems::protocol(const Dataset& dataset) const {
  if (given(dataset)) {
    std::size_t least = ~std::size_t{0}, most = 0;
    for (const auto& candidates : dataset.candidates) {
      if (!candidates.empty()) least = std::min(least, candidates.size());
      most = std::max(most, candidates.size());
    }
    if (least < most) return fmt::format("sampled: {} to {} given negatives", least, most);
    return fmt::format("sampled: {} given negatives", most);
  }
  if (sampled_negatives > 0) {
    std::size_t most = 0;  // items that a user has
    for (std::uint32_t user = 0; user < dataset.num_users; ++user) {
      most = std::max(most, items_of(dataset.train_items, user).size() +
                                items_of(dataset.valid_items, user).size() +
                                items_of(dataset.test_items, user).size());
    }
    const bool enough = most + sampled_negatives <= dataset.num_items;
    return fmt::format("sampled: {}{} negatives", enough ? "" : "all unseen items, at most ",
                       sampled_negatives);
  }
  if (!positive_from) return "full ranking, seen removed";
  return fmt::format("full ranking, seen removed, ratings below {} taken as unseen", *positive_from);
}

std::vector<std::uint32_t> JudgedItems::of(const Dataset& dataset, std::uint32_t user,
                                           std::span<const std::uint32_t> seen) const {
  if (!sampled(dataset)) return all_but(dataset.num_items, seen);
  const auto asked = items_of(asked_items(dataset, split), user);
  std::vector<std::uint32_t> items;
  if (given(dataset)) {
    for (const std::uint32_t item : dataset.candidates[user]) {
      if (!holds(seen, item) && !holds(asked, item)) items.push_back(item);
    }
  } else {
    items = all_but(dataset.num_items, seen);
    const auto valid = items_of(dataset.valid_items, user), test = items_of(dataset.test_items, user);
    std::erase_if(items, [&](std::uint32_t item) { return holds(valid, item) || holds(test, item); });
    const std::size_t count = std::min<std::size_t>(sampled_negatives, items.size());
    Rng rng(combine(seed, user));
    for (std::size_t i = 0; i < count; ++i) std::swap(items[i], items[i + rng.below(items.size() - i)]);
    items.resize(count);
  }
  items.insert(items.end(), asked.begin(), asked.end());
  std::sort(items.begin(), items.end());
  return items;
}

}  // namespace capstan
