#include "worker/eval/metrics_list.h"

#include <gtest/gtest.h>

#include <limits>

namespace capstan {
namespace {

std::vector<std::string> texts(const std::vector<MetricName>& metrics) {
  std::vector<std::string> out;
  for (const auto& metric : metrics) out.push_back(metric.text());
  return out;
}

TEST(MetricsList, ANameStandsOnceATask) {
  for (const auto& a : all_metrics()) {
    EXPECT_TRUE(a.ctr || a.rating || a.ranking) << a.name;
    EXPECT_EQ(a.at_k, a.ranking) << a.name;
    EXPECT_FALSE(a.meaning.empty()) << a.name;
    for (const auto& b : all_metrics()) {
      if (&a == &b || a.name != b.name) continue;
      EXPECT_FALSE((a.ctr && b.ctr) || (a.rating && b.rating) || (a.ranking && b.ranking)) << a.name;
    }
  }
}

TEST(MetricsList, ReadsACutOff) {
  const auto metric = parse_metric("ndcg@20", Task::kRanking, 10);
  ASSERT_TRUE(metric.ok());
  EXPECT_EQ(metric->k, 20U);
  EXPECT_EQ(metric->text(), "ndcg@20");
  EXPECT_EQ(parse_metric("ndcg", Task::kRanking, 5)->text(), "ndcg@5");
  EXPECT_EQ(parse_metric("auc", Task::kCtr, 5)->text(), "auc");
}

TEST(MetricsList, TheSameWordMeansItsTasksMetric) {
  EXPECT_TRUE(parse_metric("recall", Task::kRanking, 10)->info->at_k);
  EXPECT_FALSE(parse_metric("recall", Task::kCtr, 10)->info->at_k);
}

TEST(MetricsList, RefusesWithTheNamesThereAre) {
  const auto unknown = parse_metric("ndgc", Task::kRanking, 10);
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("ndcg@k"), std::string::npos) << unknown.error().message;
  EXPECT_FALSE(parse_metric("auc", Task::kRanking, 10).ok());
  for (const char* bad : {"ndcg@", "ndcg@0", "ndcg@-1", "ndcg@5x", "ndcg@99999999999"}) {
    EXPECT_FALSE(parse_metric(bad, Task::kRanking, 10).ok()) << bad;
  }
  EXPECT_FALSE(parse_metric("auc@5", Task::kCtr, 10).ok());
}

TEST(MetricsList, TheUsualOnesOrThoseAskedForAtEachCut) {
  EvaluateConfig config;
  EXPECT_EQ(texts(*metrics_of(config, Task::kRating)), (std::vector<std::string>{"rmse", "mae"}));
  config.metrics = {"ndcg", "recall@50"};
  config.at = {5, 10};
  EXPECT_EQ(texts(*metrics_of(config, Task::kRanking)),
            (std::vector<std::string>{"ndcg@5", "ndcg@10", "recall@50"}));
  config.metrics = {"auc"};
  EXPECT_FALSE(metrics_of(config, Task::kRanking).ok());
}

TEST(MetricsList, KnowsWhichWayIsBetter) {
  const auto& auc = *parse_metric("auc", Task::kCtr, 0)->info;
  const auto& logloss = *parse_metric("logloss", Task::kCtr, 0)->info;
  EXPECT_TRUE(is_better(auc, 0.8, 0.7));
  EXPECT_FALSE(is_better(auc, 0.7, 0.7));
  EXPECT_TRUE(is_better(logloss, 0.3, 0.4));
  EXPECT_FALSE(is_better(logloss, std::numeric_limits<double>::quiet_NaN(), 0.4));
  EXPECT_FALSE(is_better(auc, std::numeric_limits<double>::quiet_NaN(), 0.4));
}

}  // namespace
}  // namespace capstan
