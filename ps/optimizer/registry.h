// The list of optimizers.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "common/table_spec.h"
#include "ps/optimizer/optimizer.h"

namespace capstan {

struct OptimizerEntry {
  OptimizerKind kind;
  std::string_view name;  // as in the job file
  std::unique_ptr<const Optimizer> (*make)(const OptimizerSpec& spec);
};

std::span<const OptimizerEntry> optimizers();

// REQUIRES: check_optimizer_spec(spec).ok(). Specs come from the network.
std::unique_ptr<const Optimizer> make_optimizer(const OptimizerSpec& spec);

}  // namespace capstan
