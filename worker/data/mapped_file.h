// Files mapped into memory, for raw input and for prepared columns.
#pragma once

#include <string>

#include "common/buffer.h"
#include "common/result.h"

namespace capstan {

// The whole file, read-only; it stays mapped as long as a copy of the buffer or a slice of it lives. Empty
// file: empty buffer. kNotFound when absent.
Result<Buffer> map_file(const std::string& path);

}  // namespace capstan
