// Popularity on published splits: figures that come out only when files, ids, split and metric are all right.
// Skipped unless CAPSTAN_MOVIELENS names a folder of ml-latest-small and CAPSTAN_NCF one with pairs.tsv.gz
// (user, movie in the first order of ml-1m) and the two NCF test files.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numeric>

#include "tests/worker/data/movielens_fixture.h"
#include "worker/data/prepare.h"

namespace capstan {
namespace {

struct Scores {
  double recall = 0.0, ndcg = 0.0;
};

// Full ranking by train count (ties: the lower index), seen items removed; mean over users with a test item.
Scores most_popular_at_10(const Dataset& data) {
  const auto counts = data.item_counts.as<std::uint32_t>();
  std::vector<std::uint32_t> order(data.num_items);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return counts[a] > counts[b]; });
  Scores sum;
  double users = 0.0;
  for (std::uint32_t user = 0; user < data.num_users; ++user) {
    const auto wanted = data.test_items.of(user);
    if (wanted.empty()) continue;
    int rank = 0;
    double hits = 0.0, gain = 0.0, ideal = 0.0;
    for (const std::uint32_t item : order) {
      if (data.train_items.contains(user, item) || data.valid_items.contains(user, item)) continue;
      if (data.test_items.contains(user, item)) {
        hits += 1.0;
        gain += 1.0 / std::log2(rank + 2.0);
      }
      if (++rank == 10) break;
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(10, wanted.size()); ++i) {
      ideal += 1.0 / std::log2(static_cast<double>(i) + 2.0);
    }
    sum.recall += hits / static_cast<double>(wanted.size());
    sum.ndcg += gain / ideal;
    users += 1.0;
  }
  return {sum.recall / users, sum.ndcg / users};
}

TEST(RealData, MostPopularOnLatestSmall) {
  const char* folder = std::getenv("CAPSTAN_MOVIELENS");
  if (folder == nullptr) GTEST_SKIP() << "CAPSTAN_MOVIELENS is not set";
  const TempDir dir;
  const auto data = prepare(ranking_job(dir, folder), {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  const Scores scores = most_popular_at_10(*data);
  EXPECT_NEAR(scores.recall, 0.039, 0.001);
  EXPECT_NEAR(scores.ndcg, 0.081, 0.001);
  std::printf("%s\nrecall@10 %.4f ndcg@10 %.4f\n", data->summary.c_str(), scores.recall, scores.ndcg);
}

JobConfig ncf_job(const TempDir& dir, const std::string& folder) {
  JobConfig job;
  job.task = Task::kRanking;
  job.work_dir = dir.path("work");
  DataConfig& data = job.data;
  data.format = DataFormat::kTsv;
  data.header = false;
  data.columns = {"user", "item"};
  data.train = {folder + "/pairs.tsv.gz"};
  data.test = {folder + "/ml-1m.test.rating.gz"};
  data.test_columns = {"user", "item", "rating", "time"};
  data.test_candidates = folder + "/ml-1m.test.negative.gz";
  data.test_ids_are_indices = true;
  data.exclude_test_from_train = true;
  data.user = "user";
  data.item = "item";
  data.max_bad_lines = 0;
  data.split.method = SplitMethod::kFiles;
  data.split.valid = 0.0;
  return job;
}

TEST(RealData, MostPopularUnderTheNcfProtocol) {
  const char* folder = std::getenv("CAPSTAN_NCF");
  if (folder == nullptr) GTEST_SKIP() << "CAPSTAN_NCF is not set";
  const TempDir dir;
  const auto data = prepare(ncf_job(dir, folder), {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->train.size, 994169U);
  EXPECT_EQ(data->test.size, 6040U);
  EXPECT_EQ(data->num_items, 3706U);
  const auto counts = data->item_counts.as<std::uint32_t>();
  std::uint64_t skipped = 0;
  Scores sum;
  for (std::uint64_t row = 0; row < data->test.size; ++row) {
    const auto& candidates = data->candidates[data->test.user(row)];
    skipped += 99 - candidates.size();
    const std::uint32_t own = data->test.item(row);
    // Ties count as the expected value over random order.
    std::uint64_t above = 0, equal = 0;
    for (const std::uint32_t item : candidates) {
      above += counts[item] > counts[own] ? 1 : 0;
      equal += counts[item] == counts[own] ? 1 : 0;
    }
    for (std::uint64_t rank = above; rank <= above + equal && rank < 10; ++rank) {
      const double share = 1.0 / static_cast<double>(equal + 1);
      sum.recall += share;
      sum.ndcg += share / std::log2(static_cast<double>(rank) + 2.0);
    }
  }
  EXPECT_EQ(skipped, 156U);
  EXPECT_NEAR(sum.recall / 6040.0, 0.4536, 0.0005);
  EXPECT_NEAR(sum.ndcg / 6040.0, 0.2543, 0.0005);
  std::printf("hr@10 %.4f ndcg@10 %.4f\n", sum.recall / 6040.0, sum.ndcg / 6040.0);
}

}  // namespace
}  // namespace capstan
