// Sources: every raw table that a job names, read.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"
#include "worker/data/bad_lines.h"
#include "worker/data/raw_table.h"

namespace capstan {

enum class Origin : std::uint8_t { kTrain, kValid, kTest };  // which of the job's file lists a row came from

struct Sources {
  DataConfig data;             // the job's, with what the format itself decides filled in (movielens columns)
  RawTable events;             // train files, then valid, then test
  std::vector<Origin> origin;  // [events.rows()]
  std::optional<RawTable> items, users;
};

// Only the columns that the job names are kept; all of them when a CTR job names no features.
Result<Sources> load_sources(const JobConfig& job, BadLines& bad);

// The settings with what the format itself decides filled in, without touching a file.
DataConfig effective_data(const JobConfig& job);

// Every file that load_sources() reads, in a fixed order.
Result<std::vector<std::string>> source_files(const JobConfig& job);

}  // namespace capstan
