#include "worker/rerank/category_cap.h"

#include <algorithm>
#include <map>

namespace capstan {

Choice choose_capped(const Candidates& candidates, const ItemCategories& categories, std::uint32_t most) {
  std::map<std::uint32_t, std::uint32_t> counts;
  Choice choice;
  for (std::uint32_t i = 0; i < candidates.items.size() && choice.size() < candidates.list_length; ++i) {
    const std::vector<std::uint32_t>& own = categories[candidates.items[i]];
    if (std::any_of(own.begin(), own.end(), [&](std::uint32_t category) { return counts[category] >= most; }))
      continue;
    for (const std::uint32_t category : own) ++counts[category];
    choice.push_back(i);
  }
  return choice;
}

}  // namespace capstan
