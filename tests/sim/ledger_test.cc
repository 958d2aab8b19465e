#include "sim/ledger.h"

#include <gtest/gtest.h>

#include <set>

namespace capstan {
namespace {

LedgerShape shape() {
  LedgerShape shape;
  shape.passes = 2;
  shape.partitions = 3;
  shape.batches = 9;
  return shape;
}

std::vector<float> row_of(const Ledger& ledger, const std::vector<BatchId>& batches) {
  std::vector<float> row(ledger.dim(), 0.0F), gradient(ledger.dim());
  for (const BatchId& id : batches) {
    ledger.gradient(id, gradient.data());
    for (std::size_t i = 0; i < row.size(); ++i) row[i] -= gradient[i];
  }
  return row;
}

TEST(Ledger, ARowTellsWhichBatchesItHolds) {
  const Ledger ledger(shape());
  EXPECT_EQ(ledger.dim(), 1 + 3U);  // 54 batches, 20 a float
  const std::vector<BatchId> batches = {{0, 0, 0}, {0, 2, 8}, {1, 1, 4}, {1, 2, 8}};
  Batches found;
  std::string why;
  ASSERT_TRUE(ledger.decode(row_of(ledger, batches), found, why)) << why;
  EXPECT_EQ(found, batches);
}

TEST(Ledger, ADoubledBatchIsNoticedEvenBesideALostOne) {
  const Ledger ledger(shape());
  Batches found;
  std::string why;
  EXPECT_FALSE(ledger.decode(row_of(ledger, {{0, 0, 3}, {0, 0, 3}}), found, why));
  // 3 twice looks like 4 once, but for the count.
  EXPECT_FALSE(ledger.decode(row_of(ledger, {{0, 0, 3}, {0, 0, 3}, {0, 0, 5}}), found, why));
  std::vector<float> row = row_of(ledger, {{0, 0, 3}});
  row[1] += 0.5F;
  EXPECT_FALSE(ledger.decode(row, found, why));
}

TEST(Ledger, TouchingAndTouchedAreTheSameRelation) {
  const Ledger ledger(shape());
  std::size_t from_batches = 0, from_keys = 0;
  for (std::uint32_t pass = 0; pass < 2; ++pass) {
    for (std::uint32_t partition = 0; partition < 3; ++partition) {
      for (std::uint64_t batch = 0; batch < 9; ++batch) {
        for (const Key key : ledger.touched({pass, partition, batch})) {
          ++from_batches;
          EXPECT_TRUE(contains(ledger.touching(key), {pass, partition, batch}));
          EXPECT_FALSE(contains(ledger.touching(key, pass, batch), {pass, partition, batch}));
        }
      }
    }
  }
  for (const Key key : ledger.keys()) from_keys += ledger.touching(key).size();
  EXPECT_EQ(from_batches, from_keys);
  EXPECT_GT(from_batches, 100U);
}

TEST(Ledger, ASliceThatIsRefusedCountsForNoneOfItsRows) {
  LedgerShape with_refused = shape();
  with_refused.refuses = true;
  const Ledger ledger(with_refused);
  std::size_t refused = 0, taken = 0;
  for (const Key key : ledger.keys()) taken += ledger.touching(key).size();
  for (std::uint32_t pass = 0; pass < 2; ++pass) {
    for (std::uint32_t partition = 0; partition < 3; ++partition) {
      for (std::uint64_t batch = 0; batch < 9; ++batch) {
        const BatchId id{pass, partition, batch};
        std::set<std::uint32_t> shards;
        for (const Key key : ledger.touched(id)) {
          EXPECT_NE(ledger.is_refused(id, key), contains(ledger.touching(key), id));
          if (!ledger.is_refused(id, key)) continue;
          ++refused;
          shards.insert(shard_of(key, with_refused.num_shards));
        }
        EXPECT_LE(shards.size(), 1U);
      }
    }
  }
  EXPECT_GT(refused, 3U);
  EXPECT_GT(taken, 100U);
}

TEST(Ledger, SumsTellALostADoubledAndASwappedBatch) {
  LedgerShape with_sums = shape();
  with_sums.sums = true;
  with_sums.keys = 4;
  const Ledger ledger(with_sums);
  const Key key = ledger.keys()[0];
  const Batches all = ledger.touching(key);
  ASSERT_GE(all.size(), 3U);
  EXPECT_EQ(ledger.check_whole(key, row_of(ledger, all)), "");
  std::vector<BatchId> swapped = all, lost(all.begin() + 1, all.end()), doubled = all;
  swapped[0] = swapped[1];
  doubled.push_back(all[0]);
  for (const auto& wrong : {swapped, lost, doubled})
    EXPECT_NE(ledger.check_whole(key, row_of(ledger, wrong)), "");
}

}  // namespace
}  // namespace capstan
