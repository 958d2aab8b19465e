// Which settings of an optimizer can be: asked of a job file by everyone who reads it, and of a table by the
// server that shall hold it.
#pragma once

#include <string_view>

#include "common/result.h"
#include "common/table_spec.h"

namespace capstan {

// kInvalid names the setting, its value and what it conflicts with.
Status check_optimizer_spec(const OptimizerSpec& spec);

// As in the job file.
constexpr std::string_view to_word(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kSgd:
      return "sgd";
    case OptimizerKind::kAdagrad:
      return "adagrad";
    case OptimizerKind::kRowwiseAdagrad:
      return "rowwise_adagrad";
    case OptimizerKind::kAdam:
      return "adam";
    case OptimizerKind::kFtrl:
      return "ftrl";
    case OptimizerKind::kAssign:
      return "assign";
  }
  return "unknown";
}

}  // namespace capstan
