// One flat JSON object a line.
#pragma once

#include "worker/data/readers/line_format.h"

namespace capstan {

// Columns: those given or wanted, else the keys of the first line. A key that a line lacks, and null, are
// missing values; true and false are 1 and 0; other keys are passed over. A nested value in a column is a bad
// line.
std::unique_ptr<LineFormat> make_jsonl(const FileFormat& format);

}  // namespace capstan
