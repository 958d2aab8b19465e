// The names that the schema offers against the lists of the parts that must know them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/config/job_checks.h"
#include "common/config/load_job.h"
#include "common/config/names.h"
#include "common/config/schema.h"
#include "common/config/transforms.h"
#include "worker/baselines/baseline.h"
#include "worker/data/transforms/registry.h"
#include "worker/eval/metrics_list.h"
#include "worker/loss/loss.h"
#include "worker/models/registry.h"

namespace capstan {
namespace {

TEST(NamesAgree, Transforms) {
  std::vector<std::string> offered;
  for (const TransformInfo& transform : all_transforms()) offered.push_back(transform.name);
  std::sort(offered.begin(), offered.end());
  EXPECT_EQ(offered, transform_names());
}

TEST(NamesAgree, TransformOptions) {
  for (const TransformInfo& transform : all_transforms()) {
    EXPECT_TRUE(make_transform({transform.name, {}}).ok()) << transform.name;
    for (const TransformOption& option : transform.options) {
      const std::string value = option.type == OptionType::kNumbers ? "1,2.5"
                                : option.type == OptionType::kFlag  ? "true"
                                : !option.words.empty()             ? option.words.back()
                                                                    : "4";
      const auto made = make_transform({transform.name, {{option.name, value}}});
      EXPECT_TRUE(made.ok()) << transform.name << "." << option.name << ": " << made.error().message;
    }
  }
}

TEST(NamesAgree, Metrics) {
  std::set<std::string> offered, known;
  for (const WordSpec& word : metric_words()) offered.insert(word.word);
  for (const MetricInfo& metric : all_metrics()) known.insert(std::string(metric.name));
  EXPECT_EQ(offered, known);
  for (const MetricInfo& metric : all_metrics()) {
    const std::string name(metric.name);
    EXPECT_TRUE(!metric.ctr || metric_fits(name, Task::kCtr)) << name;
    EXPECT_TRUE(!metric.rating || metric_fits(name, Task::kRating)) << name;
    EXPECT_TRUE(!metric.ranking || metric_fits(name, Task::kRanking)) << name;
    EXPECT_EQ(metric.for_stopping, may_stop(name)) << name;
  }
}

TEST(NamesAgree, LossesOverPairsOfABatch) {
  std::map<LossKind, std::set<bool>> in_batch;
  for (const Loss& loss : all_losses()) in_batch[loss.kind].insert(loss.in_batch);
  for (const auto& [kind, forms] : in_batch) {
    EXPECT_EQ(takes_in_batch(kind), forms.contains(true)) << static_cast<int>(kind);
    EXPECT_EQ(needs_in_batch(kind), !forms.contains(false)) << static_cast<int>(kind);
  }
}

TEST(NamesAgree, Baselines) {
  std::vector<std::string> offered;
  for (const WordSpec& word : baseline_words()) offered.push_back(word.word);
  const auto names = baseline_names();
  EXPECT_EQ(offered, std::vector<std::string>(names.begin(), names.end()));
}

TEST(NamesAgree, ModelsAndTheirTables) {
  const auto schema = model_schema();
  std::vector<std::string> offered;
  for (const WordSpec& word : schema->find("type")->type.words) offered.push_back(word.word);
  const std::vector<FieldInfo> fields = {
      {.name = "user", .table = "user", .source = FieldSource::kUser, .cardinality = 10},
      {.name = "item", .table = "item", .source = FieldSource::kItem, .cardinality = 10},
      {.name = "price", .table = "price", .dense = true},
      {.name = "before", .table = "item", .list = true}};
  std::vector<std::pair<std::string_view, SequenceEncoder>> models = {{"sequence", SequenceEncoder::kGru4rec},
                                                                      {"sequence", SequenceEncoder::kCaser}};
  for (const ModelEntry& entry : all_models()) models.emplace_back(entry.type, SequenceEncoder::kSasrec);
  for (const auto& [type, encoder] : models) {
    EXPECT_NE(std::find(offered.begin(), offered.end(), type), offered.end()) << type;
    JobConfig job;
    job.task = Task::kRanking;
    job.model.encoder = encoder;
    job.model.type = type;
    if (type != "sequence") job.model.activation = Activation::kPrelu;
    job.model.layer_norm = true;
    const auto model = make_model(job, fields);
    ASSERT_TRUE(model.ok()) << type << ": " << model.error().message;
    const auto known = known_tables(job);
    for (const ModelTable& table : (*model)->tables().all()) {
      const bool listed = std::find(known.begin(), known.end(), table.spec.name) != known.end();
      EXPECT_TRUE(table.spec.dense ? is_layer_table(table.spec.name) : listed)
          << type << " " << table.spec.name;
    }
  }
}

}  // namespace
}  // namespace capstan
