#include "ps/table/embedding_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

TableSpec sgd_table(std::uint32_t dim) {
  TableSpec spec;
  spec.name = std::string("t");  // GCC 12 warns wrongly of assigning the literal
  spec.dim = dim;
  spec.init = {.kind = InitKind::kNormal, .scale = 1.0F, .seed = 9};
  spec.optimizer.kind = OptimizerKind::kSgd;
  spec.optimizer.learning_rate = 1.0F;
  return spec;
}

std::vector<float> read(const EmbeddingTable& table, const std::vector<Key>& keys) {
  std::vector<float> out(keys.size() * table.layout().dim());
  table.gather(keys, out.data());
  return out;
}

ApplyResult push(EmbeddingTable& table, const std::vector<Key>& keys, UpdateContext context,
                 float gradient = 0.0F) {
  const std::vector<float> gradients(keys.size() * table.layout().dim(), gradient);
  return table.apply(keys, gradients.data(), context);
}

std::vector<std::pair<Key, std::vector<std::byte>>> dump(const EmbeddingTable& table) {
  std::vector<std::pair<Key, std::vector<std::byte>>> rows;
  table.for_each_row([&](Key key, auto row) { rows.emplace_back(key, std::vector(row.begin(), row.end())); });
  std::sort(rows.begin(), rows.end());  // a copy has an order of its own
  return rows;
}

std::vector<std::byte> records_of(const EmbeddingTable& table) {
  std::vector<std::byte> records(table.size() * table.record_bytes());
  table.copy_rows(std::nullopt, records.data());
  return records;
}

TEST(EmbeddingTable, AbsentRowsReadAsInitialWeightsAndAreNotStored) {
  EmbeddingTable table(sgd_table(3), 1);
  const std::vector<float> read_weights = read(table, {0, ~0ULL});
  std::vector<float> expected(6);
  const Initializer initializer(table.spec().init, 3);
  initializer.fill(0, expected.data());
  initializer.fill(~0ULL, expected.data() + 3);
  EXPECT_EQ(read_weights, expected);
  EXPECT_EQ(table.size(), 0U);
}

TEST(EmbeddingTable, AFirstPushStartsFromTheInitialWeights) {
  EmbeddingTable table(sgd_table(2), 1);
  const std::vector<float> before = read(table, {5});
  const ApplyResult result = push(table, {5}, {1, 0}, 0.5F);
  EXPECT_EQ(result.applied, 1U);
  EXPECT_EQ(result.created, 1U);
  EXPECT_EQ(read(table, {5}), (std::vector<float>{before[0] - 0.5F, before[1] - 0.5F}));
}

// Against a map of vectors, with mixed present and absent keys in batches of all sizes.
TEST(EmbeddingTable, AgreesWithAMapOfWeights) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    constexpr std::uint32_t kDim = 5;
    EmbeddingTable table(sgd_table(kDim), 1);
    const Initializer initializer(table.spec().init, kDim);
    std::unordered_map<Key, std::vector<float>> model;
    const auto expected = [&](Key key) {
      if (const auto it = model.find(key); it != model.end()) return it->second;
      std::vector<float> weights(kDim);
      initializer.fill(key, weights.data());
      return weights;
    };
    for (std::uint64_t step = 1; step <= 300; ++step) {
      std::vector<Key> keys(rng.below(200));
      for (Key& key : keys) key = rng.chance(0.1) ? ~rng.below(50) : rng.below(20000);
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
      std::vector<float> gradients(keys.size() * kDim);
      for (float& g : gradients) g = static_cast<float>(rng.normal());
      const ApplyResult result = table.apply(keys, gradients.data(), {step, 0});
      ASSERT_EQ(result.applied, keys.size());
      for (std::size_t i = 0; i < keys.size(); ++i) {
        std::vector<float> weights = expected(keys[i]);
        for (std::size_t d = 0; d < kDim; ++d) weights[d] -= gradients[i * kDim + d];
        model[keys[i]] = weights;
      }
      ASSERT_EQ(table.size(), model.size());
      const Key probe = rng.below(20000);
      ASSERT_EQ(read(table, {probe}), expected(probe));
    }
    for (const auto& [key, row] : dump(table)) {
      ASSERT_EQ(std::memcmp(row.data(), model.at(key).data(), kDim * sizeof(float)), 0);
    }
  }
}

TEST(EmbeddingTable, ARepeatedKeyIsSteppedTwiceAndStoredOnce) {
  EmbeddingTable table(sgd_table(1), 1);
  const float before = read(table, {4})[0];
  push(table, {4, 4}, {1, 0}, 1.0F);
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(read(table, {4})[0], before - 1.0F - 1.0F);
}

