#include "common/adapters/disk_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace capstan {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class DiskFilesTest : public ::testing::Test {
 protected:
  DiskFilesTest() {
    std::string pattern = (fs::temp_directory_path() / "disk_files_XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~DiskFilesTest() override { fs::remove_all(root_); }

  std::string at(const std::string& name) const { return root_ + "/" + name; }
  void put(const std::string& name, std::string_view text) {
    auto file = disk_.create(at(name));
    ASSERT_TRUE(file.ok()) << file.error().message;
    ASSERT_TRUE((*file)->append(bytes_of(text)).ok());
    ASSERT_TRUE((*file)->sync().ok());
    ASSERT_TRUE((*file)->close().ok());
  }
  std::string text(const std::string& name) {
    auto got = disk_.read(at(name));
    return got.ok() ? std::string(got->text()) : "error: " + got.error().message;
  }

  DiskFiles disk_;
  std::string root_;
};

TEST_F(DiskFilesTest, ReadsWhatWasWritten) {
  put("a", "hello, rope");
  EXPECT_EQ(text("a"), "hello, rope");
  put("a", "");
  EXPECT_EQ(text("a"), "");
  std::string big(3'000'000, 'x');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 % 251);
  put("big", big);
  EXPECT_EQ(text("big"), big);
  const auto middle = disk_.read_range(at("big"), 1'234'567, 1000);
  ASSERT_TRUE(middle.ok());
  EXPECT_EQ(middle->text(), big.substr(1'234'567, 1000));
}

// They pass the page cache by, unless they are in it.
TEST_F(DiskFilesTest, LargeRangesAreReadFromTheDiskAsFromTheCache) {
  std::string big(7'654'321, 'x');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 % 251);
  put("big", big);
  const std::pair<std::size_t, std::size_t> ranges[] = {{0, big.size()},
                                                        {1, big.size() - 1},
                                                        {4096, 1 << 20},
                                                        {1'234'567, 3'000'001},
                                                        {big.size() - 2'000'003, 2'000'003}};
  for (const bool cached : {false, true}) {
    for (const auto& [offset, size] : ranges) {
      SCOPED_TRACE(::testing::Message() << size << " at " << offset << (cached ? ", cached" : ""));
      const int file = ::open(at("big").c_str(), O_RDONLY);
      ASSERT_EQ(::fdatasync(file), 0);
      ASSERT_EQ(::posix_fadvise(file, 0, 0, cached ? POSIX_FADV_WILLNEED : POSIX_FADV_DONTNEED), 0);
      ::close(file);
      const auto range = disk_.read_range(at("big"), offset, size);
      ASSERT_TRUE(range.ok()) << range.error().message;
      EXPECT_TRUE(range->text() == std::string_view(big).substr(offset, size));
    }
  }
}

