#include "ps/step_combiner.h"

#include <algorithm>

namespace capstan {
namespace {

struct Contribution {
  Key key;
  const float* gradient;
};

// What each slot gives to `table`, in slot order.
std::vector<Contribution> contributions(std::span<const PushedSlice* const> parts, std::uint32_t table,
                                        std::span<const TableSpec> specs) {
  std::vector<Contribution> all;
  for (const PushedSlice* part : parts) {
    const Key* keys = part->keys;
    const auto* gradients = static_cast<const float*>(part->gradients);
    for (const auto& section : part->sections) {
      const std::size_t dim = specs[section.table].dim;
      for (std::uint32_t i = 0; i < section.count && section.table == table; ++i) {
        all.push_back({keys[i], gradients + i * dim});
      }
      keys += section.count;
      gradients += section.count * dim;
    }
  }
  return all;
}

}  // namespace

CombinedStep combine_slots(std::span<const PushedSlice* const> parts, std::span<const TableSpec> specs) {
  CombinedStep step;
  for (std::uint32_t table = 0; table < specs.size(); ++table) {
    auto all = contributions(parts, table, specs);
    // Stable: contributions to one key stay in slot order.
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    const std::size_t dim = specs[table].dim;
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i == 0 || all[i].key != all[i - 1].key) {
        ++count;
        step.keys.push_back(all[i].key);
        step.gradients.insert(step.gradients.end(), all[i].gradient, all[i].gradient + dim);
        continue;
      }
      float* sum = step.gradients.data() + step.gradients.size() - dim;
      for (std::size_t d = 0; d < dim; ++d) sum[d] += all[i].gradient[d];
    }
    if (count > 0) step.sections.push_back({table, count});
  }
  return step;
}

}  // namespace capstan
