#include "worker/eval/auc.h"

#include <gtest/gtest.h>

#include <map>

#include "common/rng.h"

namespace capstan {
namespace {

// Every pair of a positive and a negative, one by one.
std::optional<double> auc_by_pairs(const std::vector<float>& scores, const std::vector<float>& labels) {
  double wins = 0.0, pairs = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (labels[i] < 0.5F || labels[j] > 0.5F) continue;
      pairs += 1.0;
      wins += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
    }
  }
  if (pairs == 0.0) return std::nullopt;
  return wins / pairs;
}

struct Sample {
  std::vector<float> scores, labels;
  std::vector<std::uint32_t> users;
};

Sample random_sample(std::uint64_t seed) {
  Rng rng(seed);
  Sample sample;
  const std::uint64_t levels = 1 + rng.below(20);  // few levels: many ties
  for (std::uint64_t i = rng.below(60); i > 0; --i) {
    sample.scores.push_back(static_cast<float>(rng.below(levels)) / 7.0F);
    sample.labels.push_back(rng.chance(0.3) ? 1.0F : 0.0F);
    sample.users.push_back(static_cast<std::uint32_t>(rng.below(5)));
  }
  return sample;
}

TEST(Auc, HandComputed) {
  const std::vector<float> labels = {1, 0, 1, 0};
  EXPECT_EQ(auc(std::vector<float>{4, 3, 2, 1}, labels), 0.75);
  EXPECT_EQ(auc(std::vector<float>{4, 1, 3, 2}, labels), 1.0);
  EXPECT_EQ(auc(std::vector<float>{1, 3, 2, 4}, labels), 0.0);
  EXPECT_EQ(auc(std::vector<float>{1, 1, 1, 1}, labels), 0.5);
}

TEST(Auc, NeedsBothClasses) {
  EXPECT_FALSE(auc(std::vector<float>{1, 2}, std::vector<float>{1, 1}));
  EXPECT_FALSE(auc(std::vector<float>{1, 2}, std::vector<float>{0, 0}));
  EXPECT_FALSE(auc(std::vector<float>{}, std::vector<float>{}));
}

TEST(Auc, EqualsCountingPairs) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Sample sample = random_sample(seed);
    const auto expected = auc_by_pairs(sample.scores, sample.labels);
    const auto actual = auc(sample.scores, sample.labels);
    ASSERT_EQ(actual.has_value(), expected.has_value()) << "seed " << seed;
    if (expected) {
      EXPECT_NEAR(*actual, *expected, 1e-12) << "seed " << seed;
    }
  }
}

TEST(Gauc, WeighsUsersByTheirExamplesAndSkipsOneClass) {
  const std::vector<std::uint32_t> users = {1, 1, 2, 2, 2, 3, 3};
  const std::vector<float> labels = {1, 0, 1, 0, 0, 1, 1};
  const std::vector<float> scores = {2, 1, 1, 0, 2, 5, 6};  // user 1: 1, user 2: 0.5, user 3: one class
  EXPECT_NEAR(*gauc(scores, labels, users), (2 * 1.0 + 3 * 0.5) / 5, 1e-12);
}

TEST(Gauc, EqualsCountingPairsWithinUsers) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Sample sample = random_sample(seed);
    std::map<std::uint32_t, Sample> by_user;
    for (std::size_t i = 0; i < sample.users.size(); ++i) {
      by_user[sample.users[i]].scores.push_back(sample.scores[i]);
      by_user[sample.users[i]].labels.push_back(sample.labels[i]);
    }
    double sum = 0.0, weight = 0.0;
    for (const auto& [user, own] : by_user) {
      if (const auto value = auc_by_pairs(own.scores, own.labels)) {
        sum += *value * static_cast<double>(own.scores.size());
        weight += static_cast<double>(own.scores.size());
      }
    }
    const auto actual = gauc(sample.scores, sample.labels, sample.users);
    ASSERT_EQ(actual.has_value(), weight > 0.0) << "seed " << seed;
    if (actual) {
      EXPECT_NEAR(*actual, sum / weight, 1e-12) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace capstan
