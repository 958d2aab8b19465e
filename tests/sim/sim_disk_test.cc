#include <gtest/gtest.h>

#include <set>

#include "sim/world.h"

namespace capstan {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class SimDiskTest : public ::testing::Test {
 protected:
  void make(std::uint64_t seed) {
    world_ = std::make_unique<SimWorld>(seed, SimOptions{});
    node_ = &world_->add_node("a");
  }
  Storage& disk() { return node_->storage(); }
  std::string text(const std::string& path) {
    const auto got = disk().read(path);
    return got.ok() ? std::string(got->text()) : "error: " + got.error().message;
  }
  void put(const std::string& path, std::string_view bytes, bool sync) {
    auto file = disk().create(path);
    ASSERT_TRUE(file.ok()) << file.error().message;
    ASSERT_TRUE((*file)->append(bytes_of(bytes)).ok());
    if (sync) {
      ASSERT_TRUE((*file)->sync().ok());
    }
  }
  void power_cut() {
    world_->crash(*node_, SimWorld::Crash::kPower);
    world_->restart(*node_);
  }

  std::unique_ptr<SimWorld> world_;
  SimNode* node_ = nullptr;
};

TEST_F(SimDiskTest, BehavesAsFilesDo) {
  make(1);
  ASSERT_TRUE(disk().create_dirs("/x/y").ok());
  put("/x/y/b", "bb", false);
  put("x//y/a", "a", false);
  auto file = disk().open_append("/x/y/a");
  ASSERT_TRUE((*file)->append(bytes_of("bc")).ok());
  ASSERT_TRUE((*file)->close().ok());
  EXPECT_EQ((*file)->append(bytes_of("d")).error().code, ErrorCode::kIo);
  EXPECT_EQ(text("/x/y/a"), "abc");
  EXPECT_EQ(disk().read_range("/x/y/a", 1, 2)->text(), "bc");
  EXPECT_EQ(disk().read_range("/x/y/a", 2, 2).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(disk().list("/x/y").value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(disk().list("/x").value(), (std::vector<std::string>{"y"}));
  EXPECT_EQ(disk().sizes("/x").value().size(), 0U);
  EXPECT_EQ(text("/x/none"), "error: read /x/none: No such file or directory");
  EXPECT_EQ(disk().create("/no/dir").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(disk().create("/x/y").error().code, ErrorCode::kIo);
  ASSERT_TRUE(disk().rename("/x/y", "/x/z").ok());
  EXPECT_EQ(text("/x/z/a"), "abc");
  EXPECT_FALSE(disk().exists("/x/y").value());
  ASSERT_TRUE(disk().rename("/x/z/b", "/x/z/a").ok());
  EXPECT_EQ(text("/x/z/a"), "bb");
  ASSERT_TRUE(disk().remove("/x").ok());
  EXPECT_FALSE(disk().exists("/x/z/a").value());
  EXPECT_EQ(disk().remove("/x").error().code, ErrorCode::kNotFound);
}

TEST_F(SimDiskTest, AProcessThatDiesLosesNothingItWrote) {
  make(1);
  put("a", "unsynced", false);
  world_->crash(*node_, SimWorld::Crash::kProcess);
  world_->restart(*node_);
  EXPECT_EQ(text("a"), "unsynced");
}

TEST_F(SimDiskTest, APowerCutKeepsWhatWasSyncedAndTearsTheRest) {
  std::set<std::size_t> sizes;
  bool zeros = false;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    make(seed);
    auto file = disk().create("log");
    ASSERT_TRUE((*file)->append(bytes_of("kept")).ok());
    ASSERT_TRUE((*file)->sync().ok());
    ASSERT_TRUE(disk().sync_dir("").ok());
    ASSERT_TRUE((*file)->append(bytes_of("perhaps")).ok());
    power_cut();
    const std::string left = text("log");
    ASSERT_TRUE(left.starts_with("kept")) << "seed " << seed << ": " << left;
    sizes.insert(left.size());
    zeros |= left.find('\0') != std::string::npos;
    if (left.find('\0') == std::string::npos) {
      EXPECT_EQ(left, std::string("keptperhaps").substr(0, left.size()));
    }
    EXPECT_EQ((*file)->append(bytes_of("x")).error().code, ErrorCode::kIo);  // a file of the life before
    power_cut();
    EXPECT_EQ(text("log"), left);  // the disk's state is settled now
  }
  EXPECT_EQ(sizes.size(), 8U);
  EXPECT_TRUE(zeros);
}

TEST_F(SimDiskTest, NamesAreUndoneUntilTheDirectoryIsSynced) {
  std::set<std::string> states;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    make(seed);
    put("state", "old", true);
    ASSERT_TRUE(disk().sync_dir(".").ok());
    put("state.tmp", "new", true);
    ASSERT_TRUE(disk().rename("state.tmp", "state").ok());
    power_cut();
    states.insert(text("state") + (disk().exists("state.tmp").value() ? " and beside" : ""));
  }
  EXPECT_EQ(states, (std::set<std::string>{"old", "old and beside", "new"}));
}

TEST_F(SimDiskTest, ARemovedFileMayComeBack) {
  std::set<bool> there;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    make(seed);
    put("a", "x", true);
    ASSERT_TRUE(disk().sync_dir("").ok());
    ASSERT_TRUE(disk().remove("a").ok());
    power_cut();
    there.insert(disk().exists("a").value());
  }
  EXPECT_EQ(there.size(), 2U);
}

TEST_F(SimDiskTest, PublishIsAtomicAndDurableWhereverThePowerFails) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    make(seed);
    ASSERT_TRUE(disk().publish("state", bytes_of("first")).ok());
    power_cut();
    EXPECT_EQ(text("state"), "first") << "seed " << seed;
    node_->disk().fail_next_syncs(seed % 2 == 0 ? 1 : 0);
    const Status second = disk().publish("state", bytes_of("second"));
    EXPECT_EQ(second.ok(), seed % 2 != 0);
    power_cut();
    EXPECT_EQ(text("state"), second.ok() ? "second" : "first") << "seed " << seed;
  }
}