TEST(EmbeddingTable, HoldsBackKeysBelowMinCount) {
  TableSpec spec = sgd_table(1);
  spec.min_count = 3;
  EmbeddingTable table(spec, 4);
  const float fresh = read(table, {8})[0];
  EXPECT_EQ(push(table, {8}, {1, 0}, 1.0F).refused, 1U);
  EXPECT_EQ(push(table, {8, 9}, {2, 0}, 1.0F).refused, 2U);
  EXPECT_EQ(read(table, {8})[0], fresh);
  const ApplyResult third = push(table, {8}, {3, 0}, 1.0F);
  EXPECT_EQ(third.created, 1U);
  EXPECT_EQ(third.refused, 0U);
  EXPECT_EQ(read(table, {8})[0], fresh - 1.0F);
  EXPECT_EQ(table.counters().refused, 3U);
  EXPECT_EQ(table.counters().applied, 1U);
}

TEST(EmbeddingTable, MaxRowsDropsTheLeastRecentlyPushed) {
  TableSpec spec = sgd_table(1);
  spec.max_rows = 8;  // two shards: 4 here
  EmbeddingTable table(spec, 2);
  ASSERT_EQ(table.max_rows(), 4U);
  for (Key key = 1; key <= 4; ++key) push(table, {key}, {key, 0});
  push(table, {1}, {5, 0});
  EXPECT_EQ(push(table, {9}, {6, 0}).evicted, 1U);
  EXPECT_EQ(table.size(), 4U);
  EXPECT_TRUE(table.find_row(2).empty());
  for (const Key key : {1U, 3U, 4U, 9U}) EXPECT_FALSE(table.find_row(key).empty()) << key;
  EXPECT_EQ(table.counters().evicted, 1U);
}

TEST(EmbeddingTable, OnePushOfMoreNewKeysThanMaxRowsStaysWithinIt) {
  TableSpec spec = sgd_table(1);
  spec.max_rows = 10;
  EmbeddingTable table(spec, 1);
  std::vector<Key> keys(100);
  for (Key key = 0; key < 100; ++key) keys[key] = key;
  const ApplyResult result = push(table, keys, {1, 0});
  EXPECT_EQ(result.applied, 100U);
  EXPECT_EQ(result.evicted, 90U);
  EXPECT_EQ(table.size(), 10U);
}

TEST(EmbeddingTable, LeastRecentlyUsedAgreesWithASortedModel) {
  Rng rng(17);
  TableSpec spec = sgd_table(1);
  spec.max_rows = 160;
  EmbeddingTable table(spec, 1);
  std::map<Key, std::uint64_t> last;
  for (std::uint64_t step = 1; step <= 3000; ++step) {
    const Key key = rng.below(400);
    if (!last.contains(key) && last.size() == 160) {
      for (int i = 0; i < 10; ++i) {  // a sixteenth
        last.erase(std::min_element(last.begin(), last.end(),
                                    [](const auto& a, const auto& b) { return a.second < b.second; }));
      }
    }
    last[key] = step;
    push(table, {key}, {step, 0});
    ASSERT_EQ(table.size(), last.size());
  }
  for (const auto& [key, step] : last) EXPECT_FALSE(table.find_row(key).empty()) << key;
}

TEST(EmbeddingTable, RowsExpireAfterTheirTtl) {
  TableSpec spec = sgd_table(1);
  spec.ttl_seconds = 60;
  EmbeddingTable table(spec, 1);
  push(table, {1, 2, 3}, {1, 1000});
  push(table, {2}, {2, 1030});
  EXPECT_EQ(table.evict_expired(1060), 0U);
  EXPECT_EQ(table.evict_expired(1061), 2U);
  EXPECT_EQ(table.size(), 1U);
  EXPECT_FALSE(table.find_row(2).empty());
  EXPECT_EQ(table.evict_expired(900), 0U) << "a clock that went back expires nothing";
  EXPECT_EQ(table.counters().expired, 2U);
  EXPECT_EQ(EmbeddingTable(sgd_table(1), 1).evict_expired(~0U), 0U);
}

