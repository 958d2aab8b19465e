// libsvm lines: `label index:value index:value … # comment`.
#pragma once

#include "worker/data/readers/line_format.h"

namespace capstan {

// Columns `label` and `features`; features stay as text ("3:1 11:0.5"), each checked to be index:value.
std::unique_ptr<LineFormat> make_libsvm();

// Checks one `index:value`; the problem is empty when it is well formed and the value finite.
LineProblem check_indexed_value(std::string_view token);

}  // namespace capstan
