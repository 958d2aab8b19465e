#include "common/config/overrides.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/config/yaml_parse.h"
#include "common/text.h"

namespace capstan {
namespace {

// "features[0].name" in steps: "features", "0", "name". A step may also be written ".0".
std::vector<std::string> steps_of(const std::string& path) {
  std::string dotted;
  for (const char c : path) {
    if (c == '[') {
      dotted += '.';
    } else if (c != ']') {
      dotted += c;
    }
  }
  std::vector<std::string> steps;
  for (const auto step : split_text(dotted, ".")) steps.emplace_back(step);
  return steps;
}

void set_places(YamlNode& node, const Place& place) {
  node.place = place;
  for (YamlNode& item : node.items) set_places(item, place);
  for (auto& [key, key_place, value] : node.entries) {
    key_place = place;
    set_places(value, place);
  }
}

// The value at one step below `node`, made when absent; null after an error.
YamlNode* descend(YamlNode& node, const std::string& step, const Place& place,
                  std::vector<ConfigError>& errors) {
  if (node.is_null()) {
    node = parse_uint(step) ? YamlNode::list() : YamlNode::map();
    node.place = place;
  }
  if (node.is_list()) {
    const auto index = parse_uint(step);
    if (!index || *index > node.items.size()) {
      errors.push_back({place, fmt::format("'{}' is no element of a list of {}", step, node.items.size())});
      return nullptr;
    }
    if (*index == node.items.size()) node.items.emplace_back();
    return &node.items[*index];
  }
  if (!node.is_map()) {
    errors.push_back({place, fmt::format("'{}' lies in {}, which is no section", step, node.describe())});
    return nullptr;
  }
  if (YamlNode* found = node.find(step)) return found;
  YamlNode empty;
  empty.place = place;
  node.add(step, std::move(empty));
  return &node.entries.back().value;
}

void apply(YamlNode& root, const std::string& text, std::vector<ConfigError>& errors) {
  const Place place{"--set", 0, 0, "--set " + text};
  const auto split = text.find('=');
  if (split == std::string::npos || split == 0) {
    errors.push_back({place, "write path=value, such as train.passes=3"});
    return;
  }
  std::vector<ConfigError> in_value;
  YamlNode value = parse_yaml(std::string_view(text).substr(split + 1), "--set", in_value);
  for (ConfigError& error : in_value) errors.push_back({place, std::move(error.message)});
  set_places(value, place);

  YamlNode* node = &root;
  YamlNode* section = nullptr;
  const std::vector<std::string> steps = steps_of(text.substr(0, split));
  for (const std::string& step : steps) {
    section = node;
    node = descend(*node, step, place, errors);
    if (node == nullptr) return;
  }
  for (YamlNode::Entry& entry : section->entries) {
    if (entry.key == steps.back()) entry.place = place;  // a missing value is told of at its key
  }
  *node = std::move(value);
}

}  // namespace

void apply_overrides(YamlNode& root, const std::vector<std::string>& overrides,
                     std::vector<ConfigError>& errors) {
  for (const std::string& text : overrides) apply(root, text, errors);
}

}  // namespace capstan
