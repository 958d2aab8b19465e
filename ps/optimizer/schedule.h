// Learning-rate schedules. A shard's clock is its own count of applied pushes, so no server needs another's.
#pragma once

#include <cstdint>

#include "common/table_spec.h"

namespace capstan {

// The rate at the shard's push number `step`, the first being 1. With t = step - 1 pushes done and a warm-up
// of W:
//   t < W           base (t + 1) / W, for every kind
//   constant, warmup  base
//   step            base decay^floor((t - W) / decay_steps)
//   cosine          base (floor + (1 - floor) (1 + cos(pi min(1, (t - W) / decay_steps))) / 2)
//   inverse-sqrt    base sqrt(max(W, 1) / max(step, W)), so that it goes on from the warm-up (Vaswani et al.
//   2017, 5.3)
// A decay_steps of 0 means no decay.
float scheduled_rate(const ScheduleSpec& spec, float base, std::uint64_t step);

}  // namespace capstan
