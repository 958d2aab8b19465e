// counter: how many interactions there were so far.
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// `of: user` (default), `item` or `pair`: the number of events of that user, item or both strictly before
// this event's time, as log(1 + count) or, with `raw: true`, the count. Events with equal times don't see
// each other. All parts of the split count: at any moment the past is known, the future never.
Result<std::unique_ptr<Transform>> make_counter_transform(TransformOptions& options);

}  // namespace capstan
