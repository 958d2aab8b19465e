// Row-wise Adagrad: one accumulator a row, G += mean(g^2); w -= lr g / (sqrt(G) + epsilon). State: G [1].
// Source: Gupta, Bengio and Weston 2014, "Training Highly Multiclass Classifiers", per-row Adagrad.
#pragma once

#include <memory>

#include "common/table_spec.h"
#include "ps/optimizer/optimizer.h"

namespace capstan {

std::unique_ptr<const Optimizer> make_rowwise_adagrad(const OptimizerSpec& spec);

}  // namespace capstan
