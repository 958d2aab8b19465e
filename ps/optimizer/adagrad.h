// Adagrad: G += g^2; w -= lr g / (sqrt(G) + epsilon), elementwise. State: G [dim], from initial_accumulator.
// Source: Duchi, Hazan and Singer 2011, "Adaptive Subgradient Methods", diagonal form.
#pragma once

#include <memory>

#include "common/table_spec.h"
#include "ps/optimizer/optimizer.h"

namespace capstan {

std::unique_ptr<const Optimizer> make_adagrad(const OptimizerSpec& spec);

}  // namespace capstan
