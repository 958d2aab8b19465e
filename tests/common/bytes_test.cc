#include "common/bytes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/rng.h"

namespace capstan {
namespace {

TEST(Bytes, WhatWasPutComesBack) {
  ByteWriter writer;
  writer.put(std::uint32_t{7});
  writer.put(-1.5);
  writer.put_string("hello");
  writer.put_vector(std::vector<float>{1.0F, 2.0F});
  writer.put_vector(std::vector<std::uint64_t>{});
  const Buffer bytes = writer.take();
  EXPECT_EQ(bytes.size(), 4U + 8 + 8 + 5 + 8 + 8 + 8);

  ByteReader reader(bytes.bytes());
  EXPECT_EQ(reader.get<std::uint32_t>(), 7U);
  EXPECT_EQ(reader.get<double>(), -1.5);
  EXPECT_EQ(reader.get_string(), "hello");
  EXPECT_EQ(reader.get_vector<float>(), (std::vector<float>{1.0F, 2.0F}));
  EXPECT_TRUE(reader.get_vector<std::uint64_t>().empty());
  EXPECT_TRUE(reader.finish().ok());
}

TEST(Bytes, AreLittleEndian) {
  ByteWriter writer;
  writer.put(std::uint32_t{0x01020304});
  EXPECT_EQ(writer.take().text(), "\x04\x03\x02\x01");
}

TEST(Bytes, EveryTruncationIsCorrupt) {
  ByteWriter writer;
  writer.put(std::uint8_t{1});
  writer.put_string("abc");
  writer.put_vector(std::vector<double>{1.0, 2.0});
  const Buffer bytes = writer.take();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader reader(bytes.bytes().first(size));
    reader.get<std::uint8_t>();
    reader.get_string();
    reader.get_vector<double>();
    ASSERT_FALSE(reader.finish().ok()) << size;
    EXPECT_EQ(reader.finish().error().code, ErrorCode::kCorrupt);
  }
}

TEST(Bytes, LeftoverBytesAreCorrupt) {
  ByteWriter writer;
  writer.put(std::uint16_t{1});
  const Buffer bytes = writer.take();
  ByteReader reader(bytes.bytes());
  reader.get<std::uint8_t>();
  EXPECT_EQ(reader.finish().error().code, ErrorCode::kCorrupt);
}

TEST(Bytes, AHugeCountIsRefusedBeforeItIsAllocated) {
  for (const std::uint64_t count : {std::uint64_t{2}, std::uint64_t{1} << 61, ~std::uint64_t{0}}) {
    ByteWriter writer;
    writer.put(count);
    writer.put(1.0);
    const Buffer bytes = writer.take();
    ByteReader numbers(bytes.bytes());
    EXPECT_TRUE(numbers.get_vector<double>().empty());
    EXPECT_TRUE(numbers.failed());
    if (count > 8) {
      ByteReader text(bytes.bytes());
      EXPECT_EQ(text.get_string(), "");
      EXPECT_TRUE(text.failed());
    }
  }
}

TEST(Bytes, AfterAFailureEveryReadGivesNothing) {
  const Buffer bytes = Buffer::copy_of(std::string_view("abcdef"));
  ByteReader reader(bytes.bytes());
  EXPECT_EQ(reader.get<std::uint64_t>(), 0U);
  EXPECT_EQ(reader.get<std::uint8_t>(), 0U);
  EXPECT_EQ(reader.get_string(), "");
  EXPECT_FALSE(reader.finish().ok());
}

TEST(Bytes, RandomBytesNeverCrashTheReader) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Rng rng(seed);
    std::vector<std::uint8_t> noise(rng.below(64));
    for (auto& byte : noise) byte = static_cast<std::uint8_t>(rng.below(rng.chance(0.5) ? 4 : 256));
    ByteReader reader(std::as_bytes(std::span(noise)));
    for (int i = 0; i < 8; ++i) {
      switch (rng.below(3)) {
        case 0:
          reader.get<std::uint32_t>();
          break;
        case 1:
          EXPECT_LE(reader.get_string().size(), noise.size()) << "seed " << seed;
          break;
        default:
          EXPECT_LE(reader.get_vector<std::uint16_t>().size(), noise.size()) << "seed " << seed;
      }
    }
  }
}

TEST(Bytes, RunsOfBytesAreReadWhereTheyLie) {
  ByteWriter out;
  const std::vector<std::byte> run = {std::byte{1}, std::byte{2}, std::byte{3}};
  out.put_bytes(run);
  out.put_bytes({});
  const auto room = out.extend(2);
  ASSERT_EQ(room.size(), 2U);
  EXPECT_EQ(room[1], std::byte{0});
  room[1] = std::byte{9};
  const Buffer bytes = out.take();
  ByteReader in(bytes.bytes());
  const auto read = in.get_bytes();
  EXPECT_EQ(read.data(), bytes.data() + sizeof(std::uint64_t));
  EXPECT_TRUE(std::ranges::equal(read, run));
  EXPECT_TRUE(in.get_bytes().empty());
  EXPECT_EQ(in.get<std::uint16_t>(), 0x0900);
  EXPECT_TRUE(in.finish().ok());
  ByteReader short_of(bytes.bytes().first(9));
  EXPECT_TRUE(short_of.get_bytes().empty());
  EXPECT_FALSE(short_of.finish().ok()) << "three bytes are promised, one is there";
}

}  // namespace
}  // namespace capstan
