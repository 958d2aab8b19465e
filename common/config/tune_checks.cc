// What `tune` demands of the rest of the job.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

#include "common/config/job_checks.h"
#include "common/config/names.h"
#include "common/config/yaml_emit.h"
#include "common/units.h"

namespace capstan {
namespace {

// Trials that differ in anything else would not be judged alike.
constexpr std::array<std::string_view, 6> kSearched = {"model.",    "optimizer.", "tables.",
                                                       "features[", "train.",     "data.negatives."};
// Decided by the search itself.
constexpr std::array<std::string_view, 4> kOwn = {"train.passes", "train.include_valid",
                                                  "train.early_stop_patience", "train.early_stop_metric"};

bool may_be_searched(const std::string& path) {
  const bool below = std::any_of(kSearched.begin(), kSearched.end(),
                                 [&](std::string_view start) { return path.starts_with(start); });
  return below && std::find(kOwn.begin(), kOwn.end(), path) == kOwn.end();
}

void add_leaves(const SectionSpec& section, const std::string& path, std::vector<std::string>& leaves) {
  for (const KeySpec& key : section.keys) {
    const std::string here = join_path(path, key.name);
    const bool map_or_list = key.type.name != "section";
    if (key.type.section != nullptr && !map_or_list) {
      add_leaves(*key.type.section, here, leaves);
    } else if (may_be_searched(here)) {
      leaves.push_back(here);
    }
  }
}

void check_path(const std::string& path, ReadContext& context) {
  const std::string here = join_path("tune.space", path);
  const auto schema = job_schema();
  const KeySpec* key = find_key(*schema, path);
  std::vector<std::string> leaves;
  add_leaves(*schema, "", leaves);
  demand(key != nullptr, context, here, {},
         fmt::format("tune.space: the job has no setting '{}'{}", path, suggestion(path, leaves)));
  demand(may_be_searched(path), context, here, {},
         fmt::format("tune.space: '{}' is not searched: the trials would not be judged alike, or the search "
                     "decides it itself",
                     path));
}

}  // namespace

void check_tune(const JobConfig& job, ReadContext& context) {
  const TuneConfig& tune = job.tune;
  if (tune.space.empty()) return;
  for (const auto& [path, range] : tune.space) check_path(path, context);
  const SplitConfig& split = job.data.split;
  const bool validates = !job.data.valid.empty() || (split.valid > 0 && split.method != SplitMethod::kNone);
  demand(job.task != Task::kDirect, context, "tune", {"task"}, "`task: direct` has nothing to validate on");
  demand(validates || job.task == Task::kDirect, context, "tune", {"data.split", "data.valid"},
         "tune reads a validation split: data.split.valid above 0");
  demand(tune.min_passes <= job.train.passes, context, "tune.min_passes", {"train.passes"},
         fmt::format("tune.min_passes lies above train.passes, {}", job.train.passes));
  if (!tune.metric.empty()) check_watched(job, "tune.metric", tune.metric, context);
}

}  // namespace capstan
