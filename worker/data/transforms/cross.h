// cross: several text columns to one key.
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// Key = XXH3-64 of `A=value` for each column A, joined by the byte 0x1f; with `buckets: B` modulo B. One
// value a row.
Result<std::unique_ptr<Transform>> make_cross_transform(TransformOptions& options);

}  // namespace capstan
