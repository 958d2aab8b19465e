// zscore: numbers to deviations from the mean.
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// (x - mean) / deviation, both of train (population deviation); a constant column gives 0. Missing stays
// missing.
Result<std::unique_ptr<Transform>> make_zscore_transform(TransformOptions& options);

}  // namespace capstan
