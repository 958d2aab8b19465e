// `--set path=value`: changes to a job file from the command line.
#pragma once

#include <string>
#include <vector>

#include "common/config/yaml_node.h"

namespace capstan {

// Applies them in order. Sections on the way are made when absent; an element of a list must exist, or be the
// next.
void apply_overrides(YamlNode& root, const std::vector<std::string>& overrides,
                     std::vector<ConfigError>& errors);

}  // namespace capstan
