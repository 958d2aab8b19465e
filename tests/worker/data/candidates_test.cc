#include <gtest/gtest.h>

#include "tests/temp_dir.h"
#include "worker/data/prepare.h"

namespace capstan {
namespace {

using Lists = std::vector<std::vector<std::uint32_t>>;

class Candidates : public testing::Test {
 protected:
  Candidates() {
    job.task = Task::kRanking;
    job.work_dir = dir.path("work");
    DataConfig& data = job.data;
    data.format = DataFormat::kTsv;
    data.header = false;
    data.columns = {"user", "item"};
    data.user = "user";
    data.item = "item";
    data.max_bad_lines = 0;
    data.split.method = SplitMethod::kFiles;
    data.split.valid = 0.0;
    // Users 5, 6 are 0, 1; items 70, 50, 60, 90 are 0, 1, 2, 3.
    data.train = {dir.write("pairs.tsv", "5\t70\n5\t50\n6\t60\n6\t70\n6\t90\n")};
    data.test_columns = {"user", "item", "rating"};
  }
  std::string error() {
    const auto data = prepare(job, {});
    return data.ok() ? "none" : data.error().message.substr(dir.path().size() + 1);
  }
  TempDir dir;
  JobConfig job;
};

TEST_F(Candidates, IdsMayBeIndices) {
  job.data.test = {dir.write("test", "0\t1\t5\n1\t0\t4\n")};
  job.data.test_candidates = dir.write("negative", "(0,1)\t2\t1\t3\n(1,0)\t1\n");
  job.data.test_ids_are_indices = true;
  job.data.exclude_test_from_train = true;
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->candidates, (Lists{{2, 3}, {1}}));  // the user's own test item 1 is left out
  EXPECT_EQ(data->item_names, (std::vector<std::string>{"70", "50", "60", "90"}));
  EXPECT_EQ(data->train.size, 3U);
  EXPECT_TRUE(data->test_items.contains(1, 0));
  EXPECT_FALSE(data->train_items.contains(0, 1));
}

TEST_F(Candidates, OrTheIdsOfTheData) {
  job.data.test = {dir.write("test", "6\t50\t5\n")};
  job.data.test_candidates = dir.write("negative", "(6,50)\t90\t70\n");
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->candidates, (Lists{{}, {3, 0}}));
}

TEST_F(Candidates, MistakesNameTheLine) {
  job.data.test = {dir.write("test", "6\t50\t5\n")};
  job.data.test_candidates = dir.write("negative", "(6,50)\t90\n(7,50)\t90\n");
  EXPECT_EQ(error(), "negative:2: no user '7' in the data");
  dir.write("negative", "6,50\t90\n");
  EXPECT_EQ(error(), "negative:1: '6,50' is not (user,item)");
  dir.write("negative", "(6,50)\t90\n(6,50)\t70\n");
  EXPECT_EQ(error(), "negative:2: a second line for user '6'");
  dir.write("negative", "(6,60)\t90\n");
  EXPECT_EQ(error(), "negative:1: '60' is not a test item of user '6'");
  dir.write("negative", "(6,50)\t50\n");
  EXPECT_EQ(error(), "negative: no candidates for user '6', who has test items");  // but its own
  job.data.test_ids_are_indices = true;
  EXPECT_EQ(error(), "test:1: the user '6' is not an index below 2");
}

}  // namespace
}  // namespace capstan
