// What one setting demands of another. Each finding becomes an error at the place of the setting to change.
#pragma once

#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "common/config/read_context.h"

namespace capstan {

inline constexpr std::uint32_t kShardsPerServer = 16;  // with fewer they balance coarsely

// A loss that reads every pair of a batch when the sampler is in_batch; one that reads nothing else.
bool takes_in_batch(LossKind loss);
bool needs_in_batch(LossKind loss);

// REQUIRES: complete(job) was called. Settings that already have an error are not complained about again.
void check_job(const JobConfig& job, ReadContext& context);

// The parts of the above, each in a file of its own.
void check_data(const JobConfig& job, ReadContext& context);
void check_features(const JobConfig& job, ReadContext& context);
void check_training(const JobConfig& job, ReadContext& context);
void check_direct(const JobConfig& job, ReadContext& context);  // instead of those above
void check_tune(const JobConfig& job, ReadContext& context);
void check_storage(const JobConfig& job, ReadContext& context);
void check_cluster(const JobConfig& job, ReadContext& context);
void check_scheduler(const JobConfig& job, ReadContext& context);

// A metric of validation that decides something: one that the job computes, and of which more or less is
// better. Empty: nothing is demanded.
void check_watched(const JobConfig& job, const std::string& path, const std::string& watched,
                   ReadContext& context);

// Adds an error at `path` unless `path` or one of the settings it follows from is already known to be wrong.
void demand(bool holds, ReadContext& context, const std::string& path,
            const std::vector<std::string>& follows_from, const std::string& message);

// Columns that the input has whatever its files say; empty when only the files know.
std::vector<std::string> known_columns(const DataConfig& data);
// Names that `tables` may use: "default", the features' tables and, with a suffix, the parts that models give
// them.
std::vector<std::string> known_tables(const JobConfig& job);

}  // namespace capstan
