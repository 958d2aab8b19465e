// Adam, lazy: a row's moments decay and its step count t rises only when the row is pushed. Unlike dense
// Adam, a row that is rarely pushed keeps the moments of its last push and its bias correction follows its
// own t; a row pushed at every step is treated exactly as by dense Adam. State: m [dim], v [dim], t [1] as a
// float (exact up to 2^24 pushes of one row; then it stays, the correction being 1). Source: Kingma and Ba
// 2015, algorithm 1.
#pragma once

#include <memory>

#include "common/table_spec.h"
#include "ps/optimizer/optimizer.h"

namespace capstan {

std::unique_ptr<const Optimizer> make_adam(const OptimizerSpec& spec);

}  // namespace capstan
