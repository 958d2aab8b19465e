// Features through prepare(): where each comes from, what it is fitted on, and the defaults.
#include <gtest/gtest.h>

#include <cmath>

#include "common/hash.h"
#include "tests/worker/data/movielens_fixture.h"
#include "worker/data/prepare.h"

namespace capstan {
namespace {

FeatureConfig feature(std::string name, std::vector<std::string> columns,
                      std::vector<TransformStep> chain = {}) {
  FeatureConfig config;
  config.name = std::move(name);
  config.columns = std::move(columns);
  config.transform = std::move(chain);
  return config;
}

std::size_t index_of(const Dataset& data, std::string_view name) {
  for (std::size_t i = 0; i < data.fields.size(); ++i) {
    if (data.fields[i].name == name) return i;
  }
  ADD_FAILURE() << "no field " << name;
  return 0;
}

std::vector<Key> keys(const FieldColumn& column, std::uint64_t row) {
  const auto span = column.row_keys(row);
  return {span.begin(), span.end()};
}

class Features : public testing::Test {
 protected:
  Dataset prepared(const JobConfig& job) {
    auto data = prepare(job, {});
    EXPECT_TRUE(data.ok()) << data.error().message;
    return data.ok() ? std::move(data).value() : Dataset();
  }
  JobConfig clicks(std::string_view text) {
    JobConfig job;
    job.task = Task::kCtr;
    job.work_dir = dir.path("work");
    job.data.label = "label";
    job.data.train = {dir.write("clicks.csv", text)};
    return job;
  }
  TempDir dir;
};

// Both number the items alike, so that they can share a table.
TEST_F(Features, AHistoryOfNumberedItemsHasTheItemsOwnNumbers) {
  JobConfig job = clicks("label,u,i,t\n1,a,x,1\n0,a,y,2\n1,b,z,3\n0,a,z,4\n1,b,x,5\n");
  job.data.user = "u";
  job.data.item = "i";
  job.data.time = "t";
  job.data.split.method = SplitMethod::kNone;
  job.features = {feature("item", {"i"}, {{"vocab", {}}}),
                  feature("past", {"i"}, {{"vocab", {}}, {"history", {{"n", "5"}}}})};
  job.features[1].table = "item";
  const Dataset data = prepared(job);
  const auto& item = data.train.fields[index_of(data, "item")];
  const auto& past = data.train.fields[index_of(data, "past")];
  ASSERT_EQ(data.train.size, 5U);
  const auto item_of = [&](std::uint64_t row) { return keys(item, row).at(0); };
  EXPECT_EQ(keys(past, 0), (std::vector<Key>{}));
  EXPECT_EQ(keys(past, 1), (std::vector<Key>{item_of(0)}));
  EXPECT_EQ(keys(past, 3), (std::vector<Key>{item_of(0), item_of(1)}));
  EXPECT_EQ(keys(past, 4), (std::vector<Key>{item_of(2)}));
}

TEST_F(Features, GenresBelongToItemsAndHistoryToEvents) {
  JobConfig job = ranking_job(dir, write_ml_latest(dir));
  job.data.split.method = SplitMethod::kLeaveOneOut;
  job.data.split.valid = 0;
  job.features = {feature("genres", {"genres"}, {{"split", {}}, {"vocab", {}}}),
                  feature("history", {"item"}, {{"history", {{"n", "10"}}}}), feature("film", {"item"})};
  job.features[1].table = "film";
  const Dataset data = prepared(job);
  ASSERT_EQ(data.fields.size(), 4U);
  EXPECT_EQ(data.fields[0].name, "user");
  EXPECT_EQ(data.fields[1].name, "film");  // stands for the item

  const std::size_t genres = index_of(data, "genres");
  EXPECT_EQ(data.fields[genres].source, FieldSource::kItem);
  EXPECT_TRUE(data.fields[genres].list);
  // Items in order 30, 10, 20; train: 7 -> 30 and 3 -> 20, 10. All three are trained on.
  EXPECT_EQ(keys(data.item_fields[genres], 0), (std::vector<Key>{1}));
  EXPECT_EQ(keys(data.item_fields[genres], 1), (std::vector<Key>{2, 3}));
  EXPECT_EQ(keys(data.item_fields[genres], 2), (std::vector<Key>{1}));

  const std::size_t history = index_of(data, "history");
  EXPECT_EQ(data.fields[history].source, FieldSource::kEvent);
  EXPECT_EQ(data.fields[history].cardinality, 3U);
  EXPECT_EQ(data.fields[history].table, "film");
  // Test rows: 7 -> 10 at 200 and 3 -> 30 at 60.
  ASSERT_EQ(data.test.size, 2U);
  EXPECT_EQ(keys(data.test.fields[history], 0), (std::vector<Key>{0}));
  EXPECT_EQ(keys(data.test.fields[history], 1), (std::vector<Key>{2, 1}));
}

TEST_F(Features, SideTablesAreFittedOnTrainedItemsOnly) {
  JobConfig job = ranking_job(dir, write_ml_latest(dir));
  job.data.split.test = 0.5;
  job.data.split.valid = 0.5;  // train: 7 -> 30 and 3 -> 20; item 10 (Action, Crime) is never trained on
  job.features = {feature("genres", {"genres"}, {{"split", {}}, {"vocab", {}}})};
  const Dataset data = prepared(job);
  EXPECT_EQ(data.fields[2].cardinality, 2U);
  EXPECT_EQ(keys(data.item_fields[2], 1), (std::vector<Key>{0, 0}));
}

TEST_F(Features, UserFileGivesUserFields) {
  JobConfig job = ranking_job(dir, write_ml_latest(dir));
  job.data.users = dir.write("users.csv", "user,age\n3,30\n9,99\n");
  job.data.split.method = SplitMethod::kNone;
  job.features = {feature("age", {"age"}, {{"bucketise", {{"boundaries", "18, 40"}}}})};
  const Dataset data = prepared(job);
  EXPECT_EQ(data.fields[2].source, FieldSource::kUser);
  EXPECT_EQ(keys(data.user_fields[2], 0), (std::vector<Key>{0}));  // user 7 is not in the file
  EXPECT_EQ(keys(data.user_fields[2], 1), (std::vector<Key>{2}));
}

TEST_F(Features, ClicksWithoutFeaturesUseEveryColumn) {
  JobConfig job = clicks("label,a,b\n1,x,2\n0,y,\n");
  CleanRule rule;
  rule.column = "b";
  rule.type = ColumnType::kFloat;
  job.data.clean = {rule};
  const Dataset data = prepared(job);
  ASSERT_EQ(data.fields.size(), 2U);
  EXPECT_EQ(keys(data.train.fields[0], 1), (std::vector<Key>{hash_string("a=y")}));
  EXPECT_EQ(keys(data.train.fields[1], 1), (std::vector<Key>{0}));
}

TEST_F(Features, NumbersStayNumbersAndMissingIsZeroAtTheEnd) {
  JobConfig job = clicks("label,n\n1,3\n0,\n0,5\n");
  job.features = {feature("n", {"n"}, {{"zscore", {}}})};
  const Dataset data = prepared(job);
  EXPECT_TRUE(data.fields[0].dense);
  EXPECT_EQ(data.train.fields[0].value(0), -1.0F);
  EXPECT_EQ(data.train.fields[0].value(1), 0.0F);
  EXPECT_EQ(data.train.fields[0].value(2), 1.0F);
}

TEST_F(Features, LibsvmAndLibffmKeepTheirWeights) {
  JobConfig job = clicks("+1 3:0.5 7:1 # note\n-1 1:2\n");
  job.data.format = DataFormat::kLibsvm;
  const Dataset svm = prepared(job);
  ASSERT_EQ(svm.fields.size(), 1U);
  EXPECT_EQ(svm.fields[0].cardinality, 8U);
  EXPECT_EQ(keys(svm.train.fields[0], 0), (std::vector<Key>{3, 7}));
  EXPECT_EQ(svm.train.fields[0].row_weights(0)[0], 0.5F);
  EXPECT_EQ(svm.train.label(1), 0.0F);
  job = clicks("1 0:3:1 2:5:0.5 2:6:1\n0 1:4:2\n");
  job.data.format = DataFormat::kLibffm;
  const Dataset ffm = prepared(job);
  ASSERT_EQ(ffm.fields.size(), 3U);
  EXPECT_EQ(keys(ffm.train.fields[2], 0), (std::vector<Key>{5, 6}));
  EXPECT_EQ(keys(ffm.train.fields[2], 1), (std::vector<Key>{}));
}

TEST_F(Features, CriteoColumnsMayBeEmpty) {
  std::string line = "1\t-2\t\t7";
  for (int i = 4; i <= 13; ++i) line += "\t" + std::to_string(i);
  for (int i = 1; i <= 26; ++i) line += i == 2 ? "\t" : "\tab" + std::to_string(i);
  JobConfig job = clicks(line + "\n" + line + "\n");
  job.data.format = DataFormat::kCriteo;
  job.data.label.clear();
  const Dataset data = prepared(job);
  ASSERT_EQ(data.fields.size(), 39U);
  EXPECT_EQ(keys(data.train.fields[1], 0), (std::vector<Key>{0}));
  EXPECT_EQ(keys(data.train.fields[14], 0), (std::vector<Key>{hash_string("C2=")}));
}

TEST_F(Features, JsonLinesMayLackKeys) {
  JobConfig job =
      clicks("{\"label\":1,\"a\":\"x\",\"n\":2.5,\"deep\":{\"k\":1}}\n{\"n\":null,\"label\":false}\n");
  job.data.format = DataFormat::kJsonl;
  job.features = {feature("a", {"a"}), feature("n", {"n"}, {{"log", {}}})};
  const Dataset data = prepared(job);
  EXPECT_EQ(keys(data.train.fields[0], 1), (std::vector<Key>{hash_string("a=")}));
  EXPECT_FLOAT_EQ(data.train.fields[1].value(0), std::log(3.5F));
  job.features[0].columns = {"aa"};
  const auto wrong = prepare(job, {});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message,
            dir.path("clicks.csv") +
                ": no line has 'aa' (did you mean 'a'?); the first line has label, a, n, deep");
}

TEST_F(Features, MistakesNameTheFeature) {
  JobConfig job = ranking_job(dir, write_ml_latest(dir));
  job.features = {feature("g", {"genres"}, {{"split", {}}, {"zscore", {}}})};
  auto data = prepare(job, {});
  ASSERT_FALSE(data.ok());
  EXPECT_EQ(data.error().message, "feature 'g': zscore: needs numbers, but what comes before it gives text");
  job.features = {feature("g", {"genres", "user"}, {{"cross", {}}})};
  data = prepare(job, {});
  ASSERT_FALSE(data.ok());
  EXPECT_EQ(data.error().message,
            "feature 'g': its columns come from different tables (events, items, users)");
}

}  // namespace
}  // namespace capstan
