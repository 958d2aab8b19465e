// A tree to YAML text: sections in block style, lists of plain values on one line.
#pragma once

#include <functional>
#include <string>

#include "common/config/yaml_node.h"

namespace capstan {

// Gives the comment behind the value at a path such as "features[0].name"; empty: none.
using CommentOf = std::function<std::string(const std::string& path)>;

// parse_yaml() of the result has the same content. Null values are left out.
std::string emit_yaml(const YamlNode& root, const CommentOf& comment_of = nullptr);
// A value on one line: "[10, 20]", "{min_count: 5}", "'12 %'".
std::string emit_inline(const YamlNode& node);

// "data.split.test"; an empty parent gives just the key.
std::string join_path(const std::string& parent, const std::string& key);
std::string join_path(const std::string& parent, std::size_t index);

}  // namespace capstan