TEST_F(SimDiskTest, AFailedSyncNeverMakesTheBytesDurableLater) {
  bool lost = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    make(seed);
    auto file = disk().create("a");
    ASSERT_TRUE(disk().sync_dir("").ok());
    ASSERT_TRUE((*file)->append(bytes_of("bytes")).ok());
    node_->disk().fail_next_syncs(1);
    EXPECT_EQ((*file)->sync().error().code, ErrorCode::kIo);
    EXPECT_EQ((*file)->sync().error().code, ErrorCode::kIo);
    auto again = disk().open_append("a");
    EXPECT_TRUE((*again)->sync().ok());  // as Linux says
    power_cut();
    lost |= text("a") != "bytes";
  }
  EXPECT_TRUE(lost);
}

TEST_F(SimDiskTest, AFullDiskSaysSoAndKeepsTheOldBytes) {
  make(1);
  ASSERT_TRUE(disk().publish("state", bytes_of("last good one")).ok());
  node_->disk().set_capacity(20);
  const Status full = disk().publish("state", bytes_of("larger than what is left"));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(full.error().message, "write state.tmp: No space left on device");
  EXPECT_EQ(text("state"), "last good one");
}

TEST_F(SimDiskTest, WhatWasSetAsideIsThereWhenTheDiskIsFull) {
  make(1);
  auto file = disk().create("a");
  ASSERT_TRUE((*file)->reserve(10).ok());
  node_->disk().set_capacity(12);
  EXPECT_EQ((*file)->reserve(20).error().code, ErrorCode::kNoSpace);
  auto other = disk().create("b");
  EXPECT_EQ((*other)->append(bytes_of("three")).error().code, ErrorCode::kNoSpace);
  EXPECT_TRUE((*file)->append(bytes_of("ten bytes!")).ok());
  EXPECT_EQ((*file)->append(bytes_of("more")).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(text("a"), "ten bytes!");
}

TEST_F(SimDiskTest, FaultsByChanceStopWhenFaultsAreOff) {
  SimOptions options;
  options.disk.sync_failure = options.disk.write_failure = 0.5;
  SimWorld world(1, options);
  SimNode& node = world.add_node("a");
  int failed = 0;
  for (int i = 0; i < 100; ++i) failed += !node.storage().publish("x", bytes_of("x")).ok();
  EXPECT_GT(failed, 50);
  world.set_faults(false);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(node.storage().publish("x", bytes_of("x")).ok());
}

TEST_F(SimDiskTest, ASharedDiskLosesOnlyWhatTheCrashedNodeHadNotSynced) {
  bool lost = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SimWorld world(seed, SimOptions{});
    SimNode& a = world.add_node("a", "checkpoints");
    SimNode& b = world.add_node("b", "checkpoints");
    auto by_a = a.storage().create("a");
    auto by_b = b.storage().create("b");
    ASSERT_TRUE((*by_a)->append(bytes_of("of a")).ok());
    ASSERT_TRUE((*by_b)->append(bytes_of("of b")).ok());
    EXPECT_EQ(b.storage().read("a")->text(), "of a");
    world.crash(a, SimWorld::Crash::kPower);
    EXPECT_EQ(b.storage().read("b")->text(), "of b") << "seed " << seed;
    const auto left = b.storage().read("a");
    lost |= !left.ok() || left->text() != "of a";
    EXPECT_TRUE((*by_b)->append(bytes_of("!")).ok());
  }
  EXPECT_TRUE(lost);
}

}  // namespace
}  // namespace capstan
