// libsvm lines: `label index:value index:value … # comment`.
#pragma once

#include "worker/data/readers/line_format.h"

namespace capstan {

// Columns `label` and `features`; features stay as text ("3:1 11:0.5", blanks for tabs), each checked to be
// index:value.
std::unique_ptr<LineFormat> make_libsvm();

// The next token of a line, between blanks or tabs, taken off the front; empty at the end.
std::string_view take_token(std::string_view& line);

// Checks one `index:value`; the problem is empty when it is well formed and the value finite.
LineProblem check_indexed_value(std::string_view token);

}  // namespace capstan
