// What tests of operations share: one batch, and the values of a result.
#pragma once

#include <cstdint>
#include <vector>

#include "worker/nn/micro_batch.h"
#include "worker/nn/tape.h"

namespace capstan {

inline const std::vector<std::uint64_t> kSeeds = {11, 12, 13, 14, 15};

// 4 examples, two fields: one key each, and a list with an empty example, a repeated key and weights.
inline BatchData example_batch() {
  BatchData batch;
  batch.size = 4;
  batch.fields.resize(2);
  batch.fields[0].positions = {2, 0, 2, 1};
  batch.fields[1].offsets = {0, 3, 3, 5, 6};
  batch.fields[1].positions = {0, 1, 1, 3, 2, 0};
  batch.fields[1].weights = {0.5F, -1.5F, 2.0F, 1.0F, 0.75F, 1.25F};
  return batch;
}

inline std::vector<float> values_of(const Tape& tape, Var var) {
  const auto values = tape.value(var).values();
  return {values.begin(), values.end()};
}

}  // namespace capstan
