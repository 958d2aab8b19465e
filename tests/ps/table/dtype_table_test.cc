// Tables whose weights are stored in 16 bits, against a map of such weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "common/rng.h"
#include "ps/table/embedding_table.h"

namespace capstan {
namespace {

using Halves = std::vector<std::uint16_t>;

TableSpec table_of(Dtype dtype, std::uint32_t dim) {
  TableSpec spec;
  spec.name = std::string("t");
  spec.dim = dim;
  spec.dtype = dtype;
  spec.init = {.kind = InitKind::kNormal, .scale = 1.0F, .seed = 9};
  spec.optimizer = {.kind = OptimizerKind::kSgd, .learning_rate = 1.0F, .schedule = {}};
  return spec;
}

std::byte* bytes_of(Halves& halves) {
  return reinterpret_cast<std::byte*>(halves.data());
}

class DtypeTable : public ::testing::TestWithParam<std::tuple<Dtype, std::uint32_t>> {};

TEST_P(DtypeTable, AgreesWithAMapOfStoredWeights) {
  const auto [dtype, dim] = GetParam();
  Rng rng(dim);
  EmbeddingTable table(table_of(dtype, dim), 1);
  const Initializer initializer(table.spec().init, dim);
  std::unordered_map<Key, Halves> model;
  std::vector<float> wide(dim);
  const auto expected = [&](Key key) {
    if (const auto found = model.find(key); found != model.end()) return found->second;
    Halves initial(dim);
    initializer.fill(key, wide.data());
    narrow(table.spec().dtype, wide.data(), wide.size(), bytes_of(initial));
    return initial;
  };
  for (std::uint64_t step = 1; step <= 200; ++step) {
    std::vector<Key> keys(1 + rng.below(60));
    for (Key& key : keys) key = rng.below(1000);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    std::vector<float> gradients(keys.size() * wide.size());
    for (float& g : gradients) g = 0.01F * static_cast<float>(rng.normal());
    table.apply(keys, gradients.data(), {step, 0});
    for (std::size_t i = 0; i < keys.size(); ++i) {
      Halves row = expected(keys[i]);
      widen(table.spec().dtype, bytes_of(row), wide.size(), wide.data());
      for (std::size_t d = 0; d < wide.size(); ++d) wide[d] -= gradients[i * wide.size() + d];
      narrow_stochastic(table.spec().dtype, wide.data(), wide.size(), combine(step, keys[i]), bytes_of(row));
      model[keys[i]] = row;
    }
    for (Key& key : keys) key = rng.below(1500);
    Halves stored(section_bytes(table.spec(), keys.size()) / 2, 0xFFFF), wanted;
    table.gather(keys, bytes_of(stored));
    for (const Key key : keys) {
      const Halves row = expected(key);
      wanted.insert(wanted.end(), row.begin(), row.end());
    }
    wanted.resize(stored.size());  // zeros behind
    ASSERT_EQ(stored, wanted) << "step " << step;
    std::vector<float> floats(keys.size() * wide.size()), widened(floats.size());
    table.gather(keys, floats.data());
    widen(table.spec().dtype, bytes_of(stored), widened.size(), widened.data());
    ASSERT_EQ(floats, widened);
  }
}

INSTANTIATE_TEST_SUITE_P(Dims, DtypeTable,
                         ::testing::Combine(::testing::Values(Dtype::kBfloat16, Dtype::kFloat16),
                                            ::testing::Values(1U, 3U, 16U, 32U, 33U, 1024U)));

TEST(DtypeTable, ARowTakesHalfTheBytes) {
  EXPECT_EQ(EmbeddingTable(table_of(Dtype::kBfloat16, 64), 1).layout().weight_bytes(), 128U);
  EXPECT_EQ(EmbeddingTable(table_of(Dtype::kFloat16, 3), 1).layout().weight_bytes(), 8U);
  EXPECT_EQ(EmbeddingTable(table_of(Dtype::kFloat32, 64), 1).layout().weight_bytes(), 256U);
}

// A thousandth of a bfloat16 step at a time: rounding to the nearest would leave the weights where they are.
TEST(DtypeTable, SmallStepsAddUp) {
  TableSpec spec = table_of(Dtype::kBfloat16, 256);
  spec.init = {.kind = InitKind::kConstant, .scale = 1.0F};
  EmbeddingTable table(spec, 1);
  const Key key = 5;
  const std::vector<float> gradient(256, 0x1p-17F);  // a 512th of the distance to the next smaller value
  for (std::uint64_t step = 1; step <= 4096; ++step) table.apply({&key, 1}, gradient.data(), {step, 0});
  std::vector<float> weights(256);
  table.gather({&key, 1}, weights.data());
  double sum = 0.0;
  for (const float weight : weights) sum += weight;
  EXPECT_NEAR(sum / 256, 1.0 - 4096 * 0x1p-17, 0.002);
}

TEST(DtypeTable, RowsComeBackAsTheyWere) {
  TableSpec spec = table_of(Dtype::kFloat16, 5);
  spec.optimizer.kind = OptimizerKind::kAdam;
  EmbeddingTable table(spec, 1), copy(spec, 1);
  std::vector<Key> keys(100);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = i * 7;
  const std::vector<float> gradients(keys.size() * 5, 0.3F);
  table.apply(keys, gradients.data(), {1, 0});
  std::vector<std::byte> records(table.size() * table.record_bytes());
  table.copy_rows(std::nullopt, records.data());
  ASSERT_TRUE(copy.insert_rows(records).ok());
  for (EmbeddingTable* each : {&table, &copy}) each->apply(keys, gradients.data(), {2, 0});
  for (const Key key : keys) EXPECT_EQ(copy.find_row(key), table.find_row(key));
}

}  // namespace
}  // namespace capstan
