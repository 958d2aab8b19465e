#include "worker/eval/pointwise_evaluator.h"

#include <gtest/gtest.h>

#include <limits>

#include "common/rng.h"
#include "worker/eval/auc.h"

namespace capstan {
namespace {

PointwiseOptions options_for(Task task, std::vector<std::string> names) {
  EvaluateConfig config;
  config.metrics = std::move(names);
  PointwiseOptions options;
  options.task = task;
  options.metrics = *metrics_of(config, task);
  return options;
}

PointwisePart part_of(std::vector<float> scores, std::vector<float> labels,
                      std::vector<std::uint32_t> users) {
  PointwisePart part;
  EXPECT_TRUE(part.add(scores, labels, users, 0).ok());
  return part;
}

TEST(PointwiseEvaluator, EveryListedMetricIsComputed) {
  const auto part = part_of({0.9F, 0.2F, 0.6F, 0.4F}, {1, 0, 0, 1}, {0, 0, 1, 1});
  for (const Task task : {Task::kCtr, Task::kRating}) {
    for (const auto& metric : all_metrics()) {
      if (!(task == Task::kCtr ? metric.ctr : metric.rating)) continue;
      const auto summary = merge({part}, options_for(task, {std::string(metric.name)}));
      ASSERT_TRUE(summary.ok());
      EXPECT_EQ(summary->metrics.count(std::string(metric.name)), 1U) << metric.name;
    }
  }
}

TEST(PointwiseEvaluator, HandComputed) {
  const auto summary = merge({part_of({0.9F, 0.2F}, {1, 0}, {0, 0}), part_of({0.6F, 0.4F}, {0, 1}, {1, 1})},
                             options_for(Task::kCtr, {"auc", "gauc", "accuracy", "calibration"}));
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->examples, 4U);
  EXPECT_NEAR(summary->metrics.at("auc"), 0.75, 1e-12);
  EXPECT_NEAR(summary->metrics.at("gauc"), 0.5, 1e-12);
  EXPECT_NEAR(summary->metrics.at("accuracy"), 0.5, 1e-12);
  EXPECT_NEAR(summary->metrics.at("calibration"), 1.05, 1e-6);
}

TEST(PointwiseEvaluator, WhatIsUndefinedIsNullAndSaid) {
  const auto summary =
      merge({part_of({0.5F, 0.25F}, {1, 1}, {})}, options_for(Task::kCtr, {"auc", "gauc", "mae"}));
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->undefined, (std::vector<std::string>{"auc", "gauc"}));
  const std::string json = to_json(*summary);
  for (const char* piece :
       {R"("protocol":"every example of the split")", R"("examples":2)", R"("auc":null)"}) {
    EXPECT_NE(json.find(piece), std::string::npos) << json;
  }
}

TEST(PointwiseEvaluator, ADivergedModelFailsInWords) {
  const auto summary = merge({part_of({std::numeric_limits<float>::infinity(), 3}, {4, 3}, {})},
                             options_for(Task::kRating, {"mae", "rmse"}));
  ASSERT_FALSE(summary.ok());
  EXPECT_NE(summary.error().message.find("mae is inf: the model has diverged"), std::string::npos)
      << summary.error().message;
}

TEST(PointwiseEvaluator, NanScoresFailByName) {
  PointwisePart part;
  const auto status = part.add(std::vector<float>{0.5F, std::numeric_limits<float>::quiet_NaN()},
                               std::vector<float>{0, 1}, {}, 40);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("example 41"), std::string::npos) << status.error().message;
  EXPECT_TRUE(part.scores.empty());
}

TEST(PointwiseEvaluator, ProbabilitiesOutsideZeroToOneAreRefusedForCtrOnly) {
  const auto part = part_of({0.5F, 4.5F}, {0, 1}, {});
  EXPECT_FALSE(merge({part}, options_for(Task::kCtr, {"auc"})).ok());
  EXPECT_TRUE(merge({part}, options_for(Task::kRating, {"rmse"})).ok());
}

TEST(PointwiseEvaluator, RefusesNothingAndHalfGivenUsers) {
  EXPECT_FALSE(merge(std::vector<PointwisePart>{}, options_for(Task::kCtr, {"auc"})).ok());
  EXPECT_FALSE(
      merge({part_of({0.5F}, {1}, {3}), part_of({0.5F}, {0}, {})}, options_for(Task::kCtr, {"auc"})).ok());
}

TEST(PointwiseEvaluator, SplittingIntoPartsChangesNothing) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    PointwisePart whole;
    std::vector<PointwisePart> parts(1 + rng.below(4));
    for (std::size_t i = 0; i < 200; ++i) {
      const float score = static_cast<float>(rng.below(30)) / 30, label = rng.chance(0.4) ? 1.0F : 0.0F;
      const auto user = static_cast<std::uint32_t>(rng.below(9));
      auto& part = parts[i * parts.size() / 200];
      ASSERT_TRUE(part.add(std::span(&score, 1), std::span(&label, 1), std::span(&user, 1), i).ok());
      ASSERT_TRUE(whole.add(std::span(&score, 1), std::span(&label, 1), std::span(&user, 1), i).ok());
    }
    std::vector<PointwisePart> received;
    for (const auto& part : parts) received.push_back(*decode_pointwise_part(encode(part).bytes()));
    const auto options = options_for(Task::kCtr, {});
    EXPECT_EQ(to_json(*merge(received, options)), to_json(*merge({whole}, options))) << "seed " << seed;
    EXPECT_EQ(merge(received, options)->metrics.at("auc"), *auc(whole.scores, whole.labels))
        << "seed " << seed;
  }
}

TEST(PointwiseEvaluator, DamagedBytesAreRefusedOrStillFitTogether) {
  const Buffer good = encode(part_of({0.9F, 0.2F, 0.6F}, {1, 0, 0}, {0, 0, 1}));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto read = decode_pointwise_part(good.bytes().first(size));
    ASSERT_FALSE(read.ok()) << size;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Rng rng(seed);
    std::string bytes(good.text());
    bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
    const auto read = decode_pointwise_part(std::as_bytes(std::span(bytes)));
    if (read.ok()) {
      EXPECT_EQ(read->labels.size(), read->scores.size()) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace capstan
