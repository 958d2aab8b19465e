#include "ps/table/row_slab.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

void write(RowSlab& rows, std::uint32_t slot, std::size_t row_bytes, std::uint8_t value) {
  std::memset(rows.row(slot), value, row_bytes);
}

bool holds(const RowSlab& rows, std::uint32_t slot, std::size_t row_bytes, std::uint8_t value) {
  const std::vector<std::byte> expected(row_bytes, std::byte{value});
  return std::memcmp(rows.row(slot), expected.data(), row_bytes) == 0;
}

TEST(RowSlab, RowsKeepTheirBytesThroughGrowthAndRemoval) {
  for (const std::size_t row_bytes : {4U, 12U, 72U, 520U, 5000U}) {
    SCOPED_TRACE("row bytes " + std::to_string(row_bytes));
    Rng rng(row_bytes);
    RowSlab rows(row_bytes);
    std::vector<Key> model;
    for (int i = 0; i < 6000; ++i) {
      if (model.empty() || rng.chance(0.7)) {
        const Key key = rng.next();
        const std::uint32_t slot = rows.append(key);
        ASSERT_EQ(slot, model.size());
        write(rows, slot, row_bytes, static_cast<std::uint8_t>(key));
        model.push_back(key);
      } else {
        const auto slot = static_cast<std::uint32_t>(rng.below(model.size()));
        rows.remove(slot);
        model[slot] = model.back();
        model.pop_back();
      }
      if (rng.chance(0.001)) rows.trim();
    }
    ASSERT_EQ(rows.size(), model.size());
    for (std::uint32_t slot = 0; slot < rows.size(); ++slot) {
      ASSERT_EQ(rows.key(slot), model[slot]);
      ASSERT_TRUE(holds(rows, slot, row_bytes, static_cast<std::uint8_t>(model[slot])));
    }
  }
}

// Over the borders of many slabs, small and mapped ones, from where single rows ended.
TEST(RowSlab, RecordsThatComeTogetherLieAsIfTheyHadComeAlone) {
  for (const std::size_t row_bytes : {4U, 72U, 520U}) {
    SCOPED_TRACE("row bytes " + std::to_string(row_bytes));
    constexpr std::uint32_t kRows = 40000;
    RowSlab alone(row_bytes), together(row_bytes);
    std::vector<std::byte> records;
    for (Key key = 0; key < kRows; ++key) {
      const std::uint32_t slot = alone.append(mix64(key));
      write(alone, slot, row_bytes, static_cast<std::uint8_t>(key));
      const std::byte* record = alone.row(slot) - sizeof(Key);
      records.insert(records.end(), record, record + sizeof(Key) + row_bytes);
    }
    const std::span<const std::byte> all(records);
    const std::size_t first = 5 * (sizeof(Key) + row_bytes);
    together.append_records(all.first(first));
    together.append_records(all.subspan(first));
    ASSERT_EQ(together.size(), kRows);
    EXPECT_EQ(together.bytes(), alone.bytes());
    for (std::uint32_t slot = 0; slot < kRows; ++slot) {
      ASSERT_EQ(together.key(slot), alone.key(slot));
      ASSERT_TRUE(holds(together, slot, row_bytes, static_cast<std::uint8_t>(slot)));
    }
  }
}

TEST(RowSlab, AFewRowsTakeLittle) {
  RowSlab rows(72);
  EXPECT_EQ(rows.bytes(), 0U);
  rows.append(1);
  EXPECT_LE(rows.bytes(), 512U);
}

TEST(RowSlab, LargeSlabsCountOnlyThePagesReached) {
  RowSlab rows(72);
  for (Key key = 0; key < 300000; ++key) rows.append(key);
  const std::size_t used = 300000 * std::size_t{80};
  EXPECT_GE(rows.bytes(), used);
  EXPECT_LE(rows.bytes(), used + (std::size_t{3} << 20));
}

TEST(RowSlab, TrimGivesBackWhatNoRowUses) {
  RowSlab rows(72);
  for (Key key = 0; key < 300000; ++key) rows.append(key);
  const std::size_t before = rows.bytes();
  while (rows.size() > 1000) rows.remove(0);
  EXPECT_EQ(rows.bytes(), before);
  rows.trim();
  EXPECT_LE(rows.bytes(), 1000U * 80 * 2);
  for (Key key = 0; key < 300000; ++key) rows.append(key);
  EXPECT_EQ(rows.key(300999), 299999U);
  rows.clear();
  EXPECT_EQ(rows.bytes(), 0U);
  EXPECT_EQ(rows.append(5), 0U);
}

}  // namespace
}  // namespace capstan
