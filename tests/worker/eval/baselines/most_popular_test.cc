#include "worker/baselines/most_popular.h"

#include <gtest/gtest.h>

#include "tests/worker/eval/tiny_dataset.h"

namespace capstan {
namespace {

TEST(MostPopular, CountsTheHistoryItWasFittedOn) {
  const Dataset dataset = ranking_dataset(4, {{0, 1}, {1}}, {{2}, {0}}, {{3}, {3}});
  MostPopular popular;
  std::vector<float> scores(4);
  ASSERT_TRUE(popular.fit(dataset, History::kTrain).ok());
  popular.scores({}, scores);
  EXPECT_EQ(scores, (std::vector<float>{1, 2, 0, 0}));
  ASSERT_TRUE(popular.fit(dataset, History::kTrainValid).ok());
  popular.scores(std::vector<std::uint32_t>{0}, scores);
  EXPECT_EQ(scores, (std::vector<float>{2, 2, 1, 0}));
}

TEST(MostPopular, OwesNothingToAHistory) {
  const Dataset dataset = ranking_dataset(2, {{0}}, {}, {{1}});
  MostPopular popular;
  ASSERT_TRUE(popular.fit(dataset, History::kTrain).ok());
  EXPECT_TRUE(popular.reasons(std::vector<std::uint32_t>{0}, 1, 3).empty());
}

}  // namespace
}  // namespace capstan
