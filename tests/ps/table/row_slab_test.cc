#include "ps/table/row_slab.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

// A slab whose rows hold a byte each, over and over, and a map that says which.
class Rows {
 public:
  Rows(std::size_t weight_bytes, std::size_t tail_bytes)
      : weight_bytes_(weight_bytes), tail_bytes_(tail_bytes), slab_(weight_bytes, tail_bytes) {}

  void add(std::uint8_t value) {
    const std::uint32_t slot = slab_.take();
    ASSERT_TRUE(model_.emplace(slot, value).second) << "slot " << slot << " is another row's";
    std::memset(slab_.weights(slot), value, weight_bytes_);
    std::memset(slab_.tail(slot), ~value, tail_bytes_);
  }
  void remove(std::size_t which) {
    const auto found = std::next(model_.begin(), static_cast<std::ptrdiff_t>(which));
    slab_.give_back(found->first);
    model_.erase(found);
  }
  void trim() {
    const std::map<std::uint32_t, std::uint8_t> before = std::exchange(model_, {});
    slab_.trim([&](const auto& move) {
      for (const auto& [old_slot, value] : before) {
        std::uint32_t slot = old_slot;
        move(slot);
        model_[slot] = value;
      }
    });
    if (model_.empty()) model_ = before;  // nothing was to be given back
    ASSERT_EQ(model_.size(), before.size()) << "two rows in one slot";
  }
  void check() const {
    ASSERT_EQ(slab_.size(), model_.size());
    for (const auto& [slot, value] : model_) {
      const std::vector<std::byte> weights(weight_bytes_, std::byte{value});
      const std::vector<std::byte> tail(tail_bytes_, ~std::byte{value});
      ASSERT_EQ(std::memcmp(slab_.weights(slot), weights.data(), weight_bytes_), 0);
      ASSERT_EQ(std::memcmp(slab_.tail(slot), tail.data(), tail_bytes_), 0);
    }
  }
  std::size_t size() const { return model_.size(); }
  RowSlab& slab() { return slab_; }

 private:
  std::size_t weight_bytes_;
  std::size_t tail_bytes_;
  RowSlab slab_;
  std::map<std::uint32_t, std::uint8_t> model_;  // by slot
};

const std::vector<std::pair<std::size_t, std::size_t>> kShapes = {
    {4, 4}, {4, 16}, {64, 8}, {32, 40}, {512, 8}, {4096, 8196}, {40000, 4}, {4000000, 4}};

TEST(RowSlab, RowsKeepTheirBytesThroughGrowthRemovalAndTrimming) {
  for (const auto& [weight_bytes, tail_bytes] : kShapes) {
    SCOPED_TRACE("weights " + std::to_string(weight_bytes) + ", tail " + std::to_string(tail_bytes));
    Rng rng(weight_bytes);
    Rows rows(weight_bytes, tail_bytes);
    const int operations = weight_bytes > 1000000 ? 30 : weight_bytes > 10000 ? 300 : 8000;
    for (int i = 0; i < operations; ++i) {
      const double growth = i < operations / 2 ? 0.7 : 0.3;
      if (rows.size() == 0 || rng.chance(growth)) {
        rows.add(static_cast<std::uint8_t>(rng.next()));
      } else {
        rows.remove(rng.below(rows.size()));
      }
      if (rng.chance(20.0 / operations)) rows.trim();
      if (rng.chance(10.0 / operations)) rows.check();
      if (testing::Test::HasFatalFailure()) return;
    }
    rows.trim();
    rows.check();
  }
}

TEST(RowSlab, WeightsOfWholeLinesBeginAtOne) {
  RowSlab apart(64, 8), together(32, 8);
  for (int i = 0; i < 50000; ++i) {
    const std::uint32_t slot = apart.take();
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(apart.weights(slot)) % 64, 0U);
    const std::uint32_t other = together.take();
    ASSERT_EQ(together.tail(other), together.weights(other) + 32);
  }
}

TEST(RowSlab, AFewRowsTakeLittle) {
  RowSlab rows(64, 8);
  EXPECT_EQ(rows.bytes(), 0U);
  rows.take();
  EXPECT_LE(rows.bytes(), 512U);
}

TEST(RowSlab, NoMoreThanAnEighthIsSpare) {
  for (const auto& [weight_bytes, tail_bytes] : kShapes) {
    if (weight_bytes > 4096) continue;
    SCOPED_TRACE("weights " + std::to_string(weight_bytes) + ", tail " + std::to_string(tail_bytes));
    RowSlab rows(weight_bytes, tail_bytes);
    while (rows.bytes() < std::size_t{40} << 20) {
      const std::size_t before = rows.bytes();
      rows.take();
      const std::size_t used = rows.size() * (weight_bytes + tail_bytes);
      if (rows.bytes() == before || used < (std::size_t{512} << 10)) continue;
      ASSERT_GE(rows.bytes(), used);
      ASSERT_LE(rows.bytes(), used + used / 4) << used;
    }
    const std::size_t used = rows.size() * (weight_bytes + tail_bytes);
    EXPECT_LE(rows.bytes(), used + used / 8);
  }
}

TEST(RowSlab, TrimGivesBackWhatNoRowUses) {
  Rows rows(64, 8);
  for (int i = 0; i < 300000; ++i) rows.add(static_cast<std::uint8_t>(i));
  const std::size_t before = rows.slab().bytes();
  Rng rng(3);
  while (rows.size() > 1000) rows.remove(rng.below(std::min<std::size_t>(rows.size(), 200)));
  EXPECT_EQ(rows.slab().bytes(), before);
  rows.trim();
  rows.check();
  EXPECT_LE(rows.slab().bytes(), 1000U * 72 * 5 / 4);
  while (rows.size() > 20) rows.remove(rows.size() - 1);
  rows.trim();
  rows.trim();
  rows.check();
  EXPECT_LE(rows.slab().bytes(), 2048U) << "a chunk of a few rows";
  for (int i = 0; i < 300000; ++i) rows.add(static_cast<std::uint8_t>(i));
  rows.check();
  rows.slab().clear();
  EXPECT_EQ(rows.slab().bytes(), 0U);
  EXPECT_EQ(rows.slab().take(), 0U);
}

}  // namespace
}  // namespace capstan
