// ngrams: free text to the keys of its word or character n-grams.
#pragma once

#include "worker/data/transforms/options.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// `of: words` (default) or `chars`; n from `min` to `max` (default 1 and 2; for chars 3 and 3); `buckets: B`
// takes the key modulo B. ASCII letters are lowered; a word is a run of letters, digits and bytes above 127;
// chars are UTF-8 characters of the words joined by one blank. Key = XXH3-64 of the n-gram with its words
// joined by one blank. `idf: true` weighs each n-gram 1 + log((1 + texts) / (1 + texts with it)), both
// counted in train.
Result<std::unique_ptr<Transform>> make_ngrams_transform(TransformOptions& options);

}  // namespace capstan
