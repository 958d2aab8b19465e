// ${NAME} and ${NAME:-default} in a job file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/yaml_node.h"

namespace capstan {

// Gives a variable's value, or nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

Environment process_environment();

// A reference inside `[...]` would end at its brace for YAML, and a default may hold colons or commas. So
// before parsing, the special characters of every reference are replaced byte for byte by control characters
// that YAML leaves alone (positions stay right), and put back in each scalar afterwards.
std::string hide_references(std::string_view text);
std::string show_references(std::string_view text);
// Whether the text holds one of the characters that hide_references() uses; such a text is refused.
bool holds_hiding_characters(std::string_view text);

// Replaces the references in every scalar. "$${" stands for a plain "${". A variable that is not set and has
// no default is an error that names it.
void substitute(YamlNode& node, const Environment& environment, std::vector<ConfigError>& errors);

}  // namespace capstan
