#include "common/shared_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/adapters/disk_files.h"

namespace capstan {
namespace {

namespace fs = std::filesystem;

class SharedFolderTest : public ::testing::Test {
 protected:
  SharedFolderTest() {
    std::string pattern = (fs::temp_directory_path() / "shared_folder_XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    proof_ = begin_proof(disk_, folder(), 4, 17).value();
  }
  ~SharedFolderTest() override { fs::remove_all(root_); }
  std::string folder() const { return root_ + "/checkpoints"; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder()), fs::directory_iterator{}));
  }

  std::string root_;
  DiskFiles disk_;
  SharedFolderProof proof_;
};

TEST_F(SharedFolderTest, NodesThatShareItFindEachOthersFiles) {
  const auto wrote = answer_proof(disk_, proof_, "ps-1");
  ASSERT_TRUE(wrote.ok());
  EXPECT_TRUE(fs::exists(*wrote));
  EXPECT_TRUE(check_answer(disk_, proof_, "ps-1", *wrote).ok());
  EXPECT_EQ(files(), 2U);
  std::ofstream(folder() + "/ckpt-000001") << "another file";
  remove_proofs(disk_, folder(), 4);
  EXPECT_EQ(files(), 1U);
}

// A scheduler that does not know yet that another one leads ends a question of its own.
TEST_F(SharedFolderTest, ASuccessorsFilesAreLeftAlone) {
  const auto wrote = answer_proof(disk_, proof_, "ps-1");
  remove_proofs(disk_, folder(), 3);
  EXPECT_EQ(files(), 2U);
  EXPECT_TRUE(check_answer(disk_, proof_, "ps-1", *wrote).ok());
}

TEST_F(SharedFolderTest, AServerWithAFolderOfItsOwnSaysSo) {
  fs::rename(folder(), root_ + "/elsewhere");
  const auto wrote = answer_proof(disk_, proof_, "ps-1");
  ASSERT_FALSE(wrote.ok());
  EXPECT_EQ(wrote.error().message, "ps-1 does not see " + proof_.path +
                                       ", which the scheduler has written: the folder must be one that all "
                                       "nodes share, under the same path");
}

TEST_F(SharedFolderTest, AnotherClustersFileIsNoProof) {
  std::ofstream(proof_.path) << "5-1";
  EXPECT_FALSE(answer_proof(disk_, proof_, "ps-1").ok());
}

TEST_F(SharedFolderTest, WhatAServerWroteElsewhereIsMissed) {
  const auto wrote = answer_proof(disk_, proof_, "ps-1");
  ASSERT_TRUE(wrote.ok());
  fs::remove(*wrote);
  const Status seen = check_answer(disk_, proof_, "ps-1", *wrote);
  ASSERT_FALSE(seen.ok());
  EXPECT_NE(seen.error().message.find("the scheduler does not see " + *wrote + ", which ps-1 has written"),
            std::string::npos);
}

// A full disk, say: that is the first checkpoint's to tell.
TEST_F(SharedFolderTest, AServerThatCannotWriteProvesNothing) {
  fs::create_directory(proof_.path + ".ps-1");
  const auto wrote = answer_proof(disk_, proof_, "ps-1");
  ASSERT_TRUE(wrote.ok());
  EXPECT_EQ(*wrote, "");
  EXPECT_TRUE(check_answer(disk_, proof_, "ps-1", *wrote).ok());
}

}  // namespace
}  // namespace capstan
