// Softmax over a sample of the items, corrected for how likely each was to be drawn.
#pragma once

#include "worker/nn/matrix.h"
#include "worker/nn/micro_batch.h"

namespace capstan {

// With z_j = s_j - log q_j: log Σ_j exp(z_j) - z_positive, over each group. scores [n, 1]; see LossFunction.
// Without log_q nothing is subtracted, which is right for negatives drawn evenly. Source: Bengio and Senécal
// 2008; Jean et al. 2015.
double sampled_softmax_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient);

// The negatives of example i are the items of the other examples: scores [n, n], row i user i, column j item
// j, the positive on the diagonal. Where items are given, columns with i's own item are left out of row i.
// Source: Yi et al. 2019, "Sampling-Bias-Corrected Neural Modeling".
double in_batch_softmax_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient);

}  // namespace capstan
