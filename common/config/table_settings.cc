#include "common/config/table_settings.h"

namespace capstan {

void apply_settings(const TableConfig& config, TableSpec& spec) {
  if (config.dtype) spec.dtype = *config.dtype;
  if (config.init) spec.init = *config.init;
  if (config.optimizer) spec.optimizer = *config.optimizer;
  if (config.min_count) spec.min_count = *config.min_count;
  if (config.ttl_seconds) spec.ttl_seconds = *config.ttl_seconds;
  if (config.max_rows) spec.max_rows = *config.max_rows;
}

}  // namespace capstan
