// What is done with reports: `compare`, `plot`, and `run --folds` which joins several.
#include <spdlog/fmt/fmt.h>

#include <cmath>

#include "tests/e2e/scene.h"
#include "tests/npz_file.h"

namespace capstan {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Reports : public Scene {};

double mean_of(const std::vector<float>& values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

TEST_F(Reports, WhatEachUserGotStandsBesideTheReport) {
  ASSERT_EQ(run({"run", ratings_job("{passes: 2, batch_size: 64}"), "--quiet"}).code, 0);
  const auto report = json("report.json");
  EXPECT_EQ(at(report, "values"), "report.values.npz");
  const std::string zip = text_of(path("report.values.npz"));
  for (const char* who : {"model", "item_knn"}) {
    const auto values = array_in<float>(zip, std::string(who) + "/ndcg@10");
    EXPECT_EQ(static_cast<double>(values.size()), number_at(report, "test.model.users"));
    EXPECT_NEAR(mean_of(values), number_at(report, "test." + std::string(who) + ".ndcg@10"), 1e-6) << who;
  }
}

TEST_F(Reports, AreComparedUserByUser) {
  const std::string job_file = ratings_job("{passes: 20, batch_size: 64}");
  ASSERT_EQ(run({"run", job_file, "--quiet"}).code, 0);
  const std::string weak = path("weak/report.json");
  ASSERT_EQ(run({"run", job_file, "--quiet", "--set", "train.passes=1", "--set",
                 "optimizer.sparse.learning_rate=1e-6", "--set", "job=weak", "--report", weak})
                .code,
            0);
  const Outcome compared = run({"compare", path("report.json"), weak, "--metric", "ndcg@10", "--metric",
                                "recall@10", "--out", path("compared.json")});
  ASSERT_EQ(compared.code, 0) << compared.err;
  EXPECT_THAT(compared.out,
              AllOf(HasSubstr("full ranking, seen removed"), HasSubstr("A better than B by ndcg@10"),
                    HasSubstr("2 tests of each kind")));
  const auto rows = at(json("compared.json"), "compared").as_array();
  ASSERT_EQ(rows.size(), 2U);
  const auto& row = rows[0].as_object();
  EXPECT_NEAR(number_at(row, "first_value"), number_at(json("report.json"), "test.model.ndcg@10"), 1e-6);
  EXPECT_NEAR(number_at(row, "second_value"), number_at(json("weak/report.json"), "test.model.ndcg@10"),
              1e-6);
  EXPECT_LT(number_at(row, "wilcoxon.holm"), 0.05);
  EXPECT_LE(number_at(row, "wilcoxon.p"), number_at(row, "wilcoxon.holm"));

  const Outcome baseline = run({"compare", path("report.json"), path("report.json") + ":item_knn"});
  EXPECT_EQ(baseline.code, 0) << baseline.err;
  EXPECT_THAT(baseline.out, AllOf(HasSubstr("item_knn"), HasSubstr("map@10"), Not(HasSubstr("gini"))));
  const Outcome itself = run({"compare", path("report.json"), path("report.json")});
  EXPECT_THAT(itself.out, HasSubstr("No difference stands"));
}

TEST_F(Reports, WhatCannotBeComparedIsRefused) {
  const std::string job_file = ratings_job("{passes: 1, batch_size: 64}");
  ASSERT_EQ(run({"run", job_file, "--quiet"}).code, 0);
  const std::string report = path("report.json"), other = path("other/report.json");
  ASSERT_EQ(
      run({"run", job_file, "--quiet", "--set", "evaluate.sampled_negatives=10", "--report", other}).code, 0);
  const auto refused = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "compare");
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 2) << outcome.out;
    return outcome.err;
  };
  EXPECT_THAT(refused({report, other}), HasSubstr("protocol \"full ranking, seen removed\" and \"sampled"));
  EXPECT_THAT(refused({report, report + ":item_kn"}), HasSubstr("did you mean 'item_knn'?"));
  EXPECT_THAT(refused({report, report, "--metric", "ndgc@10"}), HasSubstr("did you mean 'ndcg@10'?"));
  EXPECT_THAT(refused({report, job_file}), HasSubstr("not a report"));
  ASSERT_EQ(run({"run", job_file, "--quiet", "--set", "evaluate.keep_values=false", "--report", other}).code,
            0);
  EXPECT_TRUE(at(json("other/report.json"), "values").is_null());
  EXPECT_THAT(refused({report, other}), HasSubstr("evaluate.keep_values"));
}

