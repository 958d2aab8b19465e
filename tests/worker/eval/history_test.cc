#include "worker/eval/history.h"

#include <gtest/gtest.h>

#include "tests/worker/eval/tiny_dataset.h"

namespace capstan {
namespace {

std::vector<std::uint32_t> list(std::span<const std::uint32_t> items) {
  return {items.begin(), items.end()};
}

using Items = std::vector<std::uint32_t>;

TEST(History, JoinsTrainAndValidation) {
  const Dataset dataset = ranking_dataset(6, {{5, 1}, {}}, {{3}, {0}}, {{2}, {4}});
  EXPECT_EQ(list(items_of(history_items(dataset, History::kTrain), 0)), (Items{1, 5}));
  const UserItems both = history_items(dataset, History::kTrainValid);
  EXPECT_EQ(list(items_of(both, 0)), (Items{1, 3, 5}));
  EXPECT_EQ(list(items_of(both, 1)), (Items{0}));
  EXPECT_EQ(users_per_item(both, 2, 6), (Items{1, 1, 0, 1, 0, 1}));
}

TEST(History, WorksWithoutAValidationSplit) {
  const Dataset dataset = ranking_dataset(3, {{1}}, {}, {{2}});
  EXPECT_EQ(list(items_of(history_items(dataset, History::kTrainValid), 0)), (Items{1}));
  EXPECT_TRUE(items_of(asked_items(dataset, EvalSplit::kValid), 0).empty());
}

TEST(History, ValidationIsSeenAtTestOnly) {
  EXPECT_EQ(seen_before(EvalSplit::kTest), History::kTrainValid);
  EXPECT_EQ(seen_before(EvalSplit::kValid), History::kTrain);
}

TEST(History, PartitionsCoverUsersOnceInOrder) {
  const Items users = {2, 3, 5, 7, 11, 13, 17};
  for (std::uint32_t parts = 1; parts < 10; ++parts) {
    Items joined;
    for (std::uint32_t p = 0; p < parts; ++p) {
      const auto part = partition_of(users, p, parts);
      EXPECT_LE(part.size(), users.size() / parts + 1);
      joined.insert(joined.end(), part.begin(), part.end());
    }
    EXPECT_EQ(joined, users) << parts;
  }
}

}  // namespace
}  // namespace capstan
