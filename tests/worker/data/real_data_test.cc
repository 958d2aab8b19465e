// Popularity on published splits: figures that come out only when files, ids, split and metric are all right.
// Skipped unless CAPSTAN_MOVIELENS names a folder of ml-latest-small.
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

}  // namespace
}  // namespace capstan
