// Which settings of an optimizer can be: asked of a job file by everyone who reads it, and of a table by the
// server that shall hold it.
#pragma once

#include <string_view>

#include "common/result.h"
#include "common/table_spec.h"

namespace capstan {

// kInvalid names the setting, its value and what it conflicts with.
Status check_optimizer_spec(const OptimizerSpec& spec);

std::string_view to_word(OptimizerKind kind);

}  // namespace capstan