TEST(EmbeddingTable, LooksForExpiredRowsOnceInAPartOfTheTtl) {
  TableSpec spec = sgd_table(1);
  spec.ttl_seconds = 320;  // a scan every 10 s
  EmbeddingTable table(spec, 1);
  push(table, {1}, {1, 1000});
  EXPECT_EQ(table.evict_expired(1320), 0U);
  EXPECT_EQ(table.evict_expired(1329), 0U);
  EmbeddingTable copy(spec, 1);
  ASSERT_TRUE(copy.insert_rows(records_of(table)).ok());
  ASSERT_TRUE(copy.restore_state(table.save_state()).ok());
  EXPECT_EQ(copy.evict_expired(1329), 0U) << "the copy looks when the original does";
  EXPECT_EQ(table.evict_expired(1330), 1U);
  EXPECT_EQ(copy.evict_expired(1330), 1U);
}

TEST(EmbeddingTable, RowsExpireByTheClockOfWhoeverIsAsked) {
  TableSpec spec = sgd_table(1);
  spec.ttl_seconds = 32;
  EmbeddingTable table(spec, 1);
  push(table, {1}, {1, 90'000});
  EXPECT_EQ(table.evict_expired(90'001), 0U);
  push(table, {2}, {2, 20'000});  // another server leads, and its clock is hours behind
  EXPECT_TRUE(table.expiry_due(20'010));
  EXPECT_EQ(table.evict_expired(20'033), 1U);
  EXPECT_TRUE(table.find_row(2).empty());
}

// A server that has the tables already looks for expired rows before its replicas have them.
TEST(EmbeddingTable, WithoutRowsNothingIsLookedForOrKept) {
  TableSpec spec = sgd_table(1);
  spec.ttl_seconds = 32;
  EmbeddingTable table(spec, 1);
  EXPECT_FALSE(table.expiry_due(5000));
  EXPECT_EQ(table.evict_expired(5000), 0U);
  EXPECT_EQ(table.save_state(), EmbeddingTable(spec, 1).save_state());
}

TEST(EmbeddingTable, EvictToKeepsTheNewestThatFit) {
  EmbeddingTable table(sgd_table(16), 1);
  std::vector<Key> keys(1000);
  for (std::uint64_t step = 1; step <= 100; ++step) {
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = step * 1000 + i;
    push(table, keys, {step, 0});
  }
  const std::size_t full = table.bytes();
  EXPECT_GE(full, 100000U * (16 * 4 + 12));
  EXPECT_EQ(table.evict_to(full, 100), 0U);
  const std::size_t evicted = table.evict_to(full / 2, 100);
  EXPECT_LE(table.bytes(), full / 2);
  EXPECT_EQ(table.size(), 100000U - evicted);
  EXPECT_GE(table.size(), 20000U);
  for (Key key = 100000; key < 101000; ++key) ASSERT_FALSE(table.find_row(key).empty());
  EXPECT_TRUE(table.find_row(1000).empty());
  table.evict_to(0, 100);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_LE(table.bytes(), keys.size() * sizeof(std::size_t) + 4096) << "scratch and empty index";
}

TEST(EmbeddingTable, DecayedL2CountsTheShardsSteps) {
  TableSpec spec = sgd_table(1);
  spec.init = {.kind = InitKind::kConstant, .scale = 1.0F};
  spec.optimizer.l2 = 0.5F;
  spec.optimizer.l2_mode = L2Mode::kDecayed;
  EmbeddingTable table(spec, 1);
  push(table, {1}, {10, 0});
  EXPECT_FLOAT_EQ(read(table, {1})[0], 0.5F) << "a new row is decayed once";
  push(table, {2}, {11, 0});
  push(table, {1}, {13, 0});
  EXPECT_FLOAT_EQ(read(table, {1})[0], 0.5F * 0.125F) << "steps 11, 12, 13";
}

TEST(EmbeddingTable, AssignmentStoresValues) {
  TableSpec spec = sgd_table(2);
  spec.optimizer.kind = OptimizerKind::kAssign;
  EmbeddingTable table(spec, 1);
  const std::vector<Key> keys = {3, 4};
  const std::vector<float> values = {1.0F, 2.0F, 3.0F, 4.0F};
  table.apply(keys, values.data(), {1, 0});
  EXPECT_EQ(read(table, keys), values);
}

// A snapshot remakes a table that goes on exactly as the original: rows, admissions, evictions, counters.
TEST(EmbeddingTable, ARestoredTableGoesOnLikeTheOriginal) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    TableSpec spec = sgd_table(3);
    spec.optimizer.kind = OptimizerKind::kAdam;
    spec.min_count = 2;
    spec.max_rows = 500;
    spec.ttl_seconds = 12;
    EmbeddingTable original(spec, 1);
    EmbeddingTable copy(spec, 1);
    const auto drive = [&](std::uint64_t step, auto apply) {
      std::vector<Key> keys(1 + rng.below(60));
      for (Key& key : keys) key = rng.below(1000);
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
      std::vector<float> gradients(keys.size() * 3);
      for (float& g : gradients) g = static_cast<float>(rng.normal());
      apply(keys, gradients, UpdateContext{step, static_cast<std::uint32_t>(step)});
    };
    for (std::uint64_t step = 1; step <= 200; ++step) {
      drive(step, [&](const auto& keys, const auto& g, const auto& c) { original.apply(keys, g.data(), c); });
      if (step % 20 == 0) original.evict_expired(static_cast<std::uint32_t>(step));
    }
    ASSERT_TRUE(copy.insert_rows(records_of(original)).ok());
    ASSERT_TRUE(copy.restore_state(original.save_state()).ok());
    ASSERT_EQ(dump(copy), dump(original));
    for (std::uint64_t step = 201; step <= 400; ++step) {
      drive(step, [&](const auto& keys, const auto& g, const auto& c) {
        original.apply(keys, g.data(), c);
        copy.apply(keys, g.data(), c);
      });
      if (step % 20 == 0) {
        original.evict_expired(static_cast<std::uint32_t>(step));
        copy.evict_expired(static_cast<std::uint32_t>(step));
      }
    }
    EXPECT_EQ(dump(copy), dump(original));
    EXPECT_EQ(copy.save_state(), original.save_state());
    EXPECT_GT(copy.counters().evicted, 0U);
    EXPECT_GT(copy.counters().expired, 0U);
  }
}

TEST(EmbeddingTable, RowsComeInOnceAndEachKeyOnce) {
  EmbeddingTable table(sgd_table(2), 1);
  push(table, {1, 2, 3}, {1, 0}, 1.0F);
  std::vector<std::byte> records = records_of(table);
  EXPECT_EQ(table.insert_rows(records).error().code, ErrorCode::kCorrupt) << "it has them";
  EXPECT_EQ(table.size(), 3U);

  EmbeddingTable copy(sgd_table(2), 1);
  std::copy_n(records.begin(), sizeof(Key),
              records.begin() + 2 * static_cast<std::ptrdiff_t>(table.record_bytes()));
  EXPECT_EQ(copy.insert_rows(records).error().code, ErrorCode::kCorrupt) << "key 1 comes twice";
  EXPECT_EQ(copy.size(), 0U);
  EXPECT_TRUE(copy.find_row(1).empty());
  ASSERT_TRUE(copy.insert_rows(records_of(table)).ok());
  EXPECT_EQ(dump(copy), dump(table));
}

TEST(EmbeddingTable, RestoreStateRefusesForeignBytes) {
  EmbeddingTable table(sgd_table(2), 1);
  EXPECT_EQ(table.restore_state({}).error().code, ErrorCode::kCorrupt);
  std::vector<std::byte> state = table.save_state();
  state.push_back(std::byte{0});
  EXPECT_EQ(table.restore_state(state).error().code, ErrorCode::kCorrupt);
}

TEST(EmbeddingTable, ClearForgetsEverything) {
  TableSpec spec = sgd_table(2);
  spec.min_count = 2;
  EmbeddingTable table(spec, 1);
  const std::size_t empty = table.bytes();
  push(table, {1, 2}, {1, 0});
  push(table, {1}, {2, 0});
  table.clear();
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.counters(), TableCounters{});
  EXPECT_LE(table.bytes(), empty + 256);
  EXPECT_EQ(push(table, {2}, {3, 0}).refused, 1U);
  push(table, {2}, {4, 0});
  EXPECT_EQ(table.size(), 1U);
}

TEST(RowLayout, BytesStandWhereTheHeaderSays) {
  TableSpec spec = sgd_table(2);
  spec.optimizer.kind = OptimizerKind::kRowwiseAdagrad;
  spec.optimizer.initial_accumulator = 0.5F;
  spec.ttl_seconds = 10;
  EmbeddingTable table(spec, 1);
  push(table, {1}, {77, 88});
  const auto row = table.find_row(1);
  ASSERT_EQ(row.size(), 20U);  // 2 weights, 1 accumulator, step, seconds
  float accumulator = 0.0F;
  std::uint32_t meta[2];
  std::memcpy(&accumulator, row.data() + 8, 4);
  std::memcpy(meta, row.data() + 12, 8);
  EXPECT_EQ(accumulator, 0.5F);
  EXPECT_EQ(meta[0], 77U);
  EXPECT_EQ(meta[1], 88U);
  EXPECT_EQ(EmbeddingTable(sgd_table(2), 1).layout().row_bytes(), 12U);
}

}  // namespace
}  // namespace capstan
