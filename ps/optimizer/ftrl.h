// FTRL-proximal: per coordinate s = (sqrt(n + g^2) - sqrt(n)) / lr; z += g - s w; n += g^2;
// w = 0 where |z| <= l1, else -(z - sign(z) l1) / ((beta + sqrt(n)) / lr + l2).
// State: z [dim], n [dim]. z starts where the formula gives the row's initial weights (0 for 0, as in the
// paper). l1 and l2 stand in the formula; with l2_mode per_example the worker charges l2 and the formula
// leaves it out. Source: McMahan et al. 2013, "Ad Click Prediction: a View from the Trenches", algorithm 1.
#pragma once

#include <memory>

#include "common/table_spec.h"
#include "ps/optimizer/optimizer.h"

namespace capstan {

std::unique_ptr<const Optimizer> make_ftrl(const OptimizerSpec& spec);

}  // namespace capstan
