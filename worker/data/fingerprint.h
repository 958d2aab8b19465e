// The name of a prepared dataset: a hash of everything it is a function of.
#pragma once

#include <cstdint>
#include <string>

#include "common/config/job_config.h"
#include "common/result.h"

namespace capstan {

// Over the format version, the data and feature settings, the seed where the split draws at random, and each
// input file's name (without its folder) and bytes. Reads every file once.
Result<std::uint64_t> fingerprint_of(const JobConfig& job);

// The settings part, as text; for tests and for saying what differs.
std::string prepared_settings(const JobConfig& job);

}  // namespace capstan
