#include "common/config/fingerprint.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>

#include "common/config/schema.h"
#include "common/config/yaml_emit.h"
#include "common/hash.h"

namespace capstan {
namespace {

// The settings that count, as the job file would have them.
YamlNode lasting_part(const JobConfig& job) {
  YamlNode whole = write_section(*job_schema(), &job);
  YamlNode part = YamlNode::map();
  for (const char* name : {"task", "seed", "data", "features", "model", "tables"}) {
    part.add(name, std::move(*whole.find(name)));
  }
  std::erase_if(part.find("data")->entries, [](const YamlNode::Entry& entry) {
    return entry.key == "reject_file" ||
           entry.key == "max_bad_lines";  // they decide nothing about a good line
  });
  YamlNode train = YamlNode::map();
  for (const char* name : {"batch_size", "include_valid"}) train.add(name, *whole.find("train")->find(name));
  part.add("train", std::move(train));
  return part;
}

std::string became(const std::string& path, const YamlNode* before, const YamlNode* after) {
  if (before == nullptr) return fmt::format("{}: {} is new", path, emit_inline(*after));
  if (after == nullptr) return fmt::format("{}: {} is gone", path, emit_inline(*before));
  return fmt::format("{}: {} became {}", path, emit_inline(*before), emit_inline(*after));
}

std::string first_difference(const YamlNode& before, const YamlNode& after, const std::string& path) {
  if (before.same(after)) return "";
  if (before.is_map() && after.is_map()) {
    for (const auto& [key, place, value] : before.entries) {
      const std::string here = join_path(path, key);
      const YamlNode* other = after.find(key);
      if (other == nullptr) return became(here, &value, nullptr);
      if (auto found = first_difference(value, *other, here); !found.empty()) return found;
    }
    for (const auto& [key, place, value] : after.entries) {
      if (before.find(key) == nullptr) return became(join_path(path, key), nullptr, &value);
    }
  }
  const bool lists_of_sections = before.is_list() && after.is_list() && !before.items.empty() &&
                                 !after.items.empty() && before.items[0].is_map();
  if (!lists_of_sections) return became(path, &before, &after);
  for (std::size_t i = 0; i < std::max(before.items.size(), after.items.size()); ++i) {
    const std::string here = join_path(path, i);
    if (i >= before.items.size()) return became(here, nullptr, &after.items[i]);
    if (i >= after.items.size()) return became(here, &before.items[i], nullptr);
    if (auto found = first_difference(before.items[i], after.items[i], here); !found.empty()) return found;
  }
  return "";
}

// `after` without the features that only add tables, and without those tables' settings.
JobConfig without_additions(const JobConfig& before, JobConfig after) {
  std::set<std::string> old_names, old_tables;
  for (const FeatureConfig& feature : before.features) {
    old_names.insert(feature.name);
    old_tables.insert(feature.table);
  }
  std::set<std::string> added;
  std::erase_if(after.features, [&](const FeatureConfig& feature) {
    const bool adds = !old_names.contains(feature.name) && !old_tables.contains(feature.table);
    if (adds) added.insert(feature.table);
    return adds;
  });
  std::erase_if(after.tables, [&](const auto& entry) { return added.contains(entry.first); });
  return after;
}

}  // namespace

std::uint64_t fingerprint(const JobConfig& job) {
  return hash_string(emit_yaml(lasting_part(job)));
}

std::string difference(const JobConfig& before, const JobConfig& after) {
  return first_difference(lasting_part(before), lasting_part(without_additions(before, after)), "");
}

std::string mid_pass_difference(const JobConfig& before, std::uint32_t partitions, const JobConfig& after) {
  const YamlNode old_job = write_section(*job_schema(), &before);
  const YamlNode new_job = write_section(*job_schema(), &after);
  const YamlNode* old_mode = old_job.find("train")->find("consistency");
  const YamlNode* new_mode = new_job.find("train")->find("consistency");
  if (!old_mode->same(*new_mode)) return became("train.consistency", old_mode, new_mode);
  // Unset, the pass is finished with the partitions that it was begun with.
  if (after.train.partitions == 0 || after.train.partitions == partitions) return "";
  return fmt::format("train.partitions: {} became {}", partitions, after.train.partitions);
}

}  // namespace capstan
