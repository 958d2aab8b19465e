#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/load_job.h"
#include "common/config/rewrite_job.h"
#include "common/config/space_check.h"
#include "tests/temp_dir.h"

namespace capstan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kJob = R"(job: films
task: ranking
data:
  format: movielens
  train: [${FILMS:-data/films}]
  split: {method: ratio_by_user, test: 0.25}
  negatives: {per_positive: 4}
model: {type: mf, embedding_dim: 8, loss: bpr}
train: {passes: 9}
)";

std::string with_space(const std::string& range, const std::string& more = "") {
  return std::string(kJob) + "tune:\n  space:\n    " + range + "\n" + more;
}

std::vector<std::string> errors_of(const std::string& text) {
  const LoadOutcome outcome =
      read_job(text, "films.yaml", {}, [](const std::string&) { return std::nullopt; });
  std::vector<std::string> lines;
  for (const ConfigError& error : outcome.errors.all) lines.push_back(error.text());
  return lines;
}

TuneConfig tune_of(const std::string& text) {
  const LoadOutcome outcome =
      read_job(text, "films.yaml", {}, [](const std::string&) { return std::nullopt; });
  EXPECT_TRUE(outcome.job.has_value()) << outcome.errors.text();
  return outcome.job ? outcome.job->config.tune : TuneConfig{};
}

TEST(Tune, ReadsEveryKindOfRange) {
  const TuneConfig tune =
      tune_of(with_space("model.embedding_dim: [4, 8]",
                         "    model.use_bias: {choices: [true, false]}\n"
                         "    optimizer.sparse.learning_rate: {log_uniform: [1e-3, 0.1]}\n"
                         "    optimizer.sparse.l2: {uniform: [0, 0.5]}\n"
                         "    data.negatives.per_positive: {int: [1, 4]}\n"
                         "    train.batch_size: {log_int: [64, 1024]}\n"
                         "  trials: 7\n  metric: recall@10\n"));
  EXPECT_EQ(tune.trials, 7U);
  EXPECT_EQ(tune.metric, "recall@10");
  ASSERT_EQ(tune.space.size(), 6U);
  EXPECT_THAT(tune.space.at("model.embedding_dim").choices, ElementsAre("4", "8"));
  EXPECT_THAT(tune.space.at("model.use_bias").choices, ElementsAre("true", "false"));
  EXPECT_EQ(tune.space.at("optimizer.sparse.learning_rate").kind, RangeKind::kLogUniform);
  EXPECT_DOUBLE_EQ(tune.space.at("optimizer.sparse.learning_rate").low, 1e-3);
  EXPECT_EQ(tune.space.at("optimizer.sparse.l2").kind, RangeKind::kUniform);
  EXPECT_EQ(tune.space.at("data.negatives.per_positive").kind, RangeKind::kInt);
  EXPECT_EQ(tune.space.at("train.batch_size").high, 1024.0);
}

TEST(Tune, ChoicesMayBeListsAndSections) {
  const TuneConfig tune = tune_of(with_space("tables.user.init: [{type: normal, scale: 0.1}]"));
  EXPECT_THAT(tune.space.at("tables.user.init").choices, ElementsAre("{type: normal, scale: 0.1}"));
}

TEST(Tune, TheEffectiveJobHasTheSameSpace) {
  const std::string text = with_space("optimizer.sparse.learning_rate: {log_uniform: [0.001, 0.1]}",
                                      "    model.embedding_dim: [4, 8]\n  eta: 2\n");
  const LoadOutcome outcome =
      read_job(text, "films.yaml", {}, [](const std::string&) { return std::nullopt; });
  ASSERT_TRUE(outcome.job.has_value()) << outcome.errors.text();
  const auto again = load_job_text(outcome.job->effective_yaml, "again");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->config.tune, outcome.job->config.tune);
}

TEST(Tune, UnknownSettingsAreToldWithTheNearestAndTheirPlace) {
  EXPECT_THAT(errors_of(with_space("model.embeding_dim: [4, 8]")),
              ElementsAre("films.yaml:12:5: tune.space: the job has no setting 'model.embeding_dim' (did you "
                          "mean 'model.embedding_dim'?)"));
  EXPECT_THAT(errors_of(with_space("model: [4, 8]")), ElementsAre(HasSubstr("'model' is not searched")));
}

TEST(Tune, OnlyWhatLeavesTrialsComparableIsSearched) {
  for (const char* path : {"data.split.test", "evaluate.at", "seed", "cluster.workers", "train.passes"}) {
    const auto errors = errors_of(with_space(std::string(path) + ": [1, 2]"));
    ASSERT_FALSE(errors.empty()) << path;
    EXPECT_THAT(errors[0], HasSubstr("is not searched")) << path;
  }
}

