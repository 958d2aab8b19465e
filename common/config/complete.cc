#include "common/config/complete.h"

#include <string_view>

#include "common/text.h"

namespace capstan {
namespace {

void fill(std::string& value, std::string_view otherwise) {
  if (value.empty()) value = otherwise;
}

bool is_indexed(DataFormat format) {
  return format == DataFormat::kLibsvm || format == DataFormat::kLibffm;
}

void complete_data(DataConfig& data, const ReadContext& context) {
  const bool tabs = data.format == DataFormat::kTsv && !context.written("data.delimiter");
  if (tabs || data.delimiter == "\\t") data.delimiter.assign(1, '\t');
  if (data.format == DataFormat::kMovielens) {
    fill(data.user, "user");
    fill(data.item, "item");
    fill(data.time, "time");
    fill(data.label, "rating");
    fill(data.item_key, "item");
    fill(data.item_title, "title");
  }
  if (data.format == DataFormat::kItemLists) {
    fill(data.user, "user");
    fill(data.item, "item");
    fill(data.time, "time");
  }
  if (is_indexed(data.format) || data.format == DataFormat::kCriteo) fill(data.label, "label");
  if (!data.items.empty()) fill(data.item_key, data.item);
  if (!data.users.empty()) fill(data.user_key, data.user);
}

void complete_feature(FeatureConfig& feature, Task task, const DataConfig& data) {
  if (feature.name.empty()) feature.name = join(feature.columns, "_");
  if (feature.columns.empty() && !feature.name.empty()) feature.columns = {feature.name};
  fill(feature.table, feature.name);
  if (feature.transform.empty() && feature.columns.size() > 1) feature.transform = {{"cross", {}}};
  // Ids of a ranking or rating job are numbered anyway, which is just what `vocab` would do.
  const bool is_id = task != Task::kCtr && feature.columns.size() == 1 &&
                     (feature.columns[0] == data.user || feature.columns[0] == data.item);
  if (is_id && feature.transform == std::vector<TransformStep>{{"vocab", {}}}) feature.transform.clear();
}

void complete_evaluate(JobConfig& job) {
  if (job.task == Task::kDirect) return;
  auto& metrics = job.evaluate.metrics;
  const bool ranking = job.task == Task::kRanking;
  if (metrics.empty() && ranking) {
    metrics = {"recall", "ndcg", "hr", "precision", "mrr", "map", "coverage", "gini", "novelty"};
  } else if (metrics.empty() && job.task == Task::kRating) {
    metrics = {"rmse", "mae"};
  } else if (metrics.empty()) {
    metrics = {"auc", "logloss", "accuracy", "precision", "recall", "f1", "calibration", "ece"};
    if (!job.data.user.empty()) metrics.insert(metrics.begin() + 1, "gauc");
  }
  if (job.train.early_stop_patience > 0) {
    fill(job.train.early_stop_metric, ranking ? "ndcg" : job.task == Task::kRating ? "rmse" : "auc");
    if (job.evaluate.every_passes == 0) job.evaluate.every_passes = 1;
  }
}

}  // namespace

void complete(JobConfig& job, const ReadContext& context) {
  if (!job.name.empty()) fill(job.work_dir, ".capstan/" + job.name);
  if (job.cluster.security == Security::kCurve) fill(job.cluster.keys, job.work_dir + "/keys");
  if (job.task == Task::kRating && !context.written("model.loss")) job.model.loss = LossKind::kMse;
  if (job.task == Task::kDirect && !context.written("cluster.workers")) job.cluster.workers = 0;
  complete_data(job.data, context);
  for (FeatureConfig& feature : job.features) complete_feature(feature, job.task, job.data);
  complete_evaluate(job);
}

}  // namespace capstan
