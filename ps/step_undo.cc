#include "ps/step_undo.h"

#include <algorithm>

namespace capstan {

void StepUndo::keep(StepClock at, std::span<const Section> sections, std::span<const Key> keys,
                    const Tables& tables) {
  kept_ = true;
  at_ = at;
  parts_.clear();
  for (const auto& section : sections) {
    const EmbeddingTable& table = *tables[section.table];
    Part& part = parts_.emplace_back();
    part.table = section.table;
    part.dim = table.spec().dim;
    part.keys.assign(keys.begin(), keys.begin() + section.count);
    part.weights.resize(part.keys.size() * part.dim);
    table.gather(part.keys, part.weights.data());
    keys = keys.subspan(section.count);
  }
}

void StepUndo::restore(std::uint32_t table, std::span<const Key> keys, float* rows) const {
  for (const Part& part : parts_) {
    if (part.table != table) continue;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto found = std::lower_bound(part.keys.begin(), part.keys.end(), keys[i]);
      if (found == part.keys.end() || *found != keys[i]) continue;
      const float* weights =
          part.weights.data() + static_cast<std::size_t>(found - part.keys.begin()) * part.dim;
      std::copy(weights, weights + part.dim, rows + i * part.dim);
    }
  }
}

}  // namespace capstan
