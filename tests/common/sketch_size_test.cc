#include "common/sketch_size.h"

#include <gtest/gtest.h>

#include <vector>

namespace capstan {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;

std::vector<TableSpec> tables_with(std::size_t counting, std::size_t others = 1) {
  std::vector<TableSpec> tables(counting + others);
  for (std::size_t i = 0; i < counting; ++i) tables[i].min_count = 3;
  return tables;
}

std::uint64_t bytes_of(std::uint64_t tables, std::uint32_t width, const SketchRoom& room) {
  return tables * room.num_shards * room.replicas * kSketchDepth * width;
}

TEST(SketchSize, WithoutALimitOrACountTheUsualOne) {
  EXPECT_EQ(*sketch_width(tables_with(1), {0, 256, 1}), 1U << 15);
  EXPECT_EQ(*sketch_width(tables_with(1), {0, 1, 1}), 1U << 20) << "the widest";
  EXPECT_EQ(*sketch_width(tables_with(1), {0, 65536, 1}), 1U << 10) << "the narrowest of the usual";
  EXPECT_EQ(*sketch_width(tables_with(0), {1, 256, 1}), 0U) << "nothing is counted";
  EXPECT_EQ(*sketch_width(tables_with(4), {1000 * 1024 * kMiB, 256, 2}), 1U << 15) << "there is room";
}

TEST(SketchSize, StaysWithinAQuarterOfTheMemory) {
  const SketchRoom room{128 * kMiB, 256, 2};
  for (const std::size_t tables : {1U, 7U, 36U}) {
    const std::uint32_t width = *sketch_width(tables_with(tables), room);
    EXPECT_LE(bytes_of(tables, width, room), room.memory / 4) << tables;
    EXPECT_GT(bytes_of(tables, 2 * width, room), room.memory / 4) << tables << ": the widest that fits";
  }
}

TEST(SketchSize, WhatDoesNotFitIsRefusedInWords) {
  const auto refused = sketch_width(tables_with(36), {16 * kMiB, 256, 1});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  for (const char* words : {"36 tables have a min_count", "at least 9MiB", "16MiB in all",
                            "Raise cluster.memory_limit so that all servers together have 36MiB"}) {
    EXPECT_NE(refused.error().message.find(words), std::string::npos) << refused.error().message;
  }
  EXPECT_EQ(*sketch_width(tables_with(36), {36 * kMiB, 256, 1}), kSketchWidthMin) << "as the words promise";
}

}  // namespace
}  // namespace capstan
