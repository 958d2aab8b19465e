#include "ps/table/slab_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "common/rng.h"
#include "common/sanitizers.h"

namespace capstan {
namespace {

constexpr std::size_t kPage = std::size_t{2} << 20;

// Each is filled with a number of its own, which nothing else may change.
struct Filled {
  SlabBlock block;
  std::size_t bytes = 0;
  int number = 0;

  void fill() const { std::memset(block.data(), number, bytes); }
  bool holds() const {
    for (std::size_t i = 0; i < bytes; ++i) {
      if (block.data()[i] != static_cast<std::byte>(number)) return false;
    }
    return true;
  }
};

Filled make(std::size_t bytes, int number) {
  Filled filled{SlabBlock(bytes), bytes, number};
  filled.fill();
  return filled;
}

// Blocks of all sizes come and go.
bool live_on(std::uint64_t seed) {
  Rng rng(seed);
  std::vector<Filled> blocks;
  bool right = true;
  for (int round = 0; round < 3000; ++round) {
    if (blocks.empty() || rng.chance(0.55)) {
      const std::size_t bytes = 1 + rng.below(rng.chance(0.02) ? 300'000 : 20'000);
      blocks.push_back(make(bytes, static_cast<int>(rng.below(256))));
    } else {
      const std::size_t at = rng.below(blocks.size());
      right = right && blocks[at].holds();
      std::swap(blocks[at], blocks.back());
      blocks.pop_back();
    }
  }
  for (const Filled& each : blocks) right = right && each.holds();
  return right;
}

TEST(SlabPool, BlocksAreAlignedAndNoSmallerThanAskedFor) {
  for (const std::size_t bytes :
       {1U, 63U, 1023U, 1024U, 1025U, 5000U, 16384U, 16385U, 65536U, 65537U, 5000000U}) {
    const SlabBlock block(bytes);
    EXPECT_GE(block.bytes(), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.data()) % 64, 0U) << bytes;
  }
  EXPECT_EQ(SlabBlock().data(), nullptr);
  EXPECT_EQ(SlabBlock().bytes(), 0U);
}

TEST(SlabPool, BlocksDoNotOverlap) {
  EXPECT_TRUE(live_on(1));
}

TEST(SlabPool, ThreadsShareIt) {
  constexpr std::size_t kThreads = 4;
  std::vector<int> right(kThreads, 0);
  std::vector<std::thread> threads;
  for (std::size_t n = 0; n < kThreads; ++n)
    threads.emplace_back([&, n] { right[n] = live_on(10 + n) ? 1 : 0; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, std::vector<int>(kThreads, 1));
}

TEST(SlabPool, ManySmallTablesShareAPage) {
  if (kAddressSanitizer) GTEST_SKIP() << "no pool beside the sanitizer";
  const std::size_t before = slab_pool_bytes();
  std::vector<SlabBlock> blocks;
  for (int n = 0; n < 100; ++n) blocks.emplace_back(16384);
  EXPECT_LE(slab_pool_bytes() - before, kPage);
}

TEST(SlabPool, PagesThatNobodyUsesGoBack) {
  if (kAddressSanitizer) GTEST_SKIP() << "no pool beside the sanitizer";
  const std::size_t before = slab_pool_bytes();
  std::vector<SlabBlock> blocks;
  for (int n = 0; n < 1000; ++n) blocks.emplace_back(32768);
  EXPECT_GE(slab_pool_bytes() - before, 15 * kPage);
  blocks.clear();
  EXPECT_LE(slab_pool_bytes() - before, kPage) << "one stays for who comes next";
}

TEST(SlabPool, WhatIsMovedIsGivenBackOnce) {
  SlabBlock first(4096), second(4096);
  std::byte* const data = first.data();
  second = std::move(first);
  EXPECT_EQ(second.data(), data);
  const SlabBlock third(std::move(second));
  EXPECT_EQ(third.data(), data);
  EXPECT_EQ(second.data(), nullptr);
}

}  // namespace
}  // namespace capstan
