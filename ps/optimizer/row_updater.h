// RowUpdater: one push on one row, as the table's optimizer section asks for it: learning rate, clipping,
// penalties and the optimizer's step, in the order
//   clip the gradient -> L2 (decayed: on the weights; per touch: into the gradient) -> step -> L1 on the
//   weights.
// L2 per example is charged by the worker, in the gradient it sends.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/table_spec.h"
#include "ps/optimizer/optimizer.h"

namespace capstan {

class RowUpdater {
 public:
  // REQUIRES: check_optimizer_spec(spec).ok().
  RowUpdater(const OptimizerSpec& spec, std::uint32_t dim);

  std::uint32_t state_floats() const { return optimizer_->state_floats(dim_); }

  // Sets the learning rate for what follows. step: the shard's push number, the first being 1.
  void begin(std::uint64_t step);
  float learning_rate() const { return rate_; }

  void init_state(const float* weights, float* state) const {
    optimizer_->init_state(weights, state, dim_, rate_);
  }
  // weights, gradient: [dim]. steps_since: steps of the shard since the row's last push, 1 for the very next
  // one and for a new row.
  void update(float* weights, float* state, const float* gradient, std::uint32_t steps_since);

 private:
  OptimizerSpec spec_;
  std::uint32_t dim_;
  std::unique_ptr<const Optimizer> optimizer_;
  bool clips_;
  bool l2_per_touch_;
  bool l2_decays_;
  bool l1_;
  float rate_;
  std::vector<float> changed_gradient_;  // [dim]
};

}  // namespace capstan
