#include "common/buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

bool is_all(const Buffer& buffer, std::byte value) {
  for (const std::byte each : buffer.bytes()) {
    if (each != value) return false;
  }
  return true;
}

TEST(Buffer, HasTheSizeThatWasAskedForAndIsAligned) {
  for (const std::size_t size :
       {0UL, 1UL, 63UL, 4096UL, 262'143UL, 262'144UL, 2'097'151UL, 2'097'153UL, 9'000'000UL}) {
    Buffer buffer = Buffer::allocate(size);
    EXPECT_EQ(buffer.size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0U) << size;
    if (size > 0) std::memset(buffer.mutable_data(), 7, size);
    EXPECT_TRUE(is_all(buffer, std::byte{7}));
  }
}

// Large blocks are used again, but never while anybody holds a part of one.
TEST(Buffer, ABlockBelongsToOneUntilNobodyHoldsIt) {
  const auto churn = [](std::uint64_t seed) {
    Rng rng(seed);
    std::vector<std::pair<Buffer, std::byte>> held;
    for (int round = 0; round < 400; ++round) {
      if (held.size() > 6 || (!held.empty() && rng.chance(0.4))) {
        const std::size_t at = rng.below(held.size());
        ASSERT_TRUE(is_all(held[at].first, held[at].second));
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
        continue;
      }
      const std::size_t size = 200'000 + rng.below(3'000'000);
      const auto value = static_cast<std::byte>(rng.below(256));
      Buffer buffer = Buffer::allocate(size);
      std::memset(buffer.mutable_data(), static_cast<int>(value), size);
      held.emplace_back(buffer.slice(rng.below(1000), size / 2), value);
    }
  };
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) threads.emplace_back(churn, seed);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace capstan
