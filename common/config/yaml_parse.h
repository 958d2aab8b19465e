// YAML text to a tree: the only place that calls yaml-cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/config/yaml_node.h"

namespace capstan {

// Reads one document. Problems (broken YAML, duplicate keys, text that is not UTF-8, absurd depth or size)
// are added to `errors`; the tree then holds what could be read. `${NAME}` and `${NAME:-default}` come
// through as written, also inside `[...]` and `{...}` where plain YAML would trip over the braces: see
// substitute.h.
YamlNode parse_yaml(std::string_view text, const std::string& file, std::vector<ConfigError>& errors);

}  // namespace capstan
