// LR: logistic regression over keys and numbers.
#pragma once

#include <memory>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// ŷ = w_0 + Σ_f w_f·x_f
Result<std::unique_ptr<Model>> make_lr(ModelTables tables);

}  // namespace capstan
