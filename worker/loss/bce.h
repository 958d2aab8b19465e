// bce_loss: binary cross-entropy of logits with labels in [0, 1].
#pragma once

#include "worker/nn/matrix.h"
#include "worker/nn/micro_batch.h"

namespace capstan {

// With logit s and label y: log(1 + exp(s)) - y·s; gradient sigmoid(s) - y. scores [n, 1]; see LossFunction.
double bce_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient);

}  // namespace capstan
