#include "ps/section_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/ps/pushed.h"
#include "tests/ps/string_files.h"

namespace capstan {
namespace {

using testing::HasSubstr;

// One section of `size` bytes in ck/ckpt-000002/ps-0.rows, behind some of another.
class SectionFile : public ::testing::Test {
 protected:
  void write(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
    auto file = files.create(path).value();
    ASSERT_TRUE(file->append(std::vector<std::byte>(kBefore)).ok());
    section.shard = 3;
    section.offset = kBefore;
    section.file = "ps-0.rows";
    ASSERT_TRUE(append_section(*file, bytes, section).ok());
  }
  void flip(std::uint64_t at) {
    char& byte = files.files[path][at];
    byte = static_cast<char>(byte ^ 1);
  }
  std::vector<SectionDamage> damage() { return damage_of(files, "ck/ckpt-000002", section).value(); }

  static constexpr std::uint64_t kBefore = 100;
  const std::string path = "ck/ckpt-000002/ps-0.rows";
  StringFiles files;
  ShardSection section;
};

TEST_F(SectionFile, IsAsLongAsItsBytesAndAChecksumForEachBlock) {
  for (const std::size_t size : {std::size_t{1}, kSectionBlockBytes - 1, kSectionBlockBytes,
                                 kSectionBlockBytes + 1, 3 * kSectionBlockBytes}) {
    write(size);
    const std::size_t blocks = (size + kSectionBlockBytes - 1) / kSectionBlockBytes;
    EXPECT_EQ(section.length, size + 8 * blocks);
    EXPECT_EQ(blocks_of(section), blocks);
    EXPECT_TRUE(damage().empty()) << size;
  }
}

TEST_F(SectionFile, AStorageThatDoesNotAnswerIsNoDamage) {
  write(10);
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kRefused, ErrorCode::kTimeout}) {
    files.read_fails = code;
    EXPECT_EQ(damage_of(files, "ck/ckpt-000002", section).error().code, code);
    const ShardSection* damaged = nullptr;
    EXPECT_EQ(read_chain(files, "ck/ckpt-000002", {&section, 1}, &damaged).error().code, code);
    EXPECT_EQ(damaged, nullptr);
  }
  files.read_fails = ErrorCode::kIo;
  EXPECT_EQ(damage().size(), 1U);
}

TEST_F(SectionFile, EveryDamagedBlockIsNamedWithItsBytes) {
  write(3 * kSectionBlockBytes + 10);
  flip(kBefore + kSectionBlockBytes);
  flip(kBefore + 3 * kSectionBlockBytes + 9);
  const auto found = damage();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].file, path);
  EXPECT_EQ(found[0].offset, kBefore + kSectionBlockBytes);
  EXPECT_EQ(found[0].length, kSectionBlockBytes);
  EXPECT_EQ(found[0].text, path + ": shard 3: block 1 of 4 (bytes 262244 to 524387 of the file) is damaged");
  EXPECT_EQ(found[1].length, 10U);
  EXPECT_THAT(found[1].text, HasSubstr("block 3 of 4"));
}

TEST_F(SectionFile, AnyChangedByteIsFound) {
  write(40);
  for (std::uint64_t at = 0; at < 48; ++at) {
    flip(kBefore + at);
    ASSERT_EQ(damage().size(), 1U) << at;
    flip(kBefore + at);
  }
  flip(kBefore + 47);
  EXPECT_THAT(damage()[0].text,
              HasSubstr("the list of its blocks' checksums (bytes 140 to 147 of the file)"));
}

TEST_F(SectionFile, LengthsThatNoSectionHasAreDamageToo) {
  write(kSectionBlockBytes + 1);
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{8}, section.length - 1,
                                     std::uint64_t{kSectionBlockBytes + 9}}) {
    ShardSection other = section;
    other.length = length;
    EXPECT_EQ(damage_of(files, "ck/ckpt-000002", other).value().size(), 1U) << length;
  }
  files.files[path].pop_back();
  EXPECT_THAT(damage()[0].text, HasSubstr("too short"));
  files.files.erase(path);
  EXPECT_THAT(damage()[0].text, HasSubstr("no such file"));
}

// A shard's snapshots 1 and 2, the second of what changed, in folders of their own.
class SectionChainFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    shard.declare({{sum_table()}});
    push(1, 4.0F);
    write(1, 0);
    push(2, 3.0F);
    write(2, 1);
    chain[0].folder = "ckpt-000001";
  }
  void push(std::uint64_t sequence, float value) {
    Pushed{.sequence = sequence,
           .previous = sequence - 1,
           .keys = {key_of(0)},
           .gradients = {value},
           .step = sequence}
        .to(shard);
  }
  void write(std::uint64_t checkpoint, std::uint64_t base) {
    const ShardSnapshot taken = shard.snapshot_after(0, 0, 1, {checkpoint, base}).value();
    EXPECT_EQ(taken.base, base);
    ShardSection section;
    section.file = "ps-0.rows";
    section.base = base;
    auto file = files.create("ck/ckpt-00000" + std::to_string(checkpoint) + "/ps-0.rows").value();
    ASSERT_TRUE(append_section(*file, taken.bytes.bytes(), section).ok());
    chain.push_back(section);
  }

  StringFiles files;
  Shard shard{0, kShards};
  std::vector<ShardSection> chain;
};

TEST_F(SectionChainFiles, AreReadAsOne) {
  const auto bytes = read_chain(files, "ck/ckpt-000002", chain);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message;
  Shard copy{0, kShards};
  copy.declare({{sum_table()}});
  ASSERT_TRUE(copy.restore(bytes->bytes(), 0).ok());
  EXPECT_EQ(value_of(copy, key_of(0)), 7.0F);
}

TEST_F(SectionChainFiles, SayWhichOfThemIsDamaged) {
  for (std::size_t link = 0; link < 2; ++link) {
    std::string& file = files.files[section_path("ck/ckpt-000002", chain[link])];
    const std::string whole = file;
    file[20] ^= 1;
    const ShardSection* damaged = nullptr;
    const auto bytes = read_chain(files, "ck/ckpt-000002", chain, &damaged);
    ASSERT_FALSE(bytes.ok());
    EXPECT_EQ(damaged, &chain[link]);
    EXPECT_THAT(bytes.error().message,
                HasSubstr("ck/ckpt-00000" + std::to_string(link + 1) + "/ps-0.rows: "));
    file = whole;
  }
  const ShardSection* damaged = nullptr;
  const auto headless = read_chain(files, "ck/ckpt-000002", SectionChain(chain).subspan(1), &damaged);
  EXPECT_EQ(damaged, nullptr) << "it is what was written, but not a shard";
  EXPECT_THAT(headless.error().message, HasSubstr("goes on from checkpoint 1"));
}

}  // namespace
}  // namespace capstan
