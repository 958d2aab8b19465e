#include "ps/optimizer/registry.h"

#include <array>

#include "common/assert.h"
#include "ps/optimizer/adagrad.h"
#include "ps/optimizer/adam.h"
#include "ps/optimizer/assign.h"
#include "ps/optimizer/ftrl.h"
#include "ps/optimizer/rowwise_adagrad.h"
#include "ps/optimizer/sgd.h"

namespace capstan {
namespace {

constexpr std::array kOptimizers = {
    OptimizerEntry{OptimizerKind::kSgd, "sgd", make_sgd},
    OptimizerEntry{OptimizerKind::kAdagrad, "adagrad", make_adagrad},
    OptimizerEntry{OptimizerKind::kRowwiseAdagrad, "rowwise_adagrad", make_rowwise_adagrad},
    OptimizerEntry{OptimizerKind::kAdam, "adam", make_adam},
    OptimizerEntry{OptimizerKind::kFtrl, "ftrl", make_ftrl},
    OptimizerEntry{OptimizerKind::kAssign, "assign", make_assign},
};

const OptimizerEntry* entry_of(OptimizerKind kind) {
  for (const OptimizerEntry& entry : kOptimizers) {
    if (entry.kind == kind) return &entry;
  }
  return nullptr;
}

}  // namespace

std::span<const OptimizerEntry> optimizers() {
  return kOptimizers;
}

std::unique_ptr<const Optimizer> make_optimizer(const OptimizerSpec& spec) {
  const OptimizerEntry* entry = entry_of(spec.kind);
  CAPSTAN_ASSERT(entry != nullptr, "the optimizer's kind is checked by check_optimizer_spec");
  return entry->make(spec);
}

}  // namespace capstan
