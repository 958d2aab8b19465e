#include "ps/optimizer/registry.h"

#include <array>

#include "common/assert.h"
#include "common/optimizer_check.h"
#include "ps/optimizer/adagrad.h"
#include "ps/optimizer/adam.h"
#include "ps/optimizer/assign.h"
#include "ps/optimizer/ftrl.h"
#include "ps/optimizer/rowwise_adagrad.h"
#include "ps/optimizer/sgd.h"

namespace capstan {
namespace {

constexpr OptimizerEntry entry(OptimizerKind kind,
                               std::unique_ptr<const Optimizer> (*make)(const OptimizerSpec&)) {
  return {kind, to_word(kind), make};
}

constexpr std::array kOptimizers = {
    entry(OptimizerKind::kSgd, make_sgd),
    entry(OptimizerKind::kAdagrad, make_adagrad),
    entry(OptimizerKind::kRowwiseAdagrad, make_rowwise_adagrad),
    entry(OptimizerKind::kAdam, make_adam),
    entry(OptimizerKind::kFtrl, make_ftrl),
    entry(OptimizerKind::kAssign, make_assign),
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
