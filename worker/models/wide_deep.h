// Wide & Deep: a linear model and a tower of dense layers, trained jointly.
#pragma once

#include <memory>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// ŷ = w·[x, φ(x)] + w_deep·a^(last) + b, where the crossed features φ(x) are fields of the data (transform
// `cross`). Source: Cheng et al. 2016, "Wide & Deep Learning for Recommender Systems", equation 3. The
// paper's optimizers (FTRL for the wide part, Adagrad for the deep one) are set by the tables FIELD_linear.
Result<std::unique_ptr<Model>> make_wide_deep(ModelTables tables);

}  // namespace capstan
