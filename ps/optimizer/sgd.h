// Stochastic gradient descent: w -= lr g. No state.
#pragma once

#include <memory>

#include "common/table_spec.h"
#include "ps/optimizer/optimizer.h"

namespace capstan {

std::unique_ptr<const Optimizer> make_sgd(const OptimizerSpec& spec);

}  // namespace capstan
