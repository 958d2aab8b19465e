// log: numbers to signed logarithms.
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// sign(x) * log(1 + |x|). Missing stays missing.
Result<std::unique_ptr<Transform>> make_log_transform(TransformOptions& options);

}  // namespace capstan
