// Assignment: the pushed values become the weights. For rows that are solved for elsewhere (alternating least
// squares). No state; learning rate, clipping and penalties do not apply.
#pragma once

#include <memory>

#include "common/table_spec.h"
#include "ps/optimizer/optimizer.h"

namespace capstan {

std::unique_ptr<const Optimizer> make_assign(const OptimizerSpec& spec);

}  // namespace capstan
