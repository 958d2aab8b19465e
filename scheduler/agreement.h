// Agreement: every worker must have prepared the same data and the same tables.
#pragma once

#include <map>
#include <string>

#include "common/config/job_config.h"
#include "common/message.h"
#include "scheduler/journal.h"

namespace capstan {

// What `name` says against what `first` said, the first difference in words; empty when they agree.
std::string disagreement(std::string_view first, const WorkerReady& first_says, std::string_view name,
                         const WorkerReady& says);
// The same against what the job has settled on.
std::string disagreement(const TablesAgreed& agreed, std::string_view name, const WorkerReady& says);

TablesAgreed agreed_of(const WorkerReady& ready);

// Why so many tables cannot be: every shard has a part of each, which takes memory before its first row.
// Empty: they can.
std::string too_many_tables(std::size_t tables, const ClusterConfig& cluster);

// Why rows of a checkpoint with `before` cannot serve `after`: a table changed or went. Added tables are fine
// when they come after the old ones. Empty: they can.
std::string table_difference(const std::vector<TableSpec>& before, const std::vector<TableSpec>& after);

}  // namespace capstan
