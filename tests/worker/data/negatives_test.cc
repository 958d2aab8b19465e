#include "worker/data/negatives.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/rng.h"

namespace capstan {
namespace {

// One user who has items 0 and 2 in train and item 3 in test; four more items; counts 8, 0, 1, 1, 0, 0.
Dataset small_data() {
  Dataset data;
  data.num_users = 1;
  data.num_items = 6;
  data.train.size = 2;
  data.train.users = Buffer::adopt(std::vector<std::uint32_t>{0, 0});
  data.train.items = Buffer::adopt(std::vector<std::uint32_t>{0, 2});
  data.train_items = {Buffer::adopt(std::vector<std::uint64_t>{0, 2}),
                      Buffer::adopt(std::vector<std::uint32_t>{0, 2})};
  data.item_counts = Buffer::adopt(std::vector<std::uint32_t>{8, 0, 1, 1, 0, 0});
  return data;
}

std::vector<double> frequencies(const NegativeSampler& sampler, std::uint32_t items) {
  std::vector<double> counts(items, 0.0);
  constexpr std::uint32_t kDraws = 60000;
  for (std::uint32_t draw = 0; draw < kDraws; ++draw) counts[sampler.draw(1, 0, draw)] += 1.0 / kDraws;
  return counts;
}

TEST(AliasTable, DrawsInProportion) {
  const std::vector<double> weights = {3.0, 0.0, 1.0, 4.0};
  const AliasTable table(weights);
  Rng rng(5);
  std::vector<double> counts(4, 0.0);
  for (int i = 0; i < 80000; ++i) counts[table.draw(rng.next())] += 1.0 / 80000;
  for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(counts[i], weights[i] / 8.0, 0.008) << i;
  EXPECT_EQ(counts[1], 0.0);
}

TEST(Negatives, UniformOverAllItems) {
  const Dataset data = small_data();
  NegativeConfig config;
  config.exclude_known = false;
  const NegativeSampler sampler(data, config, 9);
  for (const double share : frequencies(sampler, 6)) EXPECT_NEAR(share, 1.0 / 6.0, 0.008);
  EXPECT_DOUBLE_EQ(sampler.log_q(4), std::log(1.0 / 6.0));
}

TEST(Negatives, KnownTrainItemsAreDrawnAgainButTestItemsStay) {
  const Dataset data = small_data();
  const NegativeSampler sampler(data, NegativeConfig{}, 9);
  const auto share = frequencies(sampler, 6);
  EXPECT_EQ(share[0], 0.0);
  EXPECT_EQ(share[2], 0.0);
  for (const std::size_t item : {1U, 3U, 4U, 5U}) EXPECT_NEAR(share[item], 0.25, 0.01) << item;
}

TEST(Negatives, PopularityFollowsThePower) {
  const Dataset data = small_data();
  NegativeConfig config;
  config.sampler = Sampler::kPopularity;
  config.alpha = 2.0 / 3.0;  // 8^(2/3) = 4, the others 1
  config.exclude_known = false;
  const NegativeSampler sampler(data, config, 9);
  const auto share = frequencies(sampler, 6);
  EXPECT_NEAR(share[0], 4.0 / 9.0, 0.01);
  for (std::size_t item = 1; item < 6; ++item) EXPECT_NEAR(share[item], 1.0 / 9.0, 0.01) << item;
  EXPECT_NEAR(sampler.log_q(0), std::log(4.0 / 9.0), 1e-12);
}

TEST(Negatives, AreAFunctionOfSeedEpochExampleAndDraw) {
  const Dataset data = small_data();
  const NegativeSampler a(data, NegativeConfig{}, 1), b(data, NegativeConfig{}, 1),
      c(data, NegativeConfig{}, 2);
  int by_seed = 0, by_epoch = 0, by_example = 0;
  for (std::uint32_t draw = 0; draw < 400; ++draw) {
    ASSERT_EQ(a.draw(3, 1, draw), b.draw(3, 1, draw));
    by_seed += a.draw(3, 1, draw) == c.draw(3, 1, draw) ? 1 : 0;
    by_epoch += a.draw(3, 1, draw) == a.draw(4, 1, draw) ? 1 : 0;
    by_example += a.draw(3, 1, draw) == a.draw(3, 0, draw) ? 1 : 0;
  }
  for (const int same : {by_seed, by_epoch, by_example}) EXPECT_NEAR(same, 100, 40);
}

TEST(Negatives, EndEvenWhenOneItemIsLeftOrNone) {
  Dataset data = small_data();
  data.train_items = {Buffer::adopt(std::vector<std::uint64_t>{0, 5}),
                      Buffer::adopt(std::vector<std::uint32_t>{0, 1, 2, 3, 4})};
  NegativeConfig config;
  config.sampler = Sampler::kPopularity;
  config.alpha = 6.0;  // item 5 is almost never drawn
  for (std::uint32_t draw = 0; draw < 50; ++draw)
    EXPECT_EQ(NegativeSampler(data, config, 1).draw(0, 0, draw), 5U);
  data.train_items = {Buffer::adopt(std::vector<std::uint64_t>{0, 6}),
                      Buffer::adopt(std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5})};
  EXPECT_LT(NegativeSampler(data, config, 1).draw(0, 0, 0), 6U);
}

TEST(Negatives, InBatchProbabilityIsTheShareOfRows) {
  const Dataset data = small_data();
  NegativeConfig config;
  config.sampler = Sampler::kInBatch;
  const NegativeSampler sampler(data, config, 1);
  EXPECT_NEAR(sampler.log_q(0), std::log(8.0 / 13.0), 1e-12);
}

}  // namespace
}  // namespace capstan
