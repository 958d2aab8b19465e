// Files that hold secrets: readable by their owner only.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "common/result.h"

namespace capstan {

// kNotFound: no such file; kInvalid: others than its owner may read it.
Result<std::string> read_secret(const std::filesystem::path& path);

// Creates a file, or opens it as the flags of open(2) say, and writes it, synced. kTaken: O_EXCL, and there
// is one.
Status write_file(const std::filesystem::path& path, std::string_view text, mode_t mode, int flags);

}  // namespace capstan
