// bpr_loss: a positive should score above its negatives.
#pragma once

#include "worker/nn/matrix.h"
#include "worker/nn/micro_batch.h"

namespace capstan {

// For each group, the mean over its negatives of -log sigmoid(s_positive - s_negative). scores [n, 1]; see
// LossFunction. REQUIRES: groups of at least 2. Labels are not read.
// Source: Rendle et al. 2009, "BPR: Bayesian Personalized Ranking", section 4.
double bpr_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient);

}  // namespace capstan
