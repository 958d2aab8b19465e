// The one list of input formats.
#pragma once

#include <memory>

#include "worker/data/readers/line_format.h"

namespace capstan {

// REQUIRES: format.kind is a format of lines (all but kMovielens, which is a layout of a folder; see
// movielens.h).
std::unique_ptr<LineFormat> make_line_format(const FileFormat& format);

}  // namespace capstan
