// The Criteo display-advertising lines: label, 13 integers, 26 hashed categories, tab-separated, no header.
#pragma once

#include "worker/data/readers/line_format.h"

namespace capstan {

// Columns `label`, `I1`…`I13` (may be empty or negative), `C1`…`C26` (may be empty).
std::unique_ptr<LineFormat> make_criteo();

}  // namespace capstan
