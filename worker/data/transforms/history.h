// history: what the user had before, as a list in time order.
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// The values of the user's last `n` (default 50) events strictly before this event's time, oldest first;
// events with equal times don't see each other, and between those the order is that of the lines. All parts
// of the split count: at any moment the past is known, the future never. Over the item column it lists dense
// item indices.
Result<std::unique_ptr<Transform>> make_history_transform(TransformOptions& options);

}  // namespace capstan
