#include "common/adapters/encrypted_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/adapters/any_storage.h"
#include "common/adapters/file_keys.h"
#include "common/rng.h"
#include "tests/temp_dir.h"

namespace capstan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class EncryptedStorageTest : public ::testing::Test {
 protected:
  EncryptedStorageTest() { EXPECT_TRUE(add_file_key(root_ + "/keys/checkpoint.key").ok()); }

  AnyStorage storage() const { return AnyStorage({}, {}, root_ + "/keys"); }
  std::string path(const std::string& name) const { return "encrypted:" + root_ + "/" + name; }
  std::vector<char> stored(const std::string& name) const {
    std::ifstream in(root_ + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void store(const std::string& name, const std::vector<char>& bytes) const {
    std::ofstream(root_ + "/" + name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  static Buffer some(std::size_t size) {
    Buffer bytes = Buffer::allocate(size);
    Rng rng(size);
    for (std::size_t i = 0; i < size; ++i) bytes.mutable_data()[i] = static_cast<std::byte>(rng.below(256));
    return bytes;
  }
  // In pieces that are no frames.
  void write(const std::string& name, const Buffer& bytes) const {
    AnyStorage files = storage();
    auto file = files.create(path(name)).value();
    for (std::size_t at = 0; at < bytes.size(); at += 100000)
      ASSERT_TRUE(
          file->append(bytes.bytes().subspan(at, std::min<std::size_t>(100000, bytes.size() - at))).ok());
    ASSERT_TRUE(file->sync().ok());
    ASSERT_TRUE(file->close().ok());
  }

  TempDir dir_;
  std::string root_ = dir_.path();
};

bool equal(const Buffer& a, std::span<const std::byte> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), b.size()) == 0);
}

TEST_F(EncryptedStorageTest, WhatIsWrittenIsReadInAnyRange) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kFrameBytes - 1, kFrameBytes,
                                 kFrameBytes + 1, 2 * kFrameBytes, 3 * kFrameBytes + 777}) {
    const Buffer bytes = some(size);
    write("rows", bytes);
    AnyStorage files = storage();
    const auto whole = files.read(path("rows"));
    ASSERT_TRUE(whole.ok()) << whole.error().message;
    EXPECT_TRUE(equal(*whole, bytes.bytes())) << size;
    EXPECT_EQ(files.sizes("encrypted:" + root_)->at("rows"), size);
    Rng rng(size + 1);
    for (int times = 0; times < 40 && size > 0; ++times) {
      const std::size_t from = rng.below(size), length = rng.below(size - from) + 1;
      const auto part = files.read_range(path("rows"), from, length);
      ASSERT_TRUE(part.ok()) << part.error().message;
      EXPECT_TRUE(equal(*part, bytes.bytes().subspan(from, length))) << size << " " << from << " " << length;
    }
    EXPECT_EQ(files.read_range(path("rows"), size, 1).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(files.read_range(path("rows"), 1, ~std::uint64_t{0}).error().code, ErrorCode::kCorrupt);
  }
}

TEST_F(EncryptedStorageTest, ThePlainBytesAreNowhereOnTheDisk) {
  const std::string text(5000, 'x');
  AnyStorage files = storage();
  ASSERT_TRUE(files.publish(path("manifest"), std::as_bytes(std::span(text))).ok());
  write("rows", Buffer::copy_of(text));
  for (const char* name : {"manifest", "rows"}) {
    const auto bytes = stored(name);
    EXPECT_EQ(std::string(bytes.begin(), bytes.end()).find("xxxxxx"), std::string::npos);
  }
  EXPECT_EQ(files.read(path("manifest"))->text(), text);
}

TEST_F(EncryptedStorageTest, EveryChangedBitIsNoticed) {
  write("rows", some(kFrameBytes + 300));
  const auto bytes = stored("rows");
  Rng rng(3);
  AnyStorage files = storage();
  for (int times = 0; times < 200; ++times) {
    auto damaged = bytes;
    damaged[rng.below(damaged.size())] ^= static_cast<char>(1U << rng.below(8));
    store("rows", damaged);
    EXPECT_FALSE(files.read(path("rows")).ok());
    EXPECT_FALSE(files.read_range(path("rows"), 0, kFrameBytes + 300).ok());
  }
}

TEST_F(EncryptedStorageTest, AFileThatIsCutOffIsNoticedAtAnyLength) {
  write("rows", some(2 * kFrameBytes));
  const auto bytes = stored("rows");
  AnyStorage files = storage();
  for (const std::size_t length : {std::size_t{0}, std::size_t{8}, kEncryptedHeadBytes,
                                   kEncryptedHeadBytes + kFrameOverhead + kFrameBytes, bytes.size() - 1}) {
    store("rows", {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)});
    EXPECT_EQ(files.read(path("rows")).error().code, ErrorCode::kCorrupt) << length;
  }
  auto longer = bytes;
  longer.insert(longer.end(), 50, 'x');
  store("rows", longer);
  EXPECT_EQ(files.read(path("rows")).error().code, ErrorCode::kCorrupt);
}

