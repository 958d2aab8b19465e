// Squared error, of the score or of its sigmoid.
#pragma once

#include "worker/nn/matrix.h"
#include "worker/nn/micro_batch.h"

namespace capstan {

// (s - y)²; gradient 2(s - y). scores [n, 1]; see LossFunction.
double mse_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient);

// The same with p = sigmoid(s) in place of s; gradient 2(p - y)·p·(1 - p).
double sigmoid_mse_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient);

}  // namespace capstan
