#include "common/config/schema.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <utility>

#include "common/config/yaml_emit.h"
#include "common/text.h"
#include "common/units.h"

namespace capstan {
namespace {

// Paths of every key with this name, anywhere below a section: "train.batch_size".
void find_elsewhere(const SectionSpec& section, const std::string& path, const std::string& name,
                    std::vector<std::string>& found) {
  for (const KeySpec& key : section.keys) {
    const std::string here = join_path(path, key.name);
    if (key.name == name) found.push_back(here);
    if (key.type.section != nullptr && key.type.name == "section") {
      find_elsewhere(*key.type.section, here, name, found);
    }
  }
}

void unknown_key(const SectionSpec& section, const YamlNode::Entry& entry, const std::string& path,
                 ReadContext& context) {
  const auto names = section.names();
  const std::string where = path.empty() ? "" : fmt::format(" in {}", path);
  const std::string near = nearest_word(entry.key, names);
  std::vector<std::string> elsewhere;
  if (near.empty()) find_elsewhere(*job_schema(), "", entry.key, elsewhere);
  std::string hint = suggestion(entry.key, names);
  if (!elsewhere.empty()) hint = fmt::format(" (it belongs at {})", fmt::join(elsewhere, " or "));
  context.fail(join_path(path, entry.key), entry.place,
               fmt::format("unknown key '{}'{}{}", entry.key, where, hint));
  if (!near.empty()) context.mark_failed(join_path(path, near));
}

}  // namespace

const KeySpec* SectionSpec::find(const std::string& name) const {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const KeySpec& key) {
    return key.name == name || (!key.alias.empty() && key.alias == name);
  });
  return found == keys.end() ? nullptr : &*found;
}

const KeySpec* find_key(const SectionSpec& section, std::string_view path) {
  const SectionSpec* here = &section;
  const KeySpec* key = nullptr;
  bool skip = false;  // a table's name
  for (const std::string_view step : split_text(path, ".")) {
    if (std::exchange(skip, false)) continue;
    key = here == nullptr ? nullptr : here->find(std::string(step.substr(0, step.find('['))));
    if (key == nullptr) return nullptr;
    here = key->type.section.get();
    skip = key->type.name.starts_with("map of");
  }
  return key;
}

std::vector<std::string> SectionSpec::names() const {
  std::vector<std::string> names;
  for (const KeySpec& key : keys) {
    names.push_back(key.name);
    if (!key.alias.empty()) names.push_back(key.alias);
  }
  return names;
}

void read_section(const SectionSpec& section, void* object, const YamlNode& node, const std::string& path,
                  ReadContext& context) {
  if (node.is_null()) return;
  if (!node.is_map()) {
    context.fail(path, node.place,
                 fmt::format("{} must be a section of 'key: value' lines, not {}",
                             path.empty() ? "the job" : path, node.describe()));
    return;
  }
  std::map<const KeySpec*, const YamlNode::Entry*> given;
  for (const YamlNode::Entry& entry : node.entries) {
    const KeySpec* key = section.find(entry.key);
    if (key == nullptr) {
      unknown_key(section, entry, path, context);
    } else if (!given.emplace(key, &entry).second) {
      context.fail(join_path(path, key->name), entry.place,
                   fmt::format("'{}' and '{}' are one setting: give one of them", key->name, key->alias));
    }
  }
  for (const KeySpec& key : section.keys) {
    const auto entry = given.find(&key);
    if (entry == given.end()) continue;
    const std::string here = join_path(path, key.name);
    const YamlNode& value = entry->second->value;
    context.note(here, value.is_null() ? entry->second->place : value.place);
    if (value.is_null() && key.type.section == nullptr) {
      context.fail(here, entry->second->place, fmt::format("{} has no value", here));
    } else {
      key.read(object, value, here, context);
    }
  }
}

YamlNode write_section(const SectionSpec& section, const void* object) {
  YamlNode node = YamlNode::map();
  for (const KeySpec& key : section.keys) {
    YamlNode value = key.write(object);
    if (!value.is_null()) node.add(key.name, std::move(value));
  }
  return node;
}

}  // namespace capstan
