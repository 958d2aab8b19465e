#include "common/config/fingerprint.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

JobConfig job() {
  JobConfig job;
  job.name = "films";
  job.data.train = {"ratings.csv"};
  job.features = {{.name = "user", .columns = {"user"}, .transform = {{"vocab", {}}}, .table = "user"}};
  job.model.type = "mf";
  return job;
}

TEST(Fingerprint, NamesTheFirstSettingThatDiffers) {
  const JobConfig before = job();
  JobConfig after = before;
  after.model.embedding_dim = 32;
  after.train.batch_size = 1;
  EXPECT_EQ(difference(before, after), "model.embedding_dim: 16 became 32");
  EXPECT_NE(fingerprint(before), fingerprint(after));

  after = before;
  after.train.batch_size = 1;
  EXPECT_EQ(difference(before, after), "train.batch_size: 1024 became 1");

  after = before;
  after.data.train.emplace_back("more.csv");
  EXPECT_EQ(difference(before, after), "data.train: [ratings.csv] became [ratings.csv, more.csv]");

  after = before;
  after.data.positive_from = 4;
  EXPECT_EQ(difference(before, after), "data.positive_from: 4 is new");
  EXPECT_EQ(difference(after, before), "data.positive_from: 4 is gone");

  after = before;
  after.features[0].transform = {{"hash", {{"buckets", "10"}}}};
  EXPECT_EQ(difference(before, after), "features[0].transform: [vocab] became [{hash: {buckets: 10}}]");

  after = before;
  after.seed = 7;
  EXPECT_EQ(difference(before, after), "seed: 42 became 7");
}

TEST(Fingerprint, LeavesOutWhatAResumeMayChange) {
  const JobConfig before = job();
  JobConfig after = before;
  after.name = "other";
  after.train.passes = 100;
  after.evaluate.at = {5};
  after.cluster.servers = 4;
  after.checkpoint.keep = 1;
  after.data.reject_file = "bad.txt";
  after.report = "report.json";
  EXPECT_EQ(difference(before, after), "");
  EXPECT_EQ(fingerprint(before), fingerprint(after));
}

TEST(Fingerprint, AddedTablesAreNoDifference) {
  const JobConfig before = job();
  JobConfig after = before;
  after.features.push_back(
      {.name = "hour", .columns = {"hour"}, .transform = {{"hash", {}}}, .table = "hour"});
  after.tables["hour"].dim = 4;
  EXPECT_EQ(difference(before, after), "");
  EXPECT_NE(difference(after, before), "");
  after.tables["user"].dim = 4;
  EXPECT_EQ(difference(before, after).substr(0, 12), "tables.user:");

  after = before;
  after.features.push_back(
      {.name = "friend", .columns = {"friend"}, .transform = {{"vocab", {}}}, .table = "user"});
  EXPECT_EQ(difference(before, after).substr(0, 12), "features[1]:");
}

}  // namespace
}  // namespace capstan