TEST_F(Reports, AreDrawn) {
  const std::string job_file = ratings_job("{passes: 3, batch_size: 64}", "");
  ASSERT_EQ(run({"run", job_file, "--quiet", "--set", "evaluate.every_passes=1"}).code, 0);
  const Outcome drawn = run({"plot", path("report.json")});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  for (const char* chart : {"loss", "validation", "staleness", "trade_off"}) {
    EXPECT_THAT(text_of(path(fmt::format("plots/{}.svg", chart))), HasSubstr("</svg>")) << chart;
  }
  EXPECT_THAT(drawn.out, HasSubstr("no figures for roc, precision_recall, reliability"));
  EXPECT_EQ(run({"plot", path("report.json"), "--chart", "roc"}).code, 2);
  EXPECT_EQ(run({"plot", path("report.json"), "--chart", "rock"}).code, 2);
}

// A click job: its curves, its values, and its folds.
TEST_F(Reports, OfClicksHaveCurvesAndJoinTheirFolds) {
  ASSERT_EQ(run({"generate", "ctr", "--rows", "2000", "--test-rows", "10", "--fields", "4", "--values", "20",
                 "--out", path("clicks")})
                .code,
            0);
  const std::string job_file = write("clicks.yaml", fmt::format(R"(job: {0}
task: ctr
data:
  format: csv
  train: [{1}/clicks/train.csv]
  label: label
  split: {{method: ratio, test: 0.2, valid: 0.1}}
model: {{type: lr}}
optimizer: {{sparse: {{type: adagrad, learning_rate: 0.1}}}}
train: {{passes: 2, batch_size: 64}}
cluster: {{servers: 2, workers: 2, threads: 1, memory_limit: 256MiB, lease: 1500ms}}
work_dir: {1}/work
report: {1}/report.json
)",
                                                                job(), path()));
  const Outcome once = run({"run", job_file, "--quiet"});
  ASSERT_EQ(once.code, 0) << once.err;
  EXPECT_EQ(run({"plot", path("report.json"), "--chart", "roc", "--chart", "reliability"}).code, 0);
  const std::string zip = text_of(path("report.values.npz"));
  EXPECT_EQ(array_in<float>(zip, "score").size(), 400U);
  const Outcome itself = run({"compare", path("report.json"), path("report.json")});
  EXPECT_THAT(itself.out, AllOf(HasSubstr("auc"), HasSubstr("DeLong"), HasSubstr("400 examples")));

  const Outcome folds = run({"run", job_file, "--folds", "3"});
  ASSERT_EQ(folds.code, 0) << folds.err << folds.out;
  EXPECT_THAT(folds.out, AllOf(HasSubstr("fold 3 of 3"), HasSubstr("3 folds: mean and deviation")));
  const auto joined = json("report.json");
  const boost::json::value all = at(joined, "folds");
  ASSERT_EQ(all.as_array().size(), 3U);
  double sum = 0.0, squares = 0.0;
  for (const auto& fold : all.as_array()) sum += number_at(fold.as_object(), "test.model.auc") / 3;
  for (const auto& fold : all.as_array())
    squares += std::pow(number_at(fold.as_object(), "test.model.auc") - sum, 2);
  EXPECT_NEAR(number_at(joined, "test.model.auc"), sum, 1e-9);
  EXPECT_NEAR(number_at(joined, "deviation.model.auc"), std::sqrt(squares / 2), 1e-9);
  EXPECT_EQ(number_at(joined, "test.model.examples"), 2000.0);  // each is asked once
  EXPECT_EQ(run({"run", job_file, "--folds", "3", "--resume"}).code, 2);
  EXPECT_EQ(run({"run", job_file, "--folds", "1"}).code, 2);
}

}  // namespace
}  // namespace capstan
