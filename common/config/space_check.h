// Whether the job takes what its search space may give it.
#pragma once

#include <string>
#include <vector>

#include "common/config/read_context.h"
#include "common/config/yaml_node.h"

namespace capstan {

// Four digits, so that a job file with a drawn number reads well.
std::string range_number(double value);

// Every choice and both bounds: if the job takes these, it takes what lies between.
std::vector<std::string> extremes_of(const SearchRange& range);

// Puts each extreme of each range into the job, the others as they stand, and reads that. What is refused
// becomes an error at the range. root: the parsed job file. Does nothing when the job has errors already.
void check_space(const YamlNode& root, const TuneConfig& tune, ReadContext& context);

}  // namespace capstan
