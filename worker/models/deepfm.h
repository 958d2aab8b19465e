// DeepFM: a factorization machine and a tower of dense layers over the same embeddings.
#pragma once

#include <memory>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// ŷ = ŷ_FM + ŷ_DNN. Source: Guo et al. 2017, "DeepFM", equations 1 to 4; numbers get a vector each, as in
// section 2.
Result<std::unique_ptr<Model>> make_deepfm(ModelTables tables);

}  // namespace capstan
