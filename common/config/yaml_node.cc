#include "common/config/yaml_node.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace capstan {

std::string ConfigError::text() const {
  if (place.via.starts_with("--set")) return fmt::format("{}: {}", place.via, message);
  if (place.line == 0) return fmt::format("{}: {}", place.file, message);
  return fmt::format("{}:{}:{}: {}", place.file, place.line, place.column, message);
}

YamlNode YamlNode::of_kind(Kind kind) {
  YamlNode node;
  node.kind = kind;
  return node;
}

YamlNode YamlNode::list() {
  return of_kind(Kind::kList);
}

YamlNode YamlNode::map() {
  return of_kind(Kind::kMap);
}

YamlNode YamlNode::of(std::string text) {
  YamlNode node = of_kind(Kind::kScalar);
  node.scalar = std::move(text);
  return node;
}

const YamlNode* YamlNode::find(const std::string& key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

YamlNode* YamlNode::find(const std::string& key) {
  return const_cast<YamlNode*>(std::as_const(*this).find(key));
}

void YamlNode::add(std::string key, YamlNode value) {
  Place at = value.place;
  entries.push_back(Entry{std::move(key), std::move(at), std::move(value)});
}

bool YamlNode::same(const YamlNode& other) const {
  if (kind != other.kind || scalar != other.scalar) return false;
  const auto same_entry = [](const Entry& a, const Entry& b) {
    return a.key == b.key && a.value.same(b.value);
  };
  return std::equal(items.begin(), items.end(), other.items.begin(), other.items.end(),
                    [](const YamlNode& a, const YamlNode& b) { return a.same(b); }) &&
         std::equal(entries.begin(), entries.end(), other.entries.begin(), other.entries.end(), same_entry);
}

std::string YamlNode::describe() const {
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a section";
    case Kind::kScalar:
      break;
  }
  constexpr std::size_t kShown = 40;
  return scalar.size() <= kShown ? fmt::format("'{}'", scalar)
                                 : fmt::format("'{}...'", scalar.substr(0, kShown));
}

}  // namespace capstan