TEST_F(DiskFilesTest, AppendGoesOnWhereTheFileEnds) {
  put("log", "one ");
  auto file = disk_.open_append(at("log"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->append(bytes_of("two")).ok());
  ASSERT_TRUE((*file)->close().ok());
  EXPECT_EQ(text("log"), "one two");
  EXPECT_EQ((*file)->append(bytes_of("three")).error().code, ErrorCode::kIo);
}

TEST_F(DiskFilesTest, ErrorsNameThePathAndTheReason) {
  const auto absent = disk_.read(at("absent"));
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(absent.error().message, "read " + at("absent") + ": No such file or directory");
  EXPECT_EQ(disk_.read(root_).error().message, "read " + root_ + ": Is a directory");
  EXPECT_EQ(disk_.create(at("no/such/dir/file")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(disk_.list(at("absent")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(disk_.remove(at("absent")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(disk_.rename(at("absent"), at("b")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(disk_.sync_dir(at("absent")).error().code, ErrorCode::kNotFound);
}

TEST_F(DiskFilesTest, ARangeBeyondTheEndIsCorruptHoweverLarge) {
  put("a", "0123456789");
  EXPECT_EQ(disk_.read_range(at("a"), 0, 10)->text(), "0123456789");
  EXPECT_EQ(disk_.read_range(at("a"), 10, 0)->size(), 0U);
  EXPECT_EQ(disk_.read_range(at("a"), 5, 6).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(disk_.read_range(at("a"), 11, 0).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(disk_.read_range(at("a"), 1, ~std::uint64_t{0}).error().code, ErrorCode::kCorrupt);
}

TEST_F(DiskFilesTest, ListsSortedAndRemovesTrees) {
  ASSERT_TRUE(disk_.create_dirs(at("x/y/z")).ok());
  ASSERT_TRUE(disk_.create_dirs(at("x/y/z/")).ok());
  put("x/c", "3");
  put("x/a", "1");
  EXPECT_EQ(disk_.list(at("x")).value(), (std::vector<std::string>{"a", "c", "y"}));
  EXPECT_EQ(disk_.sizes(at("x")).value(), (std::map<std::string, std::uint64_t>{{"a", 1}, {"c", 1}}));
  EXPECT_EQ(disk_.sizes(at("absent")).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(disk_.exists(at("x/y/z")).value());
  ASSERT_TRUE(disk_.remove(at("x")).ok());
  EXPECT_FALSE(disk_.exists(at("x")).value());
  put("file", "");
  const auto in_the_way = disk_.create_dirs(at("file/sub"));
  ASSERT_FALSE(in_the_way.ok());
  EXPECT_EQ(in_the_way.error().code, ErrorCode::kIo);
}

TEST_F(DiskFilesTest, PublishReplacesAndLeavesNothingBeside) {
  ASSERT_TRUE(disk_.publish(at("state"), bytes_of("old")).ok());
  ASSERT_TRUE(disk_.publish(at("state"), bytes_of("new")).ok());
  EXPECT_EQ(text("state"), "new");
  EXPECT_EQ(disk_.list(root_).value(), (std::vector<std::string>{"state"}));
}

// A report to /dev/stdout must not take the device's place, nor that of a link.
TEST_F(DiskFilesTest, PublishWritesThroughWhatIsNoFile) {
  ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
  const int reader = open(at("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_TRUE(disk_.publish(at("pipe"), bytes_of("through")).ok());
  std::string read_there(16, '\0');
  read_there.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read(reader, read_there.data(), 16))));
  close(reader);
  EXPECT_EQ(read_there, "through");
  EXPECT_EQ(fs::status(at("pipe")).type(), fs::file_type::fifo);
  fs::create_symlink(at("target"), at("link"));
  ASSERT_TRUE(disk_.publish(at("link"), bytes_of("linked")).ok());
  EXPECT_TRUE(fs::is_symlink(at("link")));
  EXPECT_EQ(text("target"), "linked");
}

TEST_F(DiskFilesTest, TheUmaskSaysWhoMayWriteBeside) {
  const auto modes_under = [this](mode_t mask) {
    const mode_t before = umask(mask);
    const std::string folder = std::to_string(mask);
    EXPECT_TRUE(disk_.create_dirs(at(folder)).ok());
    put(folder + "/file", "x");
    umask(before);
    return std::pair{fs::status(at(folder)).permissions(), fs::status(at(folder + "/file")).permissions()};
  };
  EXPECT_EQ(modes_under(0022), std::pair(fs::perms{0755}, fs::perms{0644}));
  EXPECT_EQ(modes_under(0002), std::pair(fs::perms{0775}, fs::perms{0664}));  // a group writes checkpoints
}

TEST_F(DiskFilesTest, AFullDeviceIsNoSpaceAndTheFileRefusesMore) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  auto file = disk_.open_append("/dev/full");
  ASSERT_TRUE(file.ok());
  const Status full = (*file)->append(bytes_of("x"));
  EXPECT_EQ(full.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(full.error().message, "write /dev/full: No space left on device");
  EXPECT_EQ((*file)->append(bytes_of("x")).error().code, ErrorCode::kIo);
  EXPECT_EQ((*file)->sync().error().code, ErrorCode::kIo);
}

TEST_F(DiskFilesTest, AFullDiskKeepsTheOldBytes) {
  const std::string disk = at("small");
  ASSERT_TRUE(disk_.create_dirs(disk).ok());
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0)
    GTEST_SKIP() << "needs root to mount a small disk";
  const std::string state = disk + "/state";
  EXPECT_TRUE(disk_.publish(state, bytes_of("last good one")).ok());
  const Status full = disk_.publish(state, bytes_of(std::string(100'000, 'x')));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(text("small/state"), "last good one");
  umount(disk.c_str());
}

TEST_F(DiskFilesTest, WhatWasSetAsideIsThereWhenTheDiskIsFull) {
  const std::string disk = at("small");
  ASSERT_TRUE(disk_.create_dirs(disk).ok());
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=256k") != 0)
    GTEST_SKIP() << "needs root to mount a small disk";
  {
    auto log = disk_.open_append(disk + "/log");
    ASSERT_TRUE((*log)->append(bytes_of("one ")).ok());
    ASSERT_TRUE((*log)->reserve(100'000).ok());
    auto ballast = disk_.create(disk + "/ballast");
    EXPECT_EQ((*ballast)->append(bytes_of(std::string(300'000, 'x'))).error().code, ErrorCode::kNoSpace);
    EXPECT_EQ((*log)->reserve(200'000).error().code, ErrorCode::kNoSpace);
    EXPECT_TRUE((*log)->append(bytes_of(std::string(100'000, 'y'))).ok());
    EXPECT_TRUE((*log)->sync().ok());
    EXPECT_EQ((*log)->append(bytes_of(std::string(100'000, 'z'))).error().code, ErrorCode::kNoSpace);
  }
  EXPECT_EQ(text("small/log").substr(0, 100'004), "one " + std::string(100'000, 'y'));
  umount(disk.c_str());
}

}  // namespace
}  // namespace capstan
