#include "worker/loss/loss.h"

#include <array>

#include "common/assert.h"
#include "worker/loss/bce.h"
#include "worker/loss/bpr.h"
#include "worker/loss/mse.h"
#include "worker/loss/sampled_softmax.h"
#include "worker/loss/ultragcn.h"

namespace capstan {
namespace {

constexpr std::array<Loss, 7> kLosses = {{
    {.name = "bce", .kind = LossKind::kBce, .function = bce_loss, .probability = true},
    {.name = "mse", .kind = LossKind::kMse, .function = mse_loss},
    {.name = "mse of sigmoid", .kind = LossKind::kMse, .function = sigmoid_mse_loss, .probability = true},
    {.name = "bpr", .kind = LossKind::kBpr, .function = bpr_loss, .per_group = true},
    {.name = "sampled softmax",
     .kind = LossKind::kSampledSoftmax,
     .function = sampled_softmax_loss,
     .per_group = true},
    {.name = "in-batch softmax",
     .kind = LossKind::kSampledSoftmax,
     .function = in_batch_softmax_loss,
     .in_batch = true},
    {.name = "ultragcn", .kind = LossKind::kUltraGcn, .function = ultragcn_loss, .in_batch = true},
}};

}  // namespace

std::span<const Loss> all_losses() {
  return kLosses;
}

const Loss& loss_of(const JobConfig& job) {
  const LossKind kind = job.model.loss;
  const bool sigmoid = job.task != Task::kRating;
  const bool in_batch = job.data.negatives.sampler == Sampler::kInBatch;
  for (const Loss& loss : kLosses) {
    if (loss.kind != kind) continue;
    if (kind == LossKind::kMse && loss.probability != sigmoid) continue;
    if (kind == LossKind::kSampledSoftmax && loss.in_batch != in_batch) continue;
    return loss;
  }
  CAPSTAN_ASSERT(false, "a loss that is not in the list");
}

}  // namespace capstan
