// minmax: numbers to [0, 1].
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// (x - min) / (max - min), both of train, held within [0, 1]; a constant column gives 0. Missing stays
// missing.
Result<std::unique_ptr<Transform>> make_minmax_transform(TransformOptions& options);

}  // namespace capstan
