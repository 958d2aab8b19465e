// MLP: embeddings and numbers through a tower of dense layers. With hidden [64, 32]: 64-32-1.
#pragma once

#include <memory>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// a_0 = [v_1, …, v_F, x]; a_l = f(W_l·a_{l-1} + b_l); ŷ = w·a_L + b. The sigmoid belongs to the loss.
Result<std::unique_ptr<Model>> make_mlp(ModelTables tables);

}  // namespace capstan
