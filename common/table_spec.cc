#include "common/table_spec.h"

#include <spdlog/fmt/fmt.h>

#include "common/optimizer_check.h"

namespace capstan {
namespace {

struct NamedSetting {
  const char* name;
  float OptimizerSpec::*value;
};
constexpr NamedSetting kOptimizerSettings[] = {
    {"learning_rate", &OptimizerSpec::learning_rate},
    {"beta1", &OptimizerSpec::beta1},
    {"beta2", &OptimizerSpec::beta2},
    {"epsilon", &OptimizerSpec::epsilon},
    {"initial_accumulator", &OptimizerSpec::initial_accumulator},
    {"ftrl_beta", &OptimizerSpec::ftrl_beta},
    {"l1", &OptimizerSpec::l1},
    {"l2", &OptimizerSpec::l2},
    {"clip_norm", &OptimizerSpec::clip_norm},
};

}  // namespace

std::string difference(const TableSpec& before, const TableSpec& after) {
  const auto changed = [&](std::string_view what, auto from, auto to) {
    return fmt::format("table {}: {} {} became {}", before.name, what, from, to);
  };
  if (before.name != after.name) return fmt::format("table {} became {}", before.name, after.name);
  if (before.dim != after.dim) return changed("dim", before.dim, after.dim);
  if (before.dtype != after.dtype) return changed("dtype", to_word(before.dtype), to_word(after.dtype));
  if (before.dense != after.dense) return changed("dense", before.dense, after.dense);
  if (before.num_rows != after.num_rows) return changed("num_rows", before.num_rows, after.num_rows);
  if (before.min_count != after.min_count) return changed("min_count", before.min_count, after.min_count);
  if (before.max_rows != after.max_rows) return changed("max_rows", before.max_rows, after.max_rows);
  if (before.ttl_seconds != after.ttl_seconds) return changed("ttl", before.ttl_seconds, after.ttl_seconds);
  if (before.optimizer.kind != after.optimizer.kind) {
    return changed("optimizer", to_word(before.optimizer.kind), to_word(after.optimizer.kind));
  }
  for (const auto& [name, value] : kOptimizerSettings) {
    if (before.optimizer.*value != after.optimizer.*value) {
      return changed(name, before.optimizer.*value, after.optimizer.*value);
    }
  }
  if (before.optimizer.l2_mode != after.optimizer.l2_mode)
    return fmt::format("table {}: its l2_mode became another one", before.name);
  if (!(before.optimizer == after.optimizer))
    return fmt::format("table {}: its schedule became another one", before.name);
  if (!(before.init == after.init))
    return fmt::format("table {}: its initialiser became another one", before.name);
  return "";
}

}  // namespace capstan
