// vocab: text to dense keys, numbered in the order of first appearance in train.
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// Key 0 is every value that train lacks or has fewer than `min_count` times (default 1), and a missing one.
Result<std::unique_ptr<Transform>> make_vocab_transform(TransformOptions& options);

}  // namespace capstan
