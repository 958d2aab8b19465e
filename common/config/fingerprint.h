// What of a job must stay the same when it is resumed from a checkpoint.
#pragma once

#include <cstdint>
#include <string>

#include "common/config/job_config.h"

namespace capstan {

// Of task, seed, data, features, model, tables, train.batch_size and train.include_valid. Equal jobs have
// equal fingerprints on every machine.
std::uint64_t fingerprint(const JobConfig& job);

// The first of those settings that differs, by its path in the job file: "model.embedding_dim: 64 became 32".
// Empty when none does, or when features with tables of their own were only added.
std::string difference(const JobConfig& before, const JobConfig& after);

// The same of what may change between two passes, but not within one: which batches there are, and what the
// shards remember of them. `partitions`: of the pass that was begun under `before`.
std::string mid_pass_difference(const JobConfig& before, std::uint32_t partitions, const JobConfig& after);

}  // namespace capstan