TEST(Tune, ValuesThatTheJobRefusesAreToldAtTheirRange) {
  EXPECT_THAT(errors_of(with_space("model.loss: [bpr, bpx]")),
              ElementsAre(StartsWith("films.yaml:12:5: tune.space: model.loss may not be bpx: model.loss "
                                     "cannot be 'bpx'")));
  EXPECT_THAT(errors_of(with_space("model.dropout: {uniform: [0, 2]}")),
              ElementsAre(HasSubstr("model.dropout may not be 2")));
  EXPECT_THAT(errors_of(with_space("model.loss: [bpr, mse]")), ElementsAre(HasSubstr("no numbers to fit")));
}

TEST(Tune, RangesThatAreNoneAreTold) {
  EXPECT_THAT(
      errors_of(with_space("model.dropout: {unifrom: [0, 1]}")),
      ElementsAre(StartsWith("films.yaml:12:21: tune.space.model.dropout cannot be 'unifrom' (did you "
                             "mean 'uniform'?)")));
  EXPECT_THAT(errors_of(with_space("model.dropout: {uniform: [0.5, 0.1]}")),
              ElementsAre(HasSubstr("the first bound must lie below the second")));
  EXPECT_THAT(errors_of(with_space("model.dropout: {log_uniform: [0, 0.1]}")),
              ElementsAre(HasSubstr("a logarithm needs bounds above 0")));
  EXPECT_THAT(errors_of(with_space("model.embedding_dim: {int: [1.5, 3]}")),
              ElementsAre(HasSubstr("whole numbers")));
  EXPECT_THAT(errors_of(with_space("model.dropout: {uniform: [0]}")), ElementsAre(HasSubstr("two bounds")));
  EXPECT_THAT(errors_of(with_space("model.dropout: 0.5")), ElementsAre(HasSubstr("a list of choices")));
  EXPECT_THAT(errors_of(with_space("model.dropout: []")), ElementsAre(HasSubstr("a list of choices")));
}

TEST(Tune, TheMetricIsOneOfTheJobs) {
  EXPECT_THAT(errors_of(with_space("model.embedding_dim: [4, 8]", "  metric: ncdg@10\n")),
              ElementsAre("films.yaml:13:11: tune.metric cannot be 'ncdg' with `task: ranking` (did you mean "
                          "'ndcg'?)"));
  EXPECT_THAT(errors_of(with_space("model.embedding_dim: [4, 8]", "  metric: ndcg@7\n")),
              ElementsAre(HasSubstr("not among what is computed")));
}

TEST(Tune, NeedsSomethingToValidateOn) {
  std::string text = with_space("model.embedding_dim: [4, 8]");
  text.replace(text.find("test: 0.25"), 10, "test: 0.25, valid: 0");
  EXPECT_THAT(errors_of(text), ElementsAre(HasSubstr("validation split")));
  EXPECT_THAT(errors_of(with_space("model.embedding_dim: [4, 8]", "  min_passes: 10\n")),
              ElementsAre(HasSubstr("tune.min_passes lies above train.passes, 9")));
}

TEST(Tune, AJobWithoutASpaceNeedsNothing) {
  EXPECT_THAT(errors_of(std::string(kJob)), IsEmpty());
  EXPECT_TRUE(tune_of(std::string(kJob)).space.empty());
}

TEST(RewriteJob, KeepsWhatWasWrittenAndChangesTheRest) {
  const TempDir folder;
  const std::string path = folder.write("films.yaml", with_space("model.embedding_dim: [4, 8]"));
  const auto text = rewrite_job(path, {"model.embedding_dim=4", "optimizer.sparse.learning_rate=0.02"});
  ASSERT_TRUE(text.ok()) << text.error().message;
  const auto again = load_job_text(*text, "again");
  ASSERT_TRUE(again.ok()) << again.error().message;
  auto changed = load_job(path, {"model.embedding_dim=4", "optimizer.sparse.learning_rate=0.02", "tune={}"});
  ASSERT_TRUE(changed.ok()) << changed.error().message;
  EXPECT_EQ(again->config, changed->config);
  EXPECT_THAT(*text, HasSubstr("[data/films]"));
  EXPECT_EQ(text->find("tune"), std::string::npos);
  EXPECT_EQ(text->find("cluster"), std::string::npos);  // defaults stay unwritten
}

}  // namespace
}  // namespace capstan
