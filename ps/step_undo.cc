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
    part.row_bytes = part.dim * width(table.spec().dtype);
    part.keys.assign(keys.begin(), keys.begin() + section.count);
    part.weights.resize(section_bytes(table.spec(), part.keys.size()) / sizeof(std::uint32_t));
    table.gather(part.keys, reinterpret_cast<std::byte*>(part.weights.data()));
    keys = keys.subspan(section.count);
  }
}

void StepUndo::restore(std::uint32_t table, std::span<const Key> keys, std::byte* rows) const {
  for (const Part& part : parts_) {
    if (part.table != table) continue;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto found = std::lower_bound(part.keys.begin(), part.keys.end(), keys[i]);
      if (found == part.keys.end() || *found != keys[i]) continue;
      const auto at = static_cast<std::size_t>(found - part.keys.begin());
      const auto* weights = reinterpret_cast<const std::byte*>(part.weights.data()) + at * part.row_bytes;
      std::copy_n(weights, part.row_bytes, rows + i * part.row_bytes);
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

void StepUndo::load(ByteReader& in, std::span<const TableSpec> specs) {
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
    part.weights = in.get_vector<std::uint32_t>();
    const bool known = part.table < specs.size() && part.dim == specs[part.table].dim;
    if (!known) return clear();
    const TableSpec& spec = specs[part.table];
    part.row_bytes = part.dim * width(spec.dtype);
    if (part.weights.size() * sizeof(std::uint32_t) != section_bytes(spec, part.keys.size())) return clear();
  }
}

}  // namespace capstan
