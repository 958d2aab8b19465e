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

void StepUndo::save(ByteWriter& out) const {
  out.put(static_cast<std::uint8_t>(kept_ ? 1 : 0));
  out.put(at_.pass);
  out.put(at_.steps);
  out.put(static_cast<std::uint64_t>(parts_.size()));
  for (const Part& part : parts_) {
    out.put(part.table);
    out.put(static_cast<std::uint64_t>(part.dim));
    out.put_vector(part.keys);
    out.put_vector(part.weights);
  }
}

void StepUndo::load(ByteReader& in) {
  clear();
  kept_ = in.get<std::uint8_t>() != 0;
  at_.pass = in.get<std::uint32_t>();
  at_.steps = in.get<std::uint64_t>();
  const auto count = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    Part& part = parts_.emplace_back();
    part.table = in.get<std::uint32_t>();
    part.dim = in.get<std::uint64_t>();
    part.keys = in.get_vector<Key>();
    part.weights = in.get_vector<float>();
    if (part.weights.size() != part.keys.size() * part.dim) return clear();
  }
}

}  // namespace capstan
