#include "common/segments.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace capstan {
namespace {

TEST(Segments, DealAllBatchesInOrderToAtMostEight) {
  for (std::uint64_t batches = 1; batches <= 3000; ++batches) {
    const Segments segments(batches);
    std::map<std::uint64_t, std::uint64_t> sizes;
    std::uint64_t last = 0;
    for (std::uint64_t batch = 0; batch < batches; ++batch) {
      const std::uint64_t segment = segments.of(batch);
      ASSERT_TRUE(segment == last || segment == last + 1) << batches;
      last = segment;
      ++sizes[segment];
      const bool begins = segments.first_batch(segment) == batch;
      ASSERT_EQ(segments.next_begin(batch), begins ? batch : segments.first_batch(segment + 1));
    }
    ASSERT_LE(sizes.size(), 8U) << batches;
    for (const auto& [segment, size] : sizes) {
      ASSERT_TRUE(segment == last || size == sizes.at(0)) << batches << ": all but the last are equal";
    }
  }
}

// Shards remember streams over restarts, failovers and checkpoints: these numbers must not change within a
// version of the protocol.
TEST(Segments, NumbersOfStreamsStay) {
  const auto stream = [](std::uint64_t batches, std::uint32_t partition, std::uint64_t batch) {
    return Segments(batches).stream(partition, 10, batch);
  };
  EXPECT_EQ(stream(16, 3, 15), 3U) << "sixteen batches are one segment";
  EXPECT_EQ(stream(17, 3, 16), 13U);
  EXPECT_EQ(stream(100, 3, 15), 3U);
  EXPECT_EQ(stream(100, 3, 16), 13U);
  EXPECT_EQ(stream(100, 3, 99), 63U);
  EXPECT_EQ(stream(1000, 3, 124), 3U);
  EXPECT_EQ(stream(1000, 3, 125), 13U);
  EXPECT_EQ(stream(1000, 9, 999), 79U);
  EXPECT_EQ(stream(1001, 9, 1000), 79U) << "126 each";
}

TEST(Segments, AnItemIsNamedByTheStreamThatItBeginsWith) {
  std::set<std::uint32_t> streams;
  for (std::uint32_t partition = 0; partition < 5; ++partition) {
    for (std::uint64_t segment = 0; segment < 8; ++segment) {
      const Segments segments(500);
      const std::uint64_t first = segments.first_batch(segment);
      const std::uint32_t stream = segments.stream(partition, 5, first);
      EXPECT_TRUE(streams.insert(stream).second);
      EXPECT_EQ(partition_of_stream(stream, 5), partition);
      EXPECT_EQ(first_batch_of_stream(stream, 5, 500), first);
    }
  }
  EXPECT_EQ(partition_of_stream(7, 0), 0U) << "a peer's nonsense";
}

TEST(Segments, InSteppedModesAPartitionIsOne) {
  const Segments slot;
  EXPECT_EQ(slot.stream(3, 10, 1ULL << 40), 3U);
  EXPECT_GT(slot.next_begin(1), 1ULL << 60);
}

}  // namespace
}  // namespace capstan
