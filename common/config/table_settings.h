// What a job says of a table, as its servers are told.
#pragma once

#include "common/config/job_config.h"
#include "common/table_spec.h"

namespace capstan {

// Whatever `config` sets but dim, which not everybody takes from it.
void apply_settings(const TableConfig& config, TableSpec& spec);

}  // namespace capstan
