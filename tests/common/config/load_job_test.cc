#include "common/config/load_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/temp_dir.h"

namespace capstan {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kJob = R"(job: films
task: ranking
data:
  format: movielens
  train: [${FILMS:-data/films}]
  split: {method: ratio_by_user, test: 0.25}
  negatives: {per_positive: 4}
model: {type: mf, embedding_dim: 8, loss: bpr}
)";

Environment environment(std::map<std::string, std::string> values) {
  return [values](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

LoadOutcome read(std::string_view text, const std::vector<std::string>& overrides = {}) {
  return read_job(text, "films.yaml", overrides, environment({}));
}

std::vector<std::string> errors_of(std::string_view text, const std::vector<std::string>& overrides = {}) {
  const LoadOutcome outcome = read(text, overrides);
  EXPECT_EQ(outcome.job.has_value(), outcome.errors.all.empty());
  std::vector<std::string> lines;
  for (const ConfigError& error : outcome.errors.all) lines.push_back(error.text());
  return lines;
}

JobConfig config_of(std::string_view text, const std::vector<std::string>& overrides = {}) {
  const LoadOutcome outcome = read(text, overrides);
  EXPECT_TRUE(outcome.job.has_value()) << outcome.errors.text();
  return outcome.job ? outcome.job->config : JobConfig{};
}

std::string job_with(std::string_view more) {
  return std::string(kJob) + std::string(more);
}

TEST(LoadJob, ReadsValuesAndFillsInDefaults) {
  const JobConfig job = config_of(kJob);
  EXPECT_EQ(job.name, "films");
  EXPECT_EQ(job.task, Task::kRanking);
  EXPECT_THAT(job.data.train, ElementsAre("data/films"));
  EXPECT_EQ(job.data.split.test, 0.25);
  EXPECT_EQ(job.data.split.valid, 0.1);
  EXPECT_EQ(job.model.loss, LossKind::kBpr);
  EXPECT_EQ(job.data.user, "user");
  EXPECT_EQ(job.data.item_title, "title");
  EXPECT_EQ(job.work_dir, ".capstan/films");
  EXPECT_EQ(job.dense_optimizer.kind, OptimizerKind::kAdam);
  EXPECT_EQ(job.evaluate.metrics.front(), "recall");
}

TEST(LoadJob, EveryMistakeIsReportedInOneGoWithItsPlace) {
  const auto errors = errors_of(R"(job: films
task: rankng
sed: 3
data:
  format: movielens
  train: data/films
  split: {method: ratio_by_user, test: 1.5}
model: {type: mff, embedding_dim: many, hidden: [64, 0]}
train: {passes: -1}
cluster: {lease: 5 parsecs, memory_limit: 5 elephants}
)");
  EXPECT_THAT(errors,
              ElementsAre("films.yaml:2:7: task cannot be 'rankng' (did you mean 'ranking'?)",
                          "films.yaml:3:1: unknown key 'sed' (did you mean 'seed'?)",
                          "films.yaml:7:40: data.split.test must be 0 to 1, not '1.5'",
                          "films.yaml:8:15: model.type cannot be 'mff' (did you mean 'mf'?)",
                          "films.yaml:8:35: model.embedding_dim must be a whole number, not 'many'",
                          "films.yaml:8:54: model.hidden[1] must be 1 to 65536, not '0'",
                          "films.yaml:9:17: train.passes must be 0 to 100000, not '-1'",
                          "films.yaml:10:18: cluster.lease: '5 parsecs' is no duration (write 30s, 500ms, "
                          "5m, 2h)",
                          "films.yaml:10:43: cluster.memory_limit: '5 elephants' is no size (write 4096, "
                          "64MiB, 1.5GB)"));
}

TEST(LoadJob, AKeyOfAnotherSectionIsSentThere) {
  EXPECT_THAT(errors_of(job_with("embedding_dim: 8\n")),
              ElementsAre("films.yaml:9:1: unknown key 'embedding_dim' (it belongs at model.embedding_dim)"));
}

TEST(LoadJob, ADuplicateKeyIsAnError) {
  EXPECT_THAT(errors_of(job_with("seed: 1\nseed: 2\n")),
              ElementsAre("films.yaml:10:1: key 'seed' stands twice (first at line 9)"));
}

TEST(LoadJob, WrongShapesAreNamed) {
  EXPECT_THAT(errors_of(job_with("train: 7\n")),
              ElementsAre("films.yaml:9:8: train must be a section of 'key: value' lines, not '7'"));
  EXPECT_THAT(errors_of(job_with("seed:\n")), ElementsAre("films.yaml:9:1: seed has no value"));
  EXPECT_THAT(errors_of(job_with("seed: [1]\n")),
              ElementsAre("films.yaml:9:7: seed must be a whole number, not a list"));
  EXPECT_THAT(errors_of("- job\n"),
              testing::Contains(HasSubstr("films.yaml:1:1: the job must be a section")));
}

TEST(LoadJob, BrokenYamlHasAPlace) {
  EXPECT_THAT(errors_of("job: [films\n"), ElementsAre(HasSubstr("films.yaml:2:1: broken YAML")));
  EXPECT_THAT(errors_of("job: a\x01\n"), ElementsAre("films.yaml:1:7: control character 0x01"));
  EXPECT_THAT(errors_of("job: a\ntask: \xff\n"), ElementsAre("films.yaml:2:1: not UTF-8 text in this line"));
}

TEST(LoadJob, AnEmptyFileNamesWhatIsMissing) {
  const auto errors = errors_of("");
  EXPECT_THAT(errors, testing::Contains("films.yaml:1:1: the job needs a name: `job: NAME`"));
  EXPECT_THAT(errors, testing::Contains("films.yaml:1:1: data.train must name the training files"));
  EXPECT_THAT(errors, testing::Contains("films.yaml:1:1: model.type must say which model is trained"));
}

TEST(LoadJob, UnitsAreRead) {
  const JobConfig job =
      config_of(job_with(R"(cluster: {lease: 1500ms, startup_timeout: 90, memory_limit: 1.5GiB}
checkpoint: {path: out, every: 2m}
)"));
  EXPECT_EQ(job.cluster.lease_ms, 1500U);
  EXPECT_EQ(job.cluster.startup_timeout_ms, 90000U);
  EXPECT_EQ(job.cluster.memory_limit, 3ULL << 29);
  EXPECT_EQ(job.checkpoint.every_seconds, 120U);
}

TEST(LoadJob, ASchedulerWithEtcdIsToldWhereItIsAndLeadsLongerThanNodes) {
  const auto error_of = [](const std::string& scheduler) {
    const auto errors = errors_of(job_with("scheduler: " + scheduler + "\ncluster: {lease: 3s}\n"));
    return errors.empty() ? "" : errors.front();
  };
  EXPECT_THAT(error_of("{store: etcd}"),
              HasSubstr("needs scheduler.endpoints, such as http://127.0.0.1:2379"));
  EXPECT_THAT(error_of("{endpoints: [http://a:1]}"), HasSubstr("scheduler.endpoints need `store: etcd`"));
  EXPECT_THAT(error_of("{store: etcd, endpoints: [http://a:1, a:2], lease: 9s}"),
              HasSubstr("films.yaml:9:50: an endpoint of etcd must be http://host:port, not 'a:2'"));
  EXPECT_THAT(error_of("{store: etcd, endpoints: [http://a:1], lease: 4s}"),
              HasSubstr("scheduler.lease is at least one and a half times cluster.lease, 3 s"));
  EXPECT_EQ(error_of("{store: etcd, endpoints: [http://a:1, http://b:1], lease: 5s}"), "");
  EXPECT_EQ(config_of(kJob).scheduler.store, SchedulerStore::kFile);
}

TEST(LoadJob, EnvironmentVariablesAreReplaced) {
  const auto outcome = read_job(kJob, "films.yaml", {}, environment({{"FILMS", "/big/films, [all]"}}));
  ASSERT_TRUE(outcome.job) << outcome.errors.text();
  EXPECT_THAT(outcome.job->config.data.train, ElementsAre("/big/films, [all]"));
  EXPECT_EQ(outcome.job->origins.at("data.train[0]"), "films.yaml:5, env FILMS");
  EXPECT_EQ(read(kJob).job->origins.at("data.train[0]"), "films.yaml:5, default of ${FILMS}");
}

TEST(LoadJob, AMissingVariableIsNamed) {
  EXPECT_THAT(
      errors_of(job_with("report: a${NOWHERE}b\n")),
      ElementsAre("films.yaml:9:9: environment variable NOWHERE is not set (write ${NOWHERE:-value} for a "
                  "default)"));
  EXPECT_THAT(errors_of(job_with("report: a${NOWHERE\n")),
              ElementsAre("films.yaml:9:9: '${NOWHERE' lacks its closing brace"));
  EXPECT_THAT(errors_of(job_with("report: [a${NOWHERE, b]\n")), Contains(HasSubstr("its closing brace")));
}

TEST(LoadJob, ADoubledDollarIsNoVariable) {
  EXPECT_EQ(config_of(job_with("report: a$${HOME}b$\n")).report, "a${HOME}b$");
}

TEST(LoadJob, OverridesWin) {
  const LoadOutcome outcome =
      read(job_with("train: {passes: 5}\nfeatures: [{name: genres, transform: split}]\n"),
           {"train.passes=7", "evaluate.at=[5, 20]", "features[0].table=g",
            "optimizer.sparse.learning_rate=0.5", "features[1]={column: title}"});
  ASSERT_TRUE(outcome.job) << outcome.errors.text();
  const JobConfig& job = outcome.job->config;
  EXPECT_EQ(job.train.passes, 7U);
  EXPECT_THAT(job.evaluate.at, ElementsAre(5U, 20U));
  EXPECT_EQ(job.features[0].table, "g");
  EXPECT_EQ(job.features[1].name, "title");
  EXPECT_EQ(job.sparse_optimizer.learning_rate, 0.5F);
  EXPECT_EQ(outcome.job->origins.at("train.passes"), "--set");
}

TEST(LoadJob, BadOverridesAreNamed) {
  EXPECT_THAT(errors_of(kJob, {"train.pases=7", "train.passes=x", "job.name=a", "nothing", "features[3]=x"}),
              testing::UnorderedElementsAre(
                  "--set train.pases=7: unknown key 'pases' in train (did you mean 'passes'?)",
                  "--set train.passes=x: train.passes must be a whole number, not 'x'",
                  "--set job.name=a: 'name' lies in 'films', which is no section",
                  "--set nothing: write path=value, such as train.passes=3",
                  "--set features[3]=x: '3' is no element of a list of 0"));
}

TEST(LoadJob, TransformsAreWrittenInThreeWays) {
  const JobConfig job = config_of(job_with(R"(features:
  - {column: user, name: who, transform: hash}
  - {column: title, transform: {ngrams: {max: 3, buckets: 1000}}}
  - name: genres
    transform:
      - {split: {separator: "|"}}
      - {vocab: {min_count: 5}}
  - {column: time, transform: [log, {bucketise: {boundaries: [1, 2.5]}}]}
)"));
  ASSERT_EQ(job.features.size(), 4U);
  EXPECT_EQ(job.features[0].transform[0].name, "hash");
  EXPECT_EQ(job.features[1].transform[0].options.at("buckets"), "1000");
  EXPECT_EQ(job.features[2].transform[0].options.at("separator"), "|");
  EXPECT_EQ(job.features[2].transform[1].options.at("min_count"), "5");
  EXPECT_EQ(job.features[3].transform[1].options.at("boundaries"), "1,2.5");
}

TEST(LoadJob, BadTransformsAreNamed) {
  EXPECT_THAT(
      errors_of(job_with(R"(features:
  - {column: user, transform: vocabb}
  - {column: title, transform: {vocab: {min_cont: 5}}}
  - {column: genres, transform: [vocab, split]}
  - {column: time, transform: {bucketise: {boundaries: [1, x]}}}
  - {columns: [user, item], transform: vocab, name: both}
  - {column: genre}
)")),
      ElementsAre("films.yaml:10:31: unknown transform 'vocabb' (did you mean 'vocab'?)",
                  "films.yaml:11:41: unknown option 'min_cont' of vocab (did you mean 'min_count'?)",
                  "films.yaml:12:33: 'split' cannot follow 'vocab', which already gives keys",
                  "films.yaml:13:60: features[3].transform.boundaries must be a list of numbers, not 'x'",
                  "films.yaml:14:40: only 'cross' joins several columns",
                  "films.yaml:15:14: features[5].columns: no column 'genre' (did you mean 'genres'?)"));
}

TEST(LoadJob, ATablesOptimizerStartsFromTheSparseOne) {
  const JobConfig job = config_of(job_with(R"(tables:
  item: {dim: 16, optimizer: {learning_rate: 0.5}}
  default: {optimizer: {l2: 0.25}, ttl: 7d}
optimizer: {sparse: {type: ftrl, l1: 2}}
)"));
  const OptimizerSpec& item = *job.tables.at("item").optimizer;
  EXPECT_EQ(item.kind, OptimizerKind::kFtrl);
  EXPECT_EQ(item.learning_rate, 0.5F);
  EXPECT_EQ(item.l1, 2.0F);
  EXPECT_EQ(item.l2, 0.25F);
  EXPECT_EQ(job.tables.at("item").dim, 16U);
  EXPECT_EQ(job.tables.at("default").ttl_seconds, 7U * 86400U);
}

TEST(LoadJob, ALayersOptimizerStartsFromTheDenseOne) {
  const JobConfig job = config_of(job_with(R"(tables: {bias: {optimizer: {learning_rate: 0.5}}}
optimizer: {dense: {type: sgd, l2: 0.125}}
)"));
  const OptimizerSpec& bias = *job.tables.at("bias").optimizer;
  EXPECT_EQ(bias.kind, OptimizerKind::kSgd);
  EXPECT_EQ(bias.l2, 0.125F);
  EXPECT_EQ(bias.learning_rate, 0.5F);
}

TEST(LoadJob, AnIdsVocabIsItsOwnNumber) {
  const JobConfig job =
      config_of(job_with("features: [{column: user, transform: vocab}, {column: genres}]\n"));
  EXPECT_THAT(job.features[0].transform, IsEmpty());
  EXPECT_THAT(
      errors_of(job_with("features: [{column: user, transform: hash}]\n")),
      ElementsAre("films.yaml:9:12: 'user' is the feature with the id itself: give this one another name"));
}

TEST(LoadJob, AnchorsAreCopies) {
  const JobConfig job =
      config_of(job_with("optimizer: {sparse: &o {type: sgd, learning_rate: 2, l2: 0.5}, dense: *o}\n"));
  EXPECT_EQ(job.dense_optimizer, job.sparse_optimizer);
  EXPECT_EQ(job.dense_optimizer.l2, 0.5F);
}

TEST(LoadJob, ReadsAFileAndSaysWhenThereIsNone) {
  const TempDir dir;
  const std::string path = dir.write("capstan_load_job.yaml", kJob);
  const auto loaded = load_job(path, {"seed=7"});
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded.value().config.seed, 7U);
  const auto missing = load_job("/nowhere/job.yaml");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message, "/nowhere/job.yaml: No such file or directory");
  EXPECT_EQ(load_job(testing::TempDir()).error().code, ErrorCode::kIo);
}

TEST(Explain, GivesEachValueItsOrigin) {
  const LoadOutcome outcome = read(kJob, {"seed=7"});
  ASSERT_TRUE(outcome.job);
  const std::string text = explain(*outcome.job);
  EXPECT_THAT(text, testing::ContainsRegex("seed: 7 +# --set\n"));
  EXPECT_THAT(text, testing::ContainsRegex("embedding_dim: 8 +# films.yaml:8\n"));
  EXPECT_THAT(text, testing::ContainsRegex("batch_size: 1024 +# default\n"));
  EXPECT_THAT(text, testing::ContainsRegex("memory_limit: 0 +# default: 0: 70 % of the machine"));
  EXPECT_EQ(config_of(text), outcome.job->config);
}

TEST(LoadJob, WhatAnotherSettingDecidesIsExplainedAsDerived) {
  const LoadOutcome outcome = read(kJob, {"evaluate.every_passes=0", "train.early_stop_patience=3"});
  ASSERT_TRUE(outcome.job.has_value()) << outcome.errors.text();
  const std::string text = explain(*outcome.job);
  EXPECT_THAT(text, testing::ContainsRegex("every_passes: 1 +# derived, for --set gives 0\n"));
  EXPECT_THAT(text, testing::ContainsRegex("early_stop_patience: 3 +# --set\n"));
}

TEST(LoadJob, AnOverrideWithoutAValueIsToldOfWhereItStands) {
  EXPECT_THAT(errors_of(job_with("checkpoint: {path: kept}\n"), {"checkpoint.path="}),
              ElementsAre("--set checkpoint.path=: checkpoint.path has no value"));
}

}  // namespace
}  // namespace capstan
