// split: one text to a list of texts.
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// Parts between `separator` (default "|"), blanks at their ends taken off; empty parts are left out.
Result<std::unique_ptr<Transform>> make_split_transform(TransformOptions& options);

}  // namespace capstan
