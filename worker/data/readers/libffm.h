// libffm lines: `label field:index:value field:index:value …`.
#pragma once

#include "worker/data/readers/line_format.h"

namespace capstan {

// Columns `label`, `f0`, `f1`, … up to the highest field of the file; each holds "index:value index:value".
std::unique_ptr<LineFormat> make_libffm();

}  // namespace capstan
