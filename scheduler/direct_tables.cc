#include "scheduler/direct_tables.h"

#include "common/config/table_settings.h"
#include "common/hash.h"

namespace capstan {
namespace {

void apply(const TableConfig& config, TableSpec& spec) {
  if (config.dim) spec.dim = *config.dim;
  apply_settings(config, spec);
}

}  // namespace

std::vector<TableSpec> direct_tables(const JobConfig& job) {
  std::vector<TableSpec> tables;
  const auto general = job.tables.find("default");
  for (const auto& [name, config] : job.tables) {
    if (name == "default") continue;
    TableSpec& spec = tables.emplace_back();
    spec.name = name;
    spec.dim = job.model.embedding_dim;
    spec.optimizer = job.sparse_optimizer;
    if (general != job.tables.end()) apply(general->second, spec);
    apply(config, spec);
    spec.init.seed = combine(job.seed, hash_string(name));
  }
  return tables;
}

}  // namespace capstan
