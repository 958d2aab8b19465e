// Rows and gradients of 16-bit tables on their way through a shard.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/ps/pushed.h"

namespace capstan {
namespace {

const Key kA = key_of(0, 0), kB = key_of(0, 1), kC = key_of(0, 2);

std::vector<TableSpec> mixed_tables() {
  TableSpec brief = sum_table("brief", 1);
  brief.dtype = Dtype::kBfloat16;
  TableSpec half = sum_table("half", 3);
  half.dtype = Dtype::kFloat16;
  return {brief, sum_table("wide", 2), half};
}

struct Section16 {
  std::uint32_t table;
  std::vector<Key> keys;
  std::vector<float> gradients;
};

PushedSlice slice_of(const std::vector<TableSpec>& specs, const std::vector<Section16>& sections,
                     std::uint64_t sequence = 1, std::uint32_t slot = 0) {
  PushedSlice slice;
  slice.partition = slot;
  slice.term = 1;
  slice.sequence = sequence;
  slice.previous = sequence - 1;
  std::vector<Key> keys;
  std::vector<std::byte> values;
  for (const auto& [table, of, gradients] : sections) {
    const TableSpec& spec = specs[table];
    slice.sections.push_back({table, static_cast<std::uint32_t>(of.size())});
    keys.insert(keys.end(), of.begin(), of.end());
    const std::size_t at = values.size();
    values.resize(at + section_bytes(spec, of.size()));
    narrow(of_gradients(spec.dtype), gradients.data(), gradients.size(), values.data() + at);
  }
  slice.keys_owner = Buffer::copy_of(std::span<const Key>(keys));
  slice.gradients_owner = Buffer::copy_of(std::span<const std::byte>(values));
  slice.keys = slice.keys_owner.as<Key>().data();
  slice.gradients = slice.gradients_owner.data();
  return slice;
}

// All three tables' rows of `keys` in one answer, widened.
std::vector<std::vector<float>> pull(Shard& shard, const std::vector<TableSpec>& specs,
                                     const std::vector<Key>& keys, StepClock at = {99, 0}) {
  std::vector<Section> sections;
  std::vector<Key> all;
  std::size_t bytes = 0;
  for (std::uint32_t table = 0; table < specs.size(); ++table) {
    sections.push_back({table, static_cast<std::uint32_t>(keys.size())});
    all.insert(all.end(), keys.begin(), keys.end());
    bytes += section_bytes(specs[table], keys.size());
  }
  std::vector<std::byte> out(bytes, std::byte{0xEE});
  shard.pull(sections, all.data(), at, out.data());
  std::vector<std::vector<float>> rows;
  const std::byte* from = out.data();
  for (const TableSpec& spec : specs) {
    const std::size_t count = keys.size() * spec.dim;
    widen(spec.dtype, from, count, rows.emplace_back(count).data());
    for (std::size_t i = count * width(spec.dtype); i < section_bytes(spec, keys.size()); ++i) {
      EXPECT_EQ(from[i], std::byte{0}) << "what stands behind the rows is told to others";
    }
    from += section_bytes(spec, keys.size());
  }
  return rows;
}

TEST(ShardDtype, SectionsOfAllKindsInOneMessage) {
  const auto specs = mixed_tables();
  Shard shard(0, kShards);
  shard.declare({specs, 0, false});
  const auto slice = slice_of(
      specs, {{0, {kA, kB, kC}, {1, 2, 3}}, {1, {kB}, {0.1F, 7}}, {2, {kA, kC}, {4, 5, 6, 7, 8, 9}}});
  ASSERT_EQ(shard.push(slice, 0).status, SliceStatus::kOk);
  const auto rows = pull(shard, specs, {kA, kB, kC});
  EXPECT_EQ(rows[0], (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(rows[1], (std::vector<float>{0, 0, 0.1F, 7, 0, 0}));
  EXPECT_EQ(rows[2], (std::vector<float>{4, 5, 6, 0, 0, 0, 7, 8, 9}));
}

// Whose padded bytes are as many as a float's.
TEST(ShardDtype, ASingleValue) {
  const auto specs = mixed_tables();
  Shard shard(0, kShards);
  shard.declare({specs, 0, false});
  ASSERT_EQ(shard.push(slice_of(specs, {{0, {kA}, {1.5F}}}), 0).status, SliceStatus::kOk);
  EXPECT_EQ(pull(shard, specs, {kA})[0], std::vector<float>{1.5F});
}

TEST(ShardDtype, AGradientThatIsNoNumberIsRefusedInSixteenBitsToo) {
  const auto specs = mixed_tables();
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), 1e30F}) {
    Shard shard(0, kShards);
    shard.declare({specs, 0, false});
    const auto slice = slice_of(specs, {{0, {kA}, {1}}, {2, {kA}, {1, bad, 1}}});
    EXPECT_EQ(shard.push(slice, 0).status, SliceStatus::kRefused) << bad;
    EXPECT_EQ(shard.stats().rows, 0U);
  }
}

TEST(ShardDtype, InSyncStepsAreSummedInFloatsAndUndone) {
  const auto specs = mixed_tables();
  Shard shard(0, kShards), copy(0, kShards);
  for (Shard* each : {&shard, &copy}) each->declare({specs, 2, true});
  // The second is lost beside the first in bfloat16, were they summed there.
  EXPECT_TRUE(shard.push(slice_of(specs, {{1, {kA}, {3, 4}}, {2, {kA}, {256, 1, 1}}}, 1, 0), 0).waits);
  ASSERT_TRUE(copy.load_all(shard.save_all().bytes()).ok());
  for (Shard* each : {&shard, &copy}) {
    each->push(slice_of(specs, {{0, {kB}, {9}}, {2, {kA}, {1, 2, 3}}}, 1, 1), 0);
    const auto rows = pull(*each, specs, {kA, kB}, {0, 1});
    EXPECT_EQ(rows[2], (std::vector<float>{257, 3, 4, 0, 0, 0}));
    EXPECT_EQ(rows[1], (std::vector<float>{3, 4, 0, 0}));
    const auto before = pull(*each, specs, {kA, kB}, {0, 0});
    for (const auto& table : before) EXPECT_EQ(table, std::vector<float>(table.size(), 0.0F));
  }
  EXPECT_EQ(shard.save_all(Shard::RowOrder::kByKey).text(), copy.save_all(Shard::RowOrder::kByKey).text());
  Shard taught(0, kShards);
  taught.declare({specs, 2, true});
  ASSERT_TRUE(taught.load_all(shard.save_all().bytes()).ok());
  EXPECT_EQ(pull(taught, specs, {kA, kB}, {0, 0})[2], std::vector<float>(6, 0.0F));
}

}  // namespace
}  // namespace capstan
