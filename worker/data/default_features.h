// The features of a job, with those that it does not have to name.
#pragma once

#include <vector>

#include "common/config/job_config.h"
#include "worker/data/sources.h"

namespace capstan {

// Ranking and rating: "user" and "item" first, unless a feature over that column alone and without transforms
// stands for it. CTR without features: every column but label and time; numbers (Criteo's I columns, columns
// whose clean rule says so) in 32 quantile buckets, libsvm and libffm columns with their weights, the rest
// hashed.
std::vector<FeatureConfig> effective_features(const JobConfig& job, const Sources& sources);

}  // namespace capstan
