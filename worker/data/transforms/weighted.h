// weighted: `index:value index:value …` to keys with weights (libsvm and libffm columns).
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// Key = index (with `buckets: B` modulo B), weight = value. cardinality is one above the highest index of
// train; an index that train lacks is left out, so that the table's size is known.
Result<std::unique_ptr<Transform>> make_weighted_transform(TransformOptions& options);

}  // namespace capstan
