// Separated text: csv, tsv and files with separators of several characters.
#pragma once

#include "worker/data/readers/line_format.h"

namespace capstan {

// A cell in double quotes may hold the separator and doubled quotes, but no line break: lines are what ranges
// are cut at.
std::unique_ptr<LineFormat> make_csv(const FileFormat& format);

}  // namespace capstan
