// The name of a prepared dataset: a hash of everything it is a function of.
#pragma once

#include <cstdint>
#include <string>

#include "common/config/job_config.h"
#include "common/result.h"

namespace capstan {

// Over the format version, the data and feature settings, the seed where the split draws at random, and each
// input file's name (without its folder) and bytes. Reads every file once.
struct DataFingerprints {
  std::uint64_t rows = 0;      // without the features: a resumed job may have more of them
  std::uint64_t prepared = 0;  // with them: one name, one set of bytes
};
Result<DataFingerprints> fingerprints_of(const JobConfig& job);

// The settings part, as text; for tests and for saying what differs.
std::string prepared_settings(const JobConfig& job);

}  // namespace capstan
