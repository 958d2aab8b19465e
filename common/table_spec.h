// TableSpec: everything a server must know of a table. Workers derive it from the job and the data; servers
// obey it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/dtype.h"

namespace capstan {

enum class OptimizerKind { kSgd, kAdagrad, kRowwiseAdagrad, kAdam, kFtrl, kAssign };
enum class ScheduleKind { kConstant, kWarmup, kStep, kCosine, kInverseSqrt };
// Where an L2 penalty is charged: to each example of a batch that touches the row (by the worker, in the
// gradient), once whenever the row is touched, or for every step since the last touch: (1 - lr * l2)^steps.
enum class L2Mode { kPerExample, kPerTouch, kDecayed };
enum class InitKind { kZero, kConstant, kUniform, kNormal, kXavierUniform, kHeNormal };

struct ScheduleSpec {
  ScheduleKind kind = ScheduleKind::kConstant;
  std::uint64_t warmup_steps = 0;
  std::uint64_t decay_steps = 0;  // step: interval; cosine: length
  float decay = 0.5F;             // step: factor each interval
  float floor = 0.0F;             // cosine: the lowest fraction of the learning rate
  bool operator==(const ScheduleSpec&) const = default;
};

struct OptimizerSpec {
  OptimizerKind kind = OptimizerKind::kAdagrad;
  float learning_rate = 0.01F;
  float beta1 = 0.9F;                // Adam
  float beta2 = 0.999F;              // Adam
  float epsilon = 1e-8F;             // Adam, Adagrad
  float initial_accumulator = 0.1F;  // Adagrad
  float ftrl_beta = 1.0F;            // FTRL-proximal
  float l1 = 0.0F;
  float l2 = 0.0F;
  L2Mode l2_mode = L2Mode::kPerTouch;
  float clip_norm = 0.0F;  // of one row's gradient; 0: off
  ScheduleSpec schedule;
  bool operator==(const OptimizerSpec&) const = default;
};

struct InitSpec {
  InitKind kind = InitKind::kNormal;
  float scale = 0.01F;       // constant's value, uniform's half width, normal's deviation
  std::uint32_t fan_in = 0;  // Xavier, He
  std::uint32_t fan_out = 0;
  std::uint64_t seed = 0;
  // Keys at or above this one start at zero: a dense layer's bias row. 0: none.
  std::uint64_t zero_from_key = 0;
  bool operator==(const InitSpec&) const = default;
};

struct TableSpec {
  std::string name;
  std::uint32_t dim = 0;  // weights a row
  Dtype dtype = Dtype::kFloat32;
  bool dense = false;          // keys are 0..num_rows-1 and every one is pulled each step
  std::uint64_t num_rows = 0;  // dense only
  InitSpec init;
  OptimizerSpec optimizer;
  std::uint32_t min_count = 0;    // pushes seen before a row is admitted; 0 and 1: at once
  std::uint64_t ttl_seconds = 0;  // evict rows not touched for this long; 0: never
  std::uint64_t max_rows = 0;     // over all servers; least recently used go first; 0: no limit
  bool operator==(const TableSpec&) const = default;
};

// Of a section with so many keys: its rows, or its gradients, as they travel.
inline std::size_t section_bytes(const TableSpec& spec, std::size_t count) {
  return values_bytes(spec.dtype, count * spec.dim);
}

// The first difference in words ("table item_mlp: dim 32 became 64"), empty when equal.
std::string difference(const TableSpec& before, const TableSpec& after);

}  // namespace capstan
