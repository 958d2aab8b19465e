// hash: text to 64-bit keys.
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// Key = XXH3-64 of `NAME=value`, NAME being the option `name` or else the column's name, so that features
// which share a table keep apart; name: "" hashes the value alone. With `buckets: B` the key is taken modulo
// B. Missing values are hashed as the empty text.
Result<std::unique_ptr<Transform>> make_hash_transform(TransformOptions& options);

// The key of one value, as the transform makes it. name empty: of the value alone.
Key hashed_key(std::string_view name, std::string_view value, std::uint64_t buckets);

}  // namespace capstan