// As somebody could do who has the disk and not the key.
TEST_F(EncryptedStorageTest, FramesCannotChangePlacesOrFiles) {
  write("a", some(3 * kFrameBytes));
  write("b", some(3 * kFrameBytes));
  constexpr std::ptrdiff_t kFrame = kFrameBytes + kFrameOverhead, kHead = kEncryptedHeadBytes;
  const auto a = stored("a"), b = stored("b");
  AnyStorage files = storage();
  auto swapped = a;
  std::swap_ranges(swapped.begin() + kHead, swapped.begin() + kHead + kFrame,
                   swapped.begin() + kHead + kFrame);
  store("a", swapped);
  EXPECT_FALSE(files.read_range(path("a"), 0, 10).ok());
  auto mixed = a;
  std::copy(b.begin() + kHead, b.begin() + kHead + kFrame, mixed.begin() + kHead);
  store("a", mixed);
  EXPECT_FALSE(files.read_range(path("a"), 0, 10).ok());
}

TEST_F(EncryptedStorageTest, AFileThatTookAnothersPlaceIsReadAnew) {
  write("rows", some(kFrameBytes * 2));
  AnyStorage files = storage();
  ASSERT_TRUE(files.read_range(path("rows"), kFrameBytes, 10).ok());
  const Buffer other = some(kFrameBytes / 2);
  write("rows", other);
  const auto part = files.read_range(path("rows"), 5, 10);
  ASSERT_TRUE(part.ok()) << part.error().message;
  EXPECT_TRUE(equal(*part, other.bytes().subspan(5, 10)));
}

TEST_F(EncryptedStorageTest, ANewKeyWritesAndTheOldOnesRead) {
  write("old", some(100));
  ASSERT_TRUE(add_file_key(root_ + "/keys/checkpoint.key").ok());
  write("new", some(200));
  AnyStorage files = storage();
  EXPECT_TRUE(files.read(path("old")).ok());
  EXPECT_TRUE(files.read(path("new")).ok());
  const auto keys = read_file_keys(root_ + "/keys/checkpoint.key").value();
  ASSERT_EQ(keys.size(), 2U);
  const auto bytes = stored("new");
  EXPECT_EQ(read_encrypted_head(std::as_bytes(std::span(bytes)))->key_id, id_of(keys[0]));
}

TEST_F(EncryptedStorageTest, WithoutItsKeyNothingIsReadAndNothingCalledDamaged) {
  write("rows", some(100));
  auto missing = AnyStorage({}, {}, root_ + "/nowhere").read(path("rows"));
  EXPECT_EQ(missing.error().code, ErrorCode::kRefused);
  EXPECT_THAT(missing.error().message, HasSubstr("capstan keys new --role checkpoint"));
  ASSERT_TRUE(add_file_key(root_ + "/other/checkpoint.key").ok());
  auto other = AnyStorage({}, {}, root_ + "/other").read(path("rows"));
  EXPECT_EQ(other.error().code, ErrorCode::kRefused);
  EXPECT_THAT(other.error().message, HasSubstr("encrypted with another key"));
  fs::permissions(root_ + "/keys/checkpoint.key", fs::perms(0644));
  auto open = storage().read(path("rows"));
  EXPECT_EQ(open.error().code, ErrorCode::kRefused);
  EXPECT_THAT(open.error().message, HasSubstr("chmod 600"));
}

TEST_F(EncryptedStorageTest, PlainFilesAreNotTakenForEncryptedOnes) {
  store("plain", std::vector<char>(500, 'x'));
  AnyStorage files = storage();
  EXPECT_THAT(files.read(path("plain")).error().message, HasSubstr("name it without `encrypted:`"));
  EXPECT_THAT(files.read_range(path("plain"), 0, 5).error().message,
              HasSubstr("name it without `encrypted:`"));
}

TEST_F(EncryptedStorageTest, NothingIsAppendedToAWholeFile) {
  AnyStorage files = storage();
  auto file = files.create(path("rows")).value();
  ASSERT_TRUE(file->append(some(10).bytes()).ok());
  ASSERT_TRUE(file->sync().ok());
  EXPECT_EQ(file->append(some(10).bytes()).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(files.open_append(path("rows")).error().code, ErrorCode::kInvalid);
}

TEST(FileKeys, AFileOfKeysSaysWhereItIsWrong) {
  EXPECT_EQ(parse_file_keys("# a\n" + std::string(64, 'a') + " # b\n\n" + std::string(64, '0'), "f")->size(),
            2U);
  EXPECT_THAT(parse_file_keys("\nabc\n", "f").error().message, HasSubstr("f:2: a line is a key"));
  EXPECT_THAT(parse_file_keys("# nothing\n", "f").error().message, HasSubstr("there is no key in it"));
}

}  // namespace
}  // namespace capstan
