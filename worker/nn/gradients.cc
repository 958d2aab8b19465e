#include "worker/nn/gradients.h"

#include <algorithm>

#include "common/assert.h"
#include "common/parallel.h"

namespace capstan {
namespace {

constexpr std::size_t kBlockValues = 8192;  // floats that one task writes

void add_scaled(float* out, float scale, const float* values, std::uint32_t count) {
  for (std::uint32_t j = 0; j < count; ++j) out[j] += scale * values[j];
}

// Adds to `out` what the gradient of the pooled output says of one entry.
void add_entry(const EmbeddingGradient& left, const FieldEntries& entries, std::uint32_t example,
               std::uint32_t entry, std::uint32_t dim, float* out) {
  const float* const d = left.output.row(example) + left.column;
  const float weight = entries.weight(entry);
  if (left.sequence) return add_scaled(out, weight, d, dim);
  const std::uint32_t begin = entries.begin(example);
  switch (left.pooling) {
    case Pooling::kSum:
      return add_scaled(out, weight, d, dim);
    case Pooling::kMean: {
      const float share = 1.0F / static_cast<float>(entries.end(example) - begin);
      return add_scaled(out, share * weight, d, dim);
    }
    case Pooling::kMax: {
      const std::uint32_t* const winner = left.winner.data() + std::size_t{example} * dim;
      for (std::uint32_t j = 0; j < dim; ++j) {
        if (winner[j] == entry) out[j] += weight * d[j];
      }
      return;
    }
    case Pooling::kNone:
      if (entry - begin < left.length) add_scaled(out, weight, d + std::size_t{entry - begin} * dim, dim);
      return;
  }
}

}  // namespace

void GradientCombiner::combine(std::span<const GradientTarget> targets, std::span<const Part> parts) {
  CAPSTAN_ASSERT(!parts.empty(), "combine of nothing");
  plan(targets, parts);
  parallel_for(indices_.size(), [&](std::size_t i) { build(indices_[i], parts); });
  parallel_for(blocks_.size(), [&](std::size_t i) {
    const Block& block = blocks_[i];
    const GradientTarget& target = targets[block.target];
    if (target.dense) {
      combine_dense(target, block.target, parts, block);
    } else {
      combine_sparse(target, block.target, parts, block);
    }
  });
}

void GradientCombiner::plan(std::span<const GradientTarget> targets, std::span<const Part> parts) {
  const std::size_t num_fields = parts[0].batch->fields.size();
  slots_.resize(targets.size());
  for (auto& slots : slots_) slots.assign(num_fields, kUnused);
  for (KeyIndex& index : indices_) index.fields.clear();

  const auto left = parts[0].tape->embedding_gradients();
  for (std::uint32_t slot = 0; slot < left.size(); ++slot) {
    std::uint32_t& place = slots_[left[slot].table][left[slot].field];
    CAPSTAN_ASSERT(place == kUnused, "combine: a table used twice for one field");
    place = slot;
  }
  blocks_.clear();
  for (std::uint32_t t = 0; t < targets.size(); ++t) {
    const GradientTarget& target = targets[t];
    const std::size_t count = target.dense ? target.gradient.size() : target.gradient.rows;
    const std::size_t step =
        target.dense ? kBlockValues : std::max<std::size_t>(1, kBlockValues / target.gradient.cols);
    for (std::size_t begin = 0; begin < count; begin += step) {
      blocks_.push_back({t, begin, std::min(begin + step, count)});
    }
    if (target.dense) continue;
    if (indices_.size() <= target.key_set) indices_.resize(target.key_set + std::size_t{1});
    KeyIndex& index = indices_[target.key_set];
    CAPSTAN_ASSERT(index.fields.empty() || index.keys == target.gradient.rows,
                   "combine: one key set, other keys");
    index.keys = target.gradient.rows;
    for (std::uint32_t field = 0; field < num_fields; ++field) {
      if (slots_[t][field] != kUnused) index.fields.emplace_back(field, slots_[t][field]);
    }
  }
  for (KeyIndex& index : indices_) {
    std::sort(index.fields.begin(), index.fields.end());
    const auto same = [&](const auto& a, const auto& b) {
      CAPSTAN_ASSERT(a.first != b.first || left[a.second].sequence == left[b.second].sequence,
                     "combine: a field both pooled and as a sequence");
      return a.first == b.first;
    };
    index.fields.erase(std::unique(index.fields.begin(), index.fields.end(), same), index.fields.end());
  }
}

// A counting sort by key, which keeps the order of the entries of one key.
void GradientCombiner::build(KeyIndex& index, std::span<const Part> parts) {
  index.starts.assign(index.keys + std::size_t{2}, 0);
  const auto each = [&](const auto& visit) {
    for (const auto& [field, slot] : index.fields) {
      for (std::uint32_t part = 0; part < parts.size(); ++part) {
        const FieldEntries& entries = parts[part].batch->fields[field];
        const EmbeddingGradient& left = parts[part].tape->embedding_gradients()[slot];
        for (std::uint32_t row = 0; row < left.entries.size(); ++row)
          visit(entries.positions[left.entries[row]], Occurrence{part, row, field, left.entries[row]});
        if (left.sequence) continue;
        for (std::uint32_t i = 0; i < parts[part].batch->size; ++i) {
          for (std::uint32_t e = entries.begin(i); e < entries.end(i); ++e) {
            visit(entries.positions[e], Occurrence{part, i, field, e});
          }
        }
      }
    }
  };
  std::size_t total = 0;
  each([&](std::uint32_t key, const Occurrence&) {
    CAPSTAN_ASSERT(key < index.keys, "combine: a position beyond the keys");
    ++index.starts[key + std::size_t{2}];
    ++total;
  });
  for (std::size_t k = 2; k < index.starts.size(); ++k) index.starts[k] += index.starts[k - 1];
  index.occurrences.resize(total);
  each([&](std::uint32_t key, const Occurrence& occurrence) {
    index.occurrences[index.starts[key + std::size_t{1}]++] = occurrence;
  });
}

void GradientCombiner::combine_sparse(const GradientTarget& target, std::uint32_t table,
                                      std::span<const Part> parts, const Block& block) const {
  const KeyIndex& index = indices_[target.key_set];
  const std::uint32_t dim = target.gradient.cols;
  for (std::size_t key = block.begin; key < block.end; ++key) {
    float* const out = target.gradient.row(key);
    std::fill_n(out, dim, 0.0F);
    std::uint32_t entries = 0;
    for (std::uint32_t o = index.starts[key]; o < index.starts[key + 1]; ++o) {
      const Occurrence& at = index.occurrences[o];
      const std::uint32_t slot = slots_[table][at.field];
      if (slot == kUnused) continue;
      const Part& part = parts[at.part];
      add_entry(part.tape->embedding_gradients()[slot], part.batch->fields[at.field], at.row, at.entry, dim,
                out);
      ++entries;
    }
    if (target.l2 != 0.0F)
      add_scaled(out, target.l2 * static_cast<float>(entries), target.rows.row(key), dim);
  }
}

void GradientCombiner::combine_dense(const GradientTarget& target, std::uint32_t table,
                                     std::span<const Part> parts, const Block& block) {
  const auto count = static_cast<std::uint32_t>(block.end - block.begin);
  float* const out = target.gradient.data + block.begin;
  std::fill_n(out, count, 0.0F);
  std::uint32_t examples = 0;
  for (const Part& part : parts) {
    const ConstMatrix gradient = part.tape->table_gradient(table);
    if (gradient.data != nullptr) add_scaled(out, 1.0F, gradient.data + block.begin, count);
    examples += part.batch->size;
  }
  if (target.l2 != 0.0F) {
    add_scaled(out, target.l2 * static_cast<float>(examples), target.rows.data + block.begin, count);
  }
}

}  // namespace capstan
