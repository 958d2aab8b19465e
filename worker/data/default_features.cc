#include "worker/data/default_features.h"

#include <algorithm>

namespace capstan {
namespace {

FeatureConfig one_column(const std::string& name, const std::string& column) {
  FeatureConfig feature;
  feature.name = name;
  feature.columns = {column};
  return feature;
}

// The first feature that is just this column, taken out of the list; else one of the given name.
FeatureConfig take_id_feature(std::vector<FeatureConfig>& features, const std::string& name,
                              const std::string& column) {
  const auto is_id = [&](const FeatureConfig& feature) {
    return feature.transform.empty() && feature.columns == std::vector<std::string>{column};
  };
  const auto found = std::find_if(features.begin(), features.end(), is_id);
  if (found == features.end()) return one_column(name, column);
  FeatureConfig feature = *found;
  features.erase(found);
  return feature;
}

std::vector<TransformStep> default_chain(const DataConfig& data, const std::string& column) {
  if (data.format == DataFormat::kLibsvm || data.format == DataFormat::kLibffm) return {{"weighted", {}}};
  const bool numbers = std::any_of(data.clean.begin(), data.clean.end(), [&](const CleanRule& rule) {
    return rule.column == column && rule.type != ColumnType::kString;
  });
  if (numbers || (data.format == DataFormat::kCriteo && column.starts_with('I'))) {
    return {{"bucketise", {{"quantiles", "32"}}}};
  }
  return {{"hash", {}}};
}

}  // namespace

std::vector<FeatureConfig> effective_features(const JobConfig& job, const Sources& sources) {
  std::vector<FeatureConfig> features = job.features;
  if (job.task != Task::kCtr) {
    const FeatureConfig item = take_id_feature(features, "item", sources.data.item);
    const FeatureConfig user = take_id_feature(features, "user", sources.data.user);
    features.insert(features.begin(), {user, item});
    return features;
  }
  if (!features.empty()) return features;
  for (const auto& column : sources.events.names) {
    if (column == sources.data.label || column == sources.data.time) continue;
    FeatureConfig feature = one_column(column, column);
    feature.transform = default_chain(sources.data, column);
    features.push_back(std::move(feature));
  }
  return features;
}

}  // namespace capstan
