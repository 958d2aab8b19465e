// One-line slices for tests of a shard.
#pragma once

#include <vector>

#include "ps/shard.h"

namespace capstan {

constexpr std::uint32_t kShards = 4;

// A table whose rows become the sum of what is pushed.
inline TableSpec sum_table(const std::string& name = "sums", std::uint32_t dim = 1) {
  TableSpec spec;
  spec.name = name;
  spec.dim = dim;
  spec.init.kind = InitKind::kZero;
  spec.optimizer = {.kind = OptimizerKind::kSgd, .learning_rate = -1.0F, .schedule = {}};
  return spec;
}

// The n-th key of a shard.
inline Key key_of(std::uint32_t shard, std::uint32_t n = 0) {
  for (Key key = 0;; ++key) {
    if (shard_of(key, kShards) == shard && n-- == 0) return key;
  }
}

struct Pushed {
  std::uint32_t pass = 0, partition = 0;
  std::uint64_t term = 1, sequence = 1, previous = 0;
  std::vector<Key> keys = {};
  std::vector<float> gradients = {};  // [keys, 1] of table 0
  std::uint64_t step = 0;

  PushOutcome to(Shard& shard) const {
    PushedSlice slice;
    slice.pass = pass;
    slice.partition = partition;
    slice.term = term;
    slice.sequence = sequence;
    slice.previous = previous;
    slice.step = step;
    slice.keys_owner = Buffer::copy_of(std::span<const Key>(keys));
    slice.gradients_owner = Buffer::copy_of(std::span<const float>(gradients));
    if (!keys.empty()) slice.sections = {{0, static_cast<std::uint32_t>(keys.size())}};
    slice.keys = slice.keys_owner.as<Key>().data();
    slice.gradients = slice.gradients_owner.as<float>().data();
    return shard.push(slice, 0);
  }
};

inline float value_of(Shard& shard, Key key, StepClock at = {99, 0}) {
  const Section section{0, 1};
  float value = 0.0F;
  shard.pull({&section, 1}, &key, at, &value);
  return value;
}

}  // namespace capstan
