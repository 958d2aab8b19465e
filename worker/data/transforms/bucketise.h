// bucketise: numbers to the keys of intervals.
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// Either `boundaries: "0, 10, 20"`, or `quantiles: N` (default 10): N intervals of about equal weight in
// train. Key 0 is a missing value; key 1 + i is a value with exactly i boundaries at or below it.
Result<std::unique_ptr<Transform>> make_bucketise_transform(TransformOptions& options);

}  // namespace capstan
