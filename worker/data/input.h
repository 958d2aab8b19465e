// Raw input files: which ones a job means, and their text with any compression taken off.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"

namespace capstan {

// Paths and globs, each glob's matches sorted. kNotFound names the pattern that matches nothing.
Result<std::vector<std::string>> expand_paths(std::span<const std::string> patterns);

// The file's text; gzip and zstd are told by their first bytes, and several members one after another are
// read through. A byte-order mark is taken off. kInvalid: empty or UTF-16; kCorrupt: the compressed stream is
// broken or cut short.
Result<Buffer> load_text(const std::string& path);

}  // namespace capstan
