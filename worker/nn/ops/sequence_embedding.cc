#include "worker/nn/ops/sequence_embedding.h"

namespace capstan {

Var sequence_embedding(Tape& tape, const MicroBatch& batch, std::uint32_t table, std::uint32_t field,
                       const Sequences& sequences) {
  const ConstMatrix rows = tape.table(table);
  const FieldEntries& entries = batch.fields[field];
  const auto [out, y] = tape.make_sequence(sequences.rows(), rows.cols);
  for (std::uint32_t r = 0; r < y.rows; ++r) {
    const std::uint32_t entry = sequences.entries[r];
    const float weight = entries.weight(entry);
    const float* const row = rows.row(entries.positions[entry]);
    for (std::uint32_t j = 0; j < y.cols; ++j) y.at(r, j) = weight * row[j];
  }
  if (tape.training()) {
    tape.leave({.table = table,
                .field = field,
                .output = tape.gradient(out),
                .sequence = true,
                .entries = sequences.entries});
  }
  return out;
}

}  // namespace capstan
