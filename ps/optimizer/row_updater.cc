#include "ps/optimizer/row_updater.h"

#include <algorithm>

#include "ps/optimizer/registry.h"
#include "ps/optimizer/regularize.h"
#include "ps/optimizer/schedule.h"

namespace capstan {

RowUpdater::RowUpdater(const OptimizerSpec& spec, std::uint32_t dim)
    : spec_(spec),
      dim_(dim),
      optimizer_(make_optimizer(spec)),
      clips_(spec.clip_norm > 0.0F && optimizer_->wants_clipping()),
      l2_per_touch_(spec.l2 > 0.0F && spec.l2_mode == L2Mode::kPerTouch && optimizer_->wants_penalties()),
      l2_decays_(spec.l2 > 0.0F && spec.l2_mode == L2Mode::kDecayed && optimizer_->wants_penalties()),
      l1_(spec.l1 > 0.0F && optimizer_->wants_penalties()),
      rate_(spec.learning_rate),
      changed_gradient_(clips_ || l2_per_touch_ ? dim : 0) {}

void RowUpdater::begin(std::uint64_t step) {
  rate_ = scheduled_rate(spec_.schedule, spec_.learning_rate, step);
}

void RowUpdater::update(float* weights, float* state, const float* gradient, std::uint32_t steps_since) {
  if (!changed_gradient_.empty()) {
    float* changed = changed_gradient_.data();
    std::copy_n(gradient, dim_, changed);
    if (clips_) clip_to_norm(changed, dim_, spec_.clip_norm);
    if (l2_per_touch_) add_l2(changed, weights, dim_, spec_.l2);
    gradient = changed;
  }
  if (l2_decays_) decay_weights(weights, dim_, rate_, spec_.l2, steps_since);
  optimizer_->update(weights, state, gradient, dim_, rate_);
  if (l1_) soft_threshold(weights, dim_, rate_ * spec_.l1);
}

}  // namespace capstan
