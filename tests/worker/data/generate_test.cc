#include "worker/data/generate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/worker/data/movielens_fixture.h"
#include "worker/data/prepare.h"

namespace capstan {
namespace {

class Generate : public testing::Test {
 protected:
  Generate() {
    options.out_dir = dir.path("out");
    options.rows = 3000;
    options.test_rows = 20000;
  }
  GenerateSummary made() {
    const auto summary = generate(options);
    EXPECT_TRUE(summary.ok()) << summary.error().message;
    return summary.ok() ? *summary : GenerateSummary();
  }
  TempDir dir;
  GenerateOptions options;
};

TEST_F(Generate, ClicksLeaveRoomAboveALinearModel) {
  const GenerateSummary summary = made();
  EXPECT_GT(summary.best_auc - summary.linear_auc, 0.03);
  EXPECT_GT(summary.linear_auc, 0.6);
  EXPECT_LT(summary.best_auc, 0.9);
  EXPECT_GT(summary.positive_rate, 0.1);
  EXPECT_LT(summary.positive_rate, 0.5);
  const std::string test = dir.read("out/test.csv");
  EXPECT_EQ(std::count(test.begin(), test.end(), '\n'), 20001);
  EXPECT_EQ(test.substr(0, 15), "label,f1,f2,f3,");
}

TEST_F(Generate, ClicksWithoutPairsAreLinear) {
  options.pair_scale = 0.0;
  const GenerateSummary summary = made();
  EXPECT_NEAR(summary.best_auc, summary.linear_auc, 1e-9);
}

TEST_F(Generate, ClickValuesFollowThePowerLaw) {
  options.skew = 1.0;
  options.values = 3;  // chances 6/11, 3/11, 2/11
  options.fields = 1;
  options.rows = 22000;
  made();
  const std::string train = dir.read("out/train.csv");
  double first = 0.0, last = 0.0;
  for (std::size_t at = train.find('\n'); at + 1 < train.size(); at = train.find('\n', at + 1)) {
    first += train[at + 3] == '0' ? 1.0 : 0.0;
    last += train[at + 3] == '2' ? 1.0 : 0.0;
  }
  EXPECT_NEAR(first, 12000.0, 300.0);
  EXPECT_NEAR(last, 4000.0, 250.0);
}

TEST_F(Generate, TheSeedFixesEveryByte) {
  for (const auto kind : {GenerateKind::kCtr, GenerateKind::kRatings, GenerateKind::kLibsvm}) {
    options.kind = kind;
    options.seed = 5;
    std::vector<std::string> first;
    for (const auto& file : made().files) first.push_back(dir.read(file.substr(dir.path().size() + 1)));
    const GenerateSummary again = made();
    for (std::size_t i = 0; i < first.size(); ++i) {
      EXPECT_EQ(dir.read(again.files[i].substr(dir.path().size() + 1)), first[i]);
    }
    options.seed = 6;
    EXPECT_NE(dir.read(made().files[0].substr(dir.path().size() + 1)), first[0]);
  }
}

TEST_F(Generate, RatingsAreAMovielensFolder) {
  options.kind = GenerateKind::kRatings;
  options.rows = 20000;
  options.users = 400;
  options.items = 300;
  const GenerateSummary summary = made();
  EXPECT_NEAR(static_cast<double>(summary.rows), 20000.0, 3000.0);
  EXPECT_GT(summary.best_auc, summary.linear_auc + 0.03);
  JobConfig job = ranking_job(dir, options.out_dir);
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->num_users, 400U);
  EXPECT_EQ(data->train.size + data->valid.size + data->test.size, summary.rows);
  EXPECT_TRUE(data->item_titles[0].ends_with(", The"));
  // No pair twice, and the tenth of the items that is most popular holds far more than a tenth of the events.
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (const Examples* part : {&data->train, &data->valid, &data->test}) {
    for (std::uint64_t row = 0; row < part->size; ++row) pairs.emplace(part->user(row), part->item(row));
  }
  EXPECT_EQ(pairs.size(), summary.rows);
  const auto counts = data->item_counts.as<std::uint32_t>();
  std::vector<std::uint32_t> sorted(counts.begin(), counts.end());
  std::sort(sorted.rbegin(), sorted.rend());
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < 30; ++i) head += sorted[i];
  EXPECT_GT(static_cast<double>(head), 0.25 * static_cast<double>(data->train.size));
}

TEST_F(Generate, DriftMovesTheTruthOfTheTestRows) {
  options.pair_scale = 0.0;
  const std::string still = dir.read((made(), "out/test.csv"));
  options.drift = 3.0;
  made();
  EXPECT_NE(dir.read("out/test.csv"), still);
}

TEST_F(Generate, LibsvmIsReadBack) {
  options.kind = GenerateKind::kLibsvm;
  const GenerateSummary summary = made();
  EXPECT_EQ(summary.best_auc, summary.linear_auc);
  EXPECT_GT(summary.best_auc, 0.65);
  JobConfig job;
  job.work_dir = dir.path("work");
  job.data.format = DataFormat::kLibsvm;
  job.data.train = {summary.files[0]};
  job.data.test = {summary.files[1]};
  job.data.max_bad_lines = 0;
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->test.size, 20000U);
  EXPECT_EQ(data->train.fields[0].row_keys(0).size(), 20U);
}

TEST_F(Generate, MoreThanTheDiskOrTheMemoryHoldsIsRefused) {
  options.kind = GenerateKind::kCtr;
  options.rows = std::uint64_t{1} << 62U;
  const auto files = generate(options);
  ASSERT_FALSE(files.ok());
  EXPECT_NE(files.error().message.find(" are free"), std::string::npos) << files.error().message;
  options.rows = 10;
  options.values = 4'000'000'000;
  const auto truth = generate(options);
  ASSERT_FALSE(truth.ok());
  EXPECT_NE(truth.error().message.find("the planted truth would take"), std::string::npos)
      << truth.error().message;
}

TEST_F(Generate, SenselessOptionsAreRefused) {
  options.features_per_row = 0;
  const auto summary = generate(options);
  ASSERT_FALSE(summary.ok());
  EXPECT_EQ(summary.error().message, "generate: features_per_row must be from 1 to features");
}

}  // namespace
}  // namespace capstan
