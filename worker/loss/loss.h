// Loss: from scores to a number and its gradient. One explicit list of all of them.
#pragma once

#include <span>
#include <string_view>

#include "common/config/job_config.h"
#include "worker/nn/matrix.h"
#include "worker/nn/micro_batch.h"

namespace capstan {

// Gives the sum of the losses and writes d(scale · sum) / d scores to `gradient`, which has the shape of
// scores. Finite for finite scores of any size; NaN for a NaN score.
using LossFunction = double (*)(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient);

struct Loss {
  std::string_view name;
  LossKind kind;
  LossFunction function;
  bool per_group = false;    // one loss a group of the batch, else one an example
  bool in_batch = false;     // scores are [n, n], every user with every item; else [n, 1]
  bool probability = false;  // sigmoid(score) is the prediction, else the score itself

  std::uint32_t count(const MicroBatch& batch) const {
    return per_group ? batch.size / batch.group : batch.size;
  }
};

std::span<const Loss> all_losses();

// MSE compares the score itself for ratings and its sigmoid otherwise; sampled softmax is in-batch when the
// job's sampler is.
const Loss& loss_of(const JobConfig& job);

}  // namespace capstan
